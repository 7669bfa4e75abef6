/** How a program takes changes: when it likes, as many as it likes, for as long as it likes. */
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createId, encodeFeedCursor, streamName } from '../../../src/base/index.ts';
import { createClient, GatewayAnswerError, subscribeTicketChanges } from '../../../src/client/index.ts';
import { URL_OF_GATEWAY } from '../sealing-gateway.ts';
import { changed, snapshot } from './feed-log.ts';
import type { FeedScript } from './feed-server.ts';
import { openRig, reasonsOf, TRANSPORTS, take } from './rig.ts';

const DONE = { done: true, value: undefined };

describe('a program', () => {
  it('takes a snapshot once the place is pinned, and misses nothing after it', async () => {
    const rig = await openRig();
    rig.log.append(changed(1));
    rig.server.scripts = [
      async (serving) => serving.close(1006),
      async (serving) => {
        await rig.deliver(serving, await rig.log.position(1));
        serving.close(1006);
      },
      rig.serveAll,
    ];
    await using changes = rig.follow({ after: null });
    expect(changes.cursor).toBeNull();
    expect(await changes.ready()).toBe(rig.log.cursor(1));
    rig.log.append(changed(2));
    expect((await take(changes, 1))[0]?.sequence).toBe(2);
    expect(rig.server.cursors).toEqual([null, null, rig.log.cursor(1)]);
    expect(await changes.ready()).toBe(rig.log.cursor(2));
  });

  it('connects when it asks for the first change, not before', async () => {
    const rig = await openRig();
    await using changes = rig.follow();
    expect([changes.cursor, rig.states, rig.server.urls]).toEqual([rig.log.cursor(0), [], []]);
  });

  it('is handed over what its filter lets through, and the place moves on with the rest', async () => {
    const rig = await openRig();
    rig.log.append(changed(1), changed(2), changed(3), changed(4));
    rig.server.scripts = [rig.serveAll, async () => void changes.return()];
    await using changes = rig.follow({ filter: ({ ticket_id }) => ticket_id % 2 === 0 });
    expect((await take(changes, 1))[0]?.sequence).toBe(2);
    expect(changes.cursor).toBe(rig.log.cursor(2));
    expect((await take(changes, 1))[0]?.sequence).toBe(4);
  });

  it('is thrown what its own functions throw, with the place before what they failed at', async () => {
    const rig = await openRig();
    rig.log.append(changed(1), changed(2));
    const failure = new TypeError('mine');
    const changes = rig.follow({
      filter({ ticket_id }) {
        if (ticket_id === 2) throw failure;
        return true;
      },
    });
    await take(changes, 1);
    await expect(changes.next()).rejects.toBe(failure);
    expect(changes.cursor).toBe(rig.log.cursor(1));
    expect(await changes.next()).toEqual(DONE);
    const states = rig.follow({
      onState: () => {
        throw failure;
      },
    });
    await expect(states.next()).rejects.toBe(failure);
  });

  it('that asks for several at once gets them in order', async () => {
    const rig = await openRig();
    rig.log.append(changed(1), changed(2), changed(3));
    await using changes = rig.follow();
    const asked = [changes.ready(), changes.next(), changes.next(), changes.next()] as const;
    const [, ...answers] = await Promise.all(asked);
    expect(answers.map(({ value }) => value?.sequence)).toEqual([1, 2, 3]);
  });

  it.each([
    ['of another version', { v: 2, kind: 'DELETED', ticket_id: 1, permanent: true, changes: [] }],
    ['of another kind', { v: 1, kind: 'ENTERED_SCOPE', ticket_id: 1 }],
    ['of no kind', { v: 1, kind: 'constructor' }],
    ['about two tickets', { ...changed(1), ticket_id: 2 }],
    ['without its ticket', { ...changed(1), ticket: null }],
    ['that is no object', []],
    ['that is a text', 'CHANGED'],
    ['with a gap of another kind', { v: 1, kind: 'GAP', reason: 'OTHER' }],
    ['with a strange deletion', { v: 1, kind: 'DELETED', ticket_id: 1, permanent: 1, changes: [] }],
  ])('learns that an entry %s is for a newer client', async (_name, content) => {
    const rig = await openRig();
    rig.log.append(changed(1), changed(2));
    rig.server.scripts = [
      async (serving) => {
        await rig.deliver(serving, await rig.log.position(0));
        await rig.deliver(serving, await rig.log.sealChange(content, { sequence: 1 }));
      },
    ];
    const changes = rig.follow({ onGap: () => undefined });
    await expect(changes.next()).rejects.toThrow(GatewayAnswerError);
    expect(changes.cursor).toBe(rig.log.cursor(0));
  });

  it.each([
    [{ v: 2, complete_until: null }],
    [{ v: 1 }],
    [{ v: 1, complete_until: 'soon' }],
    [null],
  ])('learns that the position %j is for a newer client', async (content) => {
    const rig = await openRig();
    rig.server.scripts = [async (serving) => rig.deliver(serving, await rig.log.position(0, {}, content))];
    await expect(rig.follow().next()).rejects.toThrow('Update the client');
  });
});

