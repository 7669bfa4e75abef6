import { describe, expect, it } from 'vitest';
import { listAt } from './client.ts';
import { createWebhook } from './feed.ts';
import type { ReceivedRequest, ReceiverAnswer } from './receiver.ts';
import { COMMENTS, openRig } from './webhook-rig.ts';

describe('retries', () => {
  const run = async (answer: (request: ReceivedRequest, number: number) => ReceiverAnswer) => {
    await using rig = await openRig({ webhooks: { timeoutMs: 40, retryDelayMs: 0 } }, answer, COMMENTS);
    rig.session.simulator.tickets.change(rig.ticket, { comment: { body: 'Hello' } });
    await rig.delivered();
    const { deliveries } = rig.session.simulator.webhooks;
    const ids = new Set(
      rig.receiver.requests.map(({ headers }) => headers['x-zendesk-webhook-invocation-id']),
    );
    return {
      state: deliveries[0]?.state,
      attempts: deliveries[0]?.attempts.length,
      came: rig.receiver.requests.length,
      invocations: ids.size,
    };
  };

  it('follow a timeout five times', async () => {
    expect(await run(() => 'hang')).toEqual({ state: 'failed', attempts: 6, came: 6, invocations: 1 });
  });

  it('follow a 409 three times', async () => {
    expect(await run(() => ({ status: 409 }))).toEqual({
      state: 'failed',
      attempts: 4,
      came: 4,
      invocations: 1,
    });
  });

  it.each([
    429, 503,
  ])('follow a %i that says when to come back, under the same invocation id', async (status) => {
    const answer = (_request: ReceivedRequest, number: number): ReceiverAnswer =>
      number < 3 ? { status, headers: { 'retry-after': '0' } } : { status: 204 };
    expect(await run(answer)).toEqual({ state: 'delivered', attempts: 3, came: 3, invocations: 1 });
  });

  it.each([
    ['429 without Retry-After', { status: 429 }],
    ['503 that asks for a minute', { status: 503, headers: { 'retry-after': '60' } }],
    ['500', { status: 500 }],
    ['403', { status: 403 }],
    ['redirect', { status: 302, headers: { location: '/elsewhere' } }],
  ] as const)('do not follow a %s', async (_what, reply) => {
    expect(await run(() => reply)).toEqual({ state: 'failed', attempts: 1, came: 1, invocations: 1 });
  });

  it('do not follow a receiver that is not there', async () => {
    await using rig = await openRig({}, undefined, COMMENTS);
    await rig.receiver[Symbol.asyncDispose]();
    rig.session.simulator.tickets.change(rig.ticket, { comment: { body: 'Hello' } });
    await rig.delivered();
    expect(rig.session.simulator.webhooks.deliveries).toMatchObject([
      { state: 'failed', attempts: [{ outcome: 'unreachable', status: null }] },
    ]);
  });

  it('leave the place to others while they wait', async () => {
    const answer = (request: ReceivedRequest): ReceiverAnswer =>
      request.raw.includes('first') ? { status: 503, headers: { 'retry-after': '1' } } : { status: 200 };
    await using rig = await openRig({}, answer, COMMENTS);
    rig.session.simulator.tickets.change(rig.ticket, { comment: { body: 'first' } });
    rig.session.simulator.tickets.change(rig.ticket, { comment: { body: 'second' } });
    await rig.receiver.received(2);
    expect(rig.receiver.requests.map(({ raw }) => raw.includes('first'))).toEqual([true, false]);
    expect(rig.session.simulator.webhooks.pending).toBeGreaterThan(0);
  });
});

describe('the circuit breaker', () => {
  it('opens after a hundred errors for five seconds, in which events are lost', async () => {
    let status = 500;
    await using rig = await openRig({}, () => ({ status }), COMMENTS);
    const { simulator, clock } = rig.session;
    const comment = (count: number): void => {
      for (let index = 0; index < count; index += 1) {
        simulator.tickets.change(rig.ticket, { comment: { body: 'Hello' } });
      }
    };
    comment(130);
    await rig.delivered();
    expect(rig.receiver.requests).toHaveLength(100);
    expect(simulator.webhooks.counts()).toEqual({ dropped: 30, failed: 100 });
    expect(simulator.webhooks.deliveries.at(-1)?.attempts).toMatchObject([{ outcome: 'circuit_broken' }]);
    status = 200;
    clock.advance(4999);
    comment(1);
    await rig.delivered();
    expect(rig.receiver.requests).toHaveLength(100);
    clock.advance(1);
    comment(1);
    await rig.delivered();
    expect(rig.receiver.requests).toHaveLength(101);
  });

  it('stays closed while fewer than 70 % of the requests fail, up to a thousand errors', async () => {
    const answer = (_request: ReceivedRequest, number: number): ReceiverAnswer => ({
      status: number % 3 === 0 ? 200 : 500,
    });
    await using rig = await openRig({}, answer, COMMENTS);
    for (let index = 0; index < 1510; index += 1) {
      rig.session.simulator.tickets.change(rig.ticket, { comment: { body: 'Hello' } });
    }
    await rig.delivered();
    // The 1,001st error is that of the 1,501st request.
    expect(rig.session.simulator.webhooks.counts()).toEqual({ delivered: 500, dropped: 9, failed: 1001 });
  });
});

describe('the queue', () => {
  it('is bounded: what comes over it is dropped', async () => {
    await using rig = await openRig({ webhooks: { queueSize: 5, concurrency: 1 } }, undefined, COMMENTS);
    const { webhooks, tickets } = rig.session.simulator;
    webhooks.pause();
    for (let index = 0; index < 8; index += 1) tickets.change(rig.ticket, { comment: { body: `${index}` } });
    expect(webhooks.counts()).toEqual({ dropped: 3 });
    webhooks.resume();
    await rig.delivered();
    expect(webhooks.counts()).toEqual({ delivered: 5, dropped: 3 });
  });

  it('waits while paused, and untilDelivered can be called off', async () => {
    await using rig = await openRig({}, undefined, COMMENTS);
    const { webhooks, tickets } = rig.session.simulator;
    webhooks.pause();
    tickets.change(rig.ticket, { comment: { body: 'Hello' } });
    const abort = new AbortController();
    const waiting = webhooks.untilDelivered(abort.signal);
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(rig.receiver.requests).toEqual([]);
    webhooks.resume();
    await rig.delivered();
    expect(rig.receiver.requests).toHaveLength(1);
  });

  it('is dropped with its webhook, and forgotten by a reset of the data', async () => {
    await using rig = await openRig({}, undefined, COMMENTS);
    const { simulator } = rig.session;
    simulator.webhooks.pause();
    simulator.tickets.change(rig.ticket, { comment: { body: 'Hello' } });
    await rig.session.call(`/api/v2/webhooks/${rig.webhook.id}`, { method: 'DELETE' });
    simulator.webhooks.resume();
    await rig.delivered();
    expect(simulator.webhooks.counts()).toEqual({ dropped: 1 });
    await createWebhook(rig.session, { endpoint: rig.receiver.url });
    simulator.webhooks.pause();
    simulator.tickets.delete(rig.ticket);
    const waiting = simulator.webhooks.untilDelivered();
    simulator.reset({ data: true });
    await waiting;
    expect(simulator.webhooks.list()).toEqual([]);
    expect(simulator.webhooks).toMatchObject({ pending: 0, paused: false, deliveries: [] });
    expect(rig.receiver.requests).toEqual([]);
    expect(listAt((await rig.session.call('/api/v2/webhooks')).body, 'webhooks')).toEqual([]);
  });
});
