/**
 * Appending to the log. Entries are sealed before the lock is taken, for the streams and keys as they were, and
 * written only where these are still the same under the lock; otherwise what was sealed is thrown away and made
 * anew. So no signature is waited for under a lock, and nothing is ever sealed to a key that was revoked before.
 *
 * Under the lock, in one transaction: the lease, the streams and active keys, the entries, what the caller has to
 * note, and last the audit log, one event for each change with all envelopes of it.
 */
import { listActiveKeys } from '../../access/index.ts';
import type { NewAuditEvent } from '../../audit/index.ts';
import { createId, encodeUtf8, SealdeskError, type TicketChangeContent } from '../../base/index.ts';
import type { SealedEnvelope } from '../../envelope/index.ts';
import {
  type FeedLease,
  insertEntries,
  listOpenStreams,
  lockHead,
  type NewEntry,
  type Stream,
} from '../../feed/index.ts';
import { notify, type Tx } from '../../store/index.ts';
import type { TenantKeys } from '../../vault/index.ts';
import { appendEvents } from '../record-event.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { FEED_OPERATION } from './feed-operation.ts';
import type { FeedSealer, FeedSealing } from './feed-sealer.ts';

/** Changes that one append takes, at most. */
export const MAX_APPENDED_CHANGES = 32;
/** Envelopes that are made for one transaction, unless a single change needs more. */
const MAX_ENVELOPES = 2_000;
/** How often entries are sealed anew because streams or keys changed meanwhile. */
const MAX_ATTEMPTS = 5;

export interface NewTicketChange {
  readonly content: TicketChangeContent;
}

export interface FeedAppend<Change extends NewTicketChange = NewTicketChange> {
  readonly tenantId: string;
  readonly integrationId: string;
  readonly lease: FeedLease;
  /** 1 to {@link MAX_APPENDED_CHANGES}, in the order in which they get their numbers. */
  readonly changes: readonly Change[];
  /**
   * Notes, in the same transaction and under the lock, that `changes` are in the log. Called for each part of the
   * changes that is committed by itself, where there are too many envelopes for one transaction.
   */
  readonly commit: (tx: Tx, changes: readonly Change[]) => Promise<void>;
}

export interface AppendDeps extends Pick<ServiceDeps, 'store' | 'keyring' | 'clock'> {
  readonly sealer: FeedSealer;
}

/** A stream with the keys that its next entries are sealed to. */
interface Target extends Pick<Stream, 'lineageId' | 'sequence'> {
  readonly keyIds: readonly string[];
}

/**
 * Appends changes to every open stream that has an active key; where there is none they are noted only. Rejects
 * with {@link LeaseLostError} where the lease is another's, and with KMS_UNAVAILABLE or AUDIT_UNAVAILABLE; parts
 * that were committed before stay.
 */
export async function appendChanges<Change extends NewTicketChange>(
  deps: AppendDeps,
  append: FeedAppend<Change>,
): Promise<{ readonly entries: number }> {
  const { changes } = append;
  if (changes.length < 1 || changes.length > MAX_APPENDED_CHANGES) {
    throw new RangeError(`"changes" must hold 1 to ${MAX_APPENDED_CHANGES} changes, got ${changes.length}`);
  }
  let entries = 0;
  let done = 0;
  let attempts = 0;
  while (done < changes.length) {
    const { store, keyring } = deps;
    const { tenantId, integrationId } = append;
    const keys = await keyring.keysOf(tenantId);
    const targets = await store.withTenant(tenantId, (tx) => readTargets(tx, tenantId, integrationId));
    const keyCount = targets.reduce((sum, { keyIds }) => sum + keyIds.length, 0);
    const size = Math.max(1, Math.floor(MAX_ENVELOPES / Math.max(1, keyCount)));
    const part = changes.slice(done, done + size);
    const sealed = await sealChanges(deps, keys, integrationId, part, targets);
    const isWritten = await store.withTenant(tenantId, async (tx) => {
      await lockHead(tx, append.lease);
      if (!sameTargets(targets, await readTargets(tx, tenantId, integrationId))) return false;
      await insertEntries(tx, append, sealed.entries);
      await append.commit(tx, part);
      if (sealed.events.length === 0) return true;
      await notify(tx, 'appended', integrationId);
      const headKey = keys.auditHeadKey();
      try {
        await appendEvents(tx, tenantId, headKey, sealed.events);
      } finally {
        headKey.fill(0);
      }
      return true;
    });
    if (isWritten) {
      done += part.length;
      entries += sealed.entries.length;
      attempts = 0;
      continue;
    }
    attempts += 1;
    if (attempts >= MAX_ATTEMPTS) {
      throw new SealdeskError(
        'CONFLICT',
        'The recipients of the change feed change faster than it is sealed.',
      );
    }
  }
  return { entries };
}

