/**
 * What the log lets go: entries older than is kept, the oldest of a stream that takes more room than it may, and
 * all of a stream that nobody reads. Each act is a short one under the lock of the log, in the order of sequence,
 * so that `oldest` always tells what is left.
 */
import { sql } from 'kysely';
import type { Tx } from '../store/index.ts';
import type { StreamKey } from './streams.ts';

export interface RetentionTerms {
  /** How long entries are kept, and how long a stream may go unread, in milliseconds. */
  readonly keepMs: number;
  /** Characters of envelopes that one stream may hold. */
  readonly maxStreamBytes: number;
}

/** A week, and 256 MiB a stream. */
export const DEFAULT_RETENTION: RetentionTerms = Object.freeze({
  keepMs: 7 * 86_400_000,
  maxStreamBytes: 256 * 2 ** 20,
});

/** Numbers of one stream that one act lets go, at most. */
const MAX_DELETED = 500;

type Feed = Omit<StreamKey, 'lineageId'>;

/**
 * Makes streams that nobody reads dormant; their entries go with {@link trimStreams}. A number is passed over, so
 * that every cursor there is has expired: what changes meanwhile must not be missed by who had read all. Under the
 * lock of the log.
 */
export async function retireUnreadStreams(
  tx: Tx,
  { tenantId, integrationId }: Feed,
  { keepMs }: RetentionTerms,
  now: Date,
): Promise<void> {
  await sql`UPDATE feed_streams SET state = 'DORMANT', oldest = sequence + 1, sequence = sequence + 1
    WHERE tenant_id = ${tenantId} AND integration_id = ${integrationId} AND state = 'OPEN'
      AND read_at < ${new Date(now.getTime() - keepMs)}`.execute(tx);
}

/**
 * Deletes some of what is not kept, of every stream of the feed, and says whether there may be more. Under the
 * lock of the log.
 */
export async function trimStreams(
  tx: Tx,
  { tenantId, integrationId }: Feed,
  { keepMs, maxStreamBytes }: RetentionTerms,
  now: Date,
): Promise<boolean> {
  const { rows } = await sql<{ lineage_id: string; full: boolean }>`
    WITH streams AS (
      SELECT lineage_id, oldest, state, bytes FROM feed_streams
      WHERE tenant_id = ${tenantId} AND integration_id = ${integrationId}
    ), doomed AS (
      SELECT s.lineage_id, e.recipient_key_id, e.sequence, e.size
      FROM streams s CROSS JOIN LATERAL (
        SELECT recipient_key_id, sequence, occurred_at, octet_length(envelope) AS size,
          sum(octet_length(envelope)) OVER (ORDER BY sequence, recipient_key_id) AS freed
        FROM (
          SELECT recipient_key_id, sequence, occurred_at, envelope FROM feed_entries
          WHERE tenant_id = ${tenantId} AND integration_id = ${integrationId} AND lineage_id = s.lineage_id
          ORDER BY sequence, recipient_key_id LIMIT ${MAX_DELETED}
        ) oldest_first
      ) e
      WHERE s.state = 'DORMANT' OR e.sequence <= s.oldest
        OR e.occurred_at < ${new Date(now.getTime() - keepMs)}
        OR s.bytes - (e.freed - e.size) > ${maxStreamBytes}
    ), gone AS (
      DELETE FROM feed_entries d USING doomed
      WHERE d.tenant_id = ${tenantId} AND d.integration_id = ${integrationId} AND d.lineage_id = doomed.lineage_id
        AND d.recipient_key_id = doomed.recipient_key_id AND d.sequence = doomed.sequence
      RETURNING d.lineage_id, d.sequence, doomed.size
    ), freed AS (
      SELECT lineage_id, max(sequence) AS sequence, sum(size) AS size, count(*) AS entries
      FROM gone GROUP BY lineage_id
    )
    UPDATE feed_streams s SET oldest = greatest(s.oldest, freed.sequence), bytes = s.bytes - freed.size
    FROM freed WHERE s.tenant_id = ${tenantId} AND s.integration_id = ${integrationId}
      AND s.lineage_id = freed.lineage_id
    RETURNING s.lineage_id, freed.entries >= ${MAX_DELETED} AS full`.execute(tx);
  return rows.some(({ full }) => full);
}
