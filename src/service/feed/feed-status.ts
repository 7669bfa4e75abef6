/** How a feed stands, for those who run it and those who read it. */
import { sql } from 'kysely';
import {
  type Caller,
  chooseRecipient,
  type Recipient,
  type Role,
  restrictionFor,
} from '../../access/index.ts';
import { encodeFeedCursor, isId, isSealdeskError, SealdeskError, streamName } from '../../base/index.ts';
import {
  type Feed,
  type FeedKey,
  findStream,
  lastReceivedAt,
  readFeed,
  readWaitingMarks,
  type WaitingMarks,
} from '../../feed/index.ts';
import type { Call } from '../../proxy/index.ts';
import type { Tx } from '../../store/index.ts';
import { readOwn } from '../read.ts';
import type { ServiceDeps } from '../service-deps.ts';

export type FeedWebhookState = 'ACTIVE' | 'NONE' | 'FAULTY';
export type FeedExportState = 'CURRENT' | 'CATCHING_UP' | 'FAULTY' | 'NOT_YET';

export interface FeedStatusView {
  readonly integrationId: string;
  readonly status: 'ENABLED' | 'DISABLED';
  readonly enabledAt: Date;
  readonly webhook: {
    /** ACTIVE: Zendesk calls the gateway. NONE: it has not been asked to. FAULTY: it could not be asked to. */
    readonly state: FeedWebhookState;
    /** An upper-case token, such as NO_PUBLIC_ADDRESS or UPSTREAM_FORBIDDEN. */
    readonly fault: string | null;
    /** `null` where none came within the last hour. */
    readonly lastReceivedAt: Date | null;
  };
  readonly export: {
    /** NOT_YET: it was never asked. CATCHING_UP: when it was last read it was far behind. */
    readonly state: FeedExportState;
    readonly polledAt: Date | null;
    /** Every change before it has been seen. */
    readonly completeUntil: Date | null;
    /** The code of the failure. */
    readonly fault: string | null;
  };
  /** Seconds by which the feed is behind Zendesk: the age of the oldest change that waits; without a webhook, that of `completeUntil` where it is more. */
  readonly lagSeconds: number;
  /** Tickets that may have a version that is not in the feed yet. */
  readonly waiting: number;
  readonly lastAppendedAt: Date | null;
  /** The newest place of the caller's own stream; `null` where the call names no recipient, or nobody subscribed with its key yet. */
  readonly lastCursor: string | null;
  readonly lastSequence: number | null;
  /** The process that attends to the feed, an opaque name. */
  readonly leaseHolder: string | null;
  readonly leaseUntil: Date | null;
  /** Versions that were appended. */
  readonly appended: number;
  /** Those of them that no webhook told of. */
  readonly repaired: number;
  /** Streams that changes are sealed for. */
  readonly streams: number;
  /** Why tickets cannot be loaded, the code of the failure. */
  readonly loadFault: string | null;
}

const READERS: readonly Role[] = ['ADMIN', 'AGENT', 'DASHBOARD'];
/** Zendesk holds back its newest minute, and the export is read once a minute. */
const CURRENT_WITHIN_MS = 300_000;

/** How the feed of an integration stands; `null` where none was ever enabled. For ADMIN, AGENT and DASHBOARD, unless restricted. */
export function getFeedStatus(
  deps: ServiceDeps,
  call: Call,
  integrationId: string,
): Promise<FeedStatusView | null> {
  return readOwn(deps, call, READERS, async (tx, tenantId, { caller, recipientKeyId }) => {
    if (!isId('integration', integrationId)) return null;
    const now = deps.clock.now();
    const recipient = await recipientOf(tx, caller, recipientKeyId, now);
    if (restrictionFor(caller, recipient) !== null) {
      throw new SealdeskError(
        'OPERATION_NOT_ALLOWED',
        'The client key is restricted to one organization or requester; how the feed stands tells of all tickets.',
      );
    }
    const lineageId = recipient?.lineageId ?? null;
    return readFeedStatus(tx, { tenantId, integrationId }, { lineageId, now });
  });
}

