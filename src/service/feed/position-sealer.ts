/**
 * Signed positions of streams. Whoever asks at the same time for streams of one feed is served by one look into
 * the database, one event of the log and one envelope for each stream and key; who asks while that is under way
 * waits for it to end, and then has what it sealed. A position that another process sealed is used as long as it is
 * what would be sealed now: of the same sequence, and young enough.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { listActiveKeys } from '../../access/index.ts';
import { createId, encodeUtf8, SealdeskError, type TicketPositionContent } from '../../base/index.ts';
import type { HybridCryptoEnvelope } from '../../envelope/index.ts';
import {
  listOpenStreams,
  type Position,
  readCompleteUntil,
  readerName,
  readPositions,
  readTime,
  writePositions,
} from '../../feed/index.ts';
import { appendEvents } from '../record-event.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { FEED_OPERATION } from './feed-operation.ts';
import type { FeedSealer, FeedSealing } from './feed-sealer.ts';

/** Streams and keys of one batch, whose envelopes one event lists. */
const MAX_BATCH = 500;

/** The stream of a lineage, as one of its keys reads it. */
export interface PositionTarget {
  readonly tenantId: string;
  readonly integrationId: string;
  readonly lineageId: string;
  readonly recipientKeyId: string;
}

export interface SealedPosition {
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  readonly envelope: HybridCryptoEnvelope;
}

export interface PositionSealer {
  /**
   * A position of the stream as it is now, sealed no longer than `maxAgeMs` ago. Rejects with KEY_REVOKED where
   * the key is not active or the stream not open, with KMS_UNAVAILABLE and AUDIT_UNAVAILABLE.
   */
  seal(target: PositionTarget, maxAgeMs: number): Promise<SealedPosition>;
}

export interface PositionSealerDeps extends Pick<ServiceDeps, 'store' | 'keyring'> {
  readonly sealer: FeedSealer;
}

/** One per process. */
export function createPositionSealer(deps: PositionSealerDeps): PositionSealer {
  return new BatchingPositionSealer(deps);
}

/** What is asked of one feed in one turn of the event loop, or while the batch before is sealed. */
interface Batch {
  readonly tenantId: string;
  readonly integrationId: string;
  readonly wishes: Map<string, { readonly target: PositionTarget; maxAgeMs: number }>;
  readonly answer: Promise<ReadonlyMap<string, SealedPosition>>;
}

class BatchingPositionSealer implements PositionSealer {
  readonly #deps: PositionSealerDeps;
  /** Still collecting, by integration. */
  readonly #batches = new Map<string, Batch>();
  /** The end of the newest batch, by integration. */
  readonly #ends = new Map<string, Promise<unknown>>();

  constructor(deps: PositionSealerDeps) {
    this.#deps = deps;
  }

  async seal(target: PositionTarget, maxAgeMs: number): Promise<SealedPosition> {
    const collecting = this.#batches.get(target.integrationId);
    const batch =
      collecting === undefined || collecting.wishes.size >= MAX_BATCH ? this.#openBatch(target) : collecting;
    const name = readerName(target.lineageId, target.recipientKeyId);
    const wish = batch.wishes.get(name);
    batch.wishes.set(name, { target, maxAgeMs: Math.min(maxAgeMs, wish?.maxAgeMs ?? maxAgeMs) });
    const position = (await batch.answer).get(name);
    if (position !== undefined) return position;
    throw new SealdeskError(
      'KEY_REVOKED',
      'The client key has no open stream of this change feed any more. Subscribe again, with a key that is active.',
      { subject: target.recipientKeyId },
    );
  }

