/**
 * The anchor in a folder: one file of notes for each tenant, only ever appended to and flushed to the
 * disk, 0600. It is as safe as the folder is from whoever can write the database; best it is on another
 * machine's disk. What a crash left half written is passed over.
 */
import { constants } from 'node:fs';
import { access, type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isId } from '../../base/index.ts';
import { AnchorError, type AnchoredCheckpoint, type AuditAnchor, type CheckpointPlace } from './anchor.ts';
import { isAfter, placeOfNote } from './note-place.ts';

/** From the end of a file, where the newest notes are: about two hundred of them. */
const TAIL_BYTES = 1_048_576;
const OWNER_ONLY = 0o600;
/** A checkpoint's three lines, an empty one and two signatures. In the file another empty line follows. */
const LINES_OF_NOTE = 6;

export function openFileAnchor(folder: string): AuditAnchor {
  return new FileAnchor(folder);
}

class FileAnchor implements AuditAnchor {
  readonly kind = 'file';
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async write(tenantId: string, { note }: AnchoredCheckpoint): Promise<null> {
    const file = this.#fileOf(tenantId);
    await this.#usable(async () => {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
      await using handle = await open(file, flags, OWNER_ONLY);
      const { size } = await handle.stat();
      const end = await readTail(handle, size, 2);
      const isTorn = size > 0 && end !== '\n\n';
      await handle.writeFile(`${isTorn ? '\n\n' : ''}${note}\n`);
      await handle.sync();
      if (size === 0) await syncFolder(dirname(file));
    });
    return null;
  }

  async *listNewest(tenantId: string, from: CheckpointPlace): AsyncGenerator<string, void> {
    const file = this.#fileOf(tenantId);
    const tail = await this.#usable(async () => {
      const handle = await open(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)).catch(unlessMissing);
      if (handle === null) return '';
      await using _ = handle;
      const { size } = await handle.stat();
      return readTail(handle, size, TAIL_BYTES);
    });
    yield* newestNotes(tail, tenantId, from);
  }

  async probe(): Promise<void> {
    await this.#usable(async () => {
      // The dot asks for a folder. It is made when it is first written to, where the one above allows it.
      const isThere = await access(`${this.#folder}/.`, constants.W_OK).then(() => true, unlessMissing);
      if (isThere === null) await access(dirname(this.#folder), constants.W_OK).catch(unlessMissing);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #fileOf(tenantId: string): string {
    if (!isId('tenant', tenantId)) throw new TypeError('"tenantId" must be a tenant id');
    return join(this.#folder, `${tenantId}.notes`);
  }

  async #usable<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
      throw new AnchorError(`The folder ${this.#folder} cannot be used (${code}).`, { cause });
    }
  }
}

/** The whole notes of the tenant in `text`, each once, the newest first. Their signatures are not looked at. */
function newestNotes(text: string, tenantId: string, from: CheckpointPlace): string[] {
  const lines = text.split('\n');
  const places = new Map<string, CheckpointPlace>();
  for (const at of lines.keys()) {
    if (lines[at]?.startsWith('sealdesk/') !== true) continue;
    const note = `${lines.slice(at, at + LINES_OF_NOTE).join('\n')}\n`;
    const place = placeOfNote(note, tenantId);
    if (place !== null && !isAfter(from, place)) places.set(note, place);
  }
  return [...places]
    .sort(([, a], [, b]) => (isAfter(a, b) ? -1 : isAfter(b, a) ? 1 : 0))
    .map(([note]) => note);
}

async function readTail(handle: FileHandle, size: number, length: number): Promise<string> {
  const buffer = Buffer.alloc(Math.min(size, length));
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, size - buffer.length);
  return buffer.toString('utf8', 0, bytesRead);
}

/** That a new file is in its folder has to reach the disk too; not every platform lets folders be opened. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY).catch(() => null);
  if (handle === null) return;
  try {
    await handle.sync().catch(() => undefined);
  } finally {
    await handle.close();
  }
}

function unlessMissing(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
  throw error;
}