describe.each(TRANSPORTS)('over %s a program that has enough', (transport) => {
  it('leaves the loop, and the connection is closed', async () => {
    const rig = await openRig(transport);
    rig.log.append(changed(1), changed(2));
    const gone = Promise.withResolvers<void>();
    rig.server.scripts = [
      async (serving) => {
        serving.signal.addEventListener('abort', () => gone.resolve());
        await rig.serveAll(serving);
      },
    ];
    const changes = rig.follow();
    for await (const change of changes) {
      expect(change.sequence).toBe(1);
      break;
    }
    await gone.promise;
    expect(await changes.next()).toEqual(DONE);
    await expect(rig.follow().ready()).resolves.toBe(rig.log.cursor(0));
  });

  it('returns while it waits for the next change, for a connection, or for the next attempt', async () => {
    const waits: FeedScript[] = [
      async (serving) => {
        await rig.serveAll(serving);
        await changes.return();
      },
      async () => void (await changes.return()),
      async (serving) => {
        rig.clock.holdsPauses = true;
        serving.close(1006);
      },
    ];
    let rig = await openRig(transport);
    let changes = rig.follow();
    for (const script of waits) {
      rig = await openRig(transport);
      rig.server.scripts = [script];
      changes = rig.follow({
        onState: (state) => {
          if (state.kind === 'WAITING') setImmediate(() => void changes.return());
        },
      });
      expect(await changes.next()).toEqual(DONE);
      await expect(rig.follow({ signal: AbortSignal.abort() }).next()).rejects.toThrow('aborted');
    }
  });

  it('aborts: before, while it waits, and while an attempt is due', async () => {
    const reason = new Error('enough');
    const before = await openRig(transport);
    await expect(before.follow({ signal: AbortSignal.abort(reason) }).next()).rejects.toBe(reason);
    expect(before.server.urls).toEqual([]);

    const waiting = await openRig(transport);
    const controller = new AbortController();
    waiting.server.scripts = [
      async (serving) => {
        await waiting.serveAll(serving);
        controller.abort(reason);
      },
    ];
    const changes = waiting.follow({ signal: controller.signal });
    await expect(changes.next()).rejects.toBe(reason);
    expect(await changes.next()).toEqual(DONE);
    // A signal may outlive many subscriptions, which leave nothing at it.
    const lasting = new AbortController();
    const idle = waiting.follow({ signal: lasting.signal });
    expect(getEventListeners(lasting.signal, 'abort')).toHaveLength(1);
    await idle.return();
    expect(getEventListeners(lasting.signal, 'abort')).toEqual([]);

    const due = await openRig(transport);
    due.clock.holdsPauses = true;
    const later = new AbortController();
    due.server.scripts = [async (serving) => serving.close(1006)];
    const held = due.follow({
      signal: later.signal,
      onState: (state) => {
        if (state.kind === 'WAITING') setImmediate(() => later.abort(reason));
      },
    });
    await expect(held.next()).rejects.toBe(reason);
  });
});

