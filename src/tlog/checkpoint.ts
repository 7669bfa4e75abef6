/**
 * Checkpoints in the text form of C2SP tlog-checkpoint, without extension lines: origin, size and root
 * of a tree. The text says nothing until it is signed as a note.
 */
import { type Bytes, encodeBase64, parseBase64 } from '../base/index.ts';
import { assertHash, HASH_SIZE } from './hasher.ts';
import { isKeyName, MAX_NAME_LENGTH } from './key-name.ts';
import { isSize } from './perfect-nodes.ts';

export interface Checkpoint {
  /** The name of the log. */
  readonly origin: string;
  /** Leaves of the tree. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Bytes;
}

/** Characters of the text of a checkpoint: an origin, a size of 16 digits, a root of 44, three line ends. */
export const MAX_CHECKPOINT_TEXT = MAX_NAME_LENGTH + 16 + 44 + 3;

const DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/;

/** The text to sign: three lines, each with its line end. RangeError for what has no such form. */
export function encodeCheckpoint({ origin, size, root }: Checkpoint): string {
  if (!isKeyName(origin)) throw new RangeError('"origin" must be a name without spaces and plus');
  if (!isSize(size)) throw new RangeError(`"size" must be an integer from 0 to 2^53 - 1, got ${size}`);
  assertHash('root', root);
  return `${origin}\n${size}\n${encodeBase64(root)}\n`;
}

/** The checkpoint in `text`, or `null` unless it is exactly what {@link encodeCheckpoint} writes. */
export function parseCheckpoint(text: string): Checkpoint | null {
  if (text.length > MAX_CHECKPOINT_TEXT) return null;
  const [origin, digits, encoded, end, ...more] = text.split('\n');
  if (digits === undefined || encoded === undefined || end !== '' || more.length > 0) return null;
  const size = DECIMAL.test(digits) ? Number(digits) : null;
  const root = parseBase64(encoded);
  if (!isKeyName(origin) || !isSize(size) || root?.length !== HASH_SIZE) return null;
  return Object.freeze({ origin, size, root });
}
