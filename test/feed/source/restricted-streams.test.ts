/** The streams of client keys that are restricted, beside one that is not, over a Zendesk whose tickets move. */
import { expect, it } from 'vitest';
import type { TicketChangeContent } from '../../../src/base/index.ts';
import { createEnvelopeOpener } from '../../../src/client/index.ts';
import {
  type Cast,
  castTickets,
  foundIn,
  openRestrictedKey,
  RESTRICTION_KINDS,
  type RestrictedKey,
  type RestrictionKind,
  restrictionInput,
} from '../../proxy/scope/restricted-desk.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { suite } from '../../support/tenant.ts';
import { Follower, type SourceRig, useSourceRigs } from './source-rig.ts';

interface Stream {
  readonly kind: RestrictionKind;
  readonly key: RestrictedKey;
  readonly follower: Follower;
  /** Numbers of the entries, as their envelopes sign them. */
  readonly numbers: number[];
}

/** Follows as the key does, from now on. */
async function followAs(rig: SourceRig, kind: RestrictionKind, key: RestrictedKey): Promise<Stream> {
  const { services, tenant, callOf } = rig;
  const opener = createEnvelopeOpener(suite, key.keyFile);
  const numbers: number[] = [];
  const session = await services.openTicketSession(await callOf(key.apiKey), () => undefined);
  const events = await session.subscribe(
    { integrationId: tenant.integrationId, after: null },
    new AbortController().signal,
  );
  await events.next();
  const open: typeof tenant.open = async (envelope) => {
    const { header, plaintext } = await opener.open(envelope);
    numbers.push(header.sequence ?? 0);
    return { header, value: JSON.parse(new TextDecoder().decode(plaintext)) };
  };
  return { kind, key, numbers, follower: new Follower({ ...tenant, open }, events) };
}

const told = (stream: Stream, id: number): readonly string[] =>
  stream.follower.of(id).map(({ kind }) => kind);
const last = (changes: readonly TicketChangeContent[]) => changes.at(-1);

