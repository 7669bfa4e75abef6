/** The account's webhooks: what they listen to, where they deliver and the secrets they sign with. */
import { randomBytes } from 'node:crypto';
import { createUlid } from './ulid.ts';

export type WebhookAuthentication =
  | { readonly type: 'basic_auth'; readonly username: string; readonly password: string }
  | { readonly type: 'bearer_token'; readonly token: string }
  | { readonly type: 'api_key'; readonly name: string; readonly value: string };

/** What a caller can set. */
export interface WebhookFields {
  readonly name: string;
  readonly description: string | null;
  readonly status: 'active' | 'inactive';
  readonly endpoint: string;
  readonly httpMethod: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly requestFormat: 'json' | 'xml' | 'form_encoded';
  readonly subscriptions: readonly string[];
  readonly authentication: WebhookAuthentication | null;
  readonly customHeaders: Readonly<Record<string, string>>;
}

export interface Webhook extends WebhookFields {
  readonly id: string;
  /** Order of creation, for lists. */
  readonly sequence: number;
  readonly secret: string;
  readonly createdAt: number;
  readonly createdBy: number;
  readonly updatedAt: number;
  readonly updatedBy: number;
}

const MAX_WEBHOOKS = 200;

const createSecret = (): string => randomBytes(32).toString('base64');

export class WebhookRegistry {
  readonly #webhooks = new Map<string, Webhook>();
  #sequence = 0;

  /** By order of creation. */
  list(): readonly Webhook[] {
    return [...this.#webhooks.values()];
  }

  get(id: string): Webhook | null {
    return this.#webhooks.get(id) ?? null;
  }

  /** Null when the account has as many as it can. */
  add(fields: WebhookFields, userId: number, now: number): Webhook | null {
    if (this.#webhooks.size >= MAX_WEBHOOKS) return null;
    this.#sequence += 1;
    const webhook: Webhook = {
      ...fields,
      id: createUlid(now),
      sequence: this.#sequence,
      secret: createSecret(),
      createdAt: now,
      createdBy: userId,
      updatedAt: now,
      updatedBy: userId,
    };
    this.#webhooks.set(webhook.id, webhook);
    return webhook;
  }

  update(webhook: Webhook, fields: WebhookFields, userId: number, now: number): void {
    this.#webhooks.set(webhook.id, { ...webhook, ...fields, updatedAt: now, updatedBy: userId });
  }

  /** Gives the webhook a new signing secret; the old one is out of use at once. */
  resetSecret(webhook: Webhook): string {
    const secret = createSecret();
    this.#webhooks.set(webhook.id, { ...webhook, secret });
    return secret;
  }

  remove(id: string): boolean {
    return this.#webhooks.delete(id);
  }
}
