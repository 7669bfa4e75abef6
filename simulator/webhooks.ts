/**
 * The webhooks API: `/api/v2/webhooks`. Secrets of the authentication are taken and never shown; the signing
 * secret has an endpoint of its own. Errors are of the family `{"errors":[{code,title,detail}]}`.
 */
import { type Call, textParam, userOf } from './call.ts';
import { invalidSort, type Order, pageByCursor } from './pagination.ts';
import { isoTime } from './people-view.ts';
import { empty, json, jsonLater, listed, Refusal, type Reply } from './reply.ts';
import { createUlid } from './ulid.ts';
import { isRecord } from './validation.ts';
import { assertSameKind, parseWebhook, parseWebhookChange } from './webhook-input.ts';
import type { Webhook, WebhookFields } from './webhook-registry.ts';
import type { SendResult, SendTarget } from './webhook-sender.ts';
import { TEST_WEBHOOK_SECRET } from './webhook-signature.ts';

const SORT_KEYS = {
  id: (webhook: Webhook) => webhook.sequence,
  name: (webhook: Webhook) => webhook.name.toLowerCase(),
  status: (webhook: Webhook) => webhook.status,
} as const;

const notFound = (): Refusal =>
  new Refusal(listed(404, 'WebhookNotFound', 'Webhook not found', 'No webhook has this id'));

const webhookOf = (call: Call): Webhook => {
  const webhook = call.world.webhooks.get(textParam(call));
  if (!webhook) throw notFound();
  return webhook;
};

const webhookView = (webhook: Webhook): Record<string, unknown> => ({
  id: webhook.id,
  name: webhook.name,
  description: webhook.description,
  status: webhook.status,
  subscriptions: webhook.subscriptions,
  endpoint: webhook.endpoint,
  http_method: webhook.httpMethod,
  request_format: webhook.requestFormat,
  authentication: webhook.authentication && {
    type: webhook.authentication.type,
    add_position: 'header',
  },
  custom_headers: webhook.customHeaders,
  created_at: isoTime(webhook.createdAt),
  created_by: String(webhook.createdBy),
  updated_at: isoTime(webhook.updatedAt),
  updated_by: String(webhook.updatedBy),
});

const bodyRecord = (call: Call, name: string): Record<string, unknown> => {
  const value = isRecord(call.body) ? call.body[name] : undefined;
  if (isRecord(value)) return value;
  throw new Refusal(listed(400, 'InvalidWebhook', 'Webhook is invalid', `${name} is required`));
};

const orderOf = (call: Call): Order<Webhook> => {
  const sort = call.query.get('sort') ?? 'id';
  const name = sort.replace(/^-/, '');
  if (name !== 'id' && name !== 'name' && name !== 'status') throw invalidSort();
  return {
    name,
    descending: sort.startsWith('-'),
    key: SORT_KEYS[name],
    id: (webhook) => webhook.sequence,
  };
};

export const listWebhooks = (call: Call): Reply => {
  const named = call.query.get('filter[name_contains]')?.toLowerCase() ?? '';
  const status = call.query.get('filter[status]');
  const order = orderOf(call);
  const sign = order.descending ? -1 : 1;
  const rows = call.world.webhooks
    .list()
    .filter((webhook) => webhook.name.toLowerCase().includes(named))
    .filter((webhook) => status === null || webhook.status === status)
    .sort((a, b) => {
      const left = order.key(a);
      const right = order.key(b);
      return sign * (left < right ? -1 : left > right ? 1 : a.sequence - b.sequence);
    });
  const page = pageByCursor(call, rows, order);
  return json(200, { webhooks: page.rows.map(webhookView), ...page.fields });
};

export const createWebhook = (call: Call): Reply => {
  const { webhooks, clock } = call.world;
  const cloned = call.query.get('clone_webhook_id');
  const source = cloned === null ? null : webhooks.get(cloned);
  if (cloned !== null && !source) throw notFound();
  const fields: WebhookFields = source ?? parseWebhook(bodyRecord(call, 'webhook'));
  const added = webhooks.add(fields, userOf(call).id, clock.now());
  if (!added) {
    throw new Refusal(listed(400, 'WebhookLimitExceeded', 'Too many webhooks', 'Delete a webhook first'));
  }
  return json(201, { webhook: webhookView(added) });
};

export const showWebhook = (call: Call): Reply => json(200, { webhook: webhookView(webhookOf(call)) });

const changeWebhook = (call: Call, fields: WebhookFields, current: Webhook): Reply => {
  assertSameKind(current, fields);
  call.world.webhooks.update(current, fields, userOf(call).id, call.world.clock.now());
  return empty(204);
};

export const replaceWebhook = (call: Call): Reply => {
  const current = webhookOf(call);
  return changeWebhook(call, parseWebhook(bodyRecord(call, 'webhook')), current);
};

export const patchWebhook = (call: Call): Reply => {
  const current = webhookOf(call);
  return changeWebhook(call, parseWebhookChange(current, bodyRecord(call, 'webhook')), current);
};

export const deleteWebhook = (call: Call): Reply => {
  call.world.webhooks.remove(webhookOf(call).id);
  return empty(204);
};

const secretView = (secret: string): object => ({ signing_secret: { secret, algorithm: 'SHA256' } });

export const showSigningSecret = (call: Call): Reply => json(200, secretView(webhookOf(call).secret));

export const resetSigningSecret = (call: Call): Reply =>
  json(201, secretView(call.world.webhooks.resetSecret(webhookOf(call))));

const testResult = (result: SendResult): object => {
  if (result.outcome !== 'answered') {
    return { response: { status: 504, headers: [], payload: 'Failed: 504 Gateway Timeout' } };
  }
  const headers = Object.entries(result.headers).map(([key, value]) => ({ key, value }));
  return { response: { status: result.status, headers, payload: result.text } };
};

/** Sends `request.payload` once and answers with what came back; before a webhook exists the secret is the public one. */
export const testWebhook = (call: Call): Reply => {
  const { sender, webhooks, clock } = call.world;
  const id = call.query.get('webhook_id');
  const stored = id === null ? null : webhooks.get(id);
  if (id !== null && !stored) throw notFound();
  const { payload, ...input } =
    isRecord(call.body) && call.body['request'] ? bodyRecord(call, 'request') : {};
  const fields = stored
    ? parseWebhookChange(stored, input)
    : parseWebhook({
        name: 'test',
        status: 'active',
        http_method: 'POST',
        request_format: 'json',
        ...input,
      });
  const target: SendTarget = {
    ...fields,
    id: stored?.id ?? createUlid(clock.now()),
    secret: stored?.secret ?? TEST_WEBHOOK_SECRET,
  };
  const body = typeof payload === 'string' ? payload : payload === undefined ? '' : JSON.stringify(payload);
  return jsonLater(200, sender.send(target, body, createUlid(clock.now())).then(testResult));
};
