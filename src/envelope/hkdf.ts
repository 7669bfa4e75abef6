/** HKDF with SHA-512 (RFC 5869) over the suite's HMAC. */
import { type Bytes, concatBytes } from '../base/index.ts';
import { HPKE } from './algorithms.ts';
import type { HkdfOutput, Suite } from './suite.ts';

/** RFC 5869 §2.2: a pseudorandom key of 64 bytes. An empty `salt` stands for 64 zero bytes. */
export function hkdfExtractSha512(
  suite: Pick<Suite, 'hmacSha512'>,
  salt: Uint8Array,
  inputKeyingMaterial: Uint8Array,
): Bytes {
  return suite.hmacSha512(salt, inputKeyingMaterial);
}

/** RFC 5869 §2.3: at most 255 blocks. */
export function assertHkdfLength(length: number): void {
  if (!Number.isInteger(length) || length < 1 || length > 255 * HPKE.hash) {
    throw new RangeError(`"length" must be 1 to ${255 * HPKE.hash}, got ${length}`);
  }
}

/** RFC 5869 §2.3. `length` is 1 … 16 320 (255 × 64) bytes; throws RangeError beyond. */
export function hkdfExpandSha512(
  suite: Pick<Suite, 'hmacSha512'>,
  pseudorandomKey: Uint8Array,
  info: Uint8Array,
  length: number,
): Bytes {
  assertHkdfLength(length);
  const output = new Uint8Array(length);
  let block: Bytes = new Uint8Array(0);
  for (let offset = 0, counter = 1; offset < length; offset += HPKE.hash, counter += 1) {
    const previous = block;
    block = suite.hmacSha512(pseudorandomKey, concatBytes(previous, info, Uint8Array.of(counter)));
    previous.fill(0);
    output.set(block.subarray(0, length - offset), offset);
  }
  block.fill(0);
  return output;
}

/** Both steps, over `hmacSha512`: extracted once, expanded to each of `outputs`. */
export function hkdfSha512(
  suite: Pick<Suite, 'hmacSha512'>,
  salt: Uint8Array,
  inputKeyingMaterial: Uint8Array,
  outputs: readonly HkdfOutput[],
): readonly Bytes[] {
  const pseudorandomKey = hkdfExtractSha512(suite, salt, inputKeyingMaterial);
  try {
    return outputs.map(({ info, length }) => hkdfExpandSha512(suite, pseudorandomKey, info, length));
  } finally {
    pseudorandomKey.fill(0);
  }
}
