/**
 * Files that hold private keys or opened data: readable by their owner alone, written whole or not at all. Where the
 * platform has no POSIX owners and modes (Windows), only the size is checked.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, lstat, open, rename, rm } from 'node:fs/promises';
import { CommandError } from './command-error.ts';

const OWNER_ONLY = 0o600;
const ALL_BUT_OWNER = 0o077;

/**
 * The text of `file`. Throws CommandError where others could read it, it belongs to another user or it
 * is longer than `maxBytes`; the file system's own error where it cannot be read.
 */
export async function readPrivateFile(file: string, maxBytes: number): Promise<string> {
  // Non-blocking: a named pipe would otherwise hold us until somebody writes to it.
  await using handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  await assertPrivate(handle, file, maxBytes);
  return handle.readFile('utf8');
}

/** As {@link readPrivateFile}, or `null` where there is no such file. */
export async function readPrivateFileIfPresent(file: string, maxBytes: number): Promise<string | null> {
  try {
    return await readPrivateFile(file, maxBytes);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Makes `file`; throws CommandError where there is one already. */
export async function createPrivateFile(file: string, text: string): Promise<void> {
  await throughDraft(file, text, (draft) => linkOnce(draft, file));
}

/** {@link createPrivateFile} of what comes in `pieces`, which is written as it comes; of pieces that throw nothing stays. */
export async function createPrivateFileFrom(file: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  await throughDraft(file, pieces, (draft) => linkOnce(draft, file));
}

/** As {@link createPrivateFileFrom}, in the place of `file` where there is one already. */
export async function replacePrivateFileFrom(file: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  await throughDraft(file, pieces, (draft) => rename(draft, file));
}

/**
 * Throws CommandError where there is such a file already, for what would be in vain if that showed in the end only;
 * `advice` is how to replace it.
 */
export async function assertNoSuchFile(file: string, advice: string): Promise<void> {
  const isThere = await lstat(file).then(
    () => true,
    () => false,
  );
  if (isThere) throw existsAlready(file, advice);
}

/** Puts `text` in the place of `file`: whoever reads it finds the old or the new text, never a part. */
export async function replacePrivateFile(file: string, text: string): Promise<void> {
  await throughDraft(file, text, (draft) => rename(draft, file));
}

async function linkOnce(draft: string, file: string): Promise<void> {
  try {
    await link(draft, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    throw existsAlready(file);
  }
}

function existsAlready(file: string, advice = 'Name another file.'): CommandError {
  return new CommandError(`${file} exists already and is not overwritten. ${advice}`);
}

/** Writes and flushes a draft beside `file` and lets `place` put it there. */
async function throughDraft(
  file: string,
  text: string | AsyncIterable<Uint8Array>,
  place: (draft: string) => Promise<void>,
): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  try {
    await using handle = await open(draft, 'wx', OWNER_ONLY);
    await handle.writeFile(text);
    await handle.sync();
    await place(draft);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Asks the open file and not its path, so that what is checked is what is read. */
async function assertPrivate(handle: FileHandle, file: string, maxBytes: number): Promise<void> {
  const stats = await handle.stat();
  if (!stats.isFile()) throw new CommandError(`${file} is not a file.`);
  if (stats.size > maxBytes) throw new CommandError(`${file} is longer than ${maxBytes} bytes.`);
  const ownUid = process.getuid?.();
  if (ownUid === undefined) return;
  if (stats.uid !== ownUid) {
    throw new CommandError(`${file} belongs to another user (${stats.uid}); it must be our own (${ownUid}).`);
  }
  if ((stats.mode & ALL_BUT_OWNER) !== 0) {
    const shown = (stats.mode & 0o777).toString(8).padStart(4, '0');
    throw new CommandError(
      `${file} holds private keys and has mode ${shown}, so others may have read it. ` +
        `Replace the key, or, if nobody did: chmod 600 ${file}`,
    );
  }
}
