/** Changes through a session: intent, Zendesk, and an outcome that is written with the operation's event. */
import { expect, it } from 'vitest';
import { describeOnBothDatabases } from '../../support/store.ts';
import { NEW_TICKET, openRig } from '../rig.ts';
import { callsSince, openSession } from './graph-rig.ts';

const ENDPOINT = '/api/v2/tickets';

describeOnBothDatabases('a change through a session', (database) => {
  it('has its intent in the log before it is sent, and its outcome with the operation', async () => {
    await using rig = await openRig({ database });
    const { account, events, eventId, record } = await openSession(rig);
    const opened = await account();
    rig.gateway.simulator.faults.add({ method: 'POST', effect: { kind: 'latency', milliseconds: 50 } });
    const creating = opened.change('create_ticket', NEW_TICKET, 'my-key');
    await rig.gateway.simulator.waitForRequest(({ method }) => method === 'POST');
    const [intent] = (await rig.events()).filter(({ phase }) => phase === 'INTENT');
    expect(intent).toMatchObject({ operation: 'create_ticket', parentId: eventId, resource: 'ticket' });
    const { ticket, idempotency, commentId } = await creating;
    expect(ticket).toMatchObject({ subject: NEW_TICKET.subject, integrationId: rig.tenant.integrationId });
    expect([idempotency, commentId]).toEqual(['created', null]);
    expect(await rig.statusOf(intent?.id ?? '')).toMatchObject({ state: 'PENDING' });
    expect(await events()).toMatchObject([
      {
        phase: 'OUTCOME',
        outcome: 'SUCCEEDED',
        intentId: intent?.id,
        parentId: eventId,
        resource: `ticket:${ticket.id}`,
      },
    ]);
    await record();
    expect(await rig.statusOf(intent?.id ?? '')).toMatchObject({ state: 'APPLIED' });
    // The same key again is the same ticket.
    const again = await (await (await openSession(rig)).account()).change(
      'create_ticket',
      NEW_TICKET,
      'my-key',
    );
    expect([again.ticket.id, again.idempotency]).toEqual([ticket.id, 'replayed']);
  });

  it('is APPLIED where its answer does not leave', async () => {
    await using rig = await openRig({ database });
    const { account, events, record } = await openSession(rig);
    const { commentId } = await (await account()).change(
      'update_ticket',
      { ticket_id: 290, comment: { body: 'Seen.', public: false } },
      null,
    );
    expect(commentId).toEqual(expect.any(Number));
    expect(await events(false)).toMatchObject([{ outcome: 'APPLIED', resource: 'ticket:290' }]);
    await record(false);
    const outcome = (await rig.events()).at(-1);
    expect(outcome).toMatchObject({ phase: 'OUTCOME', outcome: 'APPLIED' });
  });

  it('tells what became of it where it fails', async () => {
    await using rig = await openRig({ database });
    const { account, events, record } = await openSession(rig);
    const opened = await account();
    const failureOf = (work: Promise<unknown>) =>
      work.then(
        () => null,
        (error: unknown) => error,
      );
    const invalid = await failureOf(opened.change('update_ticket', { ticket_id: 290 }, null));
    expect(invalid).toMatchObject({ code: 'VALIDATION_FAILED', details: { mutation: 'NOT_SENT' } });
    const badKey = await failureOf(opened.change('update_ticket', { ticket_id: 290, tags: [] }, 'key'));
    expect(badKey).toMatchObject({ code: 'VALIDATION_FAILED', details: { mutation: 'NOT_SENT' } });
    expect(callsSince(rig, 0)).toEqual([]);

    rig.gateway.simulator.faults.add({
      method: 'PUT',
      path: `${ENDPOINT}/*`,
      count: 1,
      effect: { kind: 'close', applied: true },
    });
    const unclear = await failureOf(opened.change('update_ticket', { ticket_id: 290, tags: ['a'] }, null));
    expect(unclear).toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      details: { mutation: 'UNKNOWN', intentId: /^aud_/ },
    });
    const stale = await failureOf(
      opened.change(
        'update_ticket',
        { ticket_id: 290, tags: ['b'], expected_updated_at: '2020-01-01T00:00:00Z' },
        null,
      ),
    );
    expect(stale).toMatchObject({
      code: 'CONFLICT',
      details: { mutation: 'NOT_SENT', intentId: /^aud_/, upstreamStatus: 409 },
    });
    expect((await events()).map((event) => [event.phase, 'outcome' in event ? event.outcome : null])).toEqual(
      [
        ['SINGLE', 'FAILED'],
        ['SINGLE', 'FAILED'],
        ['OUTCOME', 'UNKNOWN'],
        ['OUTCOME', 'FAILED'],
      ],
    );
    await record();
  });

  it('is not sent where the log cannot take its intent, nor for a caller who has gone', async () => {
    await using rig = await openRig({ database });
    const opened = await (await openSession(rig)).account();
    rig.outage.begin();
    await expect(opened.change('update_ticket', { ticket_id: 290, tags: [] }, null)).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      details: { mutation: 'NOT_SENT' },
    });
    rig.outage.end();
    const gone = new AbortController();
    const left = await (await openSession(rig, { signal: gone.signal })).account();
    gone.abort(new Error('gone'));
    await expect(left.change('update_ticket', { ticket_id: 290, tags: [] }, null)).rejects.toMatchObject({
      details: { mutation: 'NOT_SENT' },
    });
    expect(callsSince(rig, 0)).toEqual([]);
  });

  it('goes on when its caller goes away, and is told in the log', async () => {
    await using rig = await openRig({ database });
    const gone = new AbortController();
    const { account, record } = await openSession(rig, { signal: gone.signal });
    rig.gateway.simulator.faults.add({ method: 'PUT', effect: { kind: 'latency', milliseconds: 50 } });
    const changing = (await account()).change('update_ticket', { ticket_id: 290, tags: ['kept'] }, null);
    await rig.gateway.simulator.waitForRequest(({ method }) => method === 'PUT');
    gone.abort(new Error('gone'));
    expect((await changing).ticket.tags).toEqual(['kept']);
    await record(false);
    expect((await rig.events()).at(-1)).toMatchObject({ phase: 'OUTCOME', outcome: 'APPLIED' });
  });

  it('tells its outcome by itself where the operation has been recorded before it ended', async () => {
    await using rig = await openRig({ database });
    const { account, events } = await openSession(rig);
    rig.gateway.simulator.faults.add({ method: 'PUT', effect: { kind: 'latency', milliseconds: 50 } });
    const changing = (await account()).change('update_ticket', { ticket_id: 290, tags: ['kept'] }, null);
    await rig.gateway.simulator.waitForRequest(({ method }) => method === 'PUT');
    expect(await events(false)).toEqual([]);
    await changing;
    expect((await rig.events()).at(-1)).toMatchObject({
      phase: 'OUTCOME',
      outcome: 'APPLIED',
      resource: 'ticket:290',
    });
    expect(await events(false)).toEqual([]);
  });

  it('is seen by every read after it, in its own session and in others', async () => {
    // A call that hangs does so for longer than this test may take.
    await using rig = await openRig({ database, transport: { headersTimeout: 120_000 } });
    const opened = await (await openSession(rig)).account();
    const gone = new AbortController();
    const other = await (await openSession(rig, { signal: gone.signal })).account();
    const before = await opened.ticket(290);
    const list = {
      of: 'REQUESTER',
      id: before?.requesterId ?? 0,
      first: 100,
      after: null,
      sideLoad: false,
    } as const;
    await opened.tickets(list);
    // A read that is under way when the change is made may not show it, so nobody joins it afterwards.
    rig.gateway.simulator.faults.add({
      method: 'GET',
      path: '/api/v2/tickets/show_many',
      count: 1,
      effect: { kind: 'hang' },
    });
    const early = other.ticket(290);
    await rig.gateway.simulator.waitForRequest(({ outcome }) => outcome === 'hung');
    await opened.change('update_ticket', { ticket_id: 290, subject: 'Changed' }, null);
    const late = await (await (await openSession(rig)).account()).ticket(290);
    expect(late?.subject).toBe('Changed');
    expect((await opened.ticket(290))?.subject).toBe('Changed');
    const { edges } = await opened.tickets(list);
    expect(edges.find(({ node }) => node.id === 290)?.node.subject).toBe('Changed');
    gone.abort(new Error('gone'));
    await expect(early).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
  });
});
