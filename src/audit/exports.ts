/**
 * Exports of a log: a range that is held against a checkpoint, event by event, before it may be fetched.
 *
 * - *CHECKING*: begun by whoever asks for the export. Some process has the lease of its row, and writes down how
 *   far it came; where that process dies the lease ends and another goes on from there.
 * - *READY*: all events of the range agree with the tree. Can be fetched until it expires.
 * - *FAILED*: one does not; final.
 *
 * Only the database's clock counts for leases.
 */
import { sql } from 'kysely';
import type { AuditExportState, Tx } from '../store/index.ts';

export interface AuditExport {
  readonly id: string;
  readonly tenantId: string;
  /** The API key that asked for it. */
  readonly requestedBy: string;
  readonly state: AuditExportState;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** Events of the range before this index were checked. */
  readonly checkedTo: number;
  /** Of the checkpoint. */
  readonly epoch: number;
  readonly size: number;
  readonly root: Uint8Array;
  /** The checkpoint as it was signed. */
  readonly note: string;
  /** Of the checkpoint that consistency is proven from. */
  readonly previousSize: number | null;
  readonly brokenIndex: number | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
  readonly expiresAt: Date;
}

export type NewAuditExport = Omit<AuditExport, 'state' | 'checkedTo' | 'brokenIndex' | 'finishedAt'>;

/** The right to check an export, as long as nobody claimed it since. */
export interface ExportLease {
  readonly exportId: string;
  readonly tenantId: string;
  /** An opaque name of the process. */
  readonly holder: string;
  readonly epoch: number;
}

type ExportKey = Pick<ExportLease, 'exportId' | 'tenantId'>;

const COLUMNS = [
  ...(['id', 'tenant_id', 'requested_by', 'state', 'range_from', 'range_to', 'checked_to'] as const),
  ...(['epoch', 'size', 'root', 'note', 'previous_size', 'broken_index', 'created_at'] as const),
  ...(['finished_at', 'expires_at'] as const),
] as const;

export async function insertExport(tx: Tx, made: NewAuditExport): Promise<AuditExport> {
  const row = await tx
    .insertInto('audit_exports')
    .values({
      id: made.id,
      tenant_id: made.tenantId,
      requested_by: made.requestedBy,
      state: 'CHECKING',
      range_from: made.from,
      range_to: made.to,
      checked_to: made.from,
      epoch: made.epoch,
      size: made.size,
      root: made.root,
      note: made.note,
      previous_size: made.previousSize,
      created_at: made.createdAt,
      expires_at: made.expiresAt,
    })
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
  return exportOf(row);
}

/** The export, or `null` where there is none or it has expired; `now` in milliseconds since 1970. */
export async function findExport(
  tx: Tx,
  tenantId: string,
  id: string,
  now: number,
): Promise<AuditExport | null> {
  const row = await tx
    .selectFrom('audit_exports')
    .select(COLUMNS)
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .where('expires_at', '>', new Date(now))
    .executeTakeFirst();
  return row === undefined ? null : exportOf(row);
}

/** How many exports of the tenant have not expired, and how many of these are being checked. */
export async function countExports(
  tx: Tx,
  tenantId: string,
  now: number,
): Promise<{ readonly kept: number; readonly checking: number }> {
  const rows = await tx
    .selectFrom('audit_exports')
    .select(['state', (row) => row.fn.countAll<number>().as('count')])
    .where('tenant_id', '=', tenantId)
    .where('expires_at', '>', new Date(now))
    .groupBy('state')
    .execute();
  const counted = (state?: AuditExportState): number =>
    rows.reduce(
      (sum, row) => (state === undefined || row.state === state ? sum + Number(row.count) : sum),
      0,
    );
  return { kept: counted(), checking: counted('CHECKING') };
}

/** Exports of any tenant that are to be checked and that nobody holds, oldest first. */
export async function findUnattendedExports(tx: Tx, limit: number): Promise<readonly ExportKey[]> {
  const rows = await tx
    .selectFrom('audit_exports')
    .select(['id', 'tenant_id'])
    .where('state', '=', 'CHECKING')
    .where((row) =>
      row.or([row('lease_holder', 'is', null), row('lease_until', '<=', sql<Date>`clock_timestamp()`)]),
    )
    .orderBy('created_at')
    .limit(limit)
    .execute();
  return rows.map(({ id, tenant_id }) => ({ exportId: id, tenantId: tenant_id }));
}

