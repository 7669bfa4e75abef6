/**
 * A range of the log as its exact bytes, and whether it is what the tree of a checkpoint was made of. The rows
 * are not trusted: leaves are hashed anew, and with the nodes beside them have to make up the root.
 */
import { type Bytes, equalBytes } from '../base/index.ts';
import type { Tx } from '../store/index.ts';
import { rangeNodes, rootOfRange } from '../tlog/index.ts';
import { merkle } from './audit-head.ts';
import { readTreeNodes } from './tree.ts';

/** Leaves that are read at once; one has 130 KiB at most. */
export const MAX_LEAF_BATCH = 256;

export interface LeafRange {
  readonly from: number;
  /** Exclusive; at most {@link MAX_LEAF_BATCH} after `from`. */
  readonly to: number;
}

export interface StoredLeaf {
  readonly index: number;
  readonly leaf: Bytes;
  readonly hash: Bytes;
}

/** What a range is held against. */
export interface TreeOfRange extends LeafRange {
  readonly size: number;
  readonly root: Uint8Array;
}

/**
 * The number of events, as the head says; nothing of it is checked here. With `lock` nothing is appended until the
 * transaction ends.
 */
export async function readLogSize(
  tx: Tx,
  tenantId: string,
  { lock = false }: { readonly lock?: boolean } = {},
): Promise<number> {
  const head = tx.selectFrom('audit_heads').select('size').where('tenant_id', '=', tenantId);
  const found = await (lock ? head.forUpdate() : head).executeTakeFirst();
  return found?.size ?? 0;
}

/** The leaves of a range in order, up to the first that is missing or has another hash than was stored. */
export async function readLeaves(
  tx: Tx,
  tenantId: string,
  { from, to }: LeafRange,
): Promise<readonly StoredLeaf[]> {
  if (to < from || to > from + MAX_LEAF_BATCH) {
    throw new RangeError(`"to" must be at most ${MAX_LEAF_BATCH} after "from", got ${from} to ${to}`);
  }
  const rows = await tx
    .selectFrom('audit_events')
    .select(['index', 'leaf', 'leaf_hash'])
    .where('tenant_id', '=', tenantId)
    .where('index', '>=', from)
    .where('index', '<', to)
    .orderBy('index')
    .execute();
  const leaves: StoredLeaf[] = [];
  for (const { index, leaf, leaf_hash } of rows) {
    const hash = merkle.hashLeaf(leaf);
    if (index !== from + leaves.length || !equalBytes(hash, leaf_hash)) break;
    leaves.push({ index, leaf: Uint8Array.from(leaf), hash });
  }
  return leaves;
}

/**
 * The first index of the range whose event is missing or is not what the tree of `root` was made of, `null`
 * where all are. Where each event agrees with its own row but not with the tree it is the beginning of the
 * range. Throws AUDIT_UNAVAILABLE where a node is missing.
 */
export async function findBrokenLeaf(tx: Tx, tenantId: string, tree: TreeOfRange): Promise<number | null> {
  const { from, to, size, root } = tree;
  const leaves = await readLeaves(tx, tenantId, tree);
  if (leaves.length < to - from) return from + leaves.length;
  const nodes = await readTreeNodes(tx, tenantId, rangeNodes({ from, to, size }));
  const leafHashes = leaves.map(({ hash }) => hash);
  const made = rootOfRange(merkle, { from, size, leafHashes, nodes });
  return made !== null && equalBytes(made, root) ? null : from;
}
