import { describe, expect, it } from 'vitest';
import { signWebhook, TEST_WEBHOOK_SECRET } from '../../simulator/index.ts';
import { basic, listAt, objectAt, openSession } from './client.ts';
import { createWebhook, WEBHOOK } from './feed.ts';
import { openReceiver } from './receiver.ts';

const errorOf = (body: unknown): Record<string, unknown> => listAt(body, 'errors')[0] ?? {};

describe('the webhooks API', () => {
  it('creates, shows, changes and removes a webhook', async () => {
    await using session = await openSession({ tickets: 20 });
    const created = await session.call('/api/v2/webhooks', { body: { webhook: WEBHOOK } });
    expect(created.status).toBe(201);
    const webhook = objectAt(created.body, 'webhook');
    expect(webhook['id']).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(webhook).toMatchObject({ ...WEBHOOK, authentication: null, created_at: '2026-11-21T06:00:00Z' });
    const path = `/api/v2/webhooks/${webhook['id']}`;
    session.clock.advance(1000);
    const patched = await session.call(path, { method: 'PATCH', body: { webhook: { status: 'inactive' } } });
    expect(patched).toMatchObject({ status: 204, text: '' });
    expect(objectAt((await session.call(path)).body, 'webhook')).toMatchObject({
      name: 'Sealdesk',
      status: 'inactive',
      updated_at: '2026-11-21T06:00:01Z',
    });
    const replaced = await session.call(path, {
      method: 'PUT',
      body: { webhook: { ...WEBHOOK, name: 'Renamed', subscriptions: ['zen:event-type:ticket.created'] } },
    });
    expect(replaced.status).toBe(204);
    expect(objectAt((await session.call(path)).body, 'webhook')).toMatchObject({
      name: 'Renamed',
      subscriptions: ['zen:event-type:ticket.created'],
    });
    expect((await session.call(path, { method: 'DELETE' })).status).toBe(204);
    const gone = await session.call(path);
    expect(gone.status).toBe(404);
    expect(errorOf(gone.body)).toMatchObject({ code: 'WebhookNotFound' });
  });

  it('lists by cursor, with filters', async () => {
    await using session = await openSession({ tickets: 20 });
    for (const name of ['Alpha', 'Beta', 'Alphabet']) await createWebhook(session, { name });
    const first = await session.call('/api/v2/webhooks?page[size]=2');
    expect(listAt(first.body, 'webhooks').map((webhook) => webhook['name'])).toEqual(['Alpha', 'Beta']);
    expect(objectAt(first.body, 'meta')['has_more']).toBe(true);
    const cursor = encodeURIComponent(String(objectAt(first.body, 'meta')['after_cursor']));
    const rest = await session.call(`/api/v2/webhooks?page[size]=2&page[after]=${cursor}`);
    expect(listAt(rest.body, 'webhooks').map((webhook) => webhook['name'])).toEqual(['Alphabet']);
    const found = await session.call('/api/v2/webhooks?filter[name_contains]=alpha&sort=-name');
    expect(listAt(found.body, 'webhooks').map((webhook) => webhook['name'])).toEqual(['Alphabet', 'Alpha']);
    expect(listAt((await session.call('/api/v2/webhooks?filter[status]=inactive')).body, 'webhooks')).toEqual(
      [],
    );
  });

  it('gives the signing secret and a new one on demand', async () => {
    await using session = await openSession({ tickets: 20 });
    const { id, secret } = await createWebhook(session, {});
    const reset = await session.call(`/api/v2/webhooks/${id}/signing_secret`, { method: 'POST' });
    expect(reset.status).toBe(201);
    const renewed = objectAt(reset.body, 'signing_secret');
    expect(renewed['algorithm']).toBe('SHA256');
    expect(renewed['secret']).not.toBe(secret);
    const shown = await session.call(`/api/v2/webhooks/${id}/signing_secret`);
    expect(shown.body).toEqual(reset.body);
  });

  it('keeps the secrets of the authentication to itself', async () => {
    await using session = await openSession({ tickets: 20 });
    const authentication = { type: 'bearer_token', add_position: 'header', data: { token: 'hush-hush' } };
    const { id } = await createWebhook(session, { authentication });
    const shown = await session.call(`/api/v2/webhooks/${id}`);
    expect(objectAt(shown.body, 'webhook', 'authentication')).toEqual({
      type: 'bearer_token',
      add_position: 'header',
    });
    expect((await session.call('/api/v2/webhooks')).text).not.toContain('hush-hush');
  });

  it('clones a webhook, with a secret of its own', async () => {
    await using session = await openSession({ tickets: 20 });
    const { id, secret } = await createWebhook(session, { name: 'Original' });
    const clone = await session.call(`/api/v2/webhooks?clone_webhook_id=${id}`, { body: {} });
    const webhook = objectAt(clone.body, 'webhook');
    expect(webhook).toMatchObject({ name: 'Original', subscriptions: WEBHOOK.subscriptions });
    expect(webhook['id']).not.toBe(id);
    const own = await session.call(`/api/v2/webhooks/${webhook['id']}/signing_secret`);
    expect(objectAt(own.body, 'signing_secret')['secret']).not.toBe(secret);
  });

  it('counts its calls apart from the account', async () => {
    await using session = await openSession({ tickets: 20, accountLimit: 1 });
    const first = await session.call('/api/v2/webhooks');
    expect(first.headers.get('x-rate-limit')).toBe('100');
    expect(first.headers.get('x-rate-limit-remaining')).toBe('99');
    expect(first.headers.get('ratelimit-limit')).toBeNull();
    expect((await session.call('/api/v2/tickets')).status).toBe(200);
    expect((await session.call('/api/v2/tickets')).status).toBe(429);
    for (let count = 1; count < 100; count += 1) await session.call('/api/v2/webhooks');
    expect((await session.call('/api/v2/webhooks')).status).toBe(429);
  });
});

