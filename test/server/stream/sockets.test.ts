/** Subscriptions over WebSocket: what is delivered and refused, once for all, bounded, and how it ends. */
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { SealdeskError } from '../../../src/base/index.ts';
import type { TicketFeedEvent } from '../../../src/service/index.ts';
import { openTestGateway, type TestGateway } from '../../support/gateway.ts';
import { createTestTenant, type TestTenant } from '../../support/tenant.ts';
import { type Edge, openEdge } from './edge.ts';
import { fakeChange, fakeEnvelope, fakePosition } from './fake-feed.ts';
import type { TestSocket } from './test-socket.ts';

let gateway: TestGateway;
let tenant: TestTenant;
beforeAll(async () => {
  gateway = await openTestGateway();
  tenant = await createTestTenant(gateway);
});
afterAll(() => gateway[Symbol.asyncDispose]());

const EVENT = `... on TicketChange { cursor sequence occurredAt envelope }
  ... on FeedPosition { cursor sequence envelope }`;
const FOLLOW = `subscription($id: ID!, $after: Cursor) {
  ticketChanges(integrationId: $id, after: $after) { __typename ${EVENT} }
}`;

/** Reads until `count` results have come under any id. */
async function results(socket: TestSocket, count: number): Promise<unknown[]> {
  const read: unknown[] = [];
  while (read.length < count) {
    const { type, payload } = await socket.next();
    expect(type).toBe('next');
    read.push(payload.data.ticketChanges);
  }
  return read;
}

describe('a subscription', () => {
  it('is sent the position, then every change in order, as the schema shows them', async () => {
    await using edge = await openEdge(gateway);
    await using socket = await edge.login(tenant.keys.agent);
    const position = fakePosition(0);
    const change = fakeChange(1);
    edge.feed.publish(position);
    socket.subscribe('a', FOLLOW, { id: tenant.integrationId, after: 'c0' });
    expect(await socket.next()).toEqual({
      id: 'a',
      type: 'next',
      payload: {
        data: {
          ticketChanges: {
            __typename: 'FeedPosition',
            cursor: 'c0',
            sequence: 0,
            envelope: position.envelope,
          },
        },
      },
    });
    edge.feed.publish(change);
    expect((await socket.next()).payload.data.ticketChanges).toEqual({
      __typename: 'TicketChange',
      cursor: 'c1',
      sequence: 1,
      occurredAt: '2026-11-29T12:00:01.000Z',
      envelope: change.envelope,
    });
    expect(edge.feed.subscriptions).toMatchObject([{ integrationId: tenant.integrationId, after: 'c0' }]);
    expect(edge.tally.streams.websocket).toMatchObject({ connections: 1, subscriptions: 1, events: 2 });
  });

  it('is followed by the client of graphql-ws, whatever the name it gives it', async () => {
    await using edge = await openEdge(gateway);
    edge.feed.publish(fakePosition(0), fakeChange(1));
    const client = createClient({
      url: edge.socketUrl,
      webSocketImpl: WebSocket,
      connectionParams: { apiKey: tenant.keys.dashboard },
      generateID: () => 'a "quoted" \\ name \u2028',
    });
    const events = client.iterate<{ ticketChanges: { sequence: number } }>({
      query: FOLLOW,
      variables: { id: tenant.integrationId },
    });
    expect((await events.next()).value.data.ticketChanges.sequence).toBe(0);
    expect((await events.next()).value.data.ticketChanges.sequence).toBe(1);
    await events.return?.();
    await edge.feed.until(() => edge.feed.subscriptions[0]?.signal.aborted === true);
    await client.dispose();
  });

  it('ends at the source when the client completes it, and beside it others go on', async () => {
    await using edge = await openEdge(gateway);
    await using socket = await edge.login(tenant.keys.agent);
    edge.feed.publish(fakePosition(0));
    socket.subscribe('a', FOLLOW, { id: tenant.integrationId });
    await results(socket, 1);
    socket.subscribe('b', FOLLOW, { id: tenant.integrationId });
    await results(socket, 1);
    socket.send({ type: 'complete', id: 'a' });
    const [a, b] = edge.feed.subscriptions;
    await edge.feed.until(() => a?.signal.aborted === true);
    edge.feed.publish(fakeChange(1));
    expect(await socket.next()).toMatchObject({ id: 'b', type: 'next' });
    expect(b?.signal.aborted).toBe(false);
    // Its name is free again.
    socket.subscribe('a', FOLLOW, { id: tenant.integrationId });
    expect(await socket.next()).toMatchObject({ id: 'a', type: 'next' });
  });

  it('ends at the source when the connection breaks', async () => {
    await using edge = await openEdge(gateway);
    const socket = await edge.login(tenant.keys.agent);
    edge.feed.publish(fakePosition(0));
    socket.subscribe('a', FOLLOW, { id: tenant.integrationId });
    await results(socket, 1);
    socket.ws.terminate();
    await edge.feed.until(() => edge.feed.subscriptions[0]?.signal.aborted === true);
    await edge.feed.until(() => edge.feed.sessions[0]?.disposed === true);
  });

  it('that fails later is told by its code and an audit event, and the connection goes on', async () => {
    await using edge = await openEdge(gateway);
    await using socket = await edge.login(tenant.keys.agent);
    edge.feed.publish(fakePosition(0));
    socket.subscribe('a', FOLLOW, { id: tenant.integrationId });
    await results(socket, 1);
    edge.feed.fail(new SealdeskError('CURSOR_EXPIRED', 'Too late.', { subject: 'c7' }));
    const { id, type, payload } = await socket.next();
    expect({ id, type }).toEqual({ id: 'a', type: 'error' });
    expect(payload).toMatchObject([
      {
        message: 'Too late.',
        extensions: {
          code: 'CURSOR_EXPIRED',
          retryable: false,
          subject: 'c7',
          auditEventId: expect.stringMatching(/^aud_/),
        },
      },
    ]);
    socket.send({ type: 'ping' });
    expect(await socket.next()).toEqual({ type: 'pong' });
  });

  it('that is refused by the feed is told so, and nothing of our own failures', async () => {
    await using edge = await openEdge(gateway);
    await using socket = await edge.login(tenant.keys.agent);
    edge.feed.refusal = new SealdeskError('CONFLICT', 'The feed is off.');
    socket.subscribe('a', FOLLOW, { id: tenant.integrationId });
    expect(await socket.next()).toMatchObject({
      type: 'error',
      payload: [{ message: 'The feed is off.', path: ['ticketChanges'], extensions: { code: 'CONFLICT' } }],
    });
    edge.feed.refusal = null;
    edge.feed.publish(fakePosition(0));
    socket.subscribe('b', FOLLOW, { id: tenant.integrationId });
    await results(socket, 1);
    Object.defineProperty(edge.feed, 'events', { get: () => Object.assign([], { 0: hidden() }) });
    edge.feed.publish();
    socket.subscribe('c', FOLLOW, { id: tenant.integrationId });
    const { payload } = await socket.next();
    expect(payload).toMatchObject([{ extensions: { code: 'INTERNAL' } }]);
    expect(JSON.stringify(payload)).not.toContain('hunter2');
  });

  /** An event that cannot be read. */
  function hidden(): TicketFeedEvent {
    return {
      ...fakePosition(0),
      get cursor(): string {
        throw new Error('hunter2');
      },
    };
  }
});

