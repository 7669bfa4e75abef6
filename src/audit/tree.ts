/**
 * Proofs from the stored tree: perfect subtrees are read by their addresses, in one statement. Those of few leaves are
 * not stored but made of the leaves' hashes, which lie side by side: a node for every two entries would cost an append
 * as much as two more indexes. What is read is not checked here: a proof convinces by the root that it leads to, and
 * nothing else does.
 */
import { sql } from 'kysely';
import { type Bytes, SealdeskError } from '../base/index.ts';
import type { Tx } from '../store/index.ts';
import {
  appendLeaves,
  consistencyNodes,
  createConsistencyProof,
  createInclusionProof,
  EMPTY_FRONTIER,
  HASH_SIZE,
  inclusionNodes,
  type NodeAddress,
  type NodeReader,
  rangeNodes,
  rootOfFrontier,
  type TreeNode,
} from '../tlog/index.ts';
import { merkle } from './audit-head.ts';

/** Perfect subtrees of eight leaves and more have rows of their own. */
export const LOWEST_STORED_LEVEL = 3;

/** Of `nodes` those that have rows of their own. */
export function storedNodes(nodes: readonly TreeNode[]): readonly TreeNode[] {
  return nodes.filter(({ level }) => level >= LOWEST_STORED_LEVEL);
}

/**
 * The nodes at `addresses`, in their order; level 0 are the leaves' hashes. Throws AUDIT_UNAVAILABLE where one
 * is missing: the log is shorter, or rows of it were removed.
 */
export async function readTreeNodes(
  tx: Tx,
  tenantId: string,
  addresses: readonly NodeAddress[],
): Promise<readonly TreeNode[]> {
  const rowsOfEach = addresses.map(rowsOf);
  const rows = rowsOfEach.flat();
  if (rows.length === 0) return [];
  // Subqueries and no join: each address is one look-up in an index, whatever the planner believes.
  const { rows: read } = await sql<{ hash: Uint8Array | null }>`
    SELECT CASE a.level
      WHEN 0 THEN (SELECT leaf_hash FROM audit_events e WHERE e.tenant_id = ${tenantId} AND e.index = a.index)
      ELSE (SELECT hash FROM audit_nodes n
        WHERE n.tenant_id = ${tenantId} AND n.level = a.level AND n.index = a.index) END AS hash
    FROM unnest(${rows.map(({ level }) => level)}::smallint[], ${rows.map(({ index }) => index)}::bigint[])
      WITH ORDINALITY AS a (level, index, place) ORDER BY place`.execute(tx);
  const hashes = read.map(({ hash }) => hashOf(hash));
  let place = 0;
  return addresses.map((address, at) => {
    const from = place;
    place += rowsOfEach[at]?.length ?? 0;
    return { ...address, hash: rootOf(hashes.slice(from, place)) };
  });
}

/** Where the hashes stand that the node is made of: in a row of its own, or in those of its leaves. */
function rowsOf({ level, index }: NodeAddress): readonly NodeAddress[] {
  if (level >= LOWEST_STORED_LEVEL) return [{ level, index }];
  return Array.from({ length: 2 ** level }, (_, at) => ({ level: 0, index: index * 2 ** level + at }));
}

/**
 * The hashes that prove the leaf at `index` in the tree of the first `size` leaves (RFC 9162 §2.1.3.1). Throws
 * RangeError unless 0 <= index < size, and as {@link readTreeNodes} does.
 */
export async function readInclusionProof(
  tx: Tx,
  tenantId: string,
  leaf: { readonly index: number; readonly size: number },
): Promise<readonly Bytes[]> {
  const nodes = await readTreeNodes(tx, tenantId, inclusionNodes(leaf.index, leaf.size));
  return createInclusionProof(merkle, leaf, readerOf(nodes));
}

/**
 * The hashes that prove that the tree of `to` leaves begins with that of `from` (RFC 9162 §2.1.4.1); none where
 * `from` is 0 or equals `to`. Throws RangeError unless 0 <= from <= to, and as {@link readTreeNodes} does.
 */
export async function readConsistencyProof(
  tx: Tx,
  tenantId: string,
  sizes: { readonly from: number; readonly to: number },
): Promise<readonly Bytes[]> {
  const nodes = await readTreeNodes(tx, tenantId, consistencyNodes(sizes.from, sizes.to));
  return createConsistencyProof(merkle, sizes, readerOf(nodes));
}

/** The root of the tree of the first `size` leaves. Throws RangeError for a negative one, and as {@link readTreeNodes} does. */
export async function readRoot(tx: Tx, tenantId: string, size: number): Promise<Bytes> {
  // With no leaf at hand the complement is the whole tree: its perfect subtrees, largest first.
  const nodes = await readTreeNodes(tx, tenantId, rangeNodes({ from: 0, to: 0, size }));
  return rootOfFrontier(merkle, { size, roots: nodes.map(({ hash }) => hash) });
}

function readerOf(nodes: readonly TreeNode[]): NodeReader {
  const hashes = new Map(nodes.map(({ level, index, hash }) => [`${level}/${index}`, hash]));
  return ({ level, index }) => {
    const hash = hashes.get(`${level}/${index}`);
    if (hash === undefined)
      throw new RangeError(`The proof asks for a node that was not read: ${level}/${index}`);
    return hash;
  };
}

/** The root of a perfect subtree from the hashes below it. */
function rootOf(hashes: readonly Bytes[]): Bytes {
  return rootOfFrontier(merkle, appendLeaves(merkle, EMPTY_FRONTIER, hashes).frontier);
}

function hashOf(stored: Uint8Array | null): Bytes {
  if (stored?.length === HASH_SIZE) return Uint8Array.from(stored);
  throw new SealdeskError(
    'AUDIT_UNAVAILABLE',
    'A part of the audit log that the proof needs is missing. An operator has to find out why.',
  );
}