describe('what the webhooks API refuses', () => {
  it('everybody but administrators, and tokens without the scope', async () => {
    await using session = await openSession({ tickets: 20 });
    const agent = await session.call('/api/v2/webhooks', { authorization: basic('agent@example.test') });
    expect(agent.status).toBe(403);
    expect(errorOf(agent.body)).toMatchObject({ code: 'Forbidden' });
    const bearer = (scope: string): string =>
      `Bearer ${session.simulator.issueAccessToken({ scopes: [scope] }).token}`;
    const create = (scope: string) =>
      session.call('/api/v2/webhooks', { authorization: bearer(scope), body: { webhook: WEBHOOK } });
    expect((await create('tickets:write')).status).toBe(403);
    expect((await create('webhooks:read')).status).toBe(403);
    expect((await create('webhooks:write')).status).toBe(201);
    expect((await create('write')).status).toBe(201);
  });

  it.each([
    ['an unknown event type', { subscriptions: ['zen:event-type:ticket.exploded'] }],
    [
      'event types with triggers',
      { subscriptions: ['conditional_ticket_events', 'zen:event-type:ticket.created'] },
    ],
    ['events by another method', { http_method: 'PUT' }],
    ['events in another format', { request_format: 'xml' }],
    ['an endpoint in the clear', { endpoint: 'http://gateway.example/hook' }],
    ['an endpoint that is none', { endpoint: 'gateway' }],
    ['no name', { name: '' }],
    ['an unknown status', { status: 'paused' }],
    ['an unknown authentication', { authentication: { type: 'magic', data: {} } }],
    ['six headers', { custom_headers: { a: '1', b: '2', c: '3', d: '4', e: '5', f: '6' } }],
  ])('%s', async (_what, fields) => {
    await using session = await openSession({ tickets: 20 });
    const answer = await session.call('/api/v2/webhooks', { body: { webhook: { ...WEBHOOK, ...fields } } });
    expect(answer.status).toBe(400);
    expect(Object.keys(errorOf(answer.body)).sort()).toEqual(['code', 'detail', 'title']);
    expect(session.simulator.webhooks.list()).toEqual([]);
  });

  it('switching between event types and triggers', async () => {
    await using session = await openSession({ tickets: 20 });
    const { id } = await createWebhook(session, {});
    const answer = await session.call(`/api/v2/webhooks/${id}`, {
      method: 'PATCH',
      body: { webhook: { subscriptions: ['conditional_ticket_events'] } },
    });
    expect(answer.status).toBe(400);
    expect(errorOf(answer.body)['detail']).toContain('cannot be switched');
  });

  it('a body without a webhook, and an id of none', async () => {
    await using session = await openSession({ tickets: 20 });
    expect((await session.call('/api/v2/webhooks', { body: {} })).status).toBe(400);
    const reset = await session.call('/api/v2/webhooks/01NONE/signing_secret', { method: 'POST' });
    expect(reset.status).toBe(404);
  });
});

describe('testing a webhook', () => {
  it('sends the payload signed with the public secret before the webhook exists, and tells the answer', async () => {
    await using session = await openSession({ tickets: 20 });
    await using receiver = await openReceiver(() => ({ status: 202, text: 'thanks' }));
    const answer = await session.call('/api/v2/webhooks/test', {
      body: { request: { endpoint: receiver.url, payload: '{"hello":true}' } },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-rate-limit')).toBe('20');
    expect(objectAt(answer.body, 'response')).toMatchObject({ status: 202, payload: 'thanks' });
    const [request] = receiver.requests;
    expect(request?.raw).toBe('{"hello":true}');
    expect(request?.headers['x-zendesk-webhook-signature']).toBe(
      signWebhook(
        TEST_WEBHOOK_SECRET,
        String(request?.headers['x-zendesk-webhook-signature-timestamp']),
        request?.raw ?? '',
      ),
    );
  });

  it('uses the webhook’s own endpoint and secret once there is one', async () => {
    await using session = await openSession({ tickets: 20 });
    await using receiver = await openReceiver();
    const { id, secret } = await createWebhook(session, { endpoint: receiver.url });
    await session.call(`/api/v2/webhooks/test?webhook_id=${id}`, { body: { request: { payload: '{}' } } });
    const [request] = receiver.requests;
    expect(request?.headers['x-zendesk-webhook-id']).toBe(id);
    expect(request?.headers['x-zendesk-webhook-signature']).toBe(
      signWebhook(
        secret,
        String(request?.headers['x-zendesk-webhook-signature-timestamp']),
        request?.raw ?? '',
      ),
    );
  });

  it('tells of a receiver that is not there as a gateway timeout', async () => {
    await using session = await openSession({ tickets: 20 });
    const receiver = await openReceiver();
    await receiver[Symbol.asyncDispose]();
    const answer = await session.call('/api/v2/webhooks/test', {
      body: { request: { endpoint: receiver.url, payload: '' } },
    });
    expect(objectAt(answer.body, 'response')['status']).toBe(504);
  });
});
