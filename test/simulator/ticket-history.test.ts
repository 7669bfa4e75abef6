import { describe, expect, it } from 'vitest';
import { listAt, objectAt } from './client.ts';
import { exportPage, openFeedSession, openIds } from './feed.ts';

describe('the true history', () => {
  it('keeps every version as show_many showed it, the one before the first change too', async () => {
    await using session = await openFeedSession();
    const { simulator, clock } = session;
    const [id = 0] = openIds(session, 1);
    const shown = async (): Promise<unknown> =>
      listAt((await session.call(`/api/v2/tickets/show_many?ids=${id}`)).body, 'tickets')[0];
    const seen = [await shown()];
    for (const fields of [{ subject: 'One' }, { tags: ['two'] }, { comment: { body: 'Three' } }]) {
      clock.advance(1500);
      simulator.tickets.change(id, fields);
      seen.push(await shown());
    }
    const versions = simulator.history(id);
    expect(versions.map((version) => version.snapshot)).toEqual(seen);
    expect(versions.map((version) => version.action)).toEqual(['seeded', 'updated', 'updated', 'updated']);
    expect(versions.map((version) => version.sequence)).toEqual([1, 2, 3, 4]);
    expect(versions.at(-1)).toMatchObject({
      ticketId: id,
      updatedAt: '2026-11-21T06:00:04Z',
      generatedTimestamp: Date.UTC(2026, 10, 21, 6, 0, 4) / 1000,
    });
  });

  it('keeps deletions as the export shows them', async () => {
    await using session = await openFeedSession();
    const { simulator, clock } = session;
    simulator.tickets.delete(3);
    simulator.tickets.restore(3);
    clock.advance(1000);
    simulator.tickets.scrub(3);
    const versions = simulator.history(3);
    expect(versions.map((version) => version.action)).toEqual([
      'seeded',
      'deleted',
      'restored',
      'deleted',
      'scrubbed',
    ]);
    clock.advance(1000);
    const { rows } = await exportPage(
      session,
      `start_time=${simulator.tickets.current(3)?.['generated_timestamp']}`,
    );
    expect(versions.at(-1)).toMatchObject({ status: 'deleted', snapshot: rows[0] });
  });

  it('has the present state of a ticket that never changed, and nothing of one that is not', async () => {
    await using session = await openFeedSession();
    const shown = await session.call('/api/v2/tickets/7');
    expect(session.simulator.history(7).map((version) => version.snapshot)).toEqual([
      objectAt(shown.body, 'ticket'),
    ]);
    expect(session.simulator.history(9999)).toEqual([]);
  });

  it('counts a problem’s first incident and its last as changes of the system', async () => {
    await using session = await openFeedSession();
    const { simulator, clock } = session;
    const [problem = 0, incident = 0] = openIds(session, 2);
    simulator.tickets.change(problem, { type: 'problem' });
    clock.advance(1000);
    simulator.tickets.change(incident, { type: 'incident', problem_id: problem });
    clock.advance(1000);
    simulator.tickets.delete(incident);
    const versions = simulator.history(problem).slice(-2);
    expect(versions.map((version) => [version.action, version.snapshot['has_incidents']])).toEqual([
      ['system', true],
      ['system', false],
    ]);
    expect(versions.map((version) => version.updatedAt)).toEqual([
      '2026-11-21T06:00:00Z',
      '2026-11-21T06:00:00Z',
    ]);
    expect(simulator.tickets.current(problem)).toEqual(versions.at(-1)?.snapshot);
  });

  it('forgets the oldest versions first', async () => {
    await using session = await openFeedSession({ historySize: 4 });
    const { simulator } = session;
    const [first = 0, second = 0] = openIds(session, 2);
    simulator.tickets.change(first, { subject: 'One' });
    for (const subject of ['Two', 'Three', 'Four']) simulator.tickets.change(second, { subject });
    expect(simulator.history(second)).toHaveLength(4);
    expect(simulator.history(second).at(-1)?.snapshot['subject']).toBe('Four');
    expect(simulator.history(first).map((version) => version.snapshot['subject'])).toEqual(['One']);
  });

  it('is not kept unless asked for', async () => {
    await using session = await openFeedSession({ history: false });
    expect(() => session.simulator.history(1)).toThrow(RangeError);
  });
});