describe.each(TRANSPORTS)('over %s a program that does not ask for more', (transport) => {
  /** Sends without waiting for anybody, until the other side has gone; how many it got rid of. */
  async function flood(size: number, text: string) {
    const rig = await openRig(transport);
    const ticket = { ...snapshot(1), description: text };
    for (let id = 1; id <= size; id += 1) rig.log.append({ ...changed(1), ticket } as never);
    const sent = Promise.withResolvers<number>();
    rig.server.scripts = [
      async (serving) => {
        serving.send(await rig.log.position(0));
        let count = 0;
        while (count < size && !serving.signal.aborted) {
          count += 1;
          serving.send(await rig.log.change(count));
          await serving.untilRead();
        }
        sent.resolve(count);
      },
      rig.serveAll,
    ];
    return { rig, sent: sent.promise };
  }

  it('holds so many characters, lets go, and goes on where it was when it asks again', async () => {
    const size = 24;
    const { rig, sent } = await flood(size, 'x'.repeat(1_000_000));
    await using changes = rig.follow();
    await changes.ready();
    const count = await sent;
    expect(count).toBeLessThan(16);
    expect(count).toBeGreaterThan(8);
    expect(rig.states.map(({ kind }) => kind)).toEqual(['CONNECTING', 'FOLLOWING']);
    const taken = await take(changes, size);
    expect(taken.map(({ sequence }) => sequence)).toEqual(taken.map((_, index) => index + 1));
    expect(rig.states.map(({ kind }) => kind).slice(2)).toEqual(['PAUSED', 'CONNECTING', 'FOLLOWING']);
    expect(rig.clock.pauses).toEqual([]);
  });

  it('may take any number while it asks for more', async () => {
    const rig = await openRig(transport);
    const size = 24;
    const ticket = { ...snapshot(1), description: 'x'.repeat(1_000_000) };
    for (let id = 1; id <= size; id += 1) rig.log.append({ ...changed(1), ticket } as never);
    rig.server.scripts = [
      async (serving) => {
        await rig.deliver(serving, await rig.log.position(0));
        for (let sequence = 1; sequence <= size; sequence += 2) {
          const [first, second] = [await rig.log.change(sequence), await rig.log.change(sequence + 1)];
          serving.send(first);
          await rig.deliver(serving, second);
        }
      },
    ];
    await using changes = rig.follow();
    expect(await take(changes, size)).toHaveLength(size);
    expect(rig.states.map(({ kind }) => kind)).toEqual(['CONNECTING', 'FOLLOWING']);
  });

  it('holds so many events', async () => {
    const rig = await openRig(transport);
    const sent = Promise.withResolvers<number>();
    rig.server.scripts = [
      async (serving) => {
        const position = await rig.log.position(0);
        serving.send(position);
        let count = 0;
        while (!serving.signal.aborted && count < 3_000) {
          count += 1;
          serving.send(position);
          await serving.untilRead();
        }
        sent.resolve(count);
      },
      async () => void changes.return(),
    ];
    await using changes = rig.follow();
    await changes.ready();
    expect(await sent.promise).toBeLessThan(1_100);
    await changes.next();
    expect(rig.states.filter(({ kind }) => kind === 'FOLLOWING')).toHaveLength(1_025);
    expect(reasonsOf(rig.states)).toEqual([]);
  });
});

describe('a subscription', () => {
  it('goes to the endpoint of its client, without a word in the address', async () => {
    for (const transport of TRANSPORTS) {
      for (const [url, expected] of [
        [URL_OF_GATEWAY, 'sealdesk.example/graphql'],
        [`${URL_OF_GATEWAY}/base`, 'sealdesk.example/base/graphql'],
      ] as const) {
        const rig = await openRig(transport);
        const { clientKey } = rig.gateway;
        const client = createClient({ url, clientKey, login: 'NONE', now: () => rig.clock.now() });
        await using changes = rig.follow({ client });
        await changes.ready();
        const scheme = transport === 'SSE' ? 'https' : 'wss';
        expect(rig.server.urls).toEqual([`${scheme}://${expected}`]);
        expect(rig.server.logins).toEqual([{ apiKey: undefined, clientKey: rig.gateway.fake.keyId }]);
        expect(rig.server.queries[0]).toContain(
          'ticketChanges(integrationId: $integrationId, after: $after)',
        );
      }
    }
  });

  it('is over WebSocket where the platform has it, else over fetch', async () => {
    const rig = await openRig();
    const { WebSocket: own } = globalThis;
    const { fetch, WebSocket } = rig.server;
    const follow = () => rig.follow({ transport: undefined as never, WebSocket: undefined as never, fetch });
    try {
      globalThis.WebSocket = WebSocket;
      await using first = follow();
      await first.ready();
      Reflect.deleteProperty(globalThis, 'WebSocket');
      await using second = follow();
      await second.ready();
      expect(() => rig.follow({ transport: 'WEBSOCKET', WebSocket: undefined as never })).toThrow(TypeError);
    } finally {
      globalThis.WebSocket = own;
    }
    expect(rig.server.urls.map((url) => url.split(':')[0])).toEqual(['wss', 'https']);
  });

  it('is refused at once for what cannot be meant', async () => {
    const rig = await openRig();
    const other = encodeFeedCursor({
      stream: streamName(createId('integration'), rig.gateway.fake.keyId),
      sequence: 1,
    });
    for (const options of [{ after: 'x' }, { after: other }, { integrationId: 'int_x' }]) {
      expect(() => rig.follow(options)).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED' }));
    }
    const { clientKey } = rig.gateway;
    const clear = createClient({ url: 'http://sealdesk.example', clientKey });
    expect(() => rig.follow({ client: clear })).toThrow(/Nothing was sent: http:/);
    expect(() => rig.follow({ client: { ...clear } })).toThrow(/"client" must be what createClient returned/);
    expect(() => rig.follow({ transport: 'POLLING' as never })).toThrow(/"transport" must be/);
    for (const maxClockSkewSeconds of [-1, Number.NaN]) {
      expect(() => rig.follow({ maxClockSkewSeconds })).toThrow(RangeError);
    }
    const trusted = createClient({ url: 'http://sealdesk.example', clientKey, insecureHttp: true });
    expect(() =>
      subscribeTicketChanges({ client: trusted, integrationId: rig.log.integrationId }),
    ).not.toThrow();
  });
});
