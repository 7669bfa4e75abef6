/** RFC 9162 §2.1 word for word, from the top: what the room's proofs are held against. */
import { hash as digest } from 'node:crypto';
import type { Bytes } from '../../src/base/index.ts';
import { createMerkleHasher, type NodeAddress } from '../../src/tlog/index.ts';

export const sha256 = (data: Uint8Array): Bytes => new Uint8Array(digest('sha256', data, 'buffer'));

export const hasher = createMerkleHasher(sha256);

/**
 * A tree of any number of leaves, most of them alike: a node over 2^k leaves that are all alike depends on k
 * only, so that trees beyond what memory holds have real roots.
 */
export class NaiveTree {
  readonly #special: ReadonlyMap<number, Bytes>;
  readonly #indexes: readonly number[];
  readonly #alike: Bytes[] = [hasher.hashLeaf(Uint8Array.of(0))];
  readonly #known = new Map<string, Bytes>();

  /** `special`: the hashes of the leaves that are not like the others. */
  constructor(special: ReadonlyMap<number, Bytes>) {
    this.#special = special;
    this.#indexes = [...special.keys()];
  }

  leafHash(index: number): Bytes {
    return this.#special.get(index) ?? this.#alikeNode(0);
  }

  /** MTH(D[from:to]), §2.1.1. */
  hash(from: number, to: number): Bytes {
    if (from === to) return sha256(new Uint8Array(0));
    if (to - from === 1) return this.leafHash(from);
    const level = Math.round(Math.log2(to - from));
    const isAlike = !this.#indexes.some((index) => index >= from && index < to);
    if (to - from === 2 ** level && isAlike) return this.#alikeNode(level);
    const key = `${from} ${to}`;
    let hash = this.#known.get(key);
    if (hash === undefined) {
      const k = from + split(to - from);
      hash = sha256(Uint8Array.from([1, ...this.hash(from, k), ...this.hash(k, to)]));
      this.#known.set(key, hash);
    }
    return hash;
  }

  root(size: number): Bytes {
    return this.hash(0, size);
  }

  /** PATH(m, D[from:to]), §2.1.3.1; `m` counts from the first leaf of all. */
  path(m: number, from: number, to: number): readonly Bytes[] {
    if (to - from === 1) return [];
    const k = from + split(to - from);
    return m < k
      ? [...this.path(m, from, k), this.hash(k, to)]
      : [...this.path(m, k, to), this.hash(from, k)];
  }

  /** PROOF(m, D[0:n]), §2.1.4.1. */
  proof(m: number, n: number): readonly Bytes[] {
    return m === 0 || m === n ? [] : this.#subproof(m, 0, n, true);
  }

  /** SUBPROOF(m, D[from:to], b), §2.1.4.1; `m` counts from the first leaf of all. */
  #subproof(m: number, from: number, to: number, b: boolean): readonly Bytes[] {
    if (m === to) return b ? [] : [this.hash(from, to)];
    const k = from + split(to - from);
    return m <= k
      ? [...this.#subproof(m, from, k, b), this.hash(k, to)]
      : [...this.#subproof(m, k, to, false), this.hash(from, k)];
  }

  readonly read = ({ level, index }: NodeAddress): Bytes =>
    this.hash(index * 2 ** level, (index + 1) * 2 ** level);

  #alikeNode(level: number): Bytes {
    const known = this.#alike[level];
    if (known !== undefined) return known;
    const child = this.#alikeNode(level - 1);
    const hash = sha256(Uint8Array.from([1, ...child, ...child]));
    this.#alike[level] = hash;
    return hash;
  }
}

/** The tree of `size` leaves that are all different. */
export function distinctTree(size: number): NaiveTree {
  return new NaiveTree(
    new Map(Array.from({ length: size }, (_, index) => [index, hasher.hashLeaf(encodeIndex(index))])),
  );
}

export function encodeIndex(index: number): Bytes {
  return new TextEncoder().encode(`leaf ${index}`);
}

/** The largest power of two smaller than n. */
function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** Hashes as text, to compare thousands of proofs quickly. */
export const asText = (hashes: readonly Uint8Array[]): string =>
  hashes.map((hash) => Buffer.from(hash).toString('hex')).join();

/** `bytes` with each of its bits changed, one at a time. */
export function* changedBits(bytes: Uint8Array): Generator<Bytes> {
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Uint8Array.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    yield changed;
  }
}

/** `list` with each of its hashes changed in every bit, one at a time. */
export function* changedLists(list: readonly Bytes[]): Generator<readonly Bytes[]> {
  for (const [at, hash] of list.entries()) {
    for (const changed of changedBits(hash)) yield list.with(at, changed);
  }
}

/** Proofs of wrong lengths: each hash left out, each said twice, one too many before and behind. */
export function* wrongLengths(proof: readonly Bytes[]): Generator<readonly Bytes[]> {
  const extra = hasher.hashLeaf(Uint8Array.of(0xff));
  yield [extra, ...proof];
  yield [...proof, extra];
  for (const [at, hash] of proof.entries()) {
    yield proof.toSpliced(at, 1);
    yield proof.toSpliced(at, 0, hash);
    yield proof.with(at, hash.slice(1));
    yield proof.with(at, Uint8Array.from([...hash, 0]));
  }
}
