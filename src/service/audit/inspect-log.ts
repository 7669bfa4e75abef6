/** Comparing a log with itself and with what is known of it from elsewhere. */
import {
  AuditFault,
  assertExtends,
  checkRun,
  type LogState,
  readLogState,
  type StoredCheckpoint,
  type TreeHead,
} from '../../audit/index.ts';
import { equalBytes } from '../../base/index.ts';
import type { TenantKeys } from '../../vault/index.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { openCheckpoint } from './checkpoint-note.ts';

export interface LogInspection {
  /** What the log was once, told by an anchor or seen before; `null` where nothing is known. */
  readonly known: TreeHead | null;
  /** Where the pass over its events goes on. */
  readonly from: number;
  /** How many runs of events are checked at most. */
  readonly maxRuns: number;
}

export interface InspectedLog {
  readonly state: LogState;
  /** Where the pass goes on; 0 where it came to its end. */
  readonly next: number;
}

/** Throws {@link AuditFault} for the first thing that does not hold. */
export async function inspectLog(
  { store }: Pick<ServiceDeps, 'store'>,
  keys: TenantKeys,
  { known, from, maxRuns }: LogInspection,
): Promise<InspectedLog> {
  const { tenantId } = keys;
  const headKey = keys.auditHeadKey();
  try {
    const state = await store.withTenant(tenantId, async (tx) => {
      const read = await readLogState(tx, { tenantId, headKey });
      if (known !== null) await assertExtends(tx, tenantId, read, known);
      return read;
    });
    let next = from;
    for (let run = 0; run < maxRuns; run += 1) {
      const checked = await store.withTenant(tenantId, (tx) => checkRun(tx, tenantId, state, next));
      for (const checkpoint of checked.checkpoints) await assertSigned(keys, checkpoint);
      next = checked.next;
      if (next === 0) break;
    }
    return { state, next };
  } finally {
    headKey.fill(0);
  }
}

async function assertSigned(keys: TenantKeys, { epoch, size, root, note }: StoredCheckpoint): Promise<void> {
  const told = await openCheckpoint(keys.checkpointSigner(), keys.tenantId, note);
  if (told?.epoch !== epoch || told.size !== size || !equalBytes(told.root, root)) {
    throw new AuditFault('CHECKPOINT_ALTERED', size);
  }
}
