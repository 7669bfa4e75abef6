import { describe, expect, it } from 'vitest';
import type { DisturbanceOptions } from '../../simulator/index.ts';
import { createWebhook, openFeedSession, openIds } from './feed.ts';
import { openReceiver } from './receiver.ts';

const COUNT = 120;

interface Outcome {
  /** The number in each comment that came, in the order of arrival. */
  readonly arrived: readonly number[];
  readonly invocations: readonly string[];
  readonly events: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

/** Adds COUNT numbered comments under a disturbance. */
const run = async (disturbance: DisturbanceOptions | null): Promise<Outcome> => {
  await using receiver = await openReceiver();
  await using session = await openFeedSession({ webhooks: { concurrency: 1 } });
  const { webhooks, tickets } = session.simulator;
  const subscriptions = ['zen:event-type:ticket.comment_added'];
  await createWebhook(session, { endpoint: receiver.url, subscriptions });
  if (disturbance) webhooks.disturb(disturbance);
  const [id = 0] = openIds(session, 1);
  for (let number = 0; number < COUNT; number += 1) {
    tickets.change(id, { comment: { body: `comment no. ${number};` } });
  }
  await webhooks.untilDelivered();
  return {
    arrived: receiver.requests.map(({ raw }) => Number(/comment no\. (\d+);/.exec(raw)?.[1])),
    invocations: receiver.requests.map(({ headers }) => String(headers['x-zendesk-webhook-invocation-id'])),
    events: receiver.requests.map(({ body }) => String(body['id'])),
    counts: webhooks.counts(),
  };
};

const inOrder = Array.from({ length: COUNT }, (_, number) => number);

describe('disturbed deliveries', () => {
  it('come once and in order without a disturbance', async () => {
    const { arrived, counts } = await run(null);
    expect(arrived).toEqual(inOrder);
    expect(counts).toEqual({ delivered: COUNT });
  });

  it('get lost by the share asked for', async () => {
    const { arrived, counts } = await run({ loss: 0.3, seed: 5 });
    expect(arrived.length + (counts['lost'] ?? 0)).toBe(COUNT);
    expect(counts['lost']).toBeGreaterThan(COUNT * 0.15);
    expect(counts['lost']).toBeLessThan(COUNT * 0.45);
    expect((await run({ loss: 1 })).arrived).toEqual([]);
  });

  it('come twice, as the same invocation or as another of the same event', async () => {
    const { arrived, invocations, events } = await run({ duplicate: 1, seed: 5 });
    expect(arrived).toEqual(inOrder.flatMap((number) => [number, number]));
    expect(new Set(events).size).toBe(COUNT);
    const kinds = new Set(inOrder.map((number) => invocations[number * 2] === invocations[number * 2 + 1]));
    expect(kinds).toEqual(new Set([true, false]));
  });

  it('overtake one another, and all come', async () => {
    const { arrived } = await run({ disorder: 0.4, seed: 5 });
    expect(arrived).not.toEqual(inOrder);
    expect([...arrived].sort((a, b) => a - b)).toEqual(inOrder);
    const farthest = Math.max(...arrived.map((number, place) => place - number));
    expect(farthest).toBeGreaterThan(1);
  });

  it('are disturbed the same way for the same seed, and another for another', async () => {
    const disturbance = { loss: 0.2, duplicate: 0.2, disorder: 0.3 };
    const first = await run({ ...disturbance, seed: 11 });
    expect((await run({ ...disturbance, seed: 11 })).arrived).toEqual(first.arrived);
    expect((await run({ ...disturbance, seed: 12 })).arrived).not.toEqual(first.arrived);
  });

  it('come in the end although nothing overtakes them, and after the disturbance as ever', async () => {
    await using receiver = await openReceiver();
    await using session = await openFeedSession();
    const { webhooks, tickets } = session.simulator;
    await createWebhook(session, { endpoint: receiver.url });
    const [id = 0] = openIds(session, 1);
    webhooks.disturb({ disorder: 1 });
    tickets.delete(id);
    expect(webhooks.pending).toBe(1);
    await receiver.received(1);
    tickets.restore(id);
    session.simulator.reset();
    await receiver.received(2);
    expect(webhooks.disturbance).toBeNull();
  });

  it.each([{ loss: 1.1 }, { duplicate: -1 }, { disorder: Number.NaN }])('refuse %o', async (options) => {
    await using session = await openFeedSession();
    expect(() => session.simulator.webhooks.disturb(options)).toThrow(RangeError);
  });
});
