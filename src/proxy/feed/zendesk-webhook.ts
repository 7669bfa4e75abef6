/**
 * The webhook of a feed at Zendesk (zendesk-api §9): found by its address, made, taken away. Its signing secret
 * is Zendesk's to make and ours to keep.
 */
import { z } from 'zod';
import { isSealdeskError } from '../../base/index.ts';
import {
  cursorPages,
  type ZendeskClient,
  type ZendeskQuery,
  type ZendeskResponse,
} from '../../zendesk/index.ts';
import { readBody } from '../catalogue/records.ts';

const PATH = '/api/v2/webhooks';
/** Zendesk allows some hundred webhooks for an account. */
const MAX_LIST_PAGES = 20;
const WEBHOOK_ID = /^[A-Za-z0-9_-]{1,64}$/;
const MAX_SECRET_CHARACTERS = 512;

export interface SignedWebhook {
  readonly id: string;
  /** The signing secret, as text. */
  readonly secret: string;
}

export interface WebhookWish {
  /** Where Zendesk is to call, an https address. */
  readonly endpoint: string;
  readonly name: string;
  readonly eventTypes: readonly string[];
}

const Webhook = z.looseObject({
  id: z.string().regex(WEBHOOK_ID),
  endpoint: z.string().catch(''),
  status: z.string().catch(''),
  http_method: z.string().catch(''),
  request_format: z.string().catch(''),
  subscriptions: z.array(z.string()).catch([]),
});
type Webhook = z.infer<typeof Webhook>;
const WebhookBody = z.looseObject({ webhook: Webhook });
const ListBody = z.looseObject({
  webhooks: z
    .array(z.unknown())
    .transform((list) => list.flatMap((one) => Webhook.safeParse(one).data ?? [])),
});
const SecretBody = z.looseObject({
  signing_secret: z.looseObject({ secret: z.string().min(1).max(MAX_SECRET_CHARACTERS) }),
});

/**
 * The one webhook that calls `wish.endpoint`: one that is there already where it does all that is wished, else a
 * new one; others with this address are removed. Rejects with `ZendeskError`; what was made stays, and is
 * found the next time.
 */
export async function ensureWebhook(client: ZendeskClient, wish: WebhookWish): Promise<SignedWebhook> {
  const present = (await list(client)).filter(({ endpoint }) => endpoint === wish.endpoint);
  const adopted = present.find((webhook) => does(webhook, wish));
  const id = adopted?.id ?? (await create(client, wish));
  for (const other of present) if (other.id !== id) await deleteWebhook(client, other.id);
  return { id, secret: await readSecret(client, id) };
}

/** Removes every webhook that calls `endpoint`; there may be none. */
export async function removeWebhooks(client: ZendeskClient, endpoint: string): Promise<void> {
  for (const webhook of await list(client)) {
    if (webhook.endpoint === endpoint) await deleteWebhook(client, webhook.id);
  }
}

function does(webhook: Webhook, { eventTypes }: WebhookWish): boolean {
  const subscribed = new Set(webhook.subscriptions);
  return (
    webhook.status === 'active' &&
    webhook.http_method === 'POST' &&
    webhook.request_format === 'json' &&
    subscribed.size === eventTypes.length &&
    eventTypes.every((type) => subscribed.has(type))
  );
}

async function list(client: ZendeskClient): Promise<readonly Webhook[]> {
  const found: Webhook[] = [];
  const send = (query: ZendeskQuery): Promise<ZendeskResponse> =>
    client.request({ method: 'GET', path: PATH, query, mutation: false });
  for await (const { response } of cursorPages(send, { maxPages: MAX_LIST_PAGES })) {
    found.push(...readBody(ListBody, response).webhooks);
  }
  return found;
}

async function create(client: ZendeskClient, { endpoint, name, eventTypes }: WebhookWish): Promise<string> {
  const response = await client.request({
    method: 'POST',
    path: PATH,
    mutation: true,
    body: {
      webhook: {
        name,
        endpoint,
        http_method: 'POST',
        request_format: 'json',
        status: 'active',
        subscriptions: [...eventTypes],
      },
    },
  });
  return readBody(WebhookBody, response, true).webhook.id;
}

async function deleteWebhook(client: ZendeskClient, id: string): Promise<void> {
  try {
    await client.request({ method: 'DELETE', path: `${PATH}/${id}`, mutation: true });
  } catch (error) {
    // Somebody else removed it meanwhile.
    if (!isSealdeskError(error, 'NOT_FOUND')) throw error;
  }
}

async function readSecret(client: ZendeskClient, id: string): Promise<string> {
  const response = await client.request({
    method: 'GET',
    path: `${PATH}/${id}/signing_secret`,
    mutation: false,
    keepSecrets: true,
  });
  return readBody(SecretBody, response).signing_secret.secret;
}