describe('what is not a good subscription', () => {
  const REFUSED: readonly (readonly [string, string, string, RegExp])[] = [
    ['a query', '{ viewer { tenant { id } } }', 'VALIDATION_FAILED', /Only subscriptions/],
    [
      'a mutation',
      'mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }',
      'VALIDATION_FAILED',
      /Only subscriptions/,
    ],
    ['introspection', 'subscription { __schema { types { name } } }', 'VALIDATION_FAILED', /introspection/i],
    [
      'two root fields',
      `subscription($id: ID!) { a: ticketChanges(integrationId: $id) { __typename }
        b: ticketChanges(integrationId: $id) { __typename } }`,
      'VALIDATION_FAILED',
      /only one/i,
    ],
    [
      'an unknown field',
      'subscription($id: ID!) { ticketChange(integrationId: $id) { __typename } }',
      'VALIDATION_FAILED',
      /Did you mean/,
    ],
    ['a syntax error', 'subscription { "hunter2"', 'VALIDATION_FAILED', /Syntax/],
    [
      'streaming in parts',
      'subscription($id: ID!) { ticketChanges(integrationId: $id) { ... @defer { __typename } } }',
      'VALIDATION_FAILED',
      /Defer directive not supported/,
    ],
    [
      'two operations and no name',
      `${FOLLOW} query Other { viewer { tenant { id } } }`,
      'VALIDATION_FAILED',
      /several and none was named|anonymous/,
    ],
    [
      'too many tokens',
      `subscription { ticketChanges(integrationId: "x") { ${'a '.repeat(2_000)} } }`,
      'QUERY_TOO_COMPLEX',
      /token/,
    ],
    [
      'too many characters',
      `subscription($id: ID!) { ticketChanges(integrationId: $id) { __typename ${' '.repeat(8_192)} } }`,
      'QUERY_TOO_COMPLEX',
      /8192 characters/,
    ],
    [
      'an envelope under two names',
      `subscription($id: ID!) { ticketChanges(integrationId: $id) {
        ... on FeedPosition { envelope ...Again } } } fragment Again on FeedPosition { again: envelope }`,
      'VALIDATION_FAILED',
      /`FeedPosition.envelope` under one name only, not also as `again`/,
    ],
  ];

  it.each(REFUSED)('is refused with its code where it is %s', async (_what, query, code, text) => {
    await using edge = await openEdge(gateway);
    edge.feed.publish(fakePosition(0));
    await using socket = await edge.login(tenant.keys.agent);
    socket.subscribe('a', query, { id: tenant.integrationId });
    const { type, id, payload } = await socket.next();
    expect({ type, id }).toEqual({ type: 'error', id: 'a' });
    expect(payload[0]).toMatchObject({
      message: expect.stringMatching(text),
      extensions: { code, retryable: false, auditEventId: expect.stringMatching(/^aud_/) },
    });
    expect(JSON.stringify(payload)).not.toContain('hunter2');
    // Nothing of it is left under way.
    await edge.feed.until(() => edge.feed.subscriptions.every(({ signal }) => signal.aborted));
  });

  it('tells by field what is wrong with its variables, without their values', async () => {
    await using edge = await openEdge(gateway);
    await using socket = await edge.login(tenant.keys.agent);
    socket.subscribe('a', FOLLOW, { after: { hunter2: true } });
    const { payload } = await socket.next();
    expect(payload[0].extensions).toMatchObject({
      code: 'VALIDATION_FAILED',
      fields: [
        { path: 'integrationId', message: 'is missing' },
        { path: 'after', message: 'must be a string' },
      ],
    });
    expect(JSON.stringify(payload)).not.toContain('hunter2');
  });

  it('is refused where it has members of another API, or a name of absurd length', async () => {
    await using edge = await openEdge(gateway);
    await using socket = await edge.login(tenant.keys.agent);
    socket.send({ type: 'subscribe', id: 'a', payload: { query: FOLLOW, hunter2: 1 } });
    expect(await socket.next()).toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'VALIDATION_FAILED' } }],
    });
    socket.subscribe('x'.repeat(129), FOLLOW, { id: tenant.integrationId });
    expect(await socket.next()).toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'VALIDATION_FAILED' } }],
    });
  });

  it('is the hundred and first of a connection', async () => {
    await using edge = await openEdge(gateway);
    edge.feed.publish(fakePosition(0));
    await using socket = await edge.login(await busyKey());
    for (let id = 0; id < 100; id += 1) socket.subscribe(String(id), FOLLOW, { id: tenant.integrationId });
    await results(socket, 100);
    socket.subscribe('one more', FOLLOW, { id: tenant.integrationId });
    expect(await socket.next()).toMatchObject({
      id: 'one more',
      type: 'error',
      payload: [{ extensions: { code: 'TOO_MANY_REQUESTS', subject: '100' } }],
    });
  });

  it('is the hundred and first also where the others were completed while they began', async () => {
    await using edge = await openEdge(gateway);
    edge.feed.publish(fakePosition(0));
    const { promise, resolve } = Promise.withResolvers<void>();
    edge.feed.beginning = promise;
    await using socket = await edge.login(await busyKey());
    for (let time = 0; time < 100; time += 1) {
      socket.subscribe('a', FOLLOW, { id: tenant.integrationId });
      socket.send({ type: 'complete', id: 'a' });
    }
    socket.subscribe('b', FOLLOW, { id: tenant.integrationId });
    expect(await socket.next()).toMatchObject({
      id: 'b',
      type: 'error',
      payload: [{ extensions: { code: 'TOO_MANY_REQUESTS', subject: '100' } }],
    });
    resolve();
    await edge.feed.until(
      () =>
        edge.feed.subscriptions.length === 100 &&
        edge.feed.subscriptions.every(({ signal }) => signal.aborted),
    );
    socket.subscribe('c', FOLLOW, { id: tenant.integrationId });
    expect(await results(socket, 1)).toHaveLength(1);
  });

  it('is by the seventeenth document that an API key asks by at once', async () => {
    await using edge = await openEdge(gateway);
    edge.feed.publish(fakePosition(0));
    await using socket = await edge.login(tenant.keys.agent);
    await using other = await edge.login(tenant.keys.agent);
    const by = (id: number): [string, string, Record<string, unknown>] => [
      String(id),
      FOLLOW.replace('__typename', `name${id}: __typename`),
      { id: tenant.integrationId },
    ];
    for (let id = 0; id < 16; id += 1) socket.subscribe(...by(id));
    await results(socket, 16);
    other.subscribe(...by(16));
    expect(await other.next()).toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'TOO_MANY_REQUESTS', subject: '16' } }],
    });
    other.subscribe(...by(0));
    await results(other, 1);
    for (const each of [socket, other]) each.send({ type: 'complete', id: '0' });
    await edge.feed.until(() => edge.feed.subscriptions.filter(({ signal }) => signal.aborted).length === 2);
    other.subscribe(...by(16));
    await results(other, 1);
  });
});

