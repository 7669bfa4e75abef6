/** The way in for Zendesk's webhooks: what reaches the use case, and what is turned away before. */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createId, SealdeskError } from '../../../src/base/index.ts';
import { MAX_BODY_BYTES } from '../../../src/server/index.ts';
import type { Services } from '../../../src/service/index.ts';
import { openTestGateway, type TestGateway } from '../../support/gateway.ts';
import { type Edge, openEdge } from './edge.ts';

type Receive = Services['receiveZendeskWebhook'];

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await openTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const withReceiver = (receive: Receive) =>
  openEdge(gateway, { services: { receiveZendeskWebhook: receive } });

function post(
  edge: Edge,
  options: {
    readonly path?: string;
    readonly body?: string | Uint8Array<ArrayBuffer>;
    readonly method?: string;
  } = {},
): Promise<Response> {
  const { path = `/webhooks/zendesk/${createId('integration')}`, body = '{}', method = 'POST' } = options;
  return fetch(edge.url + path, {
    method,
    ...(method === 'GET' ? {} : { body }),
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'x-zendesk-webhook-signature': createHmac('sha256', 'secret').update(body).digest('base64'),
      'x-zendesk-webhook-signature-timestamp': '2026-11-29T12:00:00Z',
      'x-zendesk-webhook-invocation-id': '01INVOCATION',
      'x-zendesk-webhook-id': '01WEBHOOK',
    },
  });
}

it('hands on the exact bytes with the headers that vouch for them, and answers 204', async () => {
  const received: Parameters<Receive>[] = [];
  await using edge = await withReceiver(async (...given) => {
    received.push(given);
    return received.length === 1 ? 'ACCEPTED' : 'DUPLICATE';
  });
  const integrationId = createId('integration');
  const body = new Uint8Array([0x7b, 0x0d, 0x0a, 0xff, 0x00, 0x7d]);
  for (let time = 0; time < 2; time += 1) {
    const response = await post(edge, { path: `/webhooks/zendesk/${integrationId}`, body });
    expect([response.status, await response.text()]).toEqual([204, '']);
  }
  const [call, id, delivery] = received[0] ?? [];
  expect(id).toBe(integrationId);
  expect(call).toMatchObject({ caller: null, ip: '127.0.0.1' });
  expect(delivery).toEqual({
    body,
    signature: createHmac('sha256', 'secret').update(body).digest('base64'),
    timestamp: '2026-11-29T12:00:00Z',
    invocationId: '01INVOCATION',
    webhookId: '01WEBHOOK',
  });
});

it('does not count against its address what is accepted', async () => {
  await using edge = await withReceiver(async () => 'ACCEPTED');
  const statuses = new Set<number>();
  for (let sent = 0; sent < 100; sent += 1) statuses.add((await post(edge)).status);
  expect([...statuses]).toEqual([204]);
});

it.each([
  ['UNAUTHENTICATED', 401, null],
  ['NOT_FOUND', 404, null],
  ['PAYLOAD_TOO_LARGE', 413, null],
  ['AUDIT_UNAVAILABLE', 503, '5'],
] as const)('answers %s with %i in the form of REST', async (code, status, retryAfter) => {
  await using edge = await withReceiver(async () => {
    throw new SealdeskError(code, 'No.');
  });
  const response = await post(edge);
  expect([response.status, response.headers.get('retry-after')]).toEqual([status, retryAfter]);
  expect(await response.json()).toMatchObject({ success: false, error: { code } });
});

it('turns away what is no webhook of ours before anything is looked up', async () => {
  let received = 0;
  await using edge = await withReceiver(async () => {
    received += 1;
    return 'ACCEPTED';
  });
  const statusOf = async (...given: Parameters<typeof post>) => (await post(...given)).status;
  expect(await statusOf(edge, { path: '/webhooks/zendesk/' })).toBe(404);
  expect(await statusOf(edge, { path: '/webhooks/zendesk/int_x' })).toBe(404);
  expect(await statusOf(edge, { path: `/webhooks/zendesk/${createId('tenant')}` })).toBe(404);
  expect(await statusOf(edge, { method: 'GET' })).toBe(400);
  expect(await statusOf(edge, { body: 'x'.repeat(MAX_BODY_BYTES + 1) })).toBe(413);
  expect(received).toBe(0);
  expect(await statusOf(edge, { body: 'x'.repeat(MAX_BODY_BYTES) })).toBe(204);
});

it('counts against its address what is too large to be read', async () => {
  const counted: (string | null)[] = [];
  await using edge = await openEdge(gateway, {
    services: {
      takeFromRate({ ip }) {
        counted.push(ip);
        if (counted.length > 1) throw new SealdeskError('TOO_MANY_REQUESTS', 'Wait.', { retryAfter: 1 });
      },
    },
  });
  const body = 'x'.repeat(MAX_BODY_BYTES + 1);
  expect([(await post(edge, { body })).status, (await post(edge, { body })).status]).toEqual([413, 429]);
  expect(counted).toEqual(['127.0.0.1', '127.0.0.1']);
});
