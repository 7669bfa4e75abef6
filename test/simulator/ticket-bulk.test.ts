import { describe, expect, it } from 'vitest';
import { LIGHT_AGENT_ROLE_ID } from '../../simulator/index.ts';
import { type Answer, idsAt, listAt, objectAt, openSession, type Session } from './client.ts';

const resultsOf = async (session: Session, started: Answer): Promise<Record<string, unknown>[]> => {
  expect(started.status).toBe(200);
  const job = objectAt(started.body, 'job_status');
  expect(job).toMatchObject({ status: 'queued', results: null });
  const done = await session.call(`/api/v2/job_statuses/${job['id']}.json`);
  expect(objectAt(done.body, 'job_status')).toMatchObject({
    status: 'completed',
    job_type: 'Bulk Update Ticket',
  });
  return listAt(objectAt(done.body, 'job_status'), 'results');
};

const updateMany = (session: Session, ids: readonly number[], ticket: object): Promise<Answer> =>
  session.call(`/api/v2/tickets/update_many.json?ids=${ids.join()}`, { method: 'PUT', body: { ticket } });

describe('updating many tickets', () => {
  it("moves an agent's open tickets to another, who are then found as theirs", async () => {
    await using session = await openSession({ tickets: 600 });
    const from = session.simulator.tickets.all().find((row) => row.status === 'pending')?.assigneeId ?? 0;
    const to = session.simulator.users.byEmail('agent@example.test')?.id ?? 0;
    const query = `/api/v2/search.json?query=type:ticket+assignee:${from}+status<solved`;
    const found = idsAt((await session.call(query)).body, 'results');
    expect(found.length).toBeGreaterThan(0);
    const results = await resultsOf(session, await updateMany(session, found, { assignee_id: to }));
    expect(results.map((row) => row['id'])).toEqual(found);
    expect(new Set(results.map((row) => row['success']))).toEqual(new Set([true]));
    expect(idsAt((await session.call(query)).body, 'results')).toEqual([]);
    for (const id of found) expect(session.simulator.tickets.get(id)?.assigneeId).toBe(to);
  });

  it('tells in a completed job which tickets could not be changed', async () => {
    await using session = await openSession({ tickets: 600 });
    const rows = session.simulator.tickets.all();
    const open = rows.find((row) => row.status === 'open')?.id ?? 0;
    const closed = rows.find((row) => row.status === 'closed')?.id ?? 0;
    const results = await resultsOf(
      session,
      await updateMany(session, [open, closed, 7_000_000], {
        additional_tags: ['moved'],
        remove_tags: ['lamp'],
      }),
    );
    expect(results).toMatchObject([
      { index: 0, id: open, success: true },
      { index: 1, id: closed, error: 'TicketUpdateFailed', details: 'Status: closed prevents ticket update' },
      { index: 2, id: 7_000_000, error: 'TicketNotFound' },
    ]);
    expect(session.simulator.tickets.get(open)?.tags).toContain('moved');
  });

  it('gives no ticket to light agents, and takes a change for each ticket', async () => {
    await using session = await openSession({ tickets: 600 });
    const rows = session.simulator.tickets.all().filter((row) => row.status === 'open');
    const [one, two] = rows.map((row) => row.id);
    const light = session.simulator.users.create({ name: 'Light', custom_role_id: LIGHT_AGENT_ROLE_ID });
    const started = await session.call('/api/v2/tickets/update_many', {
      method: 'PUT',
      body: {
        tickets: [
          { id: one, priority: 'low' },
          { id: two, assignee_id: light },
        ],
      },
    });
    expect(await resultsOf(session, started)).toMatchObject([
      { id: one, success: true },
      { id: two, error: 'TicketUpdateFailed' },
    ]);
    expect(session.simulator.tickets.get(one ?? 0)?.priority).toBe('low');
  });

  it('takes at most 100 tickets at a time, and at least one', async () => {
    await using session = await openSession({ tickets: 20 });
    const many = Array.from({ length: 101 }, (_, index) => index + 1);
    expect((await updateMany(session, many, {})).body).toMatchObject({
      error: 'TooManyValues',
      max_count: 100,
    });
    expect((await updateMany(session, [], {})).status).toBe(400);
  });
});
