/** Calls to the webhook's address that are not Zendesk's, or not to be taken now: refused over HTTP, and nothing is kept of them. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signWebhook } from '../../../simulator/index.ts';
import { createId } from '../../../src/base/index.ts';
import { describeOnPostgres } from '../../support/store.ts';
import { type Cluster, DEADLINE_MS, openCluster } from './cluster.ts';

const SIX_MINUTES_MS = 360_000;
/** As many tickets as may wait. */
const CROWD = 100_000;

interface Sent {
  readonly body: string;
  readonly secret: string;
  readonly timestamp: string;
  readonly invocationId: string;
  readonly integrationId: string;
  /** In place of the right one. */
  readonly signature?: string | null;
}

interface Answered {
  readonly status: number;
  readonly code: string | null;
  readonly retryAfter: string | null;
}

async function post(cluster: Cluster, sent: Sent): Promise<Answered> {
  const { body, secret, timestamp, invocationId, integrationId } = sent;
  const { signature = signWebhook(secret, timestamp, body) } = sent;
  const response = await fetch(`${cluster.parts.webhooks.url}/webhooks/zendesk/${integrationId}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'x-zendesk-webhook-invocation-id': invocationId,
      'x-zendesk-webhook-signature-timestamp': timestamp,
      ...(signature === null ? {} : { 'x-zendesk-webhook-signature': signature }),
    },
    body,
  });
  const text = await response.text();
  return {
    status: response.status,
    code: text === '' ? null : JSON.parse(text).error.code,
    retryAfter: response.headers.get('retry-after'),
  };
}

describeOnPostgres('A webhook', () => {
  let cluster: Cluster;
  /** A genuine one that was taken in long ago, and nothing is on its way. */
  let genuine: Sent;
  beforeAll(async () => {
    cluster = await openCluster({ seed: 1, clockOffsetsMs: [0] });
    const { simulator, traffic, feed } = cluster.parts;
    traffic.start();
    await traffic.makes(10);
    await cluster.settle();
    const delivery = simulator.webhooks.deliveries.find(({ state }) => state === 'delivered');
    const [webhook] = simulator.webhooks.list();
    if (delivery === undefined || webhook === undefined) throw new Error('Webhooks were delivered');
    const { body, invocationId } = delivery;
    genuine = {
      ...{ body, invocationId, secret: webhook.secret, integrationId: feed.integrationId },
      timestamp: new Date().toISOString(),
    };
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  const fromNow = (milliseconds: number): string => new Date(Date.now() + milliseconds).toISOString();

  test.each<[string, number, string, (right: Sent) => Partial<Sent>]>([
    ['signed with another secret', 401, 'UNAUTHENTICATED', () => ({ secret: 'not the secret' })],
    ['without a signature', 401, 'UNAUTHENTICATED', () => ({ signature: null })],
    [
      'altered after it was signed',
      401,
      'UNAUTHENTICATED',
      ({ body, secret, timestamp }) => ({
        body: body.replace('"', ' "'),
        signature: signWebhook(secret, timestamp, body),
      }),
    ],
    [
      'with another timestamp than was signed',
      401,
      'UNAUTHENTICATED',
      ({ body, secret, timestamp }) => ({
        timestamp: fromNow(-1_000),
        signature: signWebhook(secret, timestamp, body),
      }),
    ],
    ['signed six minutes ago', 401, 'UNAUTHENTICATED', () => ({ timestamp: fromNow(-SIX_MINUTES_MS) })],
    ['signed in six minutes', 401, 'UNAUTHENTICATED', () => ({ timestamp: fromNow(SIX_MINUTES_MS) })],
    ['of more than a webhook may have', 413, 'PAYLOAD_TOO_LARGE', () => ({ body: ' '.repeat(2 ** 21) })],
    ['that tells of nothing', 400, 'VALIDATION_FAILED', () => ({ body: '{"type":"zen:event-type:ticket"}' })],
    [
      'for another integration',
      404,
      'NOT_FOUND',
      () => ({ integrationId: createId('integration', Date.now()) }),
    ],
  ])('%s is answered %i %s, and leaves nothing behind', async (_what, status, code, change) => {
    const { rows } = cluster.parts;
    const before = await rows.feed();
    const invocationId = randomUUID();
    const right = { ...genuine, invocationId, timestamp: fromNow(0) };
    expect(await post(cluster, { ...right, ...change(right) })).toMatchObject({ status, code });
    expect(await rows.hasInvocation(invocationId)).toBe(false);
    expect(await rows.feed()).toEqual(before);
  });

  test('that is replayed within its time is answered as before, and leaves nothing behind', async () => {
    const { rows, subscriber } = cluster.parts;
    const before = await rows.feed();
    const replayed = { ...genuine, timestamp: fromNow(0) };
    expect(await post(cluster, replayed)).toMatchObject({ status: 204 });
    expect(await post(cluster, replayed)).toMatchObject({ status: 204 });
    expect(await rows.feed()).toEqual(before);
    const received = subscriber.received;
    await cluster.getsNews();
    expect(subscriber.received).toBe(received + 1);
  });

  test('that comes when too much waits already is answered 429 with a time that Zendesk waits for', async () => {
    const { rows, processes, routes } = cluster.parts;
    const [old] = processes;
    if (old === undefined) throw new Error('One process runs');
    const call = () => post(cluster, { ...genuine, invocationId: randomUUID(), timestamp: fromNow(0) });
    {
      await using _crowd = await rows.crowdMarks(CROWD);
      // A process that has not looked yet how much waits.
      await old.kill();
      routes.ingester = await cluster.replace(old);
      const { status, code, retryAfter } = await call();
      expect({ status, code }).toEqual({ status: 429, code: 'TOO_MANY_REQUESTS' });
      expect(Number(retryAfter)).toBeGreaterThan(0);
      expect(Number(retryAfter)).toBeLessThan(60);
    }
    await rows.until(call, ({ status }) => status === 204, AbortSignal.timeout(DEADLINE_MS));
    await cluster.getsNews();
  });
});
