/**
 * Whose turn it is to look after a log: a lease for one visit, by the database's clock. Nothing that is
 * promised rests on it: what a visit does is right whoever else does it at the same time. Times that lie
 * further ahead than this code sets them are taken for past, so that nobody silences a watch by them.
 */
import { sql } from 'kysely';
import type { Tx } from '../store/index.ts';
import { FIRST_EPOCH } from './epochs.ts';

export interface WatchTimes {
  /** A log with news has a checkpoint no older than this. */
  readonly seal: number;
  /** From the end of a pass over the log to the next one. */
  readonly pass: number;
  /** Between the visits of one pass. */
  readonly run: number;
  /** Of a visit at most, unless another one takes over. */
  readonly lease: number;
  /** Until an anchor that failed is tried again. */
  readonly anchorRetry: number;
}

export const DEFAULT_WATCH_TIMES: WatchTimes = Object.freeze({
  // With the time from round to round a minute is kept.
  seal: 45_000,
  pass: 300_000,
  run: 10_000,
  lease: 120_000,
  anchorRetry: 30_000,
});

export interface WatchLease {
  readonly tenantId: string;
  readonly holder: string;
  /** Events before it were checked in the pass under way. */
  readonly checkedTo: number;
  /** Whether a part of a pass is due. */
  readonly isRunDue: boolean;
  /** The last checkpoint that was written to an anchor; an anchor of another machine maybe. */
  readonly anchored: { readonly epoch: number; readonly size: number };
}

/**
 * Logs of any tenant that somebody has to look after now, at random, so that those that cannot be looked after
 * keep none back. For the system's transactions. Logs with an alarm are left alone.
 */
export async function listDueLogs(tx: Tx, times: WatchTimes, limit: number): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT t.id FROM tenants t
    LEFT JOIN audit_heads h ON h.tenant_id = t.id
    LEFT JOIN audit_watches w ON w.tenant_id = t.id
    CROSS JOIN LATERAL (
      SELECT coalesce(max(o.epoch), ${FIRST_EPOCH}::integer) AS epoch FROM audit_epochs o WHERE o.tenant_id = t.id
    ) e
    LEFT JOIN LATERAL (
      SELECT size, created_at FROM audit_checkpoints c
      WHERE c.tenant_id = t.id AND c.epoch = e.epoch ORDER BY c.size DESC LIMIT 1
    ) c ON true
    CROSS JOIN LATERAL (SELECT max(index) AS newest FROM audit_events a WHERE a.tenant_id = t.id) a
    CROSS JOIN LATERAL (
      SELECT h.tenant_id IS NULL OR coalesce(a.newest, -1) <> h.size - 1 OR c.size > h.size AS altered,
        c.size IS NOT NULL AND (w.tenant_id IS NULL OR (e.epoch, c.size) > (w.anchored_epoch, w.anchored_size))
          AND ${isOver(sql`w.anchor_failed_at`, times.anchorRetry)} AS unanchored
    ) s
    WHERE (w.lease_until IS NULL OR ${isPast(sql`w.lease_until`, times.lease)})
      AND NOT EXISTS (SELECT 1 FROM audit_alarms r WHERE r.tenant_id = t.id AND r.epoch >= e.epoch)
      AND (s.altered OR s.unanchored OR w.tenant_id IS NULL OR ${isPast(sql`w.due_at`, times.pass)}
        OR (h.size > coalesce(c.size, 0) AND ${isOver(sql`c.created_at`, times.seal)}))
    ORDER BY random() LIMIT ${limit}`.execute(tx);
  return rows.map(({ id }) => id);
}

/** Tenants in the order of their ids, after one of them. For the system's transactions. */
export async function listLogs(tx: Tx, after: string | null, limit: number): Promise<readonly string[]> {
  let query = tx.selectFrom('tenants').select('id');
  if (after !== null) query = query.where('id', '>', after);
  const rows = await query.orderBy('id').limit(limit).execute();
  return rows.map(({ id }) => id);
}

/** Takes the lease for a visit; `null` while another's holds. */
export async function claimWatch(
  tx: Tx,
  {
    tenantId,
    holder,
    times,
  }: { readonly tenantId: string; readonly holder: string; readonly times: WatchTimes },
): Promise<WatchLease | null> {
  const { rows } = await sql<{
    checked_to: number;
    is_due: boolean;
    anchored_epoch: number;
    anchored_size: number;
  }>`
    INSERT INTO audit_watches AS w (tenant_id, lease_holder, lease_until)
    VALUES (${tenantId}, ${holder}, clock_timestamp() + ${times.lease} * interval '1 millisecond')
    ON CONFLICT (tenant_id) DO UPDATE
      SET lease_holder = excluded.lease_holder, lease_until = excluded.lease_until
      WHERE w.lease_until IS NULL OR ${isPast(sql`w.lease_until`, times.lease)}
    RETURNING w.checked_to, ${isPast(sql`w.due_at`, times.pass)} AS is_due, w.anchored_epoch, w.anchored_size`.execute(
    tx,
  );
  const [row] = rows;
  if (row === undefined) return null;
  const anchored = { epoch: row.anchored_epoch, size: row.anchored_size };
  return { tenantId, holder, checkedTo: row.checked_to, isRunDue: row.is_due, anchored };
}

/** How a visit left the log; what is left out stays as it is. */
export interface WatchProgress {
  readonly checkedTo?: number;
  /** From now, in milliseconds. */
  readonly nextRunIn?: number;
  readonly anchored?: { readonly epoch: number; readonly size: number };
  readonly isAnchorFailing?: boolean;
}

/** Notes what a visit reached and gives the lease back. Nothing happens where it is another's by now. */
export async function releaseWatch(
  tx: Tx,
  { tenantId, holder }: Pick<WatchLease, 'tenantId' | 'holder'>,
  { checkedTo, nextRunIn, anchored, isAnchorFailing }: WatchProgress,
): Promise<void> {
  await tx
    .updateTable('audit_watches')
    .set({ lease_holder: null, lease_until: null })
    .$if(checkedTo !== undefined, (query) => query.set({ checked_to: checkedTo ?? 0 }))
    .$if(nextRunIn !== undefined, (query) =>
      query.set({ due_at: sql<Date>`clock_timestamp() + ${nextRunIn ?? 0} * interval '1 millisecond'` }),
    )
    .$if(anchored !== undefined, (query) =>
      query.set({ anchored_epoch: anchored?.epoch ?? FIRST_EPOCH, anchored_size: anchored?.size ?? 0 }),
    )
    .$if(isAnchorFailing !== undefined, (query) =>
      query.set({ anchor_failed_at: isAnchorFailing === true ? sql<Date>`clock_timestamp()` : null }),
    )
    .where('tenant_id', '=', tenantId)
    .where('lease_holder', '=', holder)
    .execute();
}

/** Whether a time set at most `ahead` ms ahead has come. */
function isPast(time: ReturnType<typeof sql>, ahead: number) {
  return sql<boolean>`(${time} <= clock_timestamp() OR ${time} > clock_timestamp() + ${ahead} * interval '1 millisecond')`;
}

/** Whether `age` ms have gone by since `time`, or there is none. */
function isOver(time: ReturnType<typeof sql>, age: number) {
  return sql<boolean>`(${time} IS NULL OR ${time} <= clock_timestamp() - ${age} * interval '1 millisecond')`;
}
