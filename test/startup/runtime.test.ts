import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { BUNDLED_NODE_PACKAGES, findBundledNode, isCapable, probeNode } from '../../bin/runtime.mjs';
import { bundledPackage, ended, incapable, Project } from './project.ts';

const repository = join(import.meta.dirname, '..', '..');
const show = `const shown: unknown = {
  args: process.argv.slice(2), file: process.argv[1], node: process.execPath, pid: process.pid,
  strips: process.features.typescript, path: process.env['PATH']?.split(${JSON.stringify(delimiter)})[0] };
console.log(JSON.stringify(shown));`;

let open: Project | undefined;
afterEach(() => open?.[Symbol.dispose]());

function project(folder?: string): Project {
  open = new Project(folder);
  open.install();
  open.write('src/main.ts', show);
  return open;
}

/** Nodes of this machine that lack ML-KEM, found on PATH: none where all are new. */
function oldNodes(): string[] {
  const names = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'node'));
  const question = `require('crypto').generateKeyPairSync('ml-kem-768')`;
  return [...new Set(names)].filter(
    (node) => existsSync(node) && spawnSync(node, ['-e', question]).status !== 0,
  );
}

describe('a Node', () => {
  const good = {
    generateKeyPair: () => ({}),
    encapsulate: () => ({}),
    bindsContext: () => true,
    typescript: 'strip',
    readsAnyHeader: () => true,
  };

  it('that runs these tests is capable', () => {
    expect(isCapable()).toBe(true);
  });

  it.each([
    ['has no encapsulate', { ...good, encapsulate: undefined }],
    ['ignores the context of a signature', { ...good, bindsContext: () => false }],
    ['does not strip types', { ...good, typescript: false }],
    ['only transforms types on request', { ...good, typescript: undefined }],
    ['can be made to throw by a header', { ...good, readsAnyHeader: () => false }],
    ...['ml-kem-768', 'ml-dsa-65'].map((missing): [string, typeof good] => [
      `was built without ${missing}`,
      {
        ...good,
        generateKeyPair: (type?: string) => {
          if (type === missing) throw new TypeError('unknown algorithm');
          return {};
        },
      },
    ]),
  ])('that %s is not capable', (_, runtime) => {
    expect(isCapable(good)).toBe(true);
    expect(isCapable(runtime)).toBe(false);
  });

  it('is bundled for five platforms, each an exact optional dependency', async () => {
    const { default: manifest } = await import('../../package.json', { with: { type: 'json' } });
    expect(Object.keys(manifest.optionalDependencies).sort()).toEqual(
      Object.values(BUNDLED_NODE_PACKAGES).sort(),
    );
    for (const version of Object.values(manifest.optionalDependencies))
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('that is bundled runs here', () => {
    expect(probeNode(findBundledNode(repository))).toBeNull();
  });

  it('is not bundled for a platform outside the list', () => {
    expect(() => findBundledNode(repository, 'sunos-x64')).toThrow(
      /no bundled Node for sunos-x64.*Install Node 24\.14/,
    );
  });
});

describe('the start-up program', () => {
  it('runs a capable Node in its own process', async () => {
    const child = project().start(['serve', '--port', '1']);
    const { stdout, stderr, code } = await ended(child);
    expect([stderr, code]).toEqual(['', 0]);
    expect(JSON.parse(stdout)).toMatchObject({
      args: ['serve', '--port', '1'],
      file: join(open?.root ?? '', 'src', 'main.ts'),
      pid: child.pid,
      path: dirname(process.execPath),
    });
  });

  it('starts the bundled Node from an incapable one', async () => {
    const clone = project();
    clone.bundle();
    const child = clone.start(['a b', '', '--exec'], { flags: incapable });
    const { stdout, stderr, code } = await ended(child);
    expect([stderr, code]).toEqual(['', 0]);
    const shown = JSON.parse(stdout);
    expect(shown).toMatchObject({
      args: ['a b', '', '--exec'],
      node: findBundledNode(repository),
      strips: 'strip',
    });
    expect(shown.pid).not.toBe(child.pid);
    expect(readdirSync(shown.path)).toContain(process.platform === 'win32' ? 'node.exe' : 'node');
  });

  it.each(oldNodes())('starts the bundled Node from the old one at %s', async (node) => {
    const clone = project();
    clone.bundle();
    const { stdout, stderr } = await clone.run(['x'], { node });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({
      args: ['x'],
      node: findBundledNode(repository),
      strips: 'strip',
    });
  });

  it.each([[[]], [incapable]])('runs a file by --exec as Node itself would, with flags %j', async (flags) => {
    const clone = project();
    clone.bundle();
    clone.write('tool.ts', show);
    const { stdout } = await clone.run(['--exec', 'tool.ts', '--check', '--exec'], { flags });
    expect(JSON.parse(stdout)).toMatchObject({
      args: ['--check', '--exec'],
      file: join(clone.root, 'tool.ts'),
    });
  });

  it('refuses --exec without a file', async () => {
    const { stderr, code } = await project().run(['--exec']);
    expect([stderr.trim(), code]).toEqual(['sealdesk: --exec needs the file to run', 1]);
  });

  it.each([[[]], [incapable]])('passes on the exit code, with flags %j', async (flags) => {
    const clone = project();
    clone.bundle();
    clone.write('src/main.ts', 'process.exit(7);');
    expect(await clone.run([], { flags })).toMatchObject({ code: 7, signal: null });
  });

  it('ends by the signal that ended the bundled Node', async () => {
    const clone = project();
    clone.bundle();
    clone.write('src/main.ts', `process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000);`);
    const outcome = await clone.run([], { flags: incapable });
    expect(outcome).toMatchObject(process.platform === 'win32' ? { code: 1 } : { signal: 'SIGKILL' });
  });

  it.runIf(process.platform !== 'win32').each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'passes %s on and lets the bundled Node finish',
    async (signal) => {
      const clone = project();
      clone.bundle();
      clone.write(
        'src/main.ts',
        `process.once('${signal}', () => { console.log('drained'); process.exit(3); });
        setInterval(() => {}, 1000);
        console.log('ready');`,
      );
      const child = clone.start([], { flags: incapable });
      const outcome = ended(child);
      if (child.stdout) await once(child.stdout, 'data');
      child.kill(signal);
      expect(await outcome).toMatchObject({ code: 3, signal: null });
      expect((await outcome).stdout).toContain('drained');
    },
  );

  it('says what to do when the bundled Node is not installed', async () => {
    const clone = project();
    clone.npm('');
    const { stderr, code } = await clone.run([], { flags: incapable });
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`package ${bundledPackage}\\) is not installed.*--include=optional`));
  });

  it('says what to do when the bundled Node cannot run here', async () => {
    const clone = project();
    clone.bundle('bin/node');
    clone.write(`node_modules/${bundledPackage}/bin/node`, 'not an executable');
    const { stderr, code } = await clone.run([], { flags: incapable });
    expect(code).toBe(1);
    expect(stderr).toMatch(/does not run on this system .*Install Node 24\.14\.1 or newer/);
    expect(stderr).not.toContain('    at ');
  });

  it('installs nothing and runs dist when it is an installed package', async () => {
    const installed = project('node_modules/sealdesk');
    installed.npm('');
    installed.write('package-lock.json', '{}');
    installed.write('dist/src/main.js', `console.log('dist', ...process.argv.slice(2));`);
    const { stdout, code } = await installed.run(['start']);
    expect([stdout, code]).toEqual(['dist start\n', 0]);
    expect(existsSync(installed.npmLog)).toBe(false);
  });

  it('shows an error of the program with its stack, as Node would', async () => {
    const clone = project();
    clone.write('src/main.ts', `throw new Error('broken');`);
    const { stderr, code } = await clone.run([]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/Error: broken\n\s+at .*main\.ts/);
  });
});
