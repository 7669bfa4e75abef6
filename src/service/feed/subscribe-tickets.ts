/**
 * The beginning of a subscription: may the caller have it, is the stream there, is its cursor good. The stream is
 * opened and the beginning recorded in one transaction; only then is anything handed on.
 */
import { assertStillEntitled, type Recipient, restrictionFor, touchClientKey } from '../../access/index.ts';
import {
  createId,
  encodeFeedCursor,
  isId,
  parseFeedCursor,
  SealdeskError,
  streamName,
} from '../../base/index.ts';
import {
  findStream,
  lockLog,
  openStream,
  READ_TOUCH_MS,
  readEntries,
  type Stream,
  touchStreams,
} from '../../feed/index.ts';
import {
  type AuthenticatedCall,
  assertIntegrationOn,
  assertPermitted,
  describeCall,
  findIntegration,
} from '../../proxy/index.ts';
import type { Tx } from '../../store/index.ts';
import { invalidInput } from '../input.ts';
import { appendEvents } from '../record-event.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { cursorExpired, FeedIterator } from './feed-iterator.ts';
import { FEED_OPERATION } from './feed-operation.ts';
import type { Recipiency } from './open-session.ts';
import type { PositionSealer } from './position-sealer.ts';
import type { StreamTails } from './stream-tails.ts';
import type { TicketSubscription } from './ticket-session.ts';

export interface SubscribeDeps extends Pick<ServiceDeps, 'store' | 'keyring' | 'clock'> {
  readonly positions: PositionSealer;
  readonly tails: StreamTails;
}

export interface SubscribeRequest extends TicketSubscription {
  readonly call: AuthenticatedCall;
  readonly recipient: Recipiency;
}

/** The iterator, its first event made. Rejects as `TicketSession.subscribe` does. */
export async function subscribeTickets(
  deps: SubscribeDeps,
  request: SubscribeRequest,
): Promise<FeedIterator> {
  const { store, keyring, clock, positions, tails } = deps;
  const { call, integrationId, recipient } = request;
  const { tenantId } = call.caller;
  const { keyId: recipientKeyId, lineageId } = recipient;
  const keys = await keyring.keysOf(tenantId);
  const after = parseAfter(request);
  const startedAt = clock.now();
  const stream = await store.withTenant(tenantId, async (tx) => {
    await assertMaySubscribe(tx, call, recipient, integrationId);
    const opened = await ensureOpen(tx, { tenantId, integrationId, lineageId }, new Date(startedAt));
    // Before the key is held: two that hold it could not both note its use.
    await touchClientKey(tx, { tenantId, clientKeyId: recipientKeyId, now: startedAt });
    await assertStillEntitled(tx, call.caller, recipient, startedAt);
    assertHeld(opened, integrationId, after);
    if (after !== null) await assertSealedTo(tx, { tenantId, integrationId }, recipient, opened, after);
    const headKey = keys.auditHeadKey();
    try {
      await appendEvents(tx, tenantId, headKey, [
        {
          ...describeCall(call),
          id: createId('auditEvent', startedAt),
          occurredAt: new Date(startedAt).toISOString(),
          phase: 'SINGLE',
          outcome: 'SUCCEEDED',
          action: 'subscription.ticketChanges',
          operation: FEED_OPERATION,
          integrationId,
          resource: recipientKeyId,
        },
      ]);
    } finally {
      headKey.fill(0);
    }
    return opened;
  });
  const target = { tenantId, integrationId, lineageId, recipientKeyId };
  const position = await positions.seal(target, POSITION_MAX_AGE_MS);
  const place = after ?? position.sequence;
  const tail = tails.open(target, Math.max(position.sequence, stream.sequence));
  const iterator = new FeedIterator({
    tails,
    tail,
    place,
    position: tail.greeting(position, place),
  });
  // What was appended since the position was sealed.
  tails.hint(integrationId);
  return iterator;
}

/** A position that others were given just now is as good as a new one, as long as nothing was appended since. */
const POSITION_MAX_AGE_MS = 10_000;

/** What must hold for as long as the subscription lasts. Throws NOT_FOUND, FORBIDDEN, OPERATION_NOT_ALLOWED or CONFLICT. */
export async function assertMaySubscribe(
  tx: Tx,
  { caller }: AuthenticatedCall,
  recipient: Pick<Recipient, 'restriction'>,
  integrationId: string,
): Promise<void> {
  const integration = isId('integration', integrationId)
    ? await findIntegration(tx, caller.tenantId, integrationId)
    : null;
  assertPermitted(integration, { caller, restriction: restrictionFor(caller, recipient) }, FEED_OPERATION);
  assertIntegrationOn(integration);
  const feed = await tx
    .selectFrom('ticket_feeds')
    .select('status')
    .where('tenant_id', '=', caller.tenantId)
    .where('integration_id', '=', integrationId)
    .executeTakeFirst();
  if (feed?.status === 'ENABLED') return;
  throw new SealdeskError(
    'CONFLICT',
    'The change feed of this integration is not on. An ADMIN turns it on with enableTicketFeed.',
  );
}

/**
 * The stream, opened where it is not, and noted as read. Only for that the lock of the log is taken, before any lock
 * of a key, and the stream looked at again.
 */
async function ensureOpen(
  tx: Tx,
  key: { readonly tenantId: string; readonly integrationId: string; readonly lineageId: string },
  now: Date,
): Promise<Stream> {
  const present = await findStream(tx, key);
  const isNoted = present !== null && now.getTime() - present.readAt.getTime() < READ_TOUCH_MS;
  if (present?.state === 'OPEN' && isNoted) return present;
  await lockLog(tx, key.tenantId, key.integrationId);
  const opened = await openStream(tx, key, now);
  await touchStreams(tx, key, [key.lineageId], now);
  return opened;
}

/** The sequence of the cursor, `null` without one. Throws VALIDATION_FAILED for one that is not of this stream. */
function parseAfter({ integrationId, after, recipient }: SubscribeRequest): number | null {
  if (after === null) return null;
  const place = parseFeedCursor(after);
  if (place === null) throw invalidInput([{ path: 'after', message: 'is not a cursor of the change feed' }]);
  if (place.stream === streamName(integrationId, recipient.lineageId)) return place.sequence;
  throw invalidInput([
    { path: 'after', message: 'is a cursor of another integration or of another client key' },
  ]);
}

/**
 * What was appended before a successor was mapped is sealed to the keys before it alone: they are still served while
 * they overlap. Throws CURSOR_EXPIRED where what comes after `after` is not sealed to this key.
 */
async function assertSealedTo(
  tx: Tx,
  feed: { readonly tenantId: string; readonly integrationId: string },
  { keyId: recipientKeyId, lineageId }: SubscribeRequest['recipient'],
  { sequence }: Stream,
  after: number,
): Promise<void> {
  if (recipientKeyId === lineageId || after === sequence) return;
  const found = await readEntries(tx, feed, [{ lineageId, recipientKeyId, after }], 1);
  const first = [...found.values()][0]?.[0]?.sequence ?? sequence + 1;
  if (first === after + 1) return;
  throw cursorExpired(
    encodeFeedCursor({ stream: streamName(feed.integrationId, lineageId), sequence: first - 1 }),
  );
}

/** Throws CURSOR_EXPIRED where the stream does not hold what comes after `after`, or never came so far. */
function assertHeld(
  { lineageId, oldest, sequence }: Stream,
  integrationId: string,
  after: number | null,
): void {
  if (after === null || (after >= oldest && after <= sequence)) return;
  throw cursorExpired(encodeFeedCursor({ stream: streamName(integrationId, lineageId), sequence: oldest }));
}
