import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeFeedCursor, isId, parseFeedCursor } from '../../../src/base/index.ts';
import type { TicketFeedEvent } from '../../../src/service/index.ts';
import { newestEvents } from '../../service/house.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { type FeedDesk, openFeedDesk, take, takeChanges } from './feed-desk.ts';

describeOnBothDatabases('A subscription to ticket changes', (kind) => {
  let desk: FeedDesk;
  beforeAll(async () => {
    desk = await openFeedDesk(kind);
  });
  afterAll(() => desk?.[Symbol.asyncDispose]());

  const subscribe = async (after: string | null = null) => {
    const session = await desk.openSession();
    const stop = new AbortController();
    const events = await session.subscribe({ integrationId: desk.tenant.integrationId, after }, stop.signal);
    return { events, stop, session };
  };
  const ticketsOf = async (events: readonly TicketFeedEvent[]) =>
    Promise.all(
      events.map(async (event) => {
        const { content } = await desk.open(event);
        return content.kind === 'GAP' ? null : content.ticket_id;
      }),
    );

  test('begins with a signed position, and goes on with what is appended, sealed, in order and whole', async () => {
    const { events, stop } = await subscribe();
    const [position] = await take(events, 1);
    if (position?.type !== 'POSITION') throw new Error('The position comes first');
    const { header } = await desk.open(position);
    expect(header).toMatchObject({
      purpose: 'ticket.position',
      integration_id: desk.tenant.integrationId,
      operation: 'subscribe_tickets',
      stream: `${desk.tenant.integrationId}/${desk.tenant.keyFile.key_id}`,
      sequence: position.sequence,
    });
    expect(parseFeedCursor(position.cursor)).toEqual({ stream: header.stream, sequence: position.sequence });

    await desk.append(11, 12);
    await desk.append(13);
    const changes = await takeChanges(events, 3);
    expect(await ticketsOf(changes)).toEqual([11, 12, 13]);
    expect(changes.map(({ sequence }) => sequence)).toEqual(
      [1, 2, 3].map((step) => position.sequence + step),
    );
    for (const change of changes) {
      const opened = await desk.open(change);
      expect(opened.header).toMatchObject({ purpose: 'ticket.change', sequence: change.sequence });
      expect(parseFeedCursor(change.cursor)).toEqual({ stream: header.stream, sequence: change.sequence });
      expect(opened.content).toMatchObject({ kind: 'CHANGED', previous: { status: 'new' } });
    }
    stop.abort();
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  test('goes on from any cursor without a gap or a repeat, from the log and then live', async () => {
    const first = await subscribe();
    await desk.append(21, 22, 23);
    const seen = await takeChanges(first.events, 3);
    first.stop.abort();
    const again = await subscribe(seen[0]?.cursor ?? null);
    const [position] = await take(again.events, 1);
    expect(position).toMatchObject({
      type: 'POSITION',
      cursor: seen[0]?.cursor,
      sequence: seen[2]?.sequence,
    });
    await desk.append(24);
    expect(await ticketsOf(await takeChanges(again.events, 3))).toEqual([22, 23, 24]);
    again.stop.abort();
  });

  test('costs one seal a key and change, and hands the same objects to all its subscribers', async () => {
    const many = await Promise.all(Array.from({ length: 20 }, () => subscribe()));
    const greetings = await Promise.all(many.map(({ events }) => take(events, 1)));
    expect(new Set(greetings.flat()).size).toBe(1);
    const { sealer } = desk.gateway.deps.feed;
    const before = sealer.sealed;
    await desk.append(31);
    const got = await Promise.all(many.map(({ events }) => takeChanges(events, 1)));
    expect(sealer.sealed - before).toBe(1);
    expect(new Set(got.flat()).size).toBe(1);
    for (const { stop } of many) stop.abort();
  });

  test('that falls behind what is held in memory catches up from the log', async () => {
    const { events, stop } = await subscribe();
    await take(events, 1);
    const ids = Array.from({ length: 320 }, (_, index) => 1_000 + index);
    for (let start = 0; start < ids.length; start += 32) await desk.append(...ids.slice(start, start + 32));
    // Somebody else keeps up meanwhile, so that the tail moves on without this one.
    const other = await subscribe();
    await take(other.events, 1);
    await desk.append(2_000);
    await takeChanges(other.events, 1);
    other.stop.abort();
    expect(await ticketsOf(await takeChanges(events, 321))).toEqual([...ids, 2_000]);
    stop.abort();
  });

  test('of a cursor that is none, or another stream’s, is refused, and one beyond the end has expired', async () => {
    const session = await desk.openSession();
    const { integrationId, keyFile } = desk.tenant;
    const asked = (after: string) =>
      session.subscribe({ integrationId, after }, new AbortController().signal);
    await expect(asked('no cursor')).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { fields: [{ path: 'after' }] },
    });
    const foreign = encodeFeedCursor({ stream: `${integrationId}/key_${'0'.repeat(26)}`, sequence: 0 });
    await expect(asked(foreign)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    const beyond = encodeFeedCursor({ stream: `${integrationId}/${keyFile.key_id}`, sequence: 1_000_000 });
    await expect(asked(beyond)).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
    await session[Symbol.asyncDispose]();
  });

  test('is in the audit log from its beginning, and so is every envelope of every change', async () => {
    const { events, stop } = await subscribe();
    await take(events, 1);
    await desk.append(41);
    const [change] = await takeChanges(events, 1);
    stop.abort();
    const recorded = await newestEvents(desk.gateway, desk.tenant.keys.auditor, 5);
    expect(recorded.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['subscription.ticketChanges', 'feed.append']),
    );
    const own = recorded.find(({ id }) => id === change?.envelope.audit_event_id);
    expect(own).toMatchObject({
      action: 'feed.append',
      operation: 'subscribe_tickets',
      resource: `${desk.tenant.integrationId}:ticket:41`,
      outcome: 'SUCCEEDED',
    });
    expect(isId('auditEvent', own?.id)).toBe(true);
  });

  test('is closed to who may not have it', async () => {
    const { admin, auditor } = desk.tenant.keys;
    const ask = async (apiKey: string, integrationId = desk.tenant.integrationId) => {
      const session = await desk.openSession({ apiKey, clientKeyId: desk.tenant.keyFile.key_id });
      return session
        .subscribe({ integrationId, after: null }, new AbortController().signal)
        .finally(() => session[Symbol.asyncDispose]());
    };
    await expect(ask(admin)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(ask(auditor)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(ask(desk.tenant.keys.agent, 'int_00000000000000000000000000')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describeOnBothDatabases('A quiet stream', (kind) => {
  test('tells a new signed position now and then, once for all who wait', async () => {
    await using desk = await openFeedDesk(kind, { tailTimes: { pollMs: 50, positionMs: 100 } });
    const session = await desk.openSession();
    const { integrationId } = desk.tenant;
    const subscribe = () => session.subscribe({ integrationId, after: null }, new AbortController().signal);
    const [one, other] = [await subscribe(), await subscribe()];
    await take(one, 1);
    await take(other, 1);
    const [[told], [same]] = await Promise.all([take(one, 1), take(other, 1)]);
    expect(told).toMatchObject({ type: 'POSITION', sequence: 0 });
    expect(told).toBe(same);
    await desk.append(1);
    await takeChanges(one, 1);
    const [after] = await take(one, 1);
    expect(after).toMatchObject({ type: 'POSITION', sequence: 1 });
  });
});

describeOnBothDatabases('Delivery', (kind) => {
  test('works without notifications, by looking', async () => {
    await using desk = await openFeedDesk(kind, {
      wrapStore: (store) => ({
        kind: store.kind,
        applied: store.applied,
        withTenant: (tenantId, work) => store.withTenant(tenantId, work),
        runAtOnce: (tenantId, steps) => store.runAtOnce(tenantId, steps),
        withSystem: (purpose, work) => store.withSystem(purpose, work),
        executeForJobs: (text, values) => store.executeForJobs(text, values),
        listen: async () => ({ async [Symbol.asyncDispose]() {} }),
        [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
      }),
    });
    const session = await desk.openSession();
    const { integrationId } = desk.tenant;
    const events = await session.subscribe({ integrationId, after: null }, new AbortController().signal);
    await take(events, 1);
    await desk.append(7);
    const [change] = await takeChanges(events, 1);
    expect(change?.sequence).toBe(1);
  });
});

describeOnBothDatabases('Who joins a quiet stream', (kind) => {
  test('is told no position that is older than the one it began with', async () => {
    await using desk = await openFeedDesk(kind, { tailTimes: { pollMs: 50, positionMs: 300 } });
    const follow = async () => {
      const session = await desk.openSession();
      const { integrationId } = desk.tenant;
      return session.subscribe({ integrationId, after: null }, new AbortController().signal);
    };
    const issuedAt = async (event: TicketFeedEvent | undefined) =>
      event === undefined ? Number.NaN : (await desk.open(event)).header.issued_at;
    const first = await follow();
    await take(first, 2);
    // The one that was announced meanwhile is too old to be handed out again.
    await desk.gateway.store.withTenant(desk.tenant.id, (tx) =>
      tx
        .updateTable('feed_positions')
        .set({ issued_at: sql<Date>`issued_at - interval '1 minute'` })
        .execute(),
    );
    const joined = await follow();
    const [begun, next] = await take(joined, 2);
    expect(await issuedAt(next)).toBeGreaterThanOrEqual(await issuedAt(begun));
    expect(next?.envelope).not.toBe(begun?.envelope);
  });
});
