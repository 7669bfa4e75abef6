/**
 * One process a data folder. PGlite has no lock of its own, and two processes writing one folder
 * destroy it. The lock is a file created exclusively; it names who holds it and where to reach it.
 * A holder that died is recognised by its pid and, where /proc tells it, its start, and replaced.
 * It does not tell apart processes that share a folder but not their process ids, as containers do.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { systemClock } from '../base/index.ts';

const FILE_NAME = 'sealdesk.lock';
const MAX_ATTEMPTS = 50;
const RETRY_MS = 20;
const UNREADABLE = 'unreadable';

const Holder = z.strictObject({
  pid: z.int().positive(),
  /** For people. */
  startedAt: z.iso.datetime(),
  /** For programs: see {@link startOf}. */
  start: z.string().nullable(),
  url: z.string(),
  token: z.uuid(),
});
type Holder = z.infer<typeof Holder>;

/** Another process holds the folder; `url` is where it answers. */
export class FolderHeldError extends Error {
  override readonly name = 'FolderHeldError';
  readonly url: string;
  readonly pid: number;

  constructor(folder: string, holder: Pick<Holder, 'url' | 'pid' | 'startedAt'>) {
    super(
      `The data folder ${folder} is in use by process ${holder.pid} at ${holder.url}, since ${holder.startedAt}. ` +
        'Stop that process, use its URL, or set SEALDESK_DATA_DIR to another folder.',
    );
    this.url = holder.url;
    this.pid = holder.pid;
  }
}

/** Takes the folder (created when missing, mode 0700) or throws {@link FolderHeldError}. */
export async function openFolderLock(folder: string, url: string): Promise<AsyncDisposable> {
  await makeFolder(folder);
  const path = join(folder, FILE_NAME);
  const token = randomUUID();
  const own: Holder = {
    pid: process.pid,
    startedAt: new Date(performance.timeOrigin).toISOString(),
    start: await startOf(process.pid),
    url,
    token,
  };
  // Written whole beside its place and linked into it, so that nobody ever reads half a lock.
  const draft = join(folder, `${FILE_NAME}.${token}`);
  await writeFile(draft, JSON.stringify(own), { flag: 'wx', mode: 0o600 });
  try {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      if (await linkUnlessPresent(draft, path)) return releaser(path, token);
      const holder = await readHolder(path);
      if (holder !== null && (await isAlive(holder))) throw new FolderHeldError(folder, holder);
      if (!(await removeStale(path, holder?.token ?? UNREADABLE))) await systemClock.wait(RETRY_MS);
    }
    throw new Error(
      `The lock of ${folder} could not be taken; if no Sealdesk process uses that folder, ` +
        `remove the files in it whose names begin with ${FILE_NAME}.`,
    );
  } finally {
    await rm(draft, { force: true });
  }
}

function releaser(path: string, token: string): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      if ((await readHolder(path))?.token === token) await rm(path, { force: true });
    },
  };
}

async function linkUnlessPresent(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** The holder named in the file, or `null` where the file is gone or not one of ours. */
async function readHolder(path: string): Promise<Holder | null> {
  try {
    return Holder.safeParse(JSON.parse(await readFile(path, 'utf8'))).data ?? null;
  } catch {
    return null;
  }
}

/**
 * Removes the lock of the dead holder `token` and says whether it did. Many may find the same dead
 * holder at once, so the right to remove it is taken first, as a link named after the holder: only
 * its taker removes the file, and as long as the file stands nobody can put a newer one there.
 */
async function removeStale(path: string, token: string): Promise<boolean> {
  const claim = `${path}.${token}.dead`;
  try {
    await link(path, claim);
  } catch (error) {
    if (codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOENT') return false;
    throw error;
  }
  try {
    // What was linked may already be the lock of a newer holder.
    if (((await readHolder(claim))?.token ?? UNREADABLE) !== token) return false;
    await rm(path, { force: true });
    return true;
  } finally {
    await rm(claim, { force: true });
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
  const start = await startOf(holder.pid);
  return start === null || holder.start === null || start === holder.start;
}

/**
 * What tells process `pid` from an earlier one with the same number, or `null` where there is no /proc:
 * the id of the boot and the clock ticks from boot to the start of the process (proc(5): field 22 of
 * stat). Neither moves when the wall clock is set.
 */
async function startOf(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    return ticks === undefined ? null : `${boot}:${ticks}`;
  } catch {
    return null;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/**
 * Makes the folder with its parents. Not by a recursive mkdir at once: under a file system that takes
 * no folders and says ENOENT, such as /proc, that never ends.
 */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return;
    const parent = dirname(folder);
    if (code !== 'ENOENT' || parent === folder || (await isFolder(parent))) {
      throw new Error(
        `The data folder ${folder} cannot be made (${String(code)}). Set SEALDESK_DATA_DIR to another.`,
        {
          cause: error,
        },
      );
    }
    await makeFolder(parent);
    await makeFolder(folder);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
