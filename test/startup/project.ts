/** A throw-away clone: the real start-up program over a lockfile, a node_modules and an npm made for the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { BUNDLED_NODE_PACKAGES, findBundledNode } from '../../bin/runtime.mjs';

const repository = join(import.meta.dirname, '..', '..');

/** The real Node's package under the name that this platform's has. */
export const bundledPackage = BUNDLED_NODE_PACKAGES[`${process.platform}-${process.arch}`] ?? '';

/** Turns a capable Node into one that is not, as the launcher sees it: it no longer runs TypeScript. */
export const incapable = ['--no-strip-types'];

export const lock = JSON.stringify({
  packages: {
    '': { version: '1.0.0' },
    'node_modules/dependency': { version: '1.0.0', integrity: 'sha512-1' },
  },
});

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Project {
  readonly root: string;
  /** A line for each run of npm. */
  readonly npmLog: string;

  constructor(folder = '') {
    const top = realpathSync(mkdtempSync(join(tmpdir(), 'sealdesk-startup-')));
    this.root = join(top, folder);
    this.npmLog = join(top, 'npm.log');
    cpSync(join(repository, 'bin'), join(this.root, 'bin'), { recursive: true });
    this.write('package.json', '{ "type": "module" }');
    this.write('package-lock.json', lock);
    this.write('npm/npm-cli.js', '');
  }

  write(path: string, content: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), content);
  }

  /** What npm leaves behind after installing `lockfile`. */
  install(lockfile = lock): void {
    this.write('node_modules/dependency/package.json', '{}');
    this.write('node_modules/.package-lock.json', lockfile.replace(/"":\{[^}]*\},/, ''));
  }

  /** Puts the repository's own bundled Node, or another executable, where the package manager would. */
  bundle(executable?: string): void {
    if (executable === undefined) {
      const folder = dirname(dirname(findBundledNode(repository)));
      mkdirSync(join(this.root, 'node_modules'), { recursive: true });
      symlinkSync(folder, join(this.root, 'node_modules', bundledPackage), 'junction');
      return;
    }
    this.write(`node_modules/${bundledPackage}/package.json`, JSON.stringify({ bin: { node: executable } }));
  }

  /** `body` is what the stand-in for npm does; it runs in the project's folder. */
  npm(body: string): void {
    this.write(
      'npm/npm-cli.js',
      `import { appendFileSync, cpSync } from 'node:fs';
      appendFileSync(${JSON.stringify(this.npmLog)}, process.argv.slice(2).join(' ') + '\\n');
      ${body}`,
    );
  }

  /** Starts `bin/sealdesk.mjs ...args` under `node`. */
  start(
    args: readonly string[],
    options: { node?: string; flags?: readonly string[]; env?: object } = {},
  ): ChildProcess {
    const { npm_execpath, npm_node_execpath, NODE_OPTIONS, ...env } = process.env;
    return spawn(
      options.node ?? process.execPath,
      [...(options.flags ?? []), join(this.root, 'bin', 'sealdesk.mjs'), ...args],
      {
        cwd: this.root,
        env: { ...env, npm_execpath: join(this.root, 'npm', 'npm-cli.js'), ...options.env },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
  }

  async run(...start: Parameters<Project['start']>): Promise<Ended> {
    return ended(this.start(...start));
  }

  [Symbol.dispose](): void {
    rmSync(dirname(this.npmLog), { recursive: true, force: true });
  }
}

export async function ended(child: ChildProcess): Promise<Ended> {
  const exit = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve([code, signal]));
  });
  if (child.stdout === null || child.stderr === null) throw new TypeError('the child has no pipes');
  const [stdout, stderr, [code, signal]] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { code, signal, stdout, stderr };
}
