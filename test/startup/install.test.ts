import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { installStamp, isInstalled, npmCommand, npmEnvironment } from '../../bin/install.mjs';
import { isDeadClaim, liveClaims } from '../../bin/install-lock.mjs';
import { bundledPackage, ended, lock, Project } from './project.ts';

let open: Project | undefined;
afterEach(() => open?.[Symbol.dispose]());

function project(): Project {
  open = new Project();
  open.write('src/main.ts', `console.log('started');`);
  // What a real npm would leave is prepared beside, for the stand-in to put in its place.
  open.write('prepared/.package-lock.json', lock);
  open.write('prepared/dependency/package.json', '{}');
  open.npm(`cpSync('prepared', 'node_modules', { recursive: true });`);
  return open;
}

function npmRuns({ npmLog }: Project): string[] {
  return existsSync(npmLog) ? readFileSync(npmLog, 'utf8').trim().split('\n') : [];
}

/** A process id that belongs to nobody any more. */
function endedPid(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

describe('a start in a clone', () => {
  it('installs once, with development and optional packages, and keeps standard output clean', async () => {
    const clone = project();
    const env = { NODE_ENV: 'production', npm_config_omit: 'optional' };
    const first = await clone.run([], { env });
    expect(first).toMatchObject({ stdout: 'started\n', code: 0 });
    expect(first.stderr).toMatch(/^sealdesk: installing .*\n$/);
    expect(await clone.run([], { env })).toMatchObject({ stdout: 'started\n', stderr: '' });
    expect(npmRuns(clone)).toEqual([expect.stringMatching(/^ci --include=dev --include=optional /)]);
  });

  it('installs again when the lockfile names something else', async () => {
    const clone = project();
    await clone.run([]);
    const changed = lock.replace('sha512-1', 'sha512-2');
    clone.write('package-lock.json', changed);
    clone.write('prepared/.package-lock.json', changed);
    expect(await clone.run([])).toMatchObject({ stdout: 'started\n', code: 0 });
    expect(npmRuns(clone)).toHaveLength(2);
  });

  it('keeps a node_modules that was installed by hand and matches', async () => {
    const clone = project();
    clone.install();
    expect(await clone.run([])).toMatchObject({ stdout: 'started\n', stderr: '' });
    expect(existsSync(join(clone.root, 'node_modules', '.sealdesk-install'))).toBe(true);
    expect(npmRuns(clone)).toEqual([]);
  });

  it('installs over a node_modules that was left half-way', async () => {
    const clone = project();
    clone.install();
    rmSync(join(clone.root, 'node_modules', 'dependency'), { recursive: true });
    expect(await clone.run([])).toMatchObject({ stdout: 'started\n', code: 0 });
    expect(npmRuns(clone)).toHaveLength(1);
  });

  it('takes a bundled Node that cannot run here out of the way of npm scripts, and no other', async () => {
    const clone = project();
    const link = join(clone.root, 'node_modules', '.bin', 'node');
    clone.install();
    clone.write('node_modules/.bin/node', '');
    await clone.run([]);
    expect(existsSync(link)).toBe(true);
    clone.bundle('bin/node');
    clone.write(`node_modules/${bundledPackage}/bin/node`, 'not an executable');
    rmSync(join(clone.root, 'node_modules', '.sealdesk-install'));
    expect(await clone.run([])).toMatchObject({ stdout: 'started\n', code: 0 });
    expect(existsSync(link)).toBe(false);
  });

  it('installs nothing where there is no lockfile', async () => {
    const clone = project();
    rmSync(join(clone.root, 'package-lock.json'));
    expect(await clone.run([])).toMatchObject({ stdout: 'started\n', stderr: '' });
    expect(npmRuns(clone)).toEqual([]);
  });

  it('installs once when four start together', async () => {
    const clone = project();
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => clone.run([])));
    expect(outcomes.map(({ stdout, code }) => [stdout, code])).toEqual(Array(4).fill(['started\n', 0]));
    expect(npmRuns(clone)).toHaveLength(1);
    expect(readdirSync(join(clone.root, '.sealdesk'))).toEqual([]);
  });

  it('takes over from a start that died while it installed', async () => {
    const clone = project();
    const claim = 'install-00000000-0000-4000-8000-000000000000.lock';
    clone.write(`.sealdesk/${claim}`, `${endedPid()} ${hostname()}`);
    expect(await clone.run([])).toMatchObject({ stdout: 'started\n', code: 0 });
    expect(readdirSync(join(clone.root, '.sealdesk'))).toEqual([]);
  });

  it('says what to do when npm fails, and starts nothing', async () => {
    const clone = project();
    clone.npm(`console.error('npm error code ENOTFOUND'); process.exit(9);`);
    const { stdout, stderr, code } = await clone.run([]);
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain('npm error code ENOTFOUND');
    expect(stderr).toMatch(/npm ci failed \(exit 9.*without network, or behind a proxy/);
    expect(readdirSync(join(clone.root, '.sealdesk'))).toEqual([]);
  });

  it('says what to do when there is no npm', async () => {
    const clone = project();
    const { stderr, code } = await clone.run([], {
      env: { npm_execpath: undefined, PATH: join(clone.root, 'src') },
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/npm could not be run \(ENOENT\)\. Install npm, or run "npm ci"/);
  });

  it('does not trust an npm that says it succeeded and installed nothing', async () => {
    const clone = project();
    clone.npm('');
    const { stdout, stderr, code } = await clone.run([]);
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain('node_modules is not what package-lock.json asks for');
  });

  it.runIf(process.platform !== 'win32')('stops npm when it is stopped', async () => {
    const clone = project();
    clone.npm(`process.stderr.write('npm runs'); setInterval(() => {}, 1000);`);
    const child = clone.start([]);
    child.stderr?.on('data', (chunk) => {
      if (String(chunk).includes('npm runs')) child.kill('SIGTERM');
    });
    const { stderr, code } = await ended(child);
    expect(stderr).toContain('npm ci was stopped by SIGTERM');
    expect(code).toBe(1);
  });
});

describe('what is installed', () => {
  const entry = { version: '1.0.0', integrity: 'sha512-1' };
  const file = (packages: object) => JSON.stringify({ packages });
  const wanted = file({
    '': {},
    'node_modules/a': entry,
    'node_modules/b': { ...entry, dev: true },
    'node_modules/c': { ...entry, optional: true },
    'node_modules/d': { ...entry, devOptional: true },
  });
  const all = { 'node_modules/a': entry, 'node_modules/b': entry, 'node_modules/d': entry };
  const { 'node_modules/b': _, ...withoutDev } = all;

  it('matches without the optional packages', () => {
    expect(isInstalled(wanted, file(all), true)).toBe(true);
    expect(isInstalled(wanted, file({ ...all, 'node_modules/c': entry }), true)).toBe(true);
  });

  it('matches without the development packages for a program that runs without them', () => {
    expect(isInstalled(wanted, file(withoutDev), false)).toBe(true);
    expect(isInstalled(wanted, file(withoutDev), true)).toBe(false);
  });

  it.each([
    ['a package is missing', {}],
    ['a version differs', { ...all, 'node_modules/a': { ...entry, version: '1.0.1' } }],
    ['an integrity differs', { ...all, 'node_modules/b': { ...entry, integrity: 'sha512-2' } }],
    ['an optional one differs', { ...all, 'node_modules/c': { ...entry, version: '2.0.0' } }],
    ['one is there that the lockfile does not name', { ...all, 'node_modules/z': entry }],
  ])('does not match when %s', (_name, packages) => {
    expect(isInstalled(wanted, file(packages), true)).toBe(false);
  });

  it('does not match when the record cannot be read', () => {
    expect(isInstalled(wanted, '{"packages":', true)).toBe(false);
  });

  it('is stamped for one lockfile and one state of node_modules', () => {
    expect(installStamp('a', 'b')).toMatch(/^[0-9a-f]{64} [0-9a-f]{64}\n$/);
    expect(new Set([installStamp('a', 'b'), installStamp('a', 'c'), installStamp('b', 'b')]).size).toBe(3);
  });
});

describe('npm', () => {
  it('gets no setting of an outer npm that leaves packages out or puts them elsewhere', () => {
    const kept = {
      HOME: '/h',
      npm_config_registry: 'r',
      npm_config_https_proxy: 'p',
      npm_config_ignore_scripts: 'true',
    };
    const dropped = {
      NODE_ENV: 'production',
      npm_config_omit: 'optional',
      NPM_CONFIG_PRODUCTION: 'true',
      npm_config_dry_run: 'true',
      npm_config_global: 'true',
      npm_config_prefix: '/p',
      npm_config_local_prefix: '/p',
      npm_config_package_lock: 'false',
      npm_config_workspace: 'w',
      npm_config_os: 'win32',
    };
    expect(npmEnvironment({ ...kept, ...dropped }, '/clone')).toEqual(kept);
  });

  it('does not run under the Node that it replaces', () => {
    const root = join(tmpdir(), 'clone');
    const bin = join(root, 'node_modules', '.bin');
    const path = [bin, 'a', join(root, 'node_modules_else'), 'b'].join(delimiter);
    expect(npmEnvironment({ PATH: path }, root)).toEqual({ PATH: path.slice(bin.length + 1) });
  });

  it('is the one that runs us, under its own Node', () => {
    const cli = new URL('project.ts', import.meta.url).pathname;
    const env = { npm_execpath: join(cli, '..', 'npm-cli.js'), npm_node_execpath: 'their-node' };
    expect(npmCommand(env, 'linux')).toEqual({ command: 'npm', args: [], shell: false });
    open = new Project();
    const own = join(open.root, 'npm', 'npm-cli.js');
    expect(npmCommand({ ...env, npm_execpath: own }, 'linux')).toEqual({
      command: 'their-node',
      args: [own],
      shell: false,
    });
    expect(npmCommand({ npm_execpath: own }).command).toBe(process.execPath);
  });

  it('is the one on PATH when another package manager runs us', () => {
    open = new Project();
    open.write('pnpm.cjs', '');
    const env = { npm_execpath: join(open.root, 'pnpm.cjs') };
    expect(npmCommand(env, 'linux')).toEqual({ command: 'npm', args: [], shell: false });
    expect(npmCommand(env, 'win32')).toEqual({ command: 'npm', args: [], shell: true });
  });
});

describe('a claim to install', () => {
  const world = { now: 1_000_000, host: 'here', isRunning: (pid: number) => pid === 1 };

  it.each([
    ['lives while its process runs', { pid: 1, host: 'here', renewedAt: 999_000 }, false],
    ['is dead when its process is gone', { pid: 2, host: 'here', renewedAt: 999_000 }, true],
    ['of another host lives while it is renewed', { pid: 2, host: 'there', renewedAt: 940_000 }, false],
    ['of another host is dead after a minute', { pid: 2, host: 'there', renewedAt: 939_999 }, true],
    [
      'of a process id that someone else got is dead after a minute',
      { pid: 1, host: 'here', renewedAt: 939_999 },
      true,
    ],
    ['that is being written lives', { pid: 0, host: '', renewedAt: 999_000 }, false],
  ])('%s', (_, claim, isDead) => {
    expect(isDeadClaim(claim, world)).toBe(isDead);
  });

  it('is removed by others only when it is dead', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sealdesk-claims-'));
    const name = (digit: number) => `install-${digit}0000000-0000-4000-8000-000000000000.lock`;
    writeFileSync(join(folder, name(1)), `${process.pid} ${hostname()}`);
    writeFileSync(join(folder, name(2)), `${endedPid()} ${hostname()}`);
    writeFileSync(join(folder, name(3)), '5 elsewhere');
    utimesSync(join(folder, name(3)), 1, 1);
    writeFileSync(join(folder, 'demo.json'), '{}');
    expect(liveClaims(folder)).toEqual([name(1)]);
    expect(liveClaims(folder, name(1))).toEqual([]);
    expect(readdirSync(folder).sort()).toEqual(['demo.json', name(1)].sort());
    rmSync(folder, { recursive: true });
  });
});