/** The same in a transaction of the caller's; `lineageId` names the stream whose place is told, `now` is in milliseconds. */
export async function readFeedStatus(
  tx: Tx,
  key: FeedKey,
  { lineageId, now }: { readonly lineageId: string | null; readonly now: number },
): Promise<FeedStatusView | null> {
  const { integrationId } = key;
  const feed = await readFeed(tx, key);
  if (feed === null) return null;
  const waiting = await readWaitingMarks(tx, integrationId);
  const attention = await readAttention(tx, integrationId);
  const stream = lineageId === null ? null : await findStream(tx, { ...key, lineageId });
  return {
    integrationId,
    status: feed.status,
    enabledAt: feed.enabledAt,
    webhook: {
      state: feed.webhook !== null ? 'ACTIVE' : feed.webhookFault === null ? 'NONE' : 'FAULTY',
      fault: feed.webhookFault,
      lastReceivedAt: await lastReceivedAt(tx, integrationId),
    },
    export: {
      state: exportStateOf(feed),
      polledAt: feed.exportPolledAt,
      completeUntil: feed.exportCompleteUntil,
      fault: feed.exportFault,
    },
    lagSeconds: lagOf(feed, waiting, now),
    waiting: waiting.count,
    lastAppendedAt: attention.lastAppendedAt,
    lastSequence: stream?.sequence ?? null,
    lastCursor:
      stream === null
        ? null
        : encodeFeedCursor({
            stream: streamName(integrationId, stream.lineageId),
            sequence: stream.sequence,
          }),
    leaseHolder: attention.leaseHolder,
    leaseUntil: attention.leaseUntil,
    appended: feed.appended,
    repaired: feed.repaired,
    streams: attention.streams,
    loadFault: feed.loadFault,
  };
}

/** The key that answers to the caller are sealed to; `null` where there is no such key. */
async function recipientOf(
  tx: Tx,
  caller: Caller,
  recipientKeyId: string | null,
  now: number,
): Promise<Recipient | null> {
  try {
    return await chooseRecipient(tx, caller, recipientKeyId, now);
  } catch (error) {
    if (isSealdeskError(error)) return null;
    throw error;
  }
}

interface Attention {
  readonly leaseHolder: string | null;
  readonly leaseUntil: Date | null;
  readonly streams: number;
  readonly lastAppendedAt: Date | null;
}

async function readAttention(tx: Tx, integrationId: string): Promise<Attention> {
  const { rows } = await sql<Attention>`
    SELECT h.lease_holder AS "leaseHolder", h.lease_until AS "leaseUntil",
      (SELECT count(*) FROM feed_streams s
        WHERE s.integration_id = h.integration_id AND s.state = 'OPEN') AS streams,
      (SELECT max(e.occurred_at) FROM feed_streams s JOIN feed_entries e
        ON e.integration_id = s.integration_id AND e.lineage_id = s.lineage_id AND e.sequence = s.sequence
        WHERE s.integration_id = h.integration_id) AS "lastAppendedAt"
    FROM feed_heads h WHERE h.integration_id = ${integrationId}`.execute(tx);
  return rows[0] ?? { leaseHolder: null, leaseUntil: null, streams: 0, lastAppendedAt: null };
}

function exportStateOf(feed: Feed): FeedExportState {
  const { exportFault, exportPolledAt, exportCompleteUntil } = feed;
  if (exportFault !== null) return 'FAULTY';
  if (exportPolledAt === null) return 'NOT_YET';
  const behind = exportPolledAt.getTime() - (exportCompleteUntil?.getTime() ?? 0);
  return behind <= CURRENT_WITHIN_MS ? 'CURRENT' : 'CATCHING_UP';
}

function lagOf(feed: Feed, waiting: WaitingMarks, now: number): number {
  const seconds = (since: Date | null): number =>
    since === null ? 0 : Math.max(0, Math.round((now - since.getTime()) / 1_000));
  const ofMarks = seconds(waiting.oldestAt);
  if (feed.status !== 'ENABLED' || feed.webhook !== null) return ofMarks;
  return Math.max(ofMarks, seconds(feed.exportCompleteUntil ?? feed.enabledAt));
}