/** An API key of a high rate. */
async function busyKey(): Promise<string> {
  const made = await gateway.graphql(
    'mutation { createApiKey(input: { name: "x", roles: [AGENT], requestsPerMinute: 10000 }) { secret } }',
    { apiKey: tenant.keys.admin },
  );
  return made.json.data.createApiKey.secret;
}

describe('a change for many', () => {
  it('is executed once for a thousand subscribers of one document, and once more for another', async () => {
    await using edge = await openEdge(gateway);
    const apiKey = await busyKey();
    await using sockets = new AsyncDisposableStack();
    const opened: TestSocket[] = [];
    for (let index = 0; index < 10; index += 1) opened.push(sockets.use(await edge.login(apiKey)));
    for (const socket of opened) {
      for (let id = 0; id < 100; id += 1) {
        // Where each begins is its own affair.
        socket.subscribe(String(id), FOLLOW, { id: tenant.integrationId, after: `c${id}` });
      }
    }
    const { event, reads } = countedChange(1);
    edge.feed.publish(event);
    const all = (await Promise.all(opened.map((socket) => results(socket, 100)))).flat();
    expect(all).toHaveLength(1_000);
    expect(new Set(all.map((each) => JSON.stringify(each))).size).toBe(1);
    expect(reads()).toBe(1);

    const [first] = opened;
    first?.send({ type: 'complete', id: '0' });
    first?.subscribe('other', `subscription($id: ID!) { ticketChanges(integrationId: $id) { ${EVENT} } }`, {
      id: tenant.integrationId,
    });
    if (first !== undefined) await results(first, 1);
    expect(reads()).toBe(2);
  });

  it('is executed for each set of the variables that stand in the selection', async () => {
    await using edge = await openEdge(gateway);
    await using socket = await edge.login(tenant.keys.agent);
    const query = `subscription($id: ID!, $whole: Boolean!) { ticketChanges(integrationId: $id) {
      ... on TicketChange { sequence envelope @include(if: $whole) } } }`;
    edge.feed.publish(fakeChange(1));
    for (const whole of [true, false, true]) {
      socket.subscribe(String(Math.random()), query, { id: tenant.integrationId, whole });
      const [event] = await results(socket, 1);
      expect(Object.keys(event ?? {})).toEqual(whole ? ['sequence', 'envelope'] : ['sequence']);
    }
  });

  it('is another for a variable that is null than for one that is missing', async () => {
    await using edge = await openEdge(gateway);
    await using socket = await edge.login(tenant.keys.agent);
    const query = `subscription($id: ID!, $whole: Boolean = true) { ticketChanges(integrationId: $id) {
      ... on TicketChange { sequence cursor @include(if: $whole) } } }`;
    edge.feed.publish(fakeChange(1));
    socket.subscribe('missing', query, { id: tenant.integrationId });
    expect(await results(socket, 1)).toEqual([{ sequence: 1, cursor: 'c1' }]);
    socket.subscribe('null', query, { id: tenant.integrationId, whole: null });
    expect(await socket.next()).toMatchObject({ id: 'null', type: 'error' });
  });

  it('is delivered however large its envelope is, and those after it', async () => {
    await using edge = await openEdge(gateway);
    await using socket = await edge.login(tenant.keys.agent);
    const large = fakeChange(1, fakeEnvelope(3 * 1_048_576));
    edge.feed.publish(large, fakeChange(2));
    socket.subscribe('a', FOLLOW, { id: tenant.integrationId });
    expect(await results(socket, 2)).toMatchObject([{ envelope: large.envelope }, { sequence: 2 }]);
  });

  /** A change that counts how often it is looked into. */
  function countedChange(sequence: number) {
    let reads = 0;
    const change = fakeChange(sequence);
    const event: TicketFeedEvent = {
      ...change,
      get cursor() {
        reads += 1;
        return change.cursor;
      },
    };
    return { event, reads: () => reads };
  }
});

