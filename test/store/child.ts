/** Other processes of the same machine: each runs a script of ES module text with the store's modules at hand. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const moduleUrl = (path: string) => JSON.stringify(new URL(`../../src/store/${path}`, import.meta.url).href);

export interface Child {
  readonly process: ChildProcess;
  /** The next line of its output, or `null` when there is no other. */
  nextLine(): Promise<string | null>;
  /** What it wrote to its error output, once it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly errors: string }>;
}

/** Starts Node on `script`, in which `openStore` and `openFolderLock` are defined and `input` holds the given value. */
export function startChild(script: string, input: unknown): Child {
  const source = `
    const { openStore } = await import(${moduleUrl('index.ts')});
    const { openFolderLock } = await import(${moduleUrl('folder-lock.ts')});
    const input = ${JSON.stringify(input)};
    ${script}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: 'pipe' });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  return {
    process: child,
    async nextLine() {
      const { value, done } = await lines.next();
      return done ? null : value;
    },
    ended: once(child, 'close').then(([code]: (number | null)[]) => ({ code: code ?? null, errors })),
  };
}

/** Takes the folder `input`, says so, and holds it until its input ends. */
export const HOLD_FOLDER = `
  try {
    await using lock = await openFolderLock(input, 'http://child:' + process.pid);
    console.log('held');
    for await (const _ of process.stdin);
  } catch (error) {
    console.log(error.name);
  }`;
