import { describe, expect, it } from 'vitest';
import { idsAt, objectAt, openSession, type Session } from './client.ts';

const update = (session: Session, id: number, ticket: Record<string, unknown>) =>
  session.call(`/api/v2/tickets/${id}`, { method: 'PUT', body: { ticket } });

describe('incidents of a problem', () => {
  it('are listed by both paginations, and the problem says that it has some', async () => {
    await using session = await openSession();
    const [problem = 0, ...incidents] = session.simulator.tickets
      .all()
      .filter((row) => row.status === 'open')
      .map((row) => row.id)
      .slice(0, 4);
    expect((await update(session, problem, { type: 'problem' })).status).toBe(200);
    for (const id of incidents) {
      expect((await update(session, id, { type: 'incident', problem_id: problem })).status).toBe(200);
    }
    const page = await session.call(`/api/v2/tickets/${problem}/incidents.json?page[size]=2`);
    expect(idsAt(page.body, 'tickets')).toEqual(incidents.slice(0, 2));
    expect(objectAt(page.body, 'meta')['has_more']).toBe(true);
    const all = await session.call(`/api/v2/tickets/${problem}/incidents`);
    expect(idsAt(all.body, 'tickets')).toEqual(incidents);
    const shown = await session.call(`/api/v2/tickets/${problem}`);
    expect(objectAt(shown.body, 'ticket')['has_incidents']).toBe(true);
    await update(session, incidents[0] ?? 0, { type: 'question', problem_id: null });
    const fewer = await session.call(`/api/v2/tickets/${problem}/incidents`);
    expect(idsAt(fewer.body, 'tickets')).toEqual(incidents.slice(1));
  });

  it('are none of a ticket without, and 404 of an unknown one', async () => {
    await using session = await openSession();
    const none = await session.call('/api/v2/tickets/1/incidents');
    expect([none.status, idsAt(none.body, 'tickets')]).toEqual([200, []]);
    expect((await session.call('/api/v2/tickets/999999/incidents')).status).toBe(404);
  });
});

describe('organizations', () => {
  it('of a user are those that the user belongs to', async () => {
    await using session = await openSession();
    const users = await session.call('/api/v2/users?role=end-user');
    const list = users.body['users'];
    if (!Array.isArray(list)) throw new TypeError('no users');
    const member = list.find((one) => typeof one.organization_id === 'number');
    const loner = list.find((one) => one.organization_id === null);
    const own = await session.call(`/api/v2/users/${member.id}/organizations.json?page[size]=10`);
    expect(idsAt(own.body, 'organizations')).toEqual([member.organization_id]);
    const none = await session.call(`/api/v2/users/${loner.id}/organizations`);
    expect(idsAt(none.body, 'organizations')).toEqual([]);
    expect((await session.call('/api/v2/users/1/organizations')).status).toBe(404);
  });

  it('are found by external id or name, whatever the case', async () => {
    await using session = await openSession();
    const all = await session.call('/api/v2/organizations');
    const [first] = Array.isArray(all.body['organizations']) ? all.body['organizations'] : [];
    const byName = await session.call(
      `/api/v2/organizations/search.json?name=${encodeURIComponent(String(first.name).toUpperCase())}`,
    );
    expect(idsAt(byName.body, 'organizations')).toEqual([first.id]);
    const none = await session.call('/api/v2/organizations/search.json?external_id=nobody');
    expect(idsAt(none.body, 'organizations')).toEqual([]);
  });
});
