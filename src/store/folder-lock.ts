/**
 * One process a data folder. PGlite has no lock of its own, and two processes writing one folder
 * destroy it. The lock is a file created exclusively; it names who holds it and where to reach it.
 * A holder that died is recognised by its pid and start time and replaced.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const FILE_NAME = 'sealdesk.lock';
const MAX_ATTEMPTS = 10;
/** A live process whose start differs by more than this from the recorded one has merely the same pid. */
const START_TOLERANCE_MS = 5_000;

const Holder = z.strictObject({
  pid: z.int().positive(),
  startedAt: z.iso.datetime(),
  url: z.string(),
  token: z.string(),
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
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, FILE_NAME);
  const token = randomUUID();
  const own: Holder = {
    pid: process.pid,
    startedAt: new Date(performance.timeOrigin).toISOString(),
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
      await removeStale(path, holder?.token ?? null);
    }
    throw new Error(`The lock file ${path} could not be taken; remove it if no Sealdesk process is running.`);
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
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
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

/** Moves the dead holder's file away; a newer one that came meanwhile is put back. */
async function removeStale(path: string, deadToken: string | null): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  const moved = await readHolder(aside);
  if (moved !== null && moved.token !== deadToken) await linkUnlessPresent(aside, path);
  await rm(aside, { force: true });
}

async function isAlive(holder: Holder): Promise<boolean> {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  const started = await startOf(holder.pid);
  return started === null || Math.abs(started - Date.parse(holder.startedAt)) <= START_TOLERANCE_MS;
}

/** When process `pid` began, in milliseconds since 1970, where /proc tells it (proc(5): field 22 of stat, btime of /proc/stat). */
async function startOf(pid: number): Promise<number | null> {
  const CLOCK_TICKS_PER_SECOND = 100;
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
    const boot = /^btime (\d+)$/m.exec(await readFile('/proc/stat', 'utf8'))?.[1];
    return boot === undefined ? null : Number(boot) * 1000 + (ticks * 1000) / CLOCK_TICKS_PER_SECOND;
  } catch {
    return null;
  }
}