/** The lease under a new epoch; `null` while another's lives, or where there is nothing to check. */
export async function claimExport(
  tx: Tx,
  {
    exportId,
    tenantId,
    holder,
    lifetimeMs,
  }: ExportKey & { readonly holder: string; readonly lifetimeMs: number },
): Promise<ExportLease | null> {
  const { rows } = await sql<{ epoch: number }>`
    UPDATE audit_exports SET lease_epoch = lease_epoch + 1, lease_holder = ${holder}, lease_until = ${endOf(lifetimeMs)}
    WHERE tenant_id = ${tenantId} AND id = ${exportId} AND state = 'CHECKING'
      AND (lease_holder IS NULL OR lease_until <= clock_timestamp())
    RETURNING lease_epoch AS epoch`.execute(tx);
  const [row] = rows;
  return row === undefined ? null : Object.freeze({ exportId, tenantId, holder, epoch: row.epoch });
}

/** Writes down that events before `checkedTo` hold, and moves the end of the lease on. `false` where it is lost. */
export async function saveExportProgress(
  tx: Tx,
  lease: ExportLease,
  { checkedTo, lifetimeMs }: { readonly checkedTo: number; readonly lifetimeMs: number },
): Promise<boolean> {
  const { rows } = await sql`
    UPDATE audit_exports SET checked_to = ${checkedTo}, lease_until = ${endOf(lifetimeMs)}
    WHERE ${heldBy(lease)} RETURNING 1`.execute(tx);
  return rows.length === 1;
}

/** Ends the check: READY, or FAILED where an event does not hold. Nothing happens where the lease is lost. */
export async function finishExport(
  tx: Tx,
  lease: ExportLease,
  { brokenIndex, now }: { readonly brokenIndex: number | null; readonly now: number },
): Promise<void> {
  await sql`
    UPDATE audit_exports SET state = ${brokenIndex === null ? 'READY' : 'FAILED'}, broken_index = ${brokenIndex}::bigint,
      finished_at = ${new Date(now)}::timestamptz, lease_holder = NULL, lease_until = NULL
    WHERE ${heldBy(lease)}`.execute(tx);
}

/** Gives the lease back, so that the next to ask has it; nothing happens where it is lost. */
export async function releaseExport(tx: Tx, lease: ExportLease): Promise<void> {
  await sql`UPDATE audit_exports SET lease_holder = NULL, lease_until = NULL WHERE ${heldBy(lease)}`.execute(
    tx,
  );
}

/** Forgets what has expired, of every tenant. */
export async function deleteExpiredExports(tx: Tx, now: number): Promise<void> {
  await tx.deleteFrom('audit_exports').where('expires_at', '<=', new Date(now)).execute();
}

function heldBy({ exportId, tenantId, holder, epoch }: ExportLease) {
  return sql`tenant_id = ${tenantId} AND id = ${exportId} AND state = 'CHECKING'
    AND lease_holder = ${holder} AND lease_epoch = ${epoch}`;
}

function endOf(lifetimeMs: number) {
  return sql`clock_timestamp() + ${lifetimeMs} * interval '1 millisecond'`;
}

interface ExportRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly requested_by: string;
  readonly state: AuditExportState;
  readonly range_from: number;
  readonly range_to: number;
  readonly checked_to: number;
  readonly epoch: number;
  readonly size: number;
  readonly root: Uint8Array;
  readonly note: string;
  readonly previous_size: number | null;
  readonly broken_index: number | null;
  readonly created_at: Date;
  readonly finished_at: Date | null;
  readonly expires_at: Date;
}

function exportOf(row: ExportRow): AuditExport {
  return Object.freeze({
    id: row.id,
    tenantId: row.tenant_id,
    requestedBy: row.requested_by,
    state: row.state,
    from: row.range_from,
    to: row.range_to,
    checkedTo: row.checked_to,
    epoch: row.epoch,
    size: row.size,
    root: row.root,
    note: row.note,
    previousSize: row.previous_size,
    brokenIndex: row.broken_index,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
    expiresAt: row.expires_at,
  });
}
