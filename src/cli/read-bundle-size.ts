import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { CommandError } from './command-error.ts';

/** Bytes in which the first line of a bundle has to end. */
const MAX_FIRST_LINE = 4_096;

/** The size of the log that the bundle `file` is of; the bundle is not verified. Throws CommandError. */
export async function readBundleSize(file: string): Promise<number> {
  const input = createReadStream(file, { end: MAX_FIRST_LINE - 1 });
  for await (const line of createInterface({ input })) return sizeOf(file, line);
  throw noBundle(file);
}

function sizeOf(file: string, line: string): number {
  try {
    const { type, size } = Object(JSON.parse(line));
    if (type === 'bundle' && Number.isSafeInteger(size) && size >= 0) return size;
  } catch {
    // Told below.
  }
  throw noBundle(file);
}

function noBundle(file: string): CommandError {
  return new CommandError(`${file} is no bundle of an audit log.`);
}