  #openBatch({ tenantId, integrationId }: PositionTarget): Batch {
    const turn = Promise.all([nextTurn(), this.#ends.get(integrationId)]);
    const batch: Batch = {
      tenantId,
      integrationId,
      wishes: new Map(),
      answer: turn.then(() => {
        if (this.#batches.get(integrationId) === batch) this.#batches.delete(integrationId);
        return this.#sealBatch(batch);
      }),
    };
    this.#batches.set(integrationId, batch);
    const end = batch.answer.then(
      () => undefined,
      () => undefined,
    );
    this.#ends.set(integrationId, end);
    void end.then(() => {
      if (this.#ends.get(integrationId) === end) this.#ends.delete(integrationId);
    });
    return batch;
  }

  async #sealBatch(batch: Batch): Promise<ReadonlyMap<string, SealedPosition>> {
    const { store, keyring } = this.#deps;
    const { tenantId, wishes } = batch;
    const keys = await keyring.keysOf(tenantId);
    const { stored, due, completeUntil, now } = await store.withTenant(tenantId, async (tx) => {
      // Read before the sequences: what is complete now is in the stream by then.
      const completeUntil = await readCompleteUntil(tx, batch);
      const lineageIds = [...new Set([...wishes.values()].map(({ target }) => target.lineageId))];
      const streams = await listOpenStreams(tx, tenantId, batch.integrationId);
      const sequences = new Map(streams.map(({ lineageId, sequence }) => [lineageId, sequence]));
      const positions = await readPositions(tx, batch, lineageIds);
      const time = (await readTime(tx)).getTime();
      const wanted = [...wishes].flatMap(([name, { target, maxAgeMs }]) => {
        const sequence = sequences.get(target.lineageId);
        if (sequence === undefined) return [];
        const position = positions.get(name);
        const age = time - (position?.issuedAt.getTime() ?? 0);
        const isFresh = position?.sequence === sequence && age >= 0 && age <= maxAgeMs;
        return [{ target, sequence, fresh: isFresh ? position : null }];
      });
      return {
        stored: wanted.flatMap(({ fresh }) => fresh ?? []),
        due: wanted.filter(({ fresh }) => fresh === null),
        completeUntil,
        now: time,
      };
    });
    const answer = new Map(stored.map((position) => [nameOf(position), parsePosition(position)]));
    if (due.length === 0) return answer;

    const auditEventId = createId('auditEvent', now);
    const plaintext = encodeUtf8(JSON.stringify(contentOf(completeUntil)));
    const sealings = due.map(
      ({ target, sequence }): FeedSealing => ({
        purpose: 'ticket.position',
        integrationId: batch.integrationId,
        lineageId: target.lineageId,
        recipientKeyId: target.recipientKeyId,
        sequence,
        auditEventId,
        plaintext,
      }),
    );
    const envelopes = await this.#deps.sealer.sealAll(keys, sealings, now, null);
    const sealed = sealings.flatMap((sealing, index) => {
      const made = envelopes[index];
      return made === undefined ? [] : [{ sealing, made }];
    });
    const issuedAt = new Date(now);
    const leaving = await store.withTenant(tenantId, async (tx) => {
      const lineageIds = [...new Set(sealings.map(({ lineageId }) => lineageId))];
      const active = new Set(
        (await listActiveKeys(tx, tenantId, lineageIds, now, { isHeld: true })).map(({ keyId }) => keyId),
      );
      const still = sealed.filter(({ sealing }) => active.has(sealing.recipientKeyId));
      if (still.length === 0) return still;
      await writePositions(
        tx,
        batch,
        still.map(({ sealing, made }) => ({
          lineageId: sealing.lineageId,
          recipientKeyId: sealing.recipientKeyId,
          sequence: sealing.sequence,
          issuedAt,
          envelope: JSON.stringify(made.envelope),
        })),
      );
      const headKey = keys.auditHeadKey();
      try {
        await appendEvents(tx, tenantId, headKey, [
          {
            id: auditEventId,
            occurredAt: issuedAt.toISOString(),
            phase: 'SINGLE',
            outcome: 'SUCCEEDED',
            actor: { type: 'SYSTEM', id: 'ticket-feed' },
            action: 'feed.position',
            operation: FEED_OPERATION,
            integrationId: batch.integrationId,
            resource: batch.integrationId,
            envelopes: still.map(({ sealing, made }) => ({
              keyId: sealing.recipientKeyId,
              sequence: sealing.sequence,
              sha256: made.transcriptSha256,
            })),
          },
        ]);
      } finally {
        headKey.fill(0);
      }
      return still;
    });
    for (const { sealing, made } of leaving) {
      answer.set(nameOf(sealing), { sequence: sealing.sequence, issuedAt: now, envelope: made.envelope });
    }
    return answer;
  }
}

function contentOf(completeUntil: Date | null): TicketPositionContent {
  return { v: 1, complete_until: completeUntil?.toISOString() ?? null };
}

function nameOf({ lineageId, recipientKeyId }: Pick<Position, 'lineageId' | 'recipientKeyId'>): string {
  return readerName(lineageId, recipientKeyId);
}

function parsePosition({ sequence, issuedAt, envelope }: Position): SealedPosition {
  const parsed: HybridCryptoEnvelope = JSON.parse(envelope);
  return { sequence, issuedAt: issuedAt.getTime(), envelope: parsed };
}
