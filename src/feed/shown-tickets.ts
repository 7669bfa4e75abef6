/**
 * Tickets that a restricted lineage was shown while the feed did not know them to be within its restriction, by id.
 * With the next version that the feed tells of a ticket, the note goes: where that version belonged says the same.
 */
import { sql } from 'kysely';
import type { Tx } from '../store/index.ts';
import type { FeedKey } from './source-state.ts';
import type { StreamKey } from './streams.ts';
import type { TicketPlace } from './ticket-versions.ts';

/**
 * Notes tickets but those that the feed knows to be of `place`; nothing where the integration never had a feed. Under
 * the lock of the log.
 */
export async function putShownTickets(
  tx: Tx,
  { tenantId, integrationId, lineageId }: StreamKey,
  { organizationId = null, requesterId = null }: Partial<Pick<TicketPlace, 'organizationId' | 'requesterId'>>,
  ticketIds: readonly number[],
): Promise<void> {
  if (ticketIds.length === 0) return;
  await sql`
    INSERT INTO feed_shown_tickets (integration_id, tenant_id, lineage_id, ticket_id)
    SELECT f.integration_id, f.tenant_id, ${lineageId}, shown.id::bigint
    FROM ticket_feeds f, jsonb_array_elements_text(${JSON.stringify(ticketIds)}::text::jsonb) AS shown (id)
    WHERE f.tenant_id = ${tenantId} AND f.integration_id = ${integrationId} AND NOT EXISTS (
      SELECT FROM feed_tickets t
      WHERE t.integration_id = f.integration_id AND t.ticket_id = shown.id::bigint AND t.is_public
        AND (t.organization_id = ${organizationId}::bigint OR t.requester_id = ${requesterId}::bigint))
    ON CONFLICT DO NOTHING`.execute(tx);
}

/** Of `ticketIds` those that each of the lineages was shown, by lineage. */
export async function readShownTickets(
  tx: Tx,
  { tenantId, integrationId }: FeedKey,
  lineageIds: readonly string[],
  ticketIds: readonly number[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const shown = new Map<string, number[]>();
  if (lineageIds.length === 0 || ticketIds.length === 0) return shown;
  const rows = await tx
    .selectFrom('feed_shown_tickets')
    .select(['lineage_id', 'ticket_id'])
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .where('lineage_id', 'in', [...lineageIds])
    .where('ticket_id', 'in', [...ticketIds])
    .orderBy('lineage_id')
    .orderBy('ticket_id')
    .execute();
  for (const { lineage_id, ticket_id } of rows) {
    shown.set(lineage_id, [...(shown.get(lineage_id) ?? []), ticket_id]);
  }
  return shown;
}

/** Forgets what the feed tells these lineages now. Under the lock of the log. */
export async function removeShownTickets(
  tx: Tx,
  { tenantId, integrationId }: FeedKey,
  lineageIds: readonly string[],
  ticketIds: readonly number[],
): Promise<void> {
  if (lineageIds.length === 0 || ticketIds.length === 0) return;
  await tx
    .deleteFrom('feed_shown_tickets')
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .where('lineage_id', 'in', [...lineageIds])
    .where('ticket_id', 'in', [...ticketIds])
    .execute();
}
