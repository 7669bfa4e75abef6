/**
 * Webhook calls that were accepted: remembered for a while, so that a repeated one does nothing, and what they
 * told of values before the change, sealed, until the version that they belong to is appended.
 */
import { sql } from 'kysely';
import type { Tx } from '../store/index.ts';
import type { FeedKey } from './source-state.ts';

export interface NewInvocation {
  /** The name by which a repeated call is known. */
  readonly invocationId: string;
  readonly ticketId: number;
  readonly eventType: string;
  /** What it told, sealed for {@link hintLocation}. */
  readonly hint: Uint8Array;
}

/** What webhooks told of one ticket and belongs to no appended version yet. */
export interface PendingInvocations {
  readonly ticketId: number;
  /** The newest ones, oldest first. */
  readonly invocations: readonly PendingInvocation[];
  /** Whether there are older ones, which are not read. */
  readonly isCut: boolean;
}

export interface PendingInvocation {
  readonly invocationId: string;
  readonly receivedAt: Date;
  readonly hint: Uint8Array | null;
}

/** Read at once, of one ticket and in all: hints are small, but anybody at Zendesk can make many. */
const MAX_PENDING = { ofTicket: 50, inAll: 2_000 } as const;
/** Zendesk's retries follow within minutes. */
const KEPT_MS = 3_600_000;
/** What was never loaded in this time is forgotten: only what the webhook told of values is lost. */
const PENDING_KEPT_MS = 86_400_000;
const PURGE_ROWS = 5_000;

/** The place that a hint is sealed for. */
export function hintLocation(integrationId: string, invocationId: string) {
  return {
    table: 'feed_webhook_invocations',
    rowId: `${integrationId}/${invocationId}`,
    column: 'hint',
    version: 1,
  } as const;
}

/** `DUPLICATE` where this invocation was accepted before; `OFF` where the feed is not enabled any more. */
export async function insertInvocation(
  tx: Tx,
  { tenantId, integrationId }: FeedKey,
  { invocationId, ticketId, eventType, hint }: NewInvocation,
): Promise<'ACCEPTED' | 'DUPLICATE' | 'OFF'> {
  const { rows } = await sql<{ enabled: boolean; fresh: boolean }>`
    WITH feed AS (
      SELECT 1 FROM ticket_feeds
      WHERE tenant_id = ${tenantId} AND integration_id = ${integrationId} AND status = 'ENABLED'
    ), fresh AS (
      INSERT INTO feed_webhook_invocations
        (integration_id, tenant_id, invocation_id, ticket_id, event_type, hint, received_at)
      SELECT ${integrationId}, ${tenantId}, ${invocationId}, ${ticketId}::bigint, ${eventType}, ${hint}::bytea,
        clock_timestamp()
      FROM feed
      ON CONFLICT (integration_id, invocation_id) DO NOTHING
      RETURNING 1
    )
    SELECT EXISTS (SELECT 1 FROM feed) AS enabled, EXISTS (SELECT 1 FROM fresh) AS fresh`.execute(tx);
  const [{ enabled, fresh } = { enabled: false, fresh: false }] = rows;
  if (!enabled) return 'OFF';
  return fresh ? 'ACCEPTED' : 'DUPLICATE';
}

/** What was told of these tickets and belongs to no appended version yet; those of which nothing was told are missing. */
export async function readPending(
  tx: Tx,
  integrationId: string,
  ticketIds: readonly number[],
): Promise<ReadonlyMap<number, PendingInvocations>> {
  if (ticketIds.length === 0) return new Map();
  const most = Math.min(MAX_PENDING.ofTicket, Math.ceil(MAX_PENDING.inAll / ticketIds.length));
  const { rows } = await sql<PendingInvocation & { readonly ticketId: number }>`
    SELECT p.* FROM unnest(${[...ticketIds]}::bigint[]) AS t (id), LATERAL (
      SELECT ticket_id AS "ticketId", invocation_id AS "invocationId", received_at AS "receivedAt", hint
      FROM feed_webhook_invocations
      WHERE integration_id = ${integrationId} AND ticket_id = t.id AND is_pending
      ORDER BY received_at DESC LIMIT ${most + 1}
    ) p ORDER BY "receivedAt"`.execute(tx);
  const byTicket = Map.groupBy(rows, ({ ticketId }) => ticketId);
  return new Map(
    [...byTicket].map(([ticketId, told]) => {
      const invocations = told.slice(-most).map(({ invocationId, receivedAt, hint }) => ({
        ...{ invocationId, receivedAt },
        hint: hint === null ? null : new Uint8Array(hint),
      }));
      return [ticketId, { ticketId, invocations, isCut: told.length > most }];
    }),
  );
}

