/** The newest signed position of each stream and key: sealed once for all processes that deliver it. */
import { sql } from 'kysely';
import type { Tx } from '../store/index.ts';
import { readerName } from './entries.ts';
import type { StreamKey } from './streams.ts';

type Feed = Omit<StreamKey, 'lineageId'>;

export interface Position {
  readonly lineageId: string;
  readonly recipientKeyId: string;
  /** Of the stream's last entry when it was sealed. */
  readonly sequence: number;
  readonly issuedAt: Date;
  /** JSON. */
  readonly envelope: string;
}

/** The stored positions of a feed's `lineageIds`, by {@link readerName}. */
export async function readPositions(
  tx: Tx,
  { tenantId, integrationId }: Feed,
  lineageIds: readonly string[],
): Promise<ReadonlyMap<string, Position>> {
  if (lineageIds.length === 0) return new Map();
  const rows = await tx
    .selectFrom('feed_positions')
    .select(['lineage_id', 'recipient_key_id', 'sequence', 'issued_at', 'envelope'])
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .where('lineage_id', 'in', [...lineageIds])
    .execute();
  return new Map(
    rows.map((row) => [
      readerName(row.lineage_id, row.recipient_key_id),
      {
        lineageId: row.lineage_id,
        recipientKeyId: row.recipient_key_id,
        sequence: row.sequence,
        issuedAt: row.issued_at,
        envelope: row.envelope,
      },
    ]),
  );
}

/** Stores positions in place of older ones. */
export async function writePositions(
  tx: Tx,
  { tenantId, integrationId }: Feed,
  positions: readonly Position[],
): Promise<void> {
  if (positions.length === 0) return;
  const rows = positions.map((position) => ({
    tenant_id: tenantId,
    integration_id: integrationId,
    lineage_id: position.lineageId,
    recipient_key_id: position.recipientKeyId,
    sequence: position.sequence,
    issued_at: position.issuedAt,
    envelope: position.envelope,
  }));
  await tx
    .insertInto('feed_positions')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(['integration_id', 'lineage_id', 'recipient_key_id'])
        .doUpdateSet({
          sequence: sql`excluded.sequence`,
          issued_at: sql`excluded.issued_at`,
          envelope: sql`excluded.envelope`,
        })
        .where(
          sql<boolean>`(excluded.sequence, excluded.issued_at)
            >= (feed_positions.sequence, feed_positions.issued_at)`,
        ),
    )
    .execute();
}

/** Forgets the stored positions of all feeds of a tenant: who asks next gets one that is signed anew. */
export async function dropPositions(tx: Tx, tenantId: string): Promise<void> {
  await tx.deleteFrom('feed_positions').where('tenant_id', '=', tenantId).execute();
}

/** The database's time: positions of all processes are signed by one clock, so that none is older than the last. */
export async function readTime(tx: Tx): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`SELECT clock_timestamp() AS now`.execute(tx);
  const [row] = rows;
  if (row === undefined) throw new TypeError('"clock_timestamp()" must answer a row');
  return row.now;
}

/**
 * Until when the stream is known to hold every change, `null` where nothing tells: what the export saw last,
 * unless some of it still waits to be loaded.
 */
export async function readCompleteUntil(tx: Tx, { tenantId, integrationId }: Feed): Promise<Date | null> {
  const { rows } = await sql<{ complete_until: Date | null }>`
    SELECT export_complete_until AS complete_until FROM ticket_feeds f
    WHERE tenant_id = ${tenantId} AND integration_id = ${integrationId} AND NOT EXISTS (
      SELECT 1 FROM feed_dirty_tickets d WHERE d.integration_id = f.integration_id AND d.by_export)`.execute(
    tx,
  );
  return rows[0]?.complete_until ?? null;
}