describe('a client that does not read', () => {
  const BIG = fakeEnvelope(65_536);
  const COUNT = 1_000;
  const changes = Array.from({ length: COUNT }, (_, index) => fakeChange(index + 1, BIG));

  /** Resolves when nothing is pulled any more. */
  async function untilStill(edge: Edge): Promise<number> {
    let pulled = -1;
    for (let unchanged = 0; unchanged < 200; unchanged += 1) {
      await nextTurn();
      const now = edge.feed.subscriptions[0]?.pulled ?? 0;
      if (now !== pulled) unchanged = 0;
      pulled = now;
    }
    return pulled;
  }

  /** Subscribes, reads no more, and has all changes to come; resolves to how many of them were pulled. */
  async function stopReading(edge: Edge, socket: TestSocket): Promise<number> {
    socket.subscribe('a', FOLLOW, { id: tenant.integrationId });
    await edge.feed.until(() => edge.feed.subscriptions.length === 1);
    socket.ws.pause();
    edge.feed.publish(...changes);
    return untilStill(edge);
  }

  it('has nothing pulled for it, and gets everything in order once it reads', async () => {
    await using edge = await openEdge(gateway);
    await using socket = await edge.login(tenant.keys.agent);
    const pulled = await stopReading(edge, socket);
    // What the system itself holds on the way is some mebibytes.
    expect(pulled).toBeLessThan(COUNT / 2);
    socket.ws.resume();
    const read = await results(socket, COUNT);
    expect(read.map((event) => Object(event).sequence)).toEqual(changes.map(({ sequence }) => sequence));
  });

  it('is cut off when it has taken nothing for long, and not for its silence before', async () => {
    await using edge = await openEdge(gateway);
    await using socket = await edge.login(tenant.keys.agent);
    const pulled = await stopReading(edge, socket);
    for (let beat = 0; beat < 4; beat += 1) edge.sockets.beat(4);
    await nextTurn();
    expect(edge.feed.sessions[0]?.disposed).toBe(false);
    edge.sockets.beat(4);
    await edge.feed.until(() => edge.feed.sessions[0]?.disposed === true);
    expect(edge.tally.streams.websocket.slowConsumers).toBe(1);
    expect(edge.feed.subscriptions[0]?.pulled).toBeLessThanOrEqual(pulled + 1);
  });
});

