/**
 * Marks: tickets that may have a newer version than the last one appended. Sources set them; the loader takes
 * those that are due, and removes a mark with the version it led to, unless the mark grew meanwhile: then the
 * source may have told of something that the answer did not show yet, and the ticket is loaded again.
 *
 * Times are the database's.
 */
import { sql } from 'kysely';
import type { Tx } from '../store/index.ts';
import type { FeedKey } from './source-state.ts';

/** DELETED: may be restored. ERASED: gone for good. */
export type GoneHint = 'DELETED' | 'ERASED';

export interface NewMark {
  readonly ticketId: number;
  /** What the source says of a ticket that is not shown any more. */
  readonly gone: GoneHint | null;
  /** When it was changed, as the source tells. */
  readonly expectedAt: Date | null;
  /**
   * Its `generated_timestamp` as the export shows it, Unix seconds; moves with every change, also those that leave
   * the time of change as it is. `null` from others.
   */
  readonly exportedAt: number | null;
}

export interface TicketMark extends NewMark {
  readonly generation: number;
  readonly byWebhook: boolean;
  readonly byExport: boolean;
  /** Loads that did not show what the source told of. */
  readonly tries: number;
}

/** A mark as it was when it was taken. */
export type MarkVersion = Pick<TicketMark, 'ticketId' | 'generation'>;

/** Sets marks, or makes those that stand grow. */
export async function markTickets(
  tx: Tx,
  { tenantId, integrationId }: FeedKey,
  source: 'WEBHOOK' | 'EXPORT',
  marks: readonly NewMark[],
): Promise<void> {
  if (marks.length === 0) return;
  await sql`
    INSERT INTO feed_dirty_tickets AS d (integration_id, tenant_id, ticket_id, marked_at, by_webhook, by_export,
      gone, expected_at, exported_at, not_before)
    SELECT ${integrationId}, ${tenantId}, m."ticketId", clock_timestamp(), ${source === 'WEBHOOK'}::boolean,
      ${source === 'EXPORT'}::boolean, m.gone, m."expectedAt", m."exportedAt", clock_timestamp()
    FROM jsonb_to_recordset(${JSON.stringify(marks)}::text::jsonb)
      AS m("ticketId" bigint, gone text, "expectedAt" timestamptz, "exportedAt" bigint)
    ON CONFLICT (integration_id, ticket_id) DO UPDATE SET generation = d.generation + 1,
      by_webhook = d.by_webhook OR excluded.by_webhook, by_export = d.by_export OR excluded.by_export,
      gone = CASE WHEN d.gone = 'ERASED' THEN d.gone ELSE coalesce(excluded.gone, d.gone) END,
      expected_at = greatest(d.expected_at, excluded.expected_at),
      exported_at = greatest(d.exported_at, excluded.exported_at),
      tries = 0, not_before = least(d.not_before, excluded.not_before)`.execute(tx);
}

/** At most `limit` marks that are due, without those of `busy`, the longest due first. */
export async function readDueMarks(
  tx: Tx,
  integrationId: string,
  { limit, busy }: { readonly limit: number; readonly busy: readonly number[] },
): Promise<readonly TicketMark[]> {
  const { rows } = await sql<TicketMark>`
    SELECT ticket_id AS "ticketId", generation, by_webhook AS "byWebhook", by_export AS "byExport", gone,
      expected_at AS "expectedAt", exported_at AS "exportedAt", tries
    FROM feed_dirty_tickets
    WHERE integration_id = ${integrationId} AND not_before <= clock_timestamp()
      AND NOT ticket_id = ANY(${[...busy]}::bigint[])
    ORDER BY not_before, marked_at
    LIMIT ${limit}`.execute(tx);
  return rows;
}

/** Removes `marks` that did not grow; of those that did, what came before they were taken is done. */
export async function removeMarks(
  tx: Tx,
  integrationId: string,
  marks: readonly MarkVersion[],
): Promise<void> {
  if (marks.length === 0) return;
  const taken = takenMarks(marks);
  await sql`
    DELETE FROM feed_dirty_tickets d USING ${taken}
    WHERE d.integration_id = ${integrationId} AND d.ticket_id = m."ticketId"
      AND d.generation = m.generation`.execute(tx);
  await sql`
    UPDATE feed_dirty_tickets d SET marked_at = clock_timestamp() FROM ${taken}
    WHERE d.integration_id = ${integrationId} AND d.ticket_id = m."ticketId"`.execute(tx);
}

/** Lets `marks` that did not grow wait for `waitMs`, and counts the try. */
export async function postponeMarks(
  tx: Tx,
  integrationId: string,
  marks: readonly MarkVersion[],
  waitMs: number,
): Promise<void> {
  if (marks.length === 0) return;
  await sql`
    UPDATE feed_dirty_tickets d
    SET tries = d.tries + 1, not_before = clock_timestamp() + ${waitMs} * interval '1 millisecond'
    FROM ${takenMarks(marks)}
    WHERE d.integration_id = ${integrationId} AND d.ticket_id = m."ticketId"
      AND d.generation = m.generation`.execute(tx);
}

/** Whether at least `limit` tickets are marked. */
export async function hasMarks(tx: Tx, integrationId: string, limit: number): Promise<boolean> {
  const { rows } = await sql`
    SELECT 1 FROM feed_dirty_tickets WHERE integration_id = ${integrationId}
    OFFSET ${limit - 1} LIMIT 1`.execute(tx);
  return rows.length > 0;
}

export interface WaitingMarks {
  readonly count: number;
  /** When the oldest was set. */
  readonly oldestAt: Date | null;
}

/** How many tickets are marked, and since when. */
export async function readWaitingMarks(tx: Tx, integrationId: string): Promise<WaitingMarks> {
  const row = await tx
    .selectFrom('feed_dirty_tickets')
    .select(({ fn }) => [
      fn.countAll<number>().as('count'),
      fn.min<Date | null, 'marked_at'>('marked_at').as('oldestAt'),
    ])
    .where('integration_id', '=', integrationId)
    .executeTakeFirstOrThrow();
  return row;
}

function takenMarks(marks: readonly MarkVersion[]) {
  const taken = marks.map(({ ticketId, generation }) => ({ ticketId, generation }));
  return sql`jsonb_to_recordset(${JSON.stringify(taken)}::text::jsonb)
    AS m("ticketId" bigint, generation bigint)`;
}
