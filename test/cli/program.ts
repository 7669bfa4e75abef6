/** The program as a shell sees it: a child process with its own environment, or a command in this process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type House, runCommandLine } from '../../src/cli/index.ts';

const ENTRY = join(import.meta.dirname, '..', '..', 'bin', 'sealdesk.mjs');

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** This process's environment without any setting of ours. */
function cleanEnvironment(): Record<string, string | undefined> {
  const isOurs = (name: string): boolean =>
    /^(SEALDESK_.*|PORT|DATABASE_URL|NODE_OPTIONS|VITEST.*)$/.test(name);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOurs(name)));
}

function spawnProgram(args: readonly string[], { cwd, env = {} }: ProgramOptions): ChildProcess {
  return spawn(process.execPath, [ENTRY, ...args], { cwd, env: { ...cleanEnvironment(), ...env } });
}

/** Runs the program to its end. */
export async function runProgram(args: readonly string[], options: ProgramOptions): Promise<Outcome> {
  const child = spawnProgram(args, options);
  const outputs = gather(child);
  child.stdin?.end(options.input ?? '');
  const code = await ended(child);
  return { code, ...outputs() };
}

export interface RunningProgram extends AsyncDisposable {
  readonly pid: number;
  readonly stdout: string;
  /** Resolves with its end, whatever leads to it. */
  readonly ended: Promise<Outcome>;
  /** Sends the signal and resolves with the end. */
  stop(signal?: NodeJS.Signals): Promise<Outcome>;
}

/** Starts the program and waits for a line of its output; rejects with what it said where it ends before. */
export async function startProgram(
  args: readonly string[],
  options: ProgramOptions & { readonly until: RegExp },
): Promise<RunningProgram> {
  const child = spawnProgram(args, options);
  const outputs = gather(child);
  const end = ended(child);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) {
      createInterface({ input: stream }).on('line', (line) => {
        if (options.until.test(line)) resolve();
      });
    }
  }
  void end.then((code) => reject(new Error(`The program ended with ${code}: ${JSON.stringify(outputs())}`)));
  await promise;
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<Outcome> => {
    child.kill(signal);
    return { code: await end, ...outputs() };
  };
  return {
    pid: child.pid ?? 0,
    stdout: outputs().stdout,
    ended: end.then((code) => ({ code, ...outputs() })),
    stop,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await stop('SIGKILL');
    },
  };
}

function gather(child: ChildProcess): () => { readonly stdout: string; readonly stderr: string } {
  const parts = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    parts.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    parts.stderr += text;
  });
  return () => ({ ...parts });
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
}

/** Ports that nobody listens on, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(typeof address === 'object' && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

const noHouse: House = {
  openBackend: () => Promise.reject(new TypeError('This command must not open the database')),
  openGateway: () => Promise.reject(new TypeError('This command must not listen')),
};

/** Runs a command that needs no database in this process. */
export async function runHere(args: readonly string[], input = ''): Promise<Outcome> {
  const out: Uint8Array[] = [];
  let stderr = '';
  const write = (data: string | Uint8Array): void => void out.push(Buffer.from(data));
  const code = await runCommandLine(args, noHouse, {
    write,
    print: (line = '') => write(`${line}\n`),
    warn: (line) => {
      stderr += `${line}\n`;
    },
    input: (async function* () {
      yield new TextEncoder().encode(input);
    })(),
  });
  return { code, stdout: Buffer.concat(out).toString('utf8'), stderr };
}
