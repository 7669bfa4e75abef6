import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrations } from '../../migrations/index.ts';
import {
  readAuditHead,
  readConsistencyProof,
  readInclusionProof,
  readRoot,
  readTreeNodes,
  storedNodes,
} from '../../src/audit/index.ts';
import { createId, encodeHex, encodeUtf8 } from '../../src/base/index.ts';
import type { Tx } from '../../src/store/index.ts';
import {
  appendLeaves,
  createMerkleHasher,
  EMPTY_FRONTIER,
  verifyConsistency,
  verifyInclusion,
} from '../../src/tlog/index.ts';
import { describeOnBothDatabases, openTestStore, type TestStore } from '../support/store.ts';
import { naiveConsistency, naiveNodes, naivePath, naiveRoot, sha256 } from './naive-tree.ts';
import { append, createTenantLog, headKey, single } from './tenant-log.ts';

const hasher = createMerkleHasher(sha256);
const hex = (hashes: readonly Uint8Array[]): readonly string[] => hashes.map(encodeHex);

describeOnBothDatabases('The tree of the audit log', (kind) => {
  let opened: TestStore;
  beforeAll(async () => {
    opened = await openTestStore(kind);
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  const asTenant = <T>(tenantId: string, work: (tx: Tx) => Promise<T>) =>
    opened.store.withTenant(tenantId, work);
  const readLeaves = async (tenantId: string): Promise<readonly Uint8Array[]> => {
    const rows = await asTenant(tenantId, (tx) =>
      tx.selectFrom('audit_events').select('leaf').orderBy('index').execute(),
    );
    return rows.map(({ leaf }) => leaf);
  };
  const readNodes = async (tx: Tx, tenantId: string): Promise<readonly string[]> => {
    const nodes = await tx
      .selectFrom('audit_nodes')
      .select(['level', 'index', 'hash'])
      .where('tenant_id', '=', tenantId)
      .orderBy('level')
      .orderBy('index')
      .execute();
    return nodes.map(textOf);
  };

  /** A log of `size` events, in groups of varying length. */
  async function createLog(size: number): Promise<string> {
    const tenantId = await createTenantLog(opened.store);
    for (let from = 0, length = 1; from < size; from += length, length = (length * 5) % 7) {
      const events = Array.from({ length: Math.min(length, size - from) }, () => single());
      await append(opened.store, tenantId, ...events);
    }
    return tenantId;
  }

  test('proves every leaf in every tree up to 20 leaves, as a naive tree does', async () => {
    const tenantId = await createLog(20);
    const leaves = await readLeaves(tenantId);
    await asTenant(tenantId, async (tx) => {
      for (let size = 0; size <= leaves.length; size += 1) {
        const root = await readRoot(tx, tenantId, size);
        expect(encodeHex(root)).toBe(encodeHex(naiveRoot(leaves.slice(0, size))));
        for (let index = 0; index < size; index += 1) {
          const proof = await readInclusionProof(tx, tenantId, { index, size });
          expect(hex(proof)).toEqual(hex(naivePath(index, leaves.slice(0, size))));
          const leafHash = hasher.hashLeaf(leaves[index] as Uint8Array);
          expect(verifyInclusion(hasher, { index, size, leafHash, proof, root })).toBe(true);
        }
      }
    });
  });

  test('proves every tree up to 20 leaves to be the beginning of every larger one, as a naive tree does', async () => {
    const tenantId = await createLog(20);
    const leaves = await readLeaves(tenantId);
    await asTenant(tenantId, async (tx) => {
      for (let to = 0; to <= leaves.length; to += 1) {
        for (let from = 0; from <= to; from += 1) {
          const proof = await readConsistencyProof(tx, tenantId, { from, to });
          expect(hex(proof)).toEqual(hex(naiveConsistency(from, leaves.slice(0, to))));
          const [fromRoot, toRoot] = [naiveRoot(leaves.slice(0, from)), naiveRoot(leaves.slice(0, to))];
          expect(verifyConsistency(hasher, { from, to, fromRoot, toRoot, proof })).toBe(true);
        }
      }
    });
  });

  test('is stored as the perfect subtrees of a naive tree, however the events were grouped', async () => {
    const groups = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(groups, async (lengths) => {
        const tenantId = await createTenantLog(opened.store);
        for (const length of lengths) {
          await append(opened.store, tenantId, ...Array.from({ length }, () => single()));
        }
        const leaves = await readLeaves(tenantId);
        expect(await asTenant(tenantId, (tx) => readNodes(tx, tenantId))).toEqual(
          naiveNodes(leaves).map(textOf),
        );
        const { size, root } = await asTenant(tenantId, (tx) => readAuditHead(tx, { tenantId, headKey }));
        expect(encodeHex(await asTenant(tenantId, (tx) => readRoot(tx, tenantId, size)))).toBe(
          encodeHex(root),
        );
      }),
      { numRuns: 8 },
    );
  });

  test('gives the nodes that are asked for in the order of asking, leaves among them', async () => {
    const tenantId = await createLog(8);
    const leaves = await readLeaves(tenantId);
    const addresses = [
      { level: 2, index: 1 },
      { level: 0, index: 7 },
      { level: 3, index: 0 },
      { level: 0, index: 0 },
      { level: 2, index: 1 },
    ];
    const nodes = await asTenant(tenantId, (tx) => readTreeNodes(tx, tenantId, addresses));
    expect(nodes.map(textOf)).toEqual(
      addresses
        .map(({ level, index }) => ({
          ...{ level, index },
          hash: naiveRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)),
        }))
        .map(textOf),
    );
    expect(await asTenant(tenantId, (tx) => readTreeNodes(tx, tenantId, []))).toEqual([]);
  });

  test('says so where a node is not there: beyond the log, or in that of another tenant', async () => {
    const [tenantId, other] = [await createLog(4), await createLog(1)];
    const missing = { code: 'AUDIT_UNAVAILABLE' };
    await asTenant(tenantId, async (tx) => {
      await expect(readTreeNodes(tx, tenantId, [{ level: 1, index: 2 }])).rejects.toMatchObject(missing);
      await expect(readTreeNodes(tx, tenantId, [{ level: 0, index: 4 }])).rejects.toMatchObject(missing);
      await expect(readRoot(tx, tenantId, 5)).rejects.toMatchObject(missing);
      await expect(readInclusionProof(tx, tenantId, { index: 0, size: 8 })).rejects.toMatchObject(missing);
      await expect(readConsistencyProof(tx, tenantId, { from: 1, to: 8 })).rejects.toMatchObject(missing);
    });
    await asTenant(other, async (tx) => {
      await expect(readRoot(tx, tenantId, 4)).rejects.toMatchObject(missing);
    });
  });

  test('refuses places and sizes that no tree has', async () => {
    const tenantId = await createLog(2);
    await asTenant(tenantId, async (tx) => {
      for (const leaf of [
        { index: 2, size: 2 },
        { index: -1, size: 2 },
        { index: 0.5, size: 2 },
      ]) {
        await expect(readInclusionProof(tx, tenantId, leaf)).rejects.toThrow(RangeError);
      }
      await expect(readConsistencyProof(tx, tenantId, { from: 2, to: 1 })).rejects.toThrow(RangeError);
      await expect(readRoot(tx, tenantId, -1)).rejects.toThrow(RangeError);
    });
  });

  test('has nodes that nobody changes or removes, neither the owner nor the tenant', async () => {
    const tenantId = await createLog(4);
    for (const statement of [
      `UPDATE audit_nodes SET hash = ''`,
      'DELETE FROM audit_nodes',
      'TRUNCATE audit_nodes',
    ]) {
      const asOwner = opened.store.withSystem('tenant-administration', (tx) =>
        sql.raw(statement).execute(tx),
      );
      await expect(asOwner, statement).rejects.toThrow('append-only');
      const own = asTenant(tenantId, (tx) => sql.raw(statement).execute(tx));
      await expect(own, statement).rejects.toMatchObject({ code: '42501' });
    }
  });
});

