/**
 * Streams: for each lineage of client keys that ever subscribed to a feed, a gapless count of entries.
 *
 * - *OPEN*: changes are sealed for it. Begun by the first subscription.
 * - *DORMANT*: nobody has read it for as long as entries are kept. Left by the next subscription. Every cursor from
 *   before has expired, so that nothing is missed unnoticed.
 * - *KEYLESS*: its lineage has no active key. Left when one is mapped, with a GAP entry in place of what was not
 *   sealed.
 *
 * A state, and which streams there are, changes under the lock of the log only ({@link lockLog}), which is also
 * taken by every append: what was sealed for a set of streams is written to exactly that set.
 */
import { SealdeskError } from '../base/index.ts';
import type { FeedStreamState, Tx } from '../store/index.ts';

/** Streams of one feed that changes are sealed for, at most. */
export const MAX_OPEN_STREAMS = 1_000;
/** How exactly it is known when a stream was last read, in milliseconds. */
export const READ_TOUCH_MS = 60_000;

export interface StreamKey {
  readonly tenantId: string;
  readonly integrationId: string;
  readonly lineageId: string;
}

export interface Stream {
  readonly lineageId: string;
  readonly state: FeedStreamState;
  /** Of the last entry, 0 before the first. */
  readonly sequence: number;
  /** The oldest place to go on from. */
  readonly oldest: number;
  readonly readAt: Date;
}

/** Takes the lock of a feed's log until the transaction ends: before any other lock of the feed or of keys. */
export async function lockLog(tx: Tx, tenantId: string, integrationId: string): Promise<void> {
  await tx
    .selectFrom('feed_heads')
    .select('integration_id')
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .forUpdate()
    .execute();
}

/** The stream, or `null` where nobody of the lineage has subscribed yet. */
export async function findStream(
  tx: Tx,
  { tenantId, integrationId, lineageId }: StreamKey,
): Promise<Stream | null> {
  const row = await tx
    .selectFrom('feed_streams')
    .select(['lineage_id', 'state', 'sequence', 'oldest', 'read_at'])
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .where('lineage_id', '=', lineageId)
    .executeTakeFirst();
  return row === undefined ? null : streamOf(row);
}

/**
 * The stream, open from now on. To be called under the lock of the log. Throws TOO_MANY_REQUESTS where the feed
 * has {@link MAX_OPEN_STREAMS} others.
 */
export async function openStream(tx: Tx, key: StreamKey, now: Date): Promise<Stream> {
  const { tenantId, integrationId, lineageId } = key;
  const present = await findStream(tx, key);
  if (present?.state === 'OPEN') return present;
  const { open } = await tx
    .selectFrom('feed_streams')
    .select((row) => row.fn.countAll<number>().as('open'))
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .where('state', '=', 'OPEN')
    .executeTakeFirstOrThrow();
  if (open >= MAX_OPEN_STREAMS) {
    throw new SealdeskError(
      'TOO_MANY_REQUESTS',
      `The change feed of this integration is sealed for ${MAX_OPEN_STREAMS} client keys, which is all it takes. Revoke keys that are not used, or share one between dashboards.`,
      { retryAfter: READ_TOUCH_MS / 1000 },
    );
  }
  const row = await tx
    .insertInto('feed_streams')
    .values({
      tenant_id: tenantId,
      integration_id: integrationId,
      lineage_id: lineageId,
      state: 'OPEN',
      sequence: 0,
      oldest: 0,
      opened_at: now,
      read_at: now,
    })
    .onConflict((conflict) =>
      conflict.columns(['integration_id', 'lineage_id']).doUpdateSet({ state: 'OPEN', read_at: now }),
    )
    .returning(['lineage_id', 'state', 'sequence', 'oldest', 'read_at'])
    .executeTakeFirstOrThrow();
  return streamOf(row);
}

/** All open streams of a feed, in one order for everybody. */
export async function listOpenStreams(
  tx: Tx,
  tenantId: string,
  integrationId: string,
): Promise<readonly Stream[]> {
  const rows = await tx
    .selectFrom('feed_streams')
    .select(['lineage_id', 'state', 'sequence', 'oldest', 'read_at'])
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .where('state', '=', 'OPEN')
    .orderBy('lineage_id')
    .execute();
  return rows.map(streamOf);
}

/**
 * Notes that open streams are being read. Under the lock of the log, and not more often than every
 * {@link READ_TOUCH_MS}, which is the caller's to see to.
 */
export async function touchStreams(
  tx: Tx,
  { tenantId, integrationId }: Omit<StreamKey, 'lineageId'>,
  lineageIds: readonly string[],
  now: Date,
): Promise<void> {
  if (lineageIds.length === 0) return;
  await tx
    .updateTable('feed_streams')
    .set({ read_at: now })
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .where('lineage_id', 'in', [...lineageIds])
    .where('state', '=', 'OPEN')
    .where('read_at', '<', now)
    .execute();
}

/** The lineage has no active key any more. To be called under the locks of all the tenant's logs. */
export async function closeStreamsOfLineage(tx: Tx, tenantId: string, lineageId: string): Promise<void> {
  await tx
    .updateTable('feed_streams')
    .set({ state: 'KEYLESS' })
    .where('tenant_id', '=', tenantId)
    .where('lineage_id', '=', lineageId)
    .where('state', '=', 'OPEN')
    .execute();
}

/** The feeds in which the lineage has a stream without a key, with where it stands. Under the same locks. */
export async function listKeylessStreams(
  tx: Tx,
  tenantId: string,
  lineageId: string,
): Promise<readonly { readonly integrationId: string; readonly sequence: number }[]> {
  const rows = await tx
    .selectFrom('feed_streams')
    .select(['integration_id', 'sequence'])
    .where('tenant_id', '=', tenantId)
    .where('lineage_id', '=', lineageId)
    .where('state', '=', 'KEYLESS')
    .orderBy('integration_id')
    .execute();
  return rows.map((row) => ({ integrationId: row.integration_id, sequence: row.sequence }));
}

function streamOf(row: {
  readonly lineage_id: string;
  readonly state: FeedStreamState;
  readonly sequence: number;
  readonly oldest: number;
  readonly read_at: Date;
}): Stream {
  return {
    lineageId: row.lineage_id,
    state: row.state,
    sequence: row.sequence,
    oldest: row.oldest,
    readAt: row.read_at,
  };
}
