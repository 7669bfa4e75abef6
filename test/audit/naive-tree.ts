/** The tree of RFC 9162 §2.1 word for word, over whole leaves: slow, and without a line of the code under test. */
import { createHash } from 'node:crypto';
import type { Bytes } from '../../src/base/index.ts';

export const sha256 = (...parts: readonly Uint8Array[]): Bytes => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return Uint8Array.from(hash.digest());
};

function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

/** MTH of §2.1.1. */
export function naiveRoot(leaves: readonly Uint8Array[]): Bytes {
  const [only] = leaves;
  if (only === undefined) return sha256();
  if (leaves.length === 1) return sha256(Uint8Array.of(0), only);
  const split = splitOf(leaves.length);
  return sha256(Uint8Array.of(1), naiveRoot(leaves.slice(0, split)), naiveRoot(leaves.slice(split)));
}

/** PATH of §2.1.3.1. */
export function naivePath(index: number, leaves: readonly Uint8Array[]): readonly Bytes[] {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split
    ? [...naivePath(index, left), naiveRoot(right)]
    : [...naivePath(index - split, right), naiveRoot(left)];
}

/** PROOF of §2.1.4.1, for 0 < from < leaves.length; otherwise nothing. */
export function naiveConsistency(from: number, leaves: readonly Uint8Array[]): readonly Bytes[] {
  return from === 0 ? [] : subproof(from, leaves, true);
}

function subproof(from: number, leaves: readonly Uint8Array[], isWhole: boolean): readonly Bytes[] {
  if (from === leaves.length) return isWhole ? [] : [naiveRoot(leaves)];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return from <= split
    ? [...subproof(from, left, isWhole), naiveRoot(right)]
    : [...subproof(from - split, right, false), naiveRoot(left)];
}

/** Every perfect subtree of eight leaves and more, by level and then index: what a log stores of its tree. */
export function naiveNodes(
  leaves: readonly Uint8Array[],
): readonly { readonly level: number; readonly index: number; readonly hash: Bytes }[] {
  const nodes = [];
  for (let level = 3; 2 ** level <= leaves.length; level += 1) {
    for (let index = 0; (index + 1) * 2 ** level <= leaves.length; index += 1) {
      const hash = naiveRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));
      nodes.push({ level, index, hash });
    }
  }
  return nodes;
}
