/**
 * Appending to the log. Entries are sealed before the lock is taken, for the streams and keys as they were, and
 * written only where these are still the same under the lock; otherwise what was sealed is thrown away and made
 * anew. So no signature is waited for under a lock, unless keys changed {@link MAX_ATTEMPTS} times in a row: then one
 * change is sealed under it, so that appending goes on however fast keys come and go. Nothing is ever sealed to a key
 * that was revoked before.
 *
 * Under the lock, in one transaction: the lease, the streams and active keys, the entries, what the caller has to
 * note, and last the audit log, one event for each change with all envelopes of it.
 *
 * To a stream whose keys are restricted a change may be another one, or none: it then keeps its number for the next.
 */
import { listActiveKeys, type Restriction } from '../../access/index.ts';
import type { NewAuditEvent } from '../../audit/index.ts';
import { createId, encodeUtf8, type TicketChangeContent } from '../../base/index.ts';
import type { SealedEnvelope } from '../../envelope/index.ts';
import {
  type FeedLease,
  insertEntries,
  listOpenStreams,
  lockHead,
  type NewEntry,
  readShownTickets,
  removeShownTickets,
  type Stream,
} from '../../feed/index.ts';
import { notify, type Tx } from '../../store/index.ts';
import type { TenantKeys } from '../../vault/index.ts';
import { appendEvents } from '../record-event.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { FEED_OPERATION } from './feed-operation.ts';
import type { FeedSealer, FeedSealing } from './feed-sealer.ts';
import { type ChangeScope, scopeChange } from './scope-change.ts';

/** Changes that one append takes, at most. */
export const MAX_APPENDED_CHANGES = 32;
/** Envelopes that are made for one transaction, unless a single change needs more. */
const MAX_ENVELOPES = 2_000;
/** How often entries are sealed before the lock is taken, in vain because streams or keys changed meanwhile. */
const MAX_ATTEMPTS = 5;

