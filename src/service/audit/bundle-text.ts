/**
 * The bundle of an export as text, line by line in the order of docs/audit.md, made while it is fetched: at most
 * one batch of events is held, whatever the range. Between batches the API key is asked for again.
 */
import { assertStillValid } from '../../access/index.ts';
import {
  type AuditExport,
  MAX_LEAF_BATCH,
  readCheckpoint,
  readConsistencyProof,
  readLeaves,
  readTreeNodes,
} from '../../audit/index.ts';
import { SealdeskError } from '../../base/index.ts';
import type { AuthenticatedCall } from '../../proxy/index.ts';
import type { Tx } from '../../store/index.ts';
import { type BundleLine, encodeBundleLine, encodeOrigin, rangeNodes } from '../../tlog/index.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { readHistory } from './bundle-history.ts';
import { verifierKeysOf } from './verifier-keys.ts';

/** Characters of a piece, about; a single line may be longer. */
const PIECE_CHARACTERS = 65_536;

/** The lines in pieces. Throws AUDIT_UNAVAILABLE where the log cannot be read on, UNAUTHENTICATED. */
export async function* bundleText(
  deps: ServiceDeps,
  call: AuthenticatedCall,
  made: AuditExport,
): AsyncGenerator<string, void> {
  let piece = '';
  let lines = 1;
  for await (const line of bundleLines(deps, call, made)) {
    piece += `${encodeBundleLine(line)}\n`;
    lines += 1;
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = '';
  }
  yield `${piece}${encodeBundleLine({ type: 'end', lines })}\n`;
}

/** All lines but the last. */
async function* bundleLines(
  deps: ServiceDeps,
  { caller }: AuthenticatedCall,
  made: AuditExport,
): AsyncGenerator<BundleLine, void> {
  const { store, clock } = deps;
  const { tenantId, epoch, from, to, size, previousSize, note } = made;
  const read = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
    store.withTenant(tenantId, async (tx) => {
      await assertStillValid(tx, caller, clock.now());
      return work(tx);
    });
  const origin = encodeOrigin({ tenantId, epoch });
  const exportedAt = new Date(clock.now()).toISOString();
  yield { type: 'bundle', header: { tenantId, origin, from, to, size, previousSize, exportedAt } };

  const previous =
    previousSize === null || previousSize === size
      ? null
      : await read((tx) => readCheckpoint(tx, tenantId, { size: previousSize, epoch }));
  for (const verifierKey of await verifierKeysOf(deps, tenantId, epoch))
    yield { type: 'log_key', verifierKey };
  yield { type: 'checkpoint', note };
  if (previous !== null) yield { type: 'checkpoint', note: previous.note };
  if (previousSize !== null) {
    const sizes = { from: previousSize, to: size };
    const hashes = await read((tx) => readConsistencyProof(tx, tenantId, sizes));
    yield { type: 'consistency', ...sizes, hashes };
  }
  const nodes = await read((tx) => readTreeNodes(tx, tenantId, rangeNodes({ from, to, size })));
  yield { type: 'nodes', nodes };
  yield* readHistory(store, tenantId);

  for (let start = from; start < to; start += MAX_LEAF_BATCH) {
    const range = { from: start, to: Math.min(to, start + MAX_LEAF_BATCH) };
    const leaves = await read((tx) => readLeaves(tx, tenantId, range));
    for (const leaf of leaves) yield { type: 'event', ...leaf };
    if (leaves.length < range.to - range.from) throw brokenAt(start + leaves.length);
  }
}

function brokenAt(index: number): SealdeskError {
  return new SealdeskError(
    'AUDIT_UNAVAILABLE',
    `The audit event at index ${index} is not as it was written, so the bundle ends before it.`,
  );
}
