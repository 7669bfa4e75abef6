import { hmac } from '@noble/hashes/hmac.js';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeHead, openHead, type StoredHead } from '../../src/audit/audit-head.ts';
import { createId } from '../../src/base/index.ts';
import { appendLeafHashes, createMerkleHasher, EMPTY_FRONTIER } from '../../src/tlog/index.ts';
import { naiveRoot, sha256 } from './naive-tree.ts';

const hasher = createMerkleHasher(sha256);
const key = fc.uint8Array({ minLength: 32, maxLength: 96 });
const leaves = fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 40 });

function headOf(headKey: Uint8Array, tenantId: string, entries: readonly Uint8Array[]): StoredHead {
  return encodeHead(
    headKey,
    tenantId,
    appendLeafHashes(hasher, EMPTY_FRONTIER, entries.map(hasher.hashLeaf)),
  );
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

describe('The head of a log', () => {
  test('has the root of its leaves', () => {
    fc.assert(
      fc.property(leaves, (entries) => {
        const { size, root } = headOf(new Uint8Array(64), createId('tenant'), entries);
        expect(size).toBe(entries.length);
        expect(Buffer.from(root)).toEqual(Buffer.from(naiveRoot(entries)));
      }),
    );
  });

  test('has the MAC that another implementation gives for its size, frontier and root', () => {
    const sizes = fc.oneof(fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1), fc.maxSafeNat());
    const frontiers = sizes.chain((size) => {
      const count = size.toString(2).replaceAll('0', '').length;
      const roots = fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), {
        minLength: count,
        maxLength: count,
      });
      return roots.map((held) => ({ size, roots: held.map((root) => Uint8Array.from(root)) }));
    });
    fc.assert(
      fc.property(key, frontiers, (headKey, held) => {
        const tenantId = createId('tenant');
        const { size, frontier, root, mac } = encodeHead(headKey, tenantId, held);
        expect(size).toBe(held.size);
        const covered = Buffer.concat([
          Buffer.from(`sealdesk/audit-head/v1\0${tenantId}\0`),
          ...[uint64(size), uint64(frontier.length), frontier, root],
        ]);
        expect(Buffer.from(mac)).toEqual(Buffer.from(hmac(nobleSha256, headKey, covered)));
      }),
    );
  });

  test('opens with its key and tenant, and with no other or any bit of it changed', () => {
    const tenantId = createId('tenant');
    const headKey = new Uint8Array(64).fill(7);
    const head = headOf(headKey, tenantId, [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]);
    expect(openHead(headKey, tenantId, head).size).toBe(3);
    const refused = expect.objectContaining({
      code: 'AUDIT_UNAVAILABLE',
      message: expect.stringContaining('fails its MAC'),
    });
    expect(() => openHead(new Uint8Array(64).fill(8), tenantId, head)).toThrow(refused);
    expect(() => openHead(headKey, createId('tenant'), head)).toThrow(refused);
    for (const size of [2, 4, 5, 1 + 2 ** 32])
      expect(() => openHead(headKey, tenantId, { ...head, size })).toThrow(refused);
    for (const member of ['frontier', 'root', 'mac'] as const) {
      for (let bit = 0; bit < head[member].length * 8; bit += 1) {
        const changed = Uint8Array.from(head[member]);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(() => openHead(headKey, tenantId, { ...head, [member]: changed })).toThrow(refused);
      }
    }
  });

  test('takes no key of less than 32 bytes', () => {
    for (const size of [0, 31])
      expect(() => headOf(new Uint8Array(size), createId('tenant'), []), `${size}`).toThrow(RangeError);
  });
});
