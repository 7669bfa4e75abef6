/** A root key that is lost or exchanged is noticed at start, and never made anew beside a database that rests on another. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from './program.ts';

describe('a data folder that was started once', () => {
  let folder: string;
  const keyFile = () => join(folder, 'kms.key');
  const create = () =>
    runProgram(['operator', 'create', '--json'], { cwd: folder, env: { SEALDESK_DATA_DIR: folder } });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealdesk-root-key-'));
    expect((await create()).code).toBe(0);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is not opened without its key', async () => {
    await rm(keyFile());
    const { code, stdout, stderr } = await create();
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`There is no key file at ${keyFile()}`);
  });

  it('is not opened with another key', async () => {
    await writeFile(keyFile(), randomBytes(32), { mode: 0o600 });
    const { code, stdout, stderr } = await create();
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('The keys in the database cannot be unwrapped.');
  });
});
