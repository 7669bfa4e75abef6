/**
 * Recording what is part of no other transaction: in one of its own, which callers at the same time share. Each
 * store has one writer for each tenant; what it remembers is lost with the process and found again.
 */
import { assertOutsideTransaction, type Store } from '../store/index.ts';
import type { AuditAppend } from './append.ts';
import type { AuditEvent } from './audit-event.ts';
import { closedBy } from './placed-group.ts';
import { makeGroupReady } from './ready-event.ts';
import { type Condition, TenantWriter } from './tenant-writer.ts';
import { intentNotOpen } from './write-group.ts';

/** Writers that one store keeps, unless more are at work. */
const MAX_WRITERS = 1_000;

export interface AuditRecord extends AuditAppend {
  /**
   * What must be so in the transaction that writes the events; it may be asked more than once, and others' in the
   * same transaction.
   */
  readonly condition?: Condition | undefined;
}

const writersOf = new WeakMap<Store, Map<string, TenantWriter>>();

/**
 * Appends `events` as one group, all or none, and resolves once they are committed to them with their indexes. Groups
 * of one tenant are written in the order of the calls. `headKey` is used until then.
 *
 * Rejects as `appendAuditEvents` throws, and with what the condition throws, which has then kept nothing but its
 * own events out of the log; with AUDIT_UNAVAILABLE also where too many wait, where the log was set back behind
 * what this process has written, and, what was sent being unclear, where the database was lost.
 */
export async function recordAuditEvents(
  store: Store,
  { tenantId, headKey, events, condition }: AuditRecord,
): Promise<readonly AuditEvent[]> {
  assertOutsideTransaction('recordAuditEvents');
  const ready = makeGroupReady(tenantId, events);
  const closing = closedBy(ready);
  if (new Set(closing).size !== closing.length) throw intentNotOpen();
  return writerOf(store, tenantId).append({ headKey, events: ready, closing, condition: condition ?? null });
}

/** Makes this process take the log of `tenantId` as it is found next, whatever it was before. */
export function forgetAuditHead(store: Store, tenantId: string): void {
  writersOf.get(store)?.get(tenantId)?.forget();
}

function writerOf(store: Store, tenantId: string): TenantWriter {
  const writers = writersOf.get(store) ?? new Map<string, TenantWriter>();
  writersOf.set(store, writers);
  const writer = writers.get(tenantId) ?? new TenantWriter(store, tenantId);
  // Last used, last in the map.
  writers.delete(tenantId);
  writers.set(tenantId, writer);
  if (writers.size > MAX_WRITERS) dropIdle(writers);
  return writer;
}

function dropIdle(writers: Map<string, TenantWriter>): void {
  for (const [tenantId, writer] of writers) {
    if (writers.size <= MAX_WRITERS) return;
    if (writer.isIdle) writers.delete(tenantId);
  }
}