describeOnBothDatabases('The migration that stores the trees', (kind) => {
  const SIZES = [0, 1, 2, 3, 21, 4_099] as const;

  test('gives each log that exists the nodes that appending would have written', async () => {
    await using opened = await openTestStore(kind);
    const leafOf = (tenantId: string, index: number) => `${tenantId} ${index}`;
    const logs = SIZES.map((size) => ({ size, tenantId: createId('tenant') }));
    await opened.store.withSystem('tenant-administration', async (tx) => {
      await sql`DROP TABLE audit_nodes`.execute(tx);
      await sql`ALTER TABLE audit_events ADD CONSTRAINT audit_events_tenant_id_fkey FOREIGN KEY (tenant_id)
        REFERENCES tenants`.execute(tx);
      for (const { tenantId, size } of logs) {
        await tx.insertInto('tenants').values({ id: tenantId, kind: 'CUSTOMER', name: 'Old' }).execute();
        await sql`INSERT INTO audit_events
            (tenant_id, index, id, leaf, leaf_hash, occurred_at, actor_id, phase, action)
          SELECT ${tenantId}, i, i::text, convert_to(leaf, 'UTF8'), sha256('\\x00'::bytea || convert_to(leaf, 'UTF8')),
            now(), 'old', 'SINGLE', 'old'
          FROM generate_series(0, ${size - 1}::int) i, LATERAL (SELECT ${tenantId} || ' ' || i AS leaf) l`.execute(
          tx,
        );
      }
      await migrations['0005-audit-tree']?.up(tx);
      for (const { tenantId, size } of logs) {
        const leaves = Array.from({ length: size }, (_, index) => encodeUtf8(leafOf(tenantId, index)));
        const { frontier, nodes } = appendLeaves(hasher, EMPTY_FRONTIER, leaves.map(hasher.hashLeaf));
        const stored = await tx
          .selectFrom('audit_nodes')
          .select(['level', 'index', 'hash'])
          .where('tenant_id', '=', tenantId)
          .execute();
        expect(stored.map(textOf).toSorted()).toEqual(storedNodes(nodes).map(textOf).toSorted());
        const root = hex(frontier.roots);
        expect(hex((await readTreeNodes(tx, tenantId, rootsOf(size))).map(({ hash }) => hash))).toEqual(root);
      }
    });
  });
});

function textOf(node: { readonly level: number; readonly index: number; readonly hash: Uint8Array }): string {
  return `${node.level}/${node.index} ${encodeHex(node.hash)}`;
}

/** The addresses of the perfect subtrees of a tree, largest first. */
function rootsOf(size: number): readonly { readonly level: number; readonly index: number }[] {
  const addresses = [];
  for (let level = 20, from = 0; level >= 0; level -= 1) {
    if (from + 2 ** level > size) continue;
    addresses.push({ level, index: from / 2 ** level });
    from += 2 ** level;
  }
  return addresses;
}
