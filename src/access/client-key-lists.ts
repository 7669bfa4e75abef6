/** Client keys by what somebody looks for: those that end soon, those that nobody uses, those that were ever mapped. */
import { type SqlBool, sql } from 'kysely';
import { type ClientKeyStatus, clausesOf, type KeysetPage, type Tx } from '../store/index.ts';
import { type ClientKey, parseClientKey } from './client-key.ts';
import { REMINDER_MS } from './recipient.ts';

export interface ClientKeyFilter {
  /** As it is now: a key whose time is over is RETIRED. */
  readonly status?: ClientKeyStatus | null | undefined;
  /** ACTIVE keys that end by themselves before then. */
  readonly endsBefore?: Date | null | undefined;
  /** ACTIVE keys that were mapped before then and to which nothing was sealed since. */
  readonly unusedSince?: Date | null | undefined;
}

/** The client keys of the tenant as they are at `now` (milliseconds since 1970), ended ones too. */
export async function listClientKeys(
  tx: Tx,
  tenantId: string,
  page: KeysetPage,
  now: number,
  { status, endsBefore, unusedSince }: ClientKeyFilter = {},
): Promise<readonly ClientKey[]> {
  const { within, order, limit } = clausesOf(page);
  const isOver = sql<SqlBool>`(status = 'ACTIVE' AND expires_at IS NOT NULL AND expires_at <= ${new Date(now)})`;
  const isActive = sql<SqlBool>`(status = 'ACTIVE' AND NOT ${isOver})`;
  let query = tx.selectFrom('client_keys').selectAll().where('tenant_id', '=', tenantId).where(within);
  switch (status) {
    case undefined:
    case null:
      break;
    case 'ACTIVE':
      query = query.where(isActive);
      break;
    case 'RETIRED':
      query = query.where(sql<SqlBool>`(status = 'RETIRED' OR ${isOver})`);
      break;
    case 'PENDING':
    case 'CONFIRMED':
    case 'REVOKED':
      query = query.where('status', '=', status);
      break;
    default:
      status satisfies never;
  }
  if (endsBefore != null) query = query.where(isActive).where('expires_at', '<', endsBefore);
  if (unusedSince != null) {
    query = query
      .where(isActive)
      .where('mapped_at', '<', unusedSince)
      .where((row) => row.or([row('last_used_at', 'is', null), row('last_used_at', '<', unusedSince)]));
  }
  const rows = await query.orderBy('id', order).limit(limit).execute();
  return rows.map((row) => parseClientKey(row, now));
}

/** The keys of the tenant, or of one lineage, that were ever mapped, in the order of their registration. */
export async function listMappedKeys(
  tx: Tx,
  tenantId: string,
  lineageId: string | null,
  page: KeysetPage,
  now: number,
): Promise<readonly ClientKey[]> {
  const { within, order, limit } = clausesOf(page);
  const mapped = tx
    .selectFrom('client_keys')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('mapped_at', 'is not', null)
    .where(within);
  const query = lineageId === null ? mapped : mapped.where('lineage_id', '=', lineageId);
  const rows = await query.orderBy('id', order).limit(limit).execute();
  return rows.map((row) => parseClientKey(row, now));
}

export interface ClientKeyCounts {
  /** On their way: PENDING or CONFIRMED. */
  readonly waiting: number;
  readonly active: number;
  /** ACTIVE ones that end by themselves within the time of a reminder. */
  readonly endingSoon: number;
  /** ACTIVE ones to which nothing was sealed for {@link UNUSED_MS}. */
  readonly unused: number;
}

/** After how long without use a key is worth a look, in milliseconds. */
export const UNUSED_MS = 90 * 86_400_000;

/** How many keys there are, of the tenant in whose boundary `tx` runs, or of all; `now` in milliseconds since 1970. */
export async function countClientKeys(tx: Tx, now: number): Promise<ClientKeyCounts> {
  const time = new Date(now);
  const unused = new Date(now - UNUSED_MS);
  const { rows } = await sql<ClientKeyCounts>`
    SELECT count(*) FILTER (WHERE status IN ('PENDING', 'CONFIRMED'))::int AS waiting,
      count(*) FILTER (WHERE is_active)::int AS active,
      count(*) FILTER (WHERE is_active AND expires_at <= ${new Date(now + REMINDER_MS)})::int AS "endingSoon",
      count(*) FILTER (WHERE is_active AND mapped_at < ${unused}
        AND (last_used_at IS NULL OR last_used_at < ${unused}))::int AS unused
    FROM (SELECT status, expires_at, mapped_at, last_used_at,
        status = 'ACTIVE' AND (expires_at IS NULL OR expires_at > ${time}) AS is_active
      FROM client_keys) AS keys`.execute(tx);
  return rows[0] ?? { waiting: 0, active: 0, endingSoon: 0, unused: 0 };
}
