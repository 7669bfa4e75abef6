/** The events of a bundle, read once from the first to the last, with the tree growing beside them. */
import { type Bytes, equalBytes } from '../../base/index.ts';
import { GrowingTree } from '../frontier.ts';
import type { MerkleHasher } from '../hasher.ts';
import {
  type EndedEpoch,
  endedEpoch,
  type Leaf,
  type LoggedAnswer,
  listsEnvelope,
  parseLeaf,
} from '../leaf.ts';
import type { TreeNode } from '../perfect-nodes.ts';
import { splitComplement } from '../range.ts';
import { type BundleHeader, type EventLine, HISTORY_TYPES } from './bundle-line.ts';
import { BundleRefusal } from './bundle-verdict.ts';
import type { LineSource } from './line-source.ts';

export interface EventsToRead {
  readonly header: BundleHeader;
  readonly nodes: readonly TreeNode[];
  /** Sizes at which the root is wanted. */
  readonly sizes: readonly number[];
  readonly answer: LoggedAnswer | null;
}

/** An event that ended an epoch, and what it says of it. */
export interface EpochEnd extends EndedEpoch {
  readonly index: number;
}

export interface EventsRead {
  /** The root that events and nodes give. */
  readonly root: Bytes;
  /** The roots at the wanted sizes, where the tree passed them. */
  readonly roots: ReadonlyMap<number, Bytes>;
  /** The events that ended epochs, in their order. */
  readonly ends: readonly EpochEnd[];
  /** Where the answer was looked for: the event with its id, and whether that lists it. */
  readonly found: { readonly index: number; readonly isListed: boolean } | null;
}

/** Passes over the lines of history and tells how many there were. */
export async function takeHistory(source: LineSource): Promise<number> {
  for (let count = 0; ; count += 1) {
    const line = await source.peek();
    if (line === null || !HISTORY_TYPES.some((type) => type === line.type)) return count;
    await source.takeIf(line.type);
  }
}

/** Throws BundleRefusal with the first event that is missing, not canonical, not in its place or of another hash. */
export async function takeEvents(
  hasher: MerkleHasher,
  source: LineSource,
  { header, nodes, sizes, answer }: EventsToRead,
): Promise<EventsRead> {
  const tree = new GrowingTree(hasher);
  const roots = new Map<number, Bytes>();
  const ends: EpochEnd[] = [];
  let found: EventsRead['found'] = null;
  const grow = (level: number, hash: Bytes): void => {
    tree.append(level, hash);
    if (sizes.includes(tree.size)) roots.set(tree.size, tree.root());
  };
  if (sizes.includes(0)) roots.set(0, tree.root());
  const [before, after] = splitComplement(header.from, nodes);
  for (const { level, hash } of before) grow(level, hash);
  for (let index = header.from; index < header.to; index += 1) {
    const line = await source.takeIf('event', index);
    if (line === null) throw await missingEvent(source, index);
    const leaf = readLeaf(line, index, header.tenantId, source.count);
    const hash = hasher.hashLeaf(line.leaf);
    if (line.hash !== undefined && !equalBytes(line.hash, hash)) {
      throw new BundleRefusal('LEAF_ALTERED', { line: source.count, brokenIndex: index });
    }
    grow(0, hash);
    const ended = endedEpoch(leaf);
    if (ended !== null) ends.push({ ...ended, index });
    if (leaf.id === answer?.auditEventId && found?.isListed !== true) {
      found = { index, isListed: listsEnvelope(leaf, answer.transcriptSha256) };
    }
  }
  for (const { level, hash } of after) grow(level, hash);
  return { root: tree.root(), roots, ends, found };
}

/** The end line, and nothing behind it. */
export async function takeEnd(source: LineSource): Promise<void> {
  const { lines } = await source.take('end');
  if (lines !== source.count) throw new BundleRefusal('TRUNCATED', { line: source.count });
  if ((await source.peek()) !== null) throw await source.unexpected();
}

function readLeaf({ index, leaf: bytes }: EventLine, expected: number, tenantId: string, line: number): Leaf {
  if (index !== expected) throw new BundleRefusal('INDEX_GAP', { line, brokenIndex: expected });
  const leaf = parseLeaf(bytes);
  const where = { line, brokenIndex: expected };
  if (leaf === null) throw new BundleRefusal('LEAF_NOT_CANONICAL', where);
  if (leaf.index !== expected) throw new BundleRefusal('LEAF_MISPLACED', where);
  if (leaf.tenantId !== tenantId) throw new BundleRefusal('LEAF_FOREIGN', where);
  return leaf;
}

async function missingEvent(source: LineSource, index: number): Promise<BundleRefusal> {
  const isEnded = (await source.peek()) === null;
  return new BundleRefusal(isEnded ? 'TRUNCATED' : 'INDEX_GAP', {
    line: isEnded ? source.count : source.count + 1,
    brokenIndex: index,
  });
}
