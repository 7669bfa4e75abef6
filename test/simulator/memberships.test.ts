import { describe, expect, it } from 'vitest';
import { FIRST_GROUP_ID } from '../../simulator/index.ts';
import { basic, idsAt, listAt, objectAt, openSession, type Session } from './client.ts';

const idOf = (session: Session, email: string): number => session.simulator.users.byEmail(email)?.id ?? 0;

const join = (session: Session, userId: number, groupId: number) =>
  session.call('/api/v2/group_memberships', {
    body: { group_membership: { user_id: userId, group_id: groupId } },
  });

describe('group memberships', () => {
  it('are one per agent and group, with one default, and page both ways', async () => {
    await using session = await openSession({ tickets: 20, people: { varied: true } });
    const all = listAt(
      (await session.call('/api/v2/group_memberships?per_page=100')).body,
      'group_memberships',
    );
    const pairs = all.map((row) => `${row['user_id']}:${row['group_id']}`);
    expect(new Set(pairs).size).toBe(pairs.length);
    const defaults = all.filter((row) => row['default'] === true).map((row) => row['user_id']);
    expect(new Set(defaults).size).toBe(defaults.length);
    expect(defaults).toHaveLength(24);
    expect(all.length).toBeGreaterThan(24);
    const ids: number[] = [];
    let path: string | null = '/api/v2/group_memberships?page[size]=10';
    while (path !== null) {
      const { body } = await session.call(path);
      ids.push(...idsAt(body, 'group_memberships'));
      const more = objectAt(body, 'meta')['has_more'] === true;
      path = more ? String(objectAt(body, 'links')['next']).slice(session.simulator.url.length) : null;
    }
    expect(ids).toEqual(all.map((row) => row['id']));
  });

  it('begin and end, and the default moves on to the oldest one left', async () => {
    await using session = await openSession({ tickets: 20 });
    const id = idOf(session, 'agent@example.test');
    const path = `/api/v2/users/${id}/group_memberships`;
    const first = listAt((await session.call(path)).body, 'group_memberships')[0] ?? {};
    const other = first['group_id'] === FIRST_GROUP_ID ? FIRST_GROUP_ID + 1 : FIRST_GROUP_ID;
    const created = await join(session, id, other);
    expect(created.status).toBe(201);
    const membership = objectAt(created.body, 'group_membership');
    expect(membership).toMatchObject({ user_id: id, group_id: other, default: false });
    const members = await session.call(`/api/v2/groups/${other}/users`);
    expect(idsAt(members.body, 'users')).toContain(id);
    const ended = await session.call(`/api/v2/group_memberships/${first['id']}`, { method: 'DELETE' });
    expect(ended.status).toBe(204);
    expect(listAt((await session.call(path)).body, 'group_memberships')).toMatchObject([
      { group_id: other, default: true },
    ]);
    expect((await session.call(`/api/v2/users/${id}`)).body['user']).toMatchObject({
      default_group_id: other,
    });
    const again = await session.call(`/api/v2/group_memberships/${first['id']}`, { method: 'DELETE' });
    expect(again.status).toBe(404);
    await join(session, id, Number(first['group_id']));
    const back = listAt((await session.call(path)).body, 'group_memberships')[1] ?? {};
    const made = await session.call(`${path}/${back['id']}/make_default`, { method: 'PUT', body: {} });
    expect(listAt(made.body, 'group_memberships')).toMatchObject([{ default: false }, { default: true }]);
  });

  it('are refused twice, for customers, for unknown groups, and to those who are no admins', async () => {
    await using session = await openSession({ tickets: 20 });
    const id = idOf(session, 'agent@example.test');
    const [group = 0] = session.simulator.users.groupIds(id);
    expect((await join(session, id, group)).body).toMatchObject({
      error: 'RecordInvalid',
      details: { user_id: [{ error: 'DuplicateValue' }] },
    });
    expect((await join(session, idOf(session, 'customer@example.test'), group)).status).toBe(422);
    expect((await join(session, id, 7)).status).toBe(422);
    const agent = await session.call('/api/v2/group_memberships', {
      body: { group_membership: { user_id: id, group_id: FIRST_GROUP_ID } },
      authorization: basic('agent@example.test'),
    });
    expect(agent.status).toBe(403);
  });

  it('come and go many at a time in jobs that tell what became of each', async () => {
    await using session = await openSession({ tickets: 20 });
    const id = idOf(session, 'agent@example.test');
    const [mine = 0] = session.simulator.users.groupIds(id);
    const groups = idsAt((await session.call('/api/v2/groups')).body, 'groups');
    const started = await session.call('/api/v2/group_memberships/create_many', {
      body: { group_memberships: groups.map((group) => ({ user_id: id, group_id: group })) },
    });
    const results = async (answer: typeof started) => {
      const job = objectAt(answer.body, 'job_status');
      const done = await session.call(`/api/v2/job_statuses/${job['id']}`);
      return listAt(objectAt(done.body, 'job_status'), 'results');
    };
    const created = await results(started);
    expect(created.filter((row) => row['status'] === 'Created')).toHaveLength(groups.length - 1);
    expect(created[groups.indexOf(mine)]).toMatchObject({ error: 'GroupMembershipCreateFailed' });
    const ids = created.map((row) => row['id']).filter((row) => row !== undefined);
    const ended = await session.call(`/api/v2/group_memberships/destroy_many?ids=${ids.join()},7`, {
      method: 'DELETE',
    });
    expect((await results(ended)).at(-1)).toMatchObject({ error: 'RecordNotFound' });
    expect(session.simulator.users.groupIds(id)).toEqual([mine]);
  });
});

