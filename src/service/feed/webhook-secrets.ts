/**
 * The signing secrets of webhooks, in memory for a short while: a hundred calls a second must not open one a
 * hundred times. A changed secret is noticed when the kept one is too old, or when a signature is refused; until the
 * new one is there, the kept one counts. Ids without a webhook are remembered apart, and few of them: anybody can make
 * some up, and they must push no secret out.
 */
import { type Clock, isId } from '../../base/index.ts';
import {
  type FeedKey,
  findFeedTenant,
  hasMarks,
  hasPending,
  readFeed,
  webhookSecretLocation,
} from '../../feed/index.ts';
import type { Store } from '../../store/index.ts';
import type { Keyring } from '../../vault/index.ts';

export interface HeldWebhook extends FeedKey {
  readonly secret: string;
  /** Whether so much waits to be loaded that no more is taken. */
  readonly isOverloaded: boolean;
}

export interface WebhookSecretsDeps {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly clock: Clock;
}

interface Entry {
  readonly loadedAt: number;
  readonly webhook: HeldWebhook | null;
}

const MAX_HELD = 10_000;
const MAX_ABSENT = 1_000;
const HELD_MS = 30_000;
/** How soon it is looked again whether what waits has become less. */
const OVERLOADED_MS = 5_000;
/** How often a refused signature leads to another look. */
const REFRESH_MS = 3_000;
/** Tickets that may wait to be loaded. */
export const MAX_WAITING_TICKETS = 100_000;
/** Webhooks that may wait for their ticket to be loaded. */
export const MAX_WAITING_WEBHOOKS = 200_000;

export class WebhookSecrets {
  readonly #deps: WebhookSecretsDeps;
  /** Least recently loaded first; kept when they are too old, since the id is one that has a webhook. */
  readonly #held = new Map<string, Entry>();
  /** The same for ids that have none. */
  readonly #absent = new Map<string, Entry>();
  readonly #loading = new Map<string, Promise<HeldWebhook | null>>();

  constructor(deps: WebhookSecretsDeps) {
    this.#deps = deps;
  }

  /** Whether the integration has a webhook, or is known to have none, as far as this process has seen. */
  isKnown(integrationId: string): boolean {
    return this.#held.has(integrationId) || this.#ageOf(this.#absent.get(integrationId)) < HELD_MS;
  }

  /** The webhook of an integration; `null` where it has none. Rejects with KMS_UNAVAILABLE and AUDIT_UNAVAILABLE. */
  async of(integrationId: string): Promise<HeldWebhook | null> {
    if (!isId('integration', integrationId)) return null;
    const entry = this.#entryOf(integrationId);
    const most = entry?.webhook?.isOverloaded === true ? OVERLOADED_MS : HELD_MS;
    if (entry !== undefined && this.#ageOf(entry) < most) return entry.webhook;
    return this.#load(integrationId);
  }

  /**
   * The webhook read anew after a signature was refused; `null` where it was read just now or there is none. Until it
   * is there, others have the one that is held.
   */
  async refreshed(integrationId: string): Promise<HeldWebhook | null> {
    const entry = this.#entryOf(integrationId);
    return entry === undefined || this.#ageOf(entry) < REFRESH_MS ? null : this.#load(integrationId);
  }

  #entryOf(integrationId: string): Entry | undefined {
    return this.#held.get(integrationId) ?? this.#absent.get(integrationId);
  }

  /** Milliseconds; of none, and where the clock was set back since, more than anything. */
  #ageOf(entry: Entry | undefined): number {
    const age = entry === undefined ? -1 : this.#deps.clock.now() - entry.loadedAt;
    return age < 0 ? Number.POSITIVE_INFINITY : age;
  }

  /** Everybody who asks meanwhile has the same answer; a failure is not kept. */
  #load(integrationId: string): Promise<HeldWebhook | null> {
    const underWay = this.#loading.get(integrationId);
    if (underWay !== undefined) return underWay;
    const loadedAt = this.#deps.clock.now();
    const loading = this.#read(integrationId)
      .then((webhook) => {
        this.#keep(integrationId, { loadedAt, webhook });
        return webhook;
      })
      .finally(() => this.#loading.delete(integrationId));
    this.#loading.set(integrationId, loading);
    return loading;
  }

  #keep(integrationId: string, entry: Entry): void {
    this.#held.delete(integrationId);
    this.#absent.delete(integrationId);
    const [entries, most] = entry.webhook === null ? [this.#absent, MAX_ABSENT] : [this.#held, MAX_HELD];
    entries.set(integrationId, entry);
    const oldest = entries.keys().next().value;
    if (entries.size > most && oldest !== undefined) entries.delete(oldest);
  }

  async #read(integrationId: string): Promise<HeldWebhook | null> {
    const { store, keyring } = this.#deps;
    const tenantId = await store.withSystem('feed-lookup', (tx) => findFeedTenant(tx, integrationId));
    if (tenantId === null) return null;
    const key = { tenantId, integrationId };
    const [feed, isOverloaded] = await store.withTenant(tenantId, async (tx) => [
      await readFeed(tx, key),
      (await hasMarks(tx, integrationId, MAX_WAITING_TICKETS)) ||
        (await hasPending(tx, integrationId, MAX_WAITING_WEBHOOKS)),
    ]);
    if (feed?.status !== 'ENABLED' || feed.webhook === null) return null;
    const keys = await keyring.keysOf(tenantId);
    const location = webhookSecretLocation(integrationId, feed.webhookVersion);
    return { ...key, secret: keys.openText(location, feed.webhook.secret), isOverloaded };
  }
}
