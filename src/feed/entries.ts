/**
 * The log: sealed entries, one for each number of a stream and each active key of its lineage. Written under the
 * lock of the log, never changed, deleted by retention alone. Reading costs what it returns: the primary key is
 * the order of reading.
 */
import { type RawBuilder, sql } from 'kysely';
import type { Tx } from '../store/index.ts';
import type { StreamKey } from './streams.ts';

/** Entries that one reading of one stream brings, at most. */
export const MAX_ENTRY_PAGE = 128;

export interface NewEntry {
  readonly lineageId: string;
  readonly recipientKeyId: string;
  readonly sequence: number;
  readonly occurredAt: Date;
  readonly auditEventId: string;
  /** JSON. */
  readonly envelope: string;
}

export interface Entry {
  readonly sequence: number;
  readonly occurredAt: Date;
  /** JSON. */
  readonly envelope: string;
}

/** A place in a stream, as one of the keys of its lineage reads it. */
export interface ReadingPlace {
  readonly lineageId: string;
  readonly recipientKeyId: string;
  /** Entries with greater sequences are read. */
  readonly after: number;
}

type Feed = Omit<StreamKey, 'lineageId'>;

/** Rows of one INSERT: 8 values each of the 65 535 that PostgreSQL takes. */
const MAX_ROWS = 1_000;

/** Writes entries and moves their streams on to the greatest sequence of each. */
export async function insertEntries(
  tx: Tx,
  { tenantId, integrationId }: Feed,
  entries: readonly NewEntry[],
): Promise<void> {
  for (let start = 0; start < entries.length; start += MAX_ROWS) {
    const rows = entries.slice(start, start + MAX_ROWS).map((entry) => ({
      tenant_id: tenantId,
      integration_id: integrationId,
      lineage_id: entry.lineageId,
      recipient_key_id: entry.recipientKeyId,
      sequence: entry.sequence,
      occurred_at: entry.occurredAt,
      audit_event_id: entry.auditEventId,
      envelope: entry.envelope,
    }));
    await tx.insertInto('feed_entries').values(rows).execute();
  }
  const moved = new Map<string, { sequence: number; bytes: number }>();
  for (const { lineageId, sequence, envelope } of entries) {
    const { sequence: last = 0, bytes = 0 } = moved.get(lineageId) ?? {};
    moved.set(lineageId, { sequence: Math.max(last, sequence), bytes: bytes + envelope.length });
  }
  if (moved.size === 0) return;
  const values: RawBuilder<unknown>[] = [...moved].map(
    ([lineageId, { sequence, bytes }]) => sql`(${lineageId}::text, ${sequence}::bigint, ${bytes}::bigint)`,
  );
  await sql`UPDATE feed_streams s SET sequence = v.sequence, bytes = s.bytes + v.bytes, state = 'OPEN'
    FROM (VALUES ${sql.join(values)}) AS v (lineage_id, sequence, bytes)
    WHERE s.tenant_id = ${tenantId} AND s.integration_id = ${integrationId}
      AND s.lineage_id = v.lineage_id`.execute(tx);
}

/** What several readers of one feed find after their places, at most `limit` each, by {@link readerName}. */
export async function readEntries(
  tx: Tx,
  { tenantId, integrationId }: Feed,
  places: readonly ReadingPlace[],
  limit: number = MAX_ENTRY_PAGE,
): Promise<ReadonlyMap<string, readonly Entry[]>> {
  const found = new Map<string, Entry[]>();
  if (places.length === 0) return found;
  const values = places.map(
    (place) => sql`(${place.lineageId}::text, ${place.recipientKeyId}::text, ${place.after}::bigint)`,
  );
  const { rows } = await sql<{
    lineage_id: string;
    recipient_key_id: string;
    sequence: number;
    occurred_at: Date;
    envelope: string;
  }>`SELECT p.lineage_id, p.recipient_key_id, e.sequence, e.occurred_at, e.envelope
    FROM (VALUES ${sql.join(values)}) AS p (lineage_id, recipient_key_id, after)
    CROSS JOIN LATERAL (
      SELECT sequence, occurred_at, envelope FROM feed_entries
      WHERE tenant_id = ${tenantId} AND integration_id = ${integrationId}
        AND lineage_id = p.lineage_id AND recipient_key_id = p.recipient_key_id AND sequence > p.after
      ORDER BY sequence LIMIT ${limit}
    ) e
    ORDER BY p.lineage_id, p.recipient_key_id, e.sequence`.execute(tx);
  for (const row of rows) {
    const name = readerName(row.lineage_id, row.recipient_key_id);
    const entries = found.get(name) ?? [];
    entries.push({ sequence: row.sequence, occurredAt: row.occurred_at, envelope: row.envelope });
    found.set(name, entries);
  }
  return found;
}

/** Names a reader within a feed. */
export function readerName(lineageId: string, recipientKeyId: string): string {
  return `${lineageId} ${recipientKeyId}`;
}