describe('organization memberships', () => {
  it('are one per user who has an organization', async () => {
    await using session = await openSession({ tickets: 200 });
    const { body } = await session.call('/api/v2/organization_memberships?per_page=100');
    const rows = listAt(body, 'organization_memberships');
    expect(rows.length).toBeGreaterThan(5);
    for (const row of rows) {
      expect(session.simulator.users.get(Number(row['user_id']))?.organizationId).toBe(
        row['organization_id'],
      );
    }
  });
});

describe('sessions', () => {
  it('are listed, ended one by one, all of a user, and of many users', async () => {
    await using session = await openSession({ tickets: 20 });
    const { users } = session.simulator;
    const id = idOf(session, 'agent@example.test');
    const other = idOf(session, 'suspended@example.test');
    const begun = users.signIn(id);
    users.signIn(id);
    users.signIn(other);
    const path = `/api/v2/users/${id}/sessions`;
    const listed = listAt((await session.call(path)).body, 'sessions');
    expect(listed.find((row) => row['id'] === begun)).toMatchObject({
      user_id: id,
      authenticated_at: '2026-11-21T06:00:00Z',
      last_seen_at: '2026-11-21T06:00:00Z',
    });
    expect((await session.call(`/api/v2/users/${id}`)).body['user']).toMatchObject({
      last_login_at: '2026-11-21T06:00:00Z',
    });
    expect((await session.call(`${path}/${begun}`, { method: 'DELETE' })).status).toBe(204);
    expect((await session.call(`${path}/${begun}`, { method: 'DELETE' })).status).toBe(404);
    expect(users.sessionIds(id)).toHaveLength(listed.length - 1);
    expect((await session.call(path, { method: 'DELETE' })).status).toBe(204);
    expect(users.sessionIds(id)).toEqual([]);
    users.signIn(id);
    const many = await session.call(`/api/v2/users/logout_many?ids=${id},${other},7`, {
      method: 'POST',
      body: {},
    });
    expect(many.status).toBe(202);
    expect([users.sessionIds(id), users.sessionIds(other)]).toEqual([[], []]);
  });

  it('are seeded for those whose last login is not long ago, the same ones every time', async () => {
    await using session = await openSession({ tickets: 20 });
    const { users } = session.simulator;
    const staff = listAt((await session.call('/api/v2/users?role[]=agent&role[]=admin')).body, 'users');
    const counts = staff.map((row) => users.sessionIds(Number(row['id'])).length);
    expect(counts.some((count) => count > 0)).toBe(true);
    expect(counts.some((count) => count === 0)).toBe(true);
    expect(staff.map((row) => users.sessionIds(Number(row['id'])).length)).toEqual(counts);
  });
});
