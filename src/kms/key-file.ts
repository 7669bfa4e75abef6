/**
 * The file that holds the local key: 32 random bytes, readable by its owner alone. It is refused
 * when others could read it, when another user owns it or when its size is wrong, since each of
 * these means that it is not the key it is taken for or no secret any more.
 *
 * Does not promise: anything against the machine's administrator, or a backup that copies the file.
 * Where the platform has no POSIX owners and modes (Windows), only the size is checked.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Bytes } from '../base/index.ts';

export const KEY_FILE_SIZE = 32;
const OWNER_ONLY = 0o600;
const ALL_BUT_OWNER = 0o077;

/** The key file cannot be used; the message tells the operator why and what to do. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

/** The 32 bytes of the key file, which is made first where it is missing and `createIfMissing` says so. */
export async function readKeyFile(file: string, createIfMissing: boolean): Promise<Bytes> {
  const existing = await readIfPresent(file);
  if (existing !== null) return existing;
  if (!createIfMissing) {
    throw new KeyFileError(`There is no key file at ${file}. Restore it, or name another.`);
  }
  await createKeyFile(file);
  // Read back even when we made it: of several processes that start at once, one file wins.
  const created = await readIfPresent(file);
  if (created === null) throw new KeyFileError(`The key file ${file} was removed while it was being made.`);
  return created;
}

/** The 32 bytes of a key file that may be missing, or `null`. Refused on the same grounds. */
export function readFormerKeyFile(file: string): Promise<Bytes | null> {
  return readIfPresent(file);
}

async function readIfPresent(file: string): Promise<Bytes | null> {
  let handle: FileHandle;
  try {
    // Non-blocking: a named pipe would otherwise hold us until somebody writes to it.
    handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new KeyFileError(`The key file ${file} cannot be opened.`, { cause: error });
  }
  await using _ = handle;
  await assertPrivate(handle, file);
  // One byte more than a key, so that a file which grew since it was measured is noticed.
  const buffer = Buffer.alloc(KEY_FILE_SIZE + 1);
  try {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    if (bytesRead !== KEY_FILE_SIZE) throw wrongSize(file, bytesRead);
    return new Uint8Array(buffer.subarray(0, KEY_FILE_SIZE));
  } finally {
    buffer.fill(0);
  }
}

/** Asks the open file and not its path, so that what is checked is what is read. */
async function assertPrivate(handle: FileHandle, file: string): Promise<void> {
  const stats = await handle.stat();
  if (!stats.isFile()) throw new KeyFileError(`The key file ${file} is not a file.`);
  if (stats.size !== KEY_FILE_SIZE) throw wrongSize(file, stats.size);
  const ownUid = process.getuid?.();
  if (ownUid === undefined) return;
  if (stats.uid !== ownUid) {
    throw new KeyFileError(
      `The key file ${file} belongs to another user (${stats.uid}); it must be our own (${ownUid}).`,
    );
  }
  if ((stats.mode & ALL_BUT_OWNER) !== 0) {
    const shown = (stats.mode & 0o777).toString(8).padStart(4, '0');
    throw new KeyFileError(
      `The key file ${file} has mode ${shown}, so others may have read it. Replace the key, or, if nobody did: chmod 600 ${file}`,
    );
  }
}

/** Written whole and flushed beside its place, then linked into it: nobody reads half a key, nothing is overwritten. */
async function createKeyFile(file: string): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomUUID()}`;
  const key = randomBytes(KEY_FILE_SIZE);
  try {
    const handle = await open(draft, 'wx', OWNER_ONLY);
    try {
      await handle.writeFile(key);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await linkUnlessPresent(draft, file);
  } finally {
    key.fill(0);
    await rm(draft, { force: true });
  }
}

async function linkUnlessPresent(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

function wrongSize(file: string, size: number): KeyFileError {
  return new KeyFileError(`The key file ${file} holds ${size} bytes; a key is exactly ${KEY_FILE_SIZE}.`);
}
