/** A group of events that has got its places in the log, and the nodes of the tree that it completes and that are stored. */
import { appendLeaves, type Frontier, type TreeNode } from '../tlog/index.ts';
import type { AuditEvent } from './audit-event.ts';
import { encodeHead, merkle, type StoredHead } from './audit-head.ts';
import { leavesOf, placedAt, type ReadyEvent } from './ready-event.ts';
import { storedNodes } from './tree.ts';

/** The head of a log and the frontier that it vouches for. */
export interface OpenedHead {
  readonly stored: StoredHead;
  readonly frontier: Frontier;
}

/** Events with their places, and the log's head before and after them. */
export interface PlacedGroup {
  readonly tenantId: string;
  readonly before: OpenedHead;
  readonly after: OpenedHead;
  readonly events: readonly AuditEvent[];
  readonly leaves: readonly Uint8Array[];
  readonly leafHashes: readonly Uint8Array[];
  readonly nodes: readonly TreeNode[];
  /** The intents that its outcomes close. */
  readonly closing: readonly string[];
}

/** Gives `ready` the next places of the log whose head is `before`. */
export function placeGroup(
  headKey: Uint8Array,
  tenantId: string,
  before: OpenedHead,
  ready: readonly ReadyEvent[],
): PlacedGroup {
  const { size } = before.frontier;
  const leaves = leavesOf(ready, size);
  const leafHashes = leaves.map(merkle.hashLeaf);
  const { frontier, nodes } = appendLeaves(merkle, before.frontier, leafHashes);
  return {
    tenantId,
    before,
    after: { stored: encodeHead(headKey, tenantId, frontier), frontier },
    events: ready.map((one, offset) => placedAt(one, tenantId, size + offset)),
    leaves,
    leafHashes,
    nodes: storedNodes(nodes),
    closing: closedBy(ready),
  };
}

/** The intents that `ready` closes, in its order, as often as it does. */
export function closedBy(ready: readonly ReadyEvent[]): readonly string[] {
  return ready.flatMap(({ event }) => (event.phase === 'OUTCOME' ? [event.intentId] : []));
}