/** Whether at least `limit` invocations belong to no appended version yet. */
export async function hasPending(tx: Tx, integrationId: string, limit: number): Promise<boolean> {
  const { rows } = await sql`
    SELECT 1 FROM feed_webhook_invocations WHERE integration_id = ${integrationId} AND is_pending
    OFFSET ${limit - 1} LIMIT 1`.execute(tx);
  return rows.length > 0;
}

/** Forgets what these invocations told, and older ones of the same ticket that were not read; that they came is still known. */
export async function settleInvocations(
  tx: Tx,
  integrationId: string,
  pending: readonly PendingInvocations[],
): Promise<void> {
  if (pending.length === 0) return;
  const ids = pending.flatMap(({ invocations }) => invocations.map(({ invocationId }) => invocationId));
  await sql`
    UPDATE feed_webhook_invocations SET is_pending = false, hint = NULL
    WHERE integration_id = ${integrationId} AND invocation_id = ANY(${ids}::text[])`.execute(tx);
  const cut = pending.flatMap(({ ticketId, invocations: [oldest], isCut }) =>
    isCut && oldest !== undefined ? [{ ticketId, before: oldest.receivedAt }] : [],
  );
  if (cut.length === 0) return;
  await sql`
    UPDATE feed_webhook_invocations w SET is_pending = false, hint = NULL
    FROM jsonb_to_recordset(${JSON.stringify(cut)}::text::jsonb) AS m("ticketId" bigint, before timestamptz)
    WHERE w.integration_id = ${integrationId} AND w.ticket_id = m."ticketId" AND w.is_pending
      AND w.received_at <= m.before`.execute(tx);
}

/** Removes some of the invocations that are old enough. Whether there may be more. */
export async function purgeInvocations(tx: Tx, integrationId: string): Promise<boolean> {
  const { rows } = await sql`
    DELETE FROM feed_webhook_invocations WHERE integration_id = ${integrationId} AND invocation_id IN (
      SELECT invocation_id FROM feed_webhook_invocations
      WHERE integration_id = ${integrationId}
        AND received_at < clock_timestamp() - ${KEPT_MS} * interval '1 millisecond'
        AND (NOT is_pending OR received_at < clock_timestamp() - ${PENDING_KEPT_MS} * interval '1 millisecond')
      ORDER BY received_at LIMIT ${PURGE_ROWS})
    RETURNING 1`.execute(tx);
  return rows.length === PURGE_ROWS;
}

/** Removes some of those of a feed that is off. Whether there may be more. */
export async function deleteInvocations(tx: Tx, integrationId: string): Promise<boolean> {
  const { rows } = await sql`
    DELETE FROM feed_webhook_invocations WHERE integration_id = ${integrationId} AND invocation_id IN (
      SELECT invocation_id FROM feed_webhook_invocations w
      WHERE integration_id = ${integrationId} AND NOT EXISTS (
        SELECT 1 FROM ticket_feeds f WHERE f.integration_id = w.integration_id AND f.status = 'ENABLED')
      LIMIT ${PURGE_ROWS})
    RETURNING 1`.execute(tx);
  return rows.length === PURGE_ROWS;
}

/** When the last one came that is still known. */
export async function lastReceivedAt(tx: Tx, integrationId: string): Promise<Date | null> {
  const row = await tx
    .selectFrom('feed_webhook_invocations')
    .select('received_at')
    .where('integration_id', '=', integrationId)
    .orderBy('received_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.received_at ?? null;
}
