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

export interface PendingInvocation {
  readonly invocationId: string;
  readonly ticketId: number;
  readonly hint: Uint8Array | null;
}

const MAX_PENDING = 10_000;
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

/** What was told of these tickets and belongs to no appended version yet, oldest first. */
export async function readPending(
  tx: Tx,
  integrationId: string,
  ticketIds: readonly number[],
): Promise<readonly PendingInvocation[]> {
  if (ticketIds.length === 0) return [];
  const rows = await tx
    .selectFrom('feed_webhook_invocations')
    .select(['invocation_id', 'ticket_id', 'hint'])
    .where('integration_id', '=', integrationId)
    .where('is_pending', '=', true)
    .where('ticket_id', 'in', ticketIds)
    .orderBy('received_at')
    .limit(MAX_PENDING)
    .execute();
  return rows.map((row) => ({
    invocationId: row.invocation_id,
    ticketId: row.ticket_id,
    hint: row.hint === null ? null : new Uint8Array(row.hint),
  }));
}

/** Forgets what these invocations told; that they came is still known. */
export async function settleInvocations(
  tx: Tx,
  integrationId: string,
  invocationIds: readonly string[],
): Promise<void> {
  if (invocationIds.length === 0) return;
  await sql`
    UPDATE feed_webhook_invocations SET is_pending = false, hint = NULL
    WHERE integration_id = ${integrationId}
      AND invocation_id = ANY(${[...invocationIds]}::text[])`.execute(tx);
}

/** Removes some of the invocations that are old enough. */
export async function purgeInvocations(tx: Tx, integrationId: string): Promise<void> {
  await sql`
    DELETE FROM feed_webhook_invocations WHERE integration_id = ${integrationId} AND invocation_id IN (
      SELECT invocation_id FROM feed_webhook_invocations
      WHERE integration_id = ${integrationId}
        AND received_at < clock_timestamp() - ${KEPT_MS} * interval '1 millisecond'
        AND (NOT is_pending OR received_at < clock_timestamp() - ${PENDING_KEPT_MS} * interval '1 millisecond')
      ORDER BY received_at LIMIT ${PURGE_ROWS})`.execute(tx);
}

/** Removes all of a feed. */
export async function deleteInvocations(tx: Tx, integrationId: string): Promise<void> {
  await tx.deleteFrom('feed_webhook_invocations').where('integration_id', '=', integrationId).execute();
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
