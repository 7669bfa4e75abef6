import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeyFileError, openLocalKms } from '../../src/kms/index.ts';

describe('the local key file', () => {
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealdesk-key-'));
    file = join(folder, 'deep', 'kms.key');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const context = { tenant: 'ten_a', purpose: 'vault' };

  it('is made with 32 bytes for its owner alone, when asked, and nothing is left beside it', async () => {
    await using _ = await openLocalKms({ file, createIfMissing: true });
    const { mode, size } = await stat(file);
    expect([mode & 0o777, size]).toEqual([0o600, 32]);
    expect(await readdir(join(folder, 'deep'))).toEqual(['kms.key']);
    expect((await stat(join(folder, 'deep'))).mode & 0o777).toBe(0o700);
  });

  it('is not made unasked', async () => {
    await expect(openLocalKms({ file })).rejects.toThrow(KeyFileError);
    await expect(stat(file)).rejects.toThrow('ENOENT');
  });

  it('is one key for all processes that start at once', async () => {
    const opened = await Promise.all(
      Array.from({ length: 20 }, () => openLocalKms({ file, createIfMissing: true })),
    );
    const refs = await Promise.all(opened.map((kms) => kms.describeKey({ keyRef: null })));
    expect(new Set(refs.map(({ keyRef }) => keyRef)).size).toBe(1);
    await Promise.all(opened.map((kms) => kms[Symbol.asyncDispose]()));
  });

  it('opens what an earlier process wrapped, and no other file does', async () => {
    await using first = await openLocalKms({ file, createIfMissing: true });
    const { plaintext, encrypted, keyRef } = await first.generateDataKey({ keyRef: null, context });
    await using again = await openLocalKms({ file });
    expect(await again.decryptDataKey({ encrypted, keyRef, context })).toEqual(plaintext);
    await using other = await openLocalKms({ file: join(folder, 'other.key'), createIfMissing: true });
    await expect(other.decryptDataKey({ encrypted, keyRef, context })).rejects.toMatchObject({
      code: 'KMS_UNAVAILABLE',
    });
  });

  it('that was replaced opens what it wrapped from beside its successor, and wraps nothing more', async () => {
    const before = await openLocalKms({ file, createIfMissing: true });
    const { plaintext, encrypted, keyRef } = await before.generateDataKey({ keyRef: null, context });
    await before[Symbol.asyncDispose]();
    await rename(file, `${file}.previous`);
    await expect(openLocalKms({ file })).rejects.toThrow(KeyFileError);
    await writeFile(file, new Uint8Array(32).fill(9), { mode: 0o600 });

    await using after = await openLocalKms({ file });
    const present = await after.describeKey({ keyRef: null });
    expect(present.keyRef).not.toBe(keyRef);
    expect(await after.decryptDataKey({ encrypted, keyRef, context })).toEqual(plaintext);
    const made = await after.generateDataKey({ keyRef: null, context });
    expect(made.keyRef).toBe(present.keyRef);
    expect(await after.decryptDataKey({ ...made, context })).toEqual(made.plaintext);
    await expect(after.generateDataKey({ keyRef, context })).rejects.toMatchObject({
      code: 'KMS_UNAVAILABLE',
    });
    for (const [wrapped, named] of [
      [encrypted, present.keyRef],
      [made.encrypted, keyRef],
    ] as const) {
      const swapped = after.decryptDataKey({ encrypted: wrapped, keyRef: named, context });
      await expect(swapped).rejects.toMatchObject({ code: 'INTERNAL' });
    }
    await chmod(`${file}.previous`, 0o644);
    await expect(openLocalKms({ file })).rejects.toThrow('0644');
  });

  it('does not show its key in the name it gives it', async () => {
    await using kms = await openLocalKms({ file, createIfMissing: true });
    const { keyRef } = await kms.describeKey({ keyRef: null });
    expect(keyRef).toMatch(/^local:[0-9a-f]{32}$/);
    expect((await readFile(file)).toString('hex')).not.toContain(keyRef.slice('local:'.length));
  });

  it.each([0o640, 0o604, 0o620, 0o602, 0o610, 0o666])('is refused with mode %o', async (mode) => {
    await mkdir(join(folder, 'deep'));
    await writeFile(file, new Uint8Array(32).fill(7));
    await chmod(file, mode);
    await expect(openLocalKms({ file, createIfMissing: true })).rejects.toThrow(
      mode.toString(8).padStart(4, '0'),
    );
  });

  it.each([0, 31, 33, 4096])('is refused with %i bytes', async (size) => {
    await mkdir(join(folder, 'deep'));
    await writeFile(file, new Uint8Array(size), { mode: 0o600 });
    await expect(openLocalKms({ file, createIfMissing: true })).rejects.toThrow(`holds ${size} bytes`);
  });

  it('is refused when another user owns it', async () => {
    await mkdir(join(folder, 'deep'));
    await writeFile(file, new Uint8Array(32).fill(7), { mode: 0o600 });
    const { uid } = await stat(file);
    const getuid = vi.spyOn(process, 'getuid').mockReturnValue(uid + 1);
    try {
      await expect(openLocalKms({ file })).rejects.toThrow('another user');
    } finally {
      getuid.mockRestore();
    }
  });

  it('is refused when it is a folder', async () => {
    await mkdir(file, { recursive: true });
    await expect(openLocalKms({ file, createIfMissing: true })).rejects.toThrow(KeyFileError);
  });
});