describeOnBothDatabases('the stream of a restricted client key', (database) => {
  const openRig = useSourceRigs(database);

  const openStreams = async (rig: SourceRig, cast: Cast): Promise<readonly Stream[]> => {
    const streams: Stream[] = [];
    for (const kind of RESTRICTION_KINDS) {
      const key = await openRestrictedKey(rig.gateway, rig.tenant, restrictionInput(kind, rig.tenant, cast));
      streams.push(await followAs(rig, kind, key));
    }
    return streams;
  };
  const ticketOf = (person: Cast['own'], subject: string) => ({
    ...{ subject, requester_id: person.id, organization_id: person.organizationId },
    comment: { body: 'Words', public: true },
  });
  const placeOf = ({ id, organizationId }: Cast['own']) => ({
    requester_id: id,
    organization_id: organizationId,
  });

  it('tells of tickets within, of those that come in and go out, and of nothing else', async () => {
    await using rig = await openRig();
    const { simulator } = rig;
    const cast = castTickets(simulator);
    const { own, foreign } = cast;
    await rig.enable();
    rig.startWorker();
    const whole = await rig.follow();
    const streams = await openStreams(rig, cast);
    const seen = async (id: number, status: string) => {
      await whole.until(
        (change) => change.kind === 'CHANGED' && change.ticket_id === id && change.ticket.status === status,
      );
    };

    const moving = simulator.tickets.create(ticketOf(own, 'Moving lamp'));
    const outside = simulator.tickets.create(ticketOf(foreign, 'FOREIGN lamp'));
    for (const { follower } of streams) await follower.until((change) => 'ticket_id' in change);
    await whole.until((change) => change.kind === 'CHANGED' && change.ticket_id === outside);
    simulator.tickets.change(outside, { status: 'pending' });
    await seen(outside, 'pending');
    simulator.tickets.change(moving, { ...placeOf(foreign), subject: 'FOREIGN now', status: 'pending' });
    await seen(moving, 'pending');
    simulator.tickets.change(moving, { subject: 'FOREIGN still', status: 'hold' });
    await seen(moving, 'hold');
    simulator.tickets.change(moving, { ...placeOf(own), subject: 'Back again', status: 'open' });
    await seen(moving, 'open');
    simulator.tickets.change(outside, { status: 'solved' });
    await seen(outside, 'solved');
    simulator.tickets.delete(outside);
    await whole.until((change) => change.kind === 'DELETED' && change.ticket_id === outside);
    simulator.tickets.delete(moving);
    for (const stream of streams) {
      const { follower, numbers, kind } = stream;
      await follower.until((change) => change.kind === 'DELETED');
      expect([kind, told(stream, moving)]).toEqual([
        ...[kind, ['CHANGED', 'LEFT_SCOPE', 'ENTERED_SCOPE', 'DELETED']],
      ]);
      expect(told(stream, outside)).toEqual([]);
      const ids = follower.changes.map((change) => ('ticket_id' in change ? change.ticket_id : null));
      expect(ids.filter((id) => id !== moving && id !== cast.ownTicket)).toEqual([]);
      expect(foundIn(follower.changes, { ...cast, foreignTicket: outside })).toEqual([]);
      expect(numbers).toEqual(numbers.map((_, at) => at + 1));
      expect(last(follower.changes)).toMatchObject({ kind: 'DELETED', changes: ['DELETED'] });
    }
    expect(whole.of(moving).every(({ kind }) => kind === 'CHANGED' || kind === 'DELETED')).toBe(true);
  });

  it('tells nothing of what agents write among themselves but that the ticket has changed', async () => {
    await using rig = await openRig();
    const { simulator } = rig;
    const cast = castTickets(simulator);
    const id = cast.ownOldTicket;
    await rig.enable();
    const whole = await rig.follow();
    const streams = await openStreams(rig, cast);
    const comment = { body: 'SECRET again', public: false };
    simulator.tickets.change(id, {
      ...{ comment, tags: ['secret-too'], external_id: 'SECRET-2', problem_id: cast.foreignTicket },
      ...{ type: 'incident', priority: 'urgent' },
    });
    await simulator.webhooks.untilDelivered();
    const worker = rig.startWorker();
    const all = await whole.until((change) => 'ticket' in change && change.ticket.priority === 'urgent');
    expect(all).toMatchObject({ changes: expect.arrayContaining(['COMMENT_ADDED', 'TAGS', 'EXTERNAL_ID']) });
    await worker[Symbol.asyncDispose]();
    simulator.tickets.change(id, { comment: { body: 'Hello', public: true }, priority: 'low' });
    await simulator.webhooks.untilDelivered();
    rig.startWorker();
    for (const { follower } of streams) {
      const change = await follower.until((one) => 'ticket' in one && one.ticket.priority === 'low');
      expect(change).toMatchObject({ kind: 'CHANGED', previous: { priority: 'urgent' } });
      expect(change).toHaveProperty('changes', expect.arrayContaining(['PRIORITY', 'COMMENT_ADDED']));
      const [first] = follower.of(id);
      expect(first).toMatchObject({ kind: 'ENTERED_SCOPE', ticket: { priority: 'urgent' } });
      expect(foundIn(follower.changes, cast)).toEqual([]);
    }
  });

  it('tells that a ticket has left which the feed had not told of, where a webhook tells whence', async () => {
    await using rig = await openRig();
    const { simulator } = rig;
    const cast = castTickets(simulator);
    await rig.enable();
    const streams = await openStreams(rig, cast);
    simulator.tickets.change(cast.ownOldTicket, placeOf(cast.foreign));
    await simulator.webhooks.untilDelivered();
    rig.startWorker();
    for (const { follower } of streams) {
      const left = await follower.until(
        (change) => 'ticket_id' in change && change.ticket_id === cast.ownOldTicket,
      );
      expect(left).toEqual({ v: 1, kind: 'LEFT_SCOPE', ticket_id: cast.ownOldTicket });
    }
  });

  it('tells that a ticket has left which the feed had not told of, but a query had shown', async () => {
    await using rig = await openRig();
    const { simulator, tenant } = rig;
    const cast = castTickets(simulator);
    await rig.enable();
    // The export alone tells, and not whence.
    simulator.webhooks.pause();
    const streams = await openStreams(rig, cast);
    const [byOrganization, byRequester] = streams;
    const [bound] = byOrganization?.key.callers ?? [];
    await bound?.run?.('list_tickets', {});
    const [other] = byRequester?.key.callers ?? [];
    await other?.ask('query($int: ID!) { myTickets(integrationId: $int) { nodes { subject } } }', {
      int: tenant.integrationId,
    });
    simulator.tickets.change(cast.ownOldTicket, placeOf(cast.foreign));
    rig.startWorker();
    for (const { follower } of streams) {
      const left = await follower.until(
        (change) => 'ticket_id' in change && change.ticket_id === cast.ownOldTicket,
      );
      expect(left).toEqual({ v: 1, kind: 'LEFT_SCOPE', ticket_id: cast.ownOldTicket });
    }
    const rows = await rig.deps.store.withTenant(tenant.id, (tx) =>
      tx
        .selectFrom('feed_shown_tickets')
        .select('ticket_id')
        .where('ticket_id', '=', cast.ownOldTicket)
        .execute(),
    );
    expect(rows).toEqual([]);
  });
});