export interface NewTicketChange {
  readonly content: TicketChangeContent;
  /** What it is to those who are restricted; where left out, nothing is known of before. */
  readonly scope?: ChangeScope;
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

const NOTHING_KNOWN: ChangeScope = Object.freeze({ before: null, publicChanges: Object.freeze([]) });

/** A stream with the keys that its next entries are sealed to. */
interface Target extends Pick<Stream, 'lineageId' | 'sequence'> {
  readonly keyIds: readonly string[];
  readonly restriction: Restriction | null;
  /** Of the changed tickets those that a restricted lineage was shown before the feed told it of them. */
  readonly shown: readonly number[];
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
  const { store, keyring, clock } = deps;
  const { tenantId, integrationId } = append;
  let entries = 0;
  let done = 0;
  let attempts = 0;
  while (done < changes.length) {
    const keys = await keyring.keysOf(tenantId);
    const rest = changes.slice(done);
    const ahead = attempts < MAX_ATTEMPTS ? await sealAhead(deps, keys, integrationId, rest) : null;
    const written = await store.withTenant(tenantId, async (tx) => {
      await lockHead(tx, append.lease);
      const targets = await readTargets(tx, tenantId, integrationId, rest, clock.now());
      if (ahead !== null && !sameTargets(ahead.targets, targets)) return null;
      const part = ahead?.part ?? rest.slice(0, 1);
      const sealed = ahead?.sealed ?? (await sealChanges(deps, keys, integrationId, part, targets, tx));
      await insertEntries(tx, append, sealed.entries);
      await removeShownTickets(tx, append, restrictedOf(targets), ticketsOf(part));
      await append.commit(tx, part);
      if (sealed.events.length > 0) {
        await notify(tx, 'appended', integrationId);
        const headKey = keys.auditHeadKey();
        try {
          await appendEvents(tx, tenantId, headKey, sealed.events);
        } finally {
          headKey.fill(0);
        }
      }
      return { changes: part.length, entries: sealed.entries.length };
    });
    attempts = written === null ? attempts + 1 : 0;
    done += written?.changes ?? 0;
    entries += written?.entries ?? 0;
  }
  return { entries };
}

async function readTargets(
  tx: Tx,
  tenantId: string,
  integrationId: string,
  changes: readonly NewTicketChange[],
  now: number,
): Promise<readonly Target[]> {
  const streams = await listOpenStreams(tx, tenantId, integrationId);
  const keys = await listActiveKeys(
    tx,
    tenantId,
    streams.map(({ lineageId }) => lineageId),
    now,
  );
  const keyIds = Map.groupBy(keys, ({ lineageId }) => lineageId);
  const targets = streams.flatMap(({ lineageId, sequence }): Target[] => {
    const own = keyIds.get(lineageId) ?? [];
    const [first] = own;
    const { restriction = null } = first ?? {};
    // A restricted key is good for its own integration only.
    if (own.length === 0 || (restriction?.integrationId ?? integrationId) !== integrationId) return [];
    return [{ lineageId, sequence, keyIds: own.map(({ keyId }) => keyId), restriction, shown: [] }];
  });
  const shown = await readShownTickets(
    tx,
    { tenantId, integrationId },
    restrictedOf(targets),
    ticketsOf(changes),
  );
  return targets.map((target) => ({ ...target, shown: shown.get(target.lineageId) ?? [] }));
}

function restrictedOf(targets: readonly Target[]): readonly string[] {
  return targets.filter(({ restriction }) => restriction !== null).map(({ lineageId }) => lineageId);
}

function ticketsOf(changes: readonly NewTicketChange[]): readonly number[] {
  return changes.flatMap(({ content }) => (content.kind === 'GAP' ? [] : [content.ticket_id]));
}

function sameTargets(a: readonly Target[], b: readonly Target[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

interface SealedAhead<Change> {
  readonly part: readonly Change[];
  readonly targets: readonly Target[];
  readonly sealed: SealedChanges;
}

/** As many of `changes` as one transaction takes, sealed for the streams and keys as they are now. */
async function sealAhead<Change extends NewTicketChange>(
  deps: AppendDeps,
  keys: TenantKeys,
  integrationId: string,
  changes: readonly Change[],
): Promise<SealedAhead<Change>> {
  const targets = await deps.store.withTenant(keys.tenantId, (tx) =>
    readTargets(tx, keys.tenantId, integrationId, changes, deps.clock.now()),
  );
  const keyCount = targets.reduce((sum, { keyIds }) => sum + keyIds.length, 0);
  const part = changes.slice(0, Math.max(1, Math.floor(MAX_ENVELOPES / Math.max(1, keyCount))));
  return { part, targets, sealed: await sealChanges(deps, keys, integrationId, part, targets, null) };
}

interface SealedChanges {
  readonly entries: readonly NewEntry[];
  readonly events: readonly NewAuditEvent[];
}

/** `tx` where a transaction is under way. */
async function sealChanges(
  { clock, sealer }: AppendDeps,
  keys: TenantKeys,
  integrationId: string,
  changes: readonly NewTicketChange[],
  targets: readonly Target[],
  tx: Tx | null,
): Promise<SealedChanges> {
  if (targets.length === 0) return { entries: [], events: [] };
  const now = clock.now();
  const occurredAt = new Date(now);
  const sequences = new Map(targets.map(({ lineageId, sequence }) => [lineageId, sequence]));
  const planned = changes.map((change) => {
    const auditEventId = createId('auditEvent', now);
    const plaintexts = new Plaintexts(change);
    const sealings = targets.flatMap((target): FeedSealing[] => {
      const plaintext = plaintexts.of(target);
      if (plaintext === null) return [];
      const { lineageId, keyIds } = target;
      const sequence = (sequences.get(lineageId) ?? 0) + 1;
      sequences.set(lineageId, sequence);
      const place = { integrationId, lineageId, sequence, auditEventId, plaintext };
      return keyIds.map((recipientKeyId) => ({ purpose: 'ticket.change', ...place, recipientKeyId }));
    });
    return { content: change.content, auditEventId, sealings };
  });
  const envelopes = await sealer.sealAll(
    keys,
    planned.flatMap(({ sealings }) => sealings),
    now,
    tx,
  );
  let next = 0;
  const entries: NewEntry[] = [];
  const events = planned.flatMap(({ content, auditEventId, sealings }) => {
    if (sealings.length === 0) return [];
    const made = sealings.map((sealing) => ({ sealing, sealed: envelopes[next++] as SealedEnvelope }));
    for (const { sealing, sealed } of made) {
      const { lineageId, recipientKeyId, sequence } = sealing;
      const envelope = JSON.stringify(sealed.envelope);
      entries.push({ lineageId, recipientKeyId, sequence, occurredAt, auditEventId, envelope });
    }
    return [feedEvent(auditEventId, occurredAt, integrationId, content, made)];
  });
  return { entries, events };
}

/** What the streams of one change get: most of them the same. */
class Plaintexts {
  readonly #change: NewTicketChange;
  #whole: Uint8Array | null = null;

  constructor(change: NewTicketChange) {
    this.#change = change;
  }

  /** `null` where the stream gets nothing. */
  of({ restriction, shown }: Target): Uint8Array | null {
    const { content, scope = NOTHING_KNOWN } = this.#change;
    if (restriction === null) {
      this.#whole ??= encodeUtf8(JSON.stringify(content));
      return this.#whole;
    }
    const wasShown = content.kind !== 'GAP' && shown.includes(content.ticket_id);
    const scoped = scopeChange(content, scope, wasShown, restriction);
    return scoped === null ? null : encodeUtf8(JSON.stringify(scoped));
  }
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
