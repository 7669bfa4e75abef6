/** Remembers the answers to `Idempotency-Key` requests for two hours (ticket creation only). */
import { createHash } from 'node:crypto';
import type { SimulatorClock } from './options.ts';
import { coded, Refusal, type Reply } from './reply.ts';

export const IDEMPOTENCY_LIFETIME = 2 * 3_600_000;
const MAX_KEYS = 100_000;

interface Kept {
  readonly fingerprint: string;
  readonly reply: Reply;
  readonly expiresAt: number;
}

export class IdempotencyCache {
  readonly #clock: SimulatorClock;
  readonly #kept = new Map<string, Kept>();

  constructor(clock: SimulatorClock) {
    this.#clock = clock;
  }

  /**
   * Runs `create` once per key and caller; a replay with the same body gets the kept answer with
   * `x-idempotency-lookup: hit`, another body 400 IdempotentRequestError. Refused creations are not kept.
   */
  once(owner: number, key: string, body: Uint8Array, create: () => Reply): Reply {
    const now = this.#clock.now();
    const name = `${owner}:${key}`;
    const fingerprint = createHash('sha256').update(body).digest('hex');
    const known = this.#kept.get(name);
    if (known && known.expiresAt > now) {
      if (known.fingerprint !== fingerprint) {
        throw new Refusal(
          coded(400, 'IdempotentRequestError', "Request parameters don't match the given idempotency key"),
        );
      }
      return { ...known.reply, headers: { ...known.reply.headers, 'x-idempotency-lookup': 'hit' } };
    }
    const reply = create();
    const oldest = this.#kept.size >= MAX_KEYS ? this.#kept.keys().next().value : undefined;
    if (oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(name, { fingerprint, reply, expiresAt: now + IDEMPOTENCY_LIFETIME });
    return { ...reply, headers: { ...reply.headers, 'x-idempotency-lookup': 'miss' } };
  }
}
