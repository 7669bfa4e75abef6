/** The published package: what `npm run build` emits is what `exports` and `bin` name, and it runs. */
import { execFile } from 'node:child_process';
import { access, cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
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
    for (const file of manifest.files.filter((name) => name.startsWith('schema/'))) {
      await cp(join(repository, file), join(folder, file));
    }
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

  describe('packed and installed in an empty project', () => {
    let project: string;
    beforeAll(async () => {
      for (const part of [...manifest.files, 'README.md', 'LICENSE']) {
        if (part !== 'dist') await cp(join(repository, part), join(folder, part), { recursive: true });
      }
      // What prepack would do was done above; nothing is fetched.
      await run('npm', ['pack', '--ignore-scripts', '--offline', '--silent'], { cwd: folder });
      const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
      project = join(folder, 'project');
      const installed = join(project, 'node_modules', 'sealdesk');
      await mkdir(installed, { recursive: true });
      await run('tar', ['-xzf', join(folder, tarball), '-C', installed, '--strip-components=1']);
      // Its declared dependencies and no other: a package that is only here by chance is not found.
      for (const name of [...Object.keys(manifest.dependencies), '@types/node']) {
        const place = join(project, 'node_modules', name);
        await mkdir(dirname(place), { recursive: true });
        await symlink(join(repository, 'node_modules', name), place);
      }
      await writeFile(join(project, 'package.json'), '{"type":"module","private":true}');
    });

    it('opens envelopes from plain Node by its client alone', async () => {
      const program = `
        import { generateClientKey, isNonExtractable, sealedFetch, createClient } from 'sealdesk/client';
        const key = await generateClientKey();
        console.log(isNonExtractable(key), key.jwks.keys.length, typeof sealedFetch, typeof createClient);`;
      const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], {
        cwd: project,
      });
      expect(stdout.trim()).toBe('true 2 function function');
    });

    const SOURCE = `
      import { createClient, type ClientKey, generateClientKey, loadClientKey, saveClientKey } from 'sealdesk/client';
      interface Ticket { __apiType?: (variables: { id: string }) => { subject: string } }
      declare const document: Ticket;
      const key: ClientKey = (await loadClientKey()) ?? (await generateClientKey());
      if (key.state === 'FRESH') throw new Error(key.fingerprint);
      const client = createClient({ url: key.gateway, clientKey: key, onPins: saveClientKey });
      const { data } = await client.request(document, { id: 'a' });
      export const subject: string | undefined = data?.subject;
      export const response: Response = await client.fetch('/graphql', { method: 'POST' });
      // @ts-expect-error The variables have types, too.
      await client.request(document, { id: 1 });`;

    it.each([
      ['Node', ['--types', 'node', '--lib', 'ES2024']],
      ['browsers', ['--types', '', '--lib', 'ES2024,DOM']],
    ])('is typed for %s', async (_name, options) => {
      await writeFile(join(project, 'use.ts'), SOURCE);
      const compiler = join(repository, 'node_modules', 'typescript', 'bin', 'tsc');
      const common = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'ES2024', '--module', 'NodeNext'];
      const checking = run(process.execPath, [compiler, ...common, ...options, 'use.ts'], { cwd: project });
      await expect(checking.catch((error: { stdout: string }) => error.stdout)).resolves.toMatchObject({
        stdout: '',
      });
    });
  });

  it('starts as a program', async () => {
    const { stdout } = await run(process.execPath, [join(folder, 'dist', 'src', 'main.js'), '--help']);
    expect(stdout).toContain('sealdesk');
  });
});
