/**
 * The signing secrets of webhooks, in memory for a short while: a hundred calls a second must not open one a
 * hundred times. An integration without a webhook is remembered too, for as long. A changed secret is noticed when
 * the kept one is too old, or when a signature is refused.
 */
import { type Clock, isId } from '../../base/index.ts';
import { type FeedKey, findFeedTenant, hasMarks, readFeed, webhookSecretLocation } from '../../feed/index.ts';
import type { Store } from '../../store/index.ts';
import type { Keyring } from '../../vault/index.ts';

export interface HeldWebhook extends FeedKey {
  readonly secret: string;
  /** Whether so many tickets wait to be loaded that no more are taken. */
  readonly isOverloaded: boolean;
}

export interface WebhookSecretsDeps {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly clock: Clock;
}

interface Entry {
  readonly loadedAt: number;
  readonly loading: Promise<HeldWebhook | null>;
  isOverloaded: boolean;
}

const MAX_HELD = 10_000;
const HELD_MS = 30_000;
/** How soon it is looked again whether what waits has become less. */
const OVERLOADED_MS = 5_000;
/** How often a refused signature leads to another look. */
const REFRESH_MS = 3_000;
/** Tickets that may wait to be loaded. */
export const MAX_WAITING_TICKETS = 100_000;

export class WebhookSecrets {
  readonly #deps: WebhookSecretsDeps;
  /** Least recently loaded first. */
  readonly #entries = new Map<string, Entry>();

  constructor(deps: WebhookSecretsDeps) {
    this.#deps = deps;
  }

  /** The webhook of an integration; `null` where it has none. Rejects with KMS_UNAVAILABLE and AUDIT_UNAVAILABLE. */
  async of(integrationId: string): Promise<HeldWebhook | null> {
    if (!isId('integration', integrationId)) return null;
    const entry = this.#entries.get(integrationId);
    const age = entry === undefined ? Number.POSITIVE_INFINITY : this.#deps.clock.now() - entry.loadedAt;
    const most = entry?.isOverloaded === true ? OVERLOADED_MS : HELD_MS;
    if (entry !== undefined && age >= 0 && age < most) return entry.loading;
    return this.#load(integrationId);
  }

  /** The webhook read anew after a signature was refused; `null` where it was read just now or there is none. */
  async refreshed(integrationId: string): Promise<HeldWebhook | null> {
    const entry = this.#entries.get(integrationId);
    if (entry === undefined || this.#deps.clock.now() - entry.loadedAt < REFRESH_MS) return null;
    return this.#load(integrationId);
  }

  #load(integrationId: string): Promise<HeldWebhook | null> {
    const loading = this.#read(integrationId);
    const entry: Entry = { loadedAt: this.#deps.clock.now(), loading, isOverloaded: false };
    this.#entries.delete(integrationId);
    this.#entries.set(integrationId, entry);
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size > MAX_HELD && oldest !== undefined) this.#entries.delete(oldest);
    loading.then(
      (held) => {
        entry.isOverloaded = held?.isOverloaded === true;
      },
      () => {
        // A failure is not kept: the next call tries anew.
        if (this.#entries.get(integrationId) === entry) this.#entries.delete(integrationId);
      },
    );
    return loading;
  }

  async #read(integrationId: string): Promise<HeldWebhook | null> {
    const { store, keyring } = this.#deps;
    const tenantId = await store.withSystem('feed-lookup', (tx) => findFeedTenant(tx, integrationId));
    if (tenantId === null) return null;
    const key = { tenantId, integrationId };
    const [feed, isOverloaded] = await store.withTenant(tenantId, async (tx) => [
      await readFeed(tx, key),
      await hasMarks(tx, integrationId, MAX_WAITING_TICKETS),
    ]);
    if (feed?.status !== 'ENABLED' || feed.webhook === null) return null;
    const keys = await keyring.keysOf(tenantId);
    const location = webhookSecretLocation(integrationId, feed.webhookVersion);
    return { ...key, secret: keys.openText(location, feed.webhook.secret), isOverloaded };
  }
}