async function readTargets(tx: Tx, tenantId: string, integrationId: string): Promise<readonly Target[]> {
  const streams = await listOpenStreams(tx, tenantId, integrationId);
  const keys = await listActiveKeys(
    tx,
    tenantId,
    streams.map(({ lineageId }) => lineageId),
  );
  const keyIds = Map.groupBy(keys, ({ lineageId }) => lineageId);
  return streams.flatMap(({ lineageId, sequence }) => {
    const own = keyIds.get(lineageId) ?? [];
    return own.length === 0 ? [] : [{ lineageId, sequence, keyIds: own.map(({ keyId }) => keyId) }];
  });
}

function sameTargets(a: readonly Target[], b: readonly Target[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

interface SealedChanges {
  readonly entries: readonly NewEntry[];
  readonly events: readonly NewAuditEvent[];
}

async function sealChanges(
  { clock, sealer }: AppendDeps,
  keys: TenantKeys,
  integrationId: string,
  changes: readonly NewTicketChange[],
  targets: readonly Target[],
): Promise<SealedChanges> {
  if (targets.length === 0) return { entries: [], events: [] };
  const now = clock.now();
  const occurredAt = new Date(now);
  const planned = changes.map(({ content }, index) => {
    const auditEventId = createId('auditEvent', now);
    const plaintext = encodeUtf8(JSON.stringify(content));
    const sealings = targets.flatMap(({ lineageId, sequence, keyIds }) =>
      keyIds.map(
        (recipientKeyId): FeedSealing => ({
          purpose: 'ticket.change',
          integrationId,
          lineageId,
          recipientKeyId,
          sequence: sequence + index + 1,
          auditEventId,
          plaintext,
        }),
      ),
    );
    return { content, auditEventId, sealings };
  });
  const envelopes = await sealer.sealAll(
    keys,
    planned.flatMap(({ sealings }) => sealings),
    now,
  );
  let next = 0;
  const entries: NewEntry[] = [];
  const events = planned.map(({ content, auditEventId, sealings }) => {
    const made = sealings.map((sealing) => ({ sealing, sealed: envelopes[next++] as SealedEnvelope }));
    for (const { sealing, sealed } of made) {
      const { lineageId, recipientKeyId, sequence } = sealing;
      const envelope = JSON.stringify(sealed.envelope);
      entries.push({ lineageId, recipientKeyId, sequence, occurredAt, auditEventId, envelope });
    }
    return feedEvent(auditEventId, occurredAt, integrationId, content, made);
  });
  return { entries, events };
}

/** The one event of a change: which ticket, and every envelope of it. */
function feedEvent(
  id: string,
  occurredAt: Date,
  integrationId: string,
  content: TicketChangeContent,
  made: readonly { readonly sealing: FeedSealing; readonly sealed: SealedEnvelope }[],
): NewAuditEvent {
  return {
    id,
    occurredAt: occurredAt.toISOString(),
    phase: 'SINGLE',
    outcome: 'SUCCEEDED',
    actor: { type: 'SYSTEM', id: 'ticket-feed' },
    action: content.kind === 'GAP' ? 'feed.gap' : 'feed.append',
    operation: FEED_OPERATION,
    integrationId,
    resource: content.kind === 'GAP' ? integrationId : `${integrationId}:ticket:${content.ticket_id}`,
    envelopes: made.map(({ sealing, sealed }) => ({
      keyId: sealing.recipientKeyId,
      sequence: sealing.sequence,
      sha256: sealed.transcriptSha256,
    })),
  };
}
