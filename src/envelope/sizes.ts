import type { Bytes } from '../base/index.ts';

/** Throws RangeError unless `bytes` is exactly `length` long; `name` is the argument's. */
export function assertSize(name: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) {
    throw new RangeError(`"${name}" must be ${length} bytes, got ${bytes.length}`);
  }
}

/** `bytes` in a buffer of its own. */
export function copyBytes(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes);
}
