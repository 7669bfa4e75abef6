import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
// The lock alone, without the seconds that a database takes to open.
import { openFolderLock } from '../../src/store/folder-lock.ts';
import { FolderHeldError, openStore } from '../../src/store/index.ts';
import { HOLD_FOLDER, startChild } from './child.ts';

const URL_OF_THIS = 'http://localhost:4000';

describe('A data folder', () => {
  let folder: string;
  let lockFile: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealdesk-lock-'));
    lockFile = join(folder, 'sealdesk.lock');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('is made with its parents, and refused at once where none can be made', async () => {
    const nested = join(folder, 'a', 'b');
    await using _lock = await openFolderLock(nested, URL_OF_THIS);
    expect((await stat(nested)).mode & 0o777).toBe(0o700);
    const file = join(folder, 'file');
    await writeFile(file, '');
    await expect(openFolderLock(join(file, 'below'), URL_OF_THIS)).rejects.toThrow(/cannot be made/);
  });

  test('held by one process is refused to a second one, which is told the URL', async () => {
    await using _store = await openStore({ location: { kind: 'pglite', folder, url: URL_OF_THIS } });
    const child = startChild(
      `await openStore({ location: { kind: 'pglite', folder: input, url: 'http://second' } });`,
      folder,
    );
    const { code, errors } = await child.ended;
    expect(code).not.toBe(0);
    expect(errors).toContain('FolderHeldError');
    expect(errors).toContain(URL_OF_THIS);
    expect(errors).toContain(`process ${process.pid}`);
  });

  test('keeps its data for the next process, once the first has let go', async () => {
    const location = { kind: 'pglite', folder, url: URL_OF_THIS } as const;
    const first = await openStore({ location });
    expect(first.applied.length).toBeGreaterThan(0);
    await first[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
    expect(await readdir(folder)).toEqual(['pgdata']);
    await using second = await openStore({ location });
    expect(second.applied).toEqual([]);
  });

  test('is refused within one process too', async () => {
    await using _lock = await openFolderLock(folder, URL_OF_THIS);
    const error = await openFolderLock(folder, 'http://second').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FolderHeldError);
    expect(error).toMatchObject({ url: URL_OF_THIS, pid: process.pid });
  });

  test('is closed to other users of the machine', async () => {
    const inner = join(folder, 'new', 'folder');
    await using _lock = await openFolderLock(inner, URL_OF_THIS);
    expect((await stat(inner)).mode & 0o777).toBe(0o700);
    expect((await stat(join(inner, 'sealdesk.lock'))).mode & 0o777).toBe(0o600);
  });

  test('left by a process that was killed is taken over', async () => {
    const child = startChild(HOLD_FOLDER, folder);
    expect(await child.nextLine()).toBe('held');
    await expect(openFolderLock(folder, URL_OF_THIS)).rejects.toThrow(`http://child:${child.process.pid}`);
    child.process.kill('SIGKILL');
    await child.ended;
    expect(await readFile(lockFile, 'utf8')).toContain('child');
    await using _lock = await openFolderLock(folder, URL_OF_THIS);
    expect(await readFile(lockFile, 'utf8')).toContain(URL_OF_THIS);
  });

  test.skipIf(process.platform !== 'linux')(
    'is taken over from a dead process whose number lives on in another',
    async () => {
      const first = await openFolderLock(folder, URL_OF_THIS);
      const holder: unknown = JSON.parse(await readFile(lockFile, 'utf8'));
      await first[Symbol.asyncDispose]();
      await writeFile(lockFile, JSON.stringify(Object.assign({}, holder, { start: 'another boot:1' })));
      await using _lock = await openFolderLock(folder, 'http://second');
      expect(await readFile(lockFile, 'utf8')).toContain('http://second');
    },
  );

  test('is not lost when the wall clock was set since', async () => {
    const first = await openFolderLock(folder, URL_OF_THIS);
    const holder: unknown = JSON.parse(await readFile(lockFile, 'utf8'));
    await first[Symbol.asyncDispose]();
    await writeFile(
      lockFile,
      JSON.stringify(Object.assign({}, holder, { startedAt: '2001-01-01T00:00:00.000Z' })),
    );
    await expect(openFolderLock(folder, 'http://second')).rejects.toThrow(FolderHeldError);
  });

  test.each([
    ['nothing', ''],
    ['noise', '{"pid":'],
    ['another program’s text', '{"pid":1}'],
  ])('whose lock file holds %s is taken over', async (_, text) => {
    await writeFile(lockFile, text);
    await using _lock = await openFolderLock(folder, URL_OF_THIS);
    expect(await readFile(lockFile, 'utf8')).toContain(URL_OF_THIS);
  });

  test('goes to exactly one of many who want it at once, free or left by a dead process', async () => {
    for (const leftover of [null, '']) {
      for (let round = 0; round < 20; round += 1) {
        if (leftover !== null) await writeFile(lockFile, leftover);
        const results = await Promise.allSettled(
          Array.from({ length: 8 }, (_, at) => openFolderLock(folder, `http://taker-${at}`)),
        );
        const taken = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
        expect(taken).toHaveLength(1);
        for (const result of results) {
          if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(FolderHeldError);
        }
        await taken[0]?.[Symbol.asyncDispose]();
        expect(await readdir(folder)).toEqual([]);
      }
    }
  });

  test('goes to exactly one of several processes that find a dead holder at once', async () => {
    const dead = startChild(HOLD_FOLDER, folder);
    await dead.nextLine();
    dead.process.kill('SIGKILL');
    await dead.ended;
    const children = Array.from({ length: 4 }, () => startChild(HOLD_FOLDER, folder));
    const lines = await Promise.all(children.map((child) => child.nextLine()));
    expect(lines.toSorted()).toEqual(['FolderHeldError', 'FolderHeldError', 'FolderHeldError', 'held']);
    for (const child of children) child.process.stdin?.end();
    await Promise.all(children.map((child) => child.ended));
    expect(await readdir(folder)).toEqual([]);
  });
});
