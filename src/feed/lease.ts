/**
 * Whose turn it is to attend to a feed: a lease on the row in `feed_heads`, which is also the lock of the
 * integration's log (docs: the lock is taken first by every append, and by mapping and revoking keys).
 *
 * - *free*: no holder, or the time of the last one is over. Anybody may claim it, which makes the epoch grow.
 * - *held*: by one holder under one epoch, until a time that renewing moves on. Left by releasing, or by another
 *   claim once the time is over.
 *
 * Only the database's clock counts (`clock_timestamp()`), so holders with wrong clocks do no harm. That a time is
 * over takes nothing from the holder; another's claim does. A holder that does not know of it yet is stopped by
 * {@link lockHead}, which every write of its must call first in the same transaction.
 */
import { sql } from 'kysely';
import type { Tx } from '../store/index.ts';

/** The right to append to the log of a feed, as long as nobody claimed it since. */
export interface FeedLease {
  readonly integrationId: string;
  /** An opaque name of the process. */
  readonly holder: string;
  readonly epoch: number;
}

/** The lease is another's now, or the feed is gone: what was about to be written must not be. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';

  constructor(integrationId: string) {
    super(`The lease on the change feed of ${integrationId} is held by another process, or by none.`);
  }
}

export interface LeaseClaim {
  readonly tenantId: string;
  readonly integrationId: string;
  readonly holder: string;
  /** How long the lease holds unless it is renewed. */
  readonly lifetimeMs: number;
}

/** The lease under a new epoch; `null` while another's lives, or where the feed is not enabled. */
export async function claimLease(tx: Tx, claim: LeaseClaim): Promise<FeedLease | null> {
  const { tenantId, integrationId, holder, lifetimeMs } = claim;
  const { rows } = await sql<{ epoch: number }>`
    UPDATE feed_heads SET lease_epoch = lease_epoch + 1, lease_holder = ${holder}, lease_until = ${endOf(lifetimeMs)}
    WHERE tenant_id = ${tenantId} AND integration_id = ${integrationId}
      AND (lease_holder IS NULL OR lease_holder = ${holder} OR lease_until <= clock_timestamp())
      AND EXISTS (SELECT 1 FROM ticket_feeds f
        WHERE f.tenant_id = feed_heads.tenant_id AND f.integration_id = feed_heads.integration_id
          AND f.status = 'ENABLED')
    RETURNING lease_epoch AS epoch`.execute(tx);
  const [row] = rows;
  return row === undefined ? null : Object.freeze({ integrationId, holder, epoch: row.epoch });
}

/** Moves the end of the lease on. `false` where it is lost. */
export async function renewLease(
  tx: Tx,
  { integrationId, holder, epoch }: FeedLease,
  lifetimeMs: number,
): Promise<boolean> {
  const { rows } = await sql`
    UPDATE feed_heads SET lease_until = ${endOf(lifetimeMs)}
    WHERE integration_id = ${integrationId} AND lease_holder = ${holder} AND lease_epoch = ${epoch}
    RETURNING 1`.execute(tx);
  return rows.length === 1;
}

/** Gives the lease back, so that the next to ask has it; nothing happens where it is lost. */
export async function releaseLease(tx: Tx, { integrationId, holder, epoch }: FeedLease): Promise<void> {
  await tx
    .updateTable('feed_heads')
    .set({ lease_holder: null, lease_until: null })
    .where('integration_id', '=', integrationId)
    .where('lease_holder', '=', holder)
    .where('lease_epoch', '=', epoch)
    .execute();
}

/** Takes the lock of the log until the transaction ends. Throws {@link LeaseLostError} unless `lease` holds. */
export async function lockHead(tx: Tx, { integrationId, holder, epoch }: FeedLease): Promise<void> {
  const head = await tx
    .selectFrom('feed_heads')
    .select(['lease_holder', 'lease_epoch'])
    .where('integration_id', '=', integrationId)
    .forUpdate()
    .executeTakeFirst();
  if (head?.lease_holder !== holder || head.lease_epoch !== epoch) throw new LeaseLostError(integrationId);
}

/**
 * Takes the locks of all logs of a tenant until the transaction ends, always in the same order: for who
 * changes which keys are active.
 */
export async function lockHeadsOfTenant(tx: Tx, tenantId: string): Promise<void> {
  await tx
    .selectFrom('feed_heads')
    .select('integration_id')
    .where('tenant_id', '=', tenantId)
    .orderBy('integration_id')
    .forUpdate()
    .execute();
}

function endOf(lifetimeMs: number) {
  return sql`clock_timestamp() + ${lifetimeMs} * interval '1 millisecond'`;
}
