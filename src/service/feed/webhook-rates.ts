/**
 * How fast each integration may have genuine webhooks taken in, in this process: a token bucket, generous, against
 * a Zendesk account that floods the gateway. A bucket pushed out because there are too many begins anew, full.
 */
import type { Clock } from '../../base/index.ts';

export interface WebhookRate {
  readonly perSecond: number;
  /** How many may come at once. */
  readonly burst: number;
}

export const DEFAULT_WEBHOOK_RATE: WebhookRate = Object.freeze({ perSecond: 600, burst: 3_000 });
const MAX_BUCKETS = 10_000;

interface Bucket {
  readonly tokens: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export class WebhookRates {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #rate: WebhookRate;
  /** Least recently used first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Pick<Clock, 'now'>, rate: WebhookRate) {
    this.#clock = clock;
    this.#rate = rate;
  }

  /** Counts one webhook; `false` where it is one too many. */
  take(integrationId: string): boolean {
    const { perSecond, burst } = this.#rate;
    const now = this.#clock.now();
    const { tokens, at } = this.#buckets.get(integrationId) ?? { tokens: burst, at: now };
    // A clock set back fills nothing.
    const filled = Math.min(burst, tokens + (Math.max(0, now - at) * perSecond) / 1_000);
    const isTaken = filled >= 1;
    this.#buckets.delete(integrationId);
    this.#buckets.set(integrationId, { tokens: isTaken ? filled - 1 : filled, at: now });
    const oldest = this.#buckets.keys().next().value;
    if (this.#buckets.size > MAX_BUCKETS && oldest !== undefined) this.#buckets.delete(oldest);
    return isTaken;
  }
}
