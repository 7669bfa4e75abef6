/** The published package: what `npm run build` emits is what `exports` and `bin` name, and it runs. */
import { execFile } from 'node:child_process';
import { access, cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

const run = promisify(execFile);
const repository = join(import.meta.dirname, '..', '..');

describe('the built package', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealdesk-build-'));
    await cp(join(repository, 'package.json'), join(folder, 'package.json'));
    await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
    const compiler = join(repository, 'node_modules', 'typescript', 'bin', 'tsc');
    const project = join(repository, 'bin', 'tsconfig.build.json');
    await run(process.execPath, [compiler, '-p', project, '--outDir', join(folder, 'dist')]);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(Object.entries(manifest.exports))('has what %s names, with its types', async (_name, target) => {
    await access(join(folder, target));
    await access(join(folder, target.replace(/\.js$/, '.d.ts')));
  });

  it('makes a key file with one suite and reads it with the other, by its exports', async () => {
    const program = `
      import { createKeyFile, parseKeyFileText, encodeKeyFile } from 'sealdesk/client';
      import { createNobleSuite } from 'sealdesk/envelope/noble';
      import { createNodeSuite } from 'sealdesk/envelope/node';
      const text = encodeKeyFile(createKeyFile(createNodeSuite()));
      console.log(parseKeyFileText(createNobleSuite(), text).keys.length);`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: folder,
    });
    expect(stdout.trim()).toBe('2');
  });

  it('starts as a program', async () => {
    const { stdout } = await run(process.execPath, [join(folder, 'dist', 'src', 'main.js'), '--help']);
    expect(stdout).toContain('sealdesk');
  });
});