describe('a connection without traffic', () => {
  /** Resolves when everything that was sent before, either way, has been read. */
  async function roundTrip(socket: TestSocket): Promise<void> {
    socket.send({ type: 'ping' });
    expect(await socket.next()).toEqual({ type: 'pong' });
  }

  it('is pinged now and then', async () => {
    await using edge = await openEdge(gateway, { times: { heartbeatMs: 5 } });
    await using socket = await edge.connect();
    await once(socket.ws, 'ping');
  });

  it('is kept while it answers', async () => {
    await using edge = await openEdge(gateway);
    await using socket = await edge.connect();
    for (let beat = 0; beat < 3; beat += 1) {
      const pinged = once(socket.ws, 'ping');
      edge.sockets.beat(4);
      await pinged;
      await roundTrip(socket);
    }
  });

  it('is cut off when a ping is not answered before the next', async () => {
    await using edge = await openEdge(gateway);
    await using socket = await edge.connect({ autoPong: false });
    edge.sockets.beat(4);
    await roundTrip(socket);
    edge.sockets.beat(4);
    expect(await socket.closed).toMatchObject({ code: 1006 });
    expect(edge.tally.streams.websocket.slowConsumers).toBe(0);
  });
});

describe('a gateway that stops', () => {
  it('asks all to connect elsewhere, and waits for none', async () => {
    const edge = await openEdge(gateway);
    await using socket = await edge.login(tenant.keys.agent);
    await using stranger = await edge.connect();
    edge.feed.publish(fakePosition(0));
    socket.subscribe('a', FOLLOW, { id: tenant.integrationId });
    await results(socket, 1);
    await edge[Symbol.asyncDispose]();
    for (const { closed } of [socket, stranger]) {
      expect(await closed).toEqual({
        code: 1012,
        reason: 'UPSTREAM_UNAVAILABLE The gateway stops. Connect again, here or elsewhere.',
      });
    }
    await edge.feed.until(() => edge.feed.sessions[0]?.disposed === true);
    await nextTurn();
    expect(edge.tally.streams.websocket).toMatchObject({ connections: 0, subscriptions: 0 });
  });

  it('cuts off after its grace who does not answer', async () => {
    const edge = await openEdge(gateway, { times: { drainGraceMs: 50 } });
    await using socket = await edge.login(tenant.keys.agent);
    socket.ws.pause();
    await edge[Symbol.asyncDispose]();
    socket.ws.resume();
    expect((await socket.closed).code).toBe(1012);
  });
});
