import { describe, expect, it } from 'vitest';
import {
  CONTRIBUTOR_ROLE_ID,
  FIRST_GROUP_ID,
  LIGHT_AGENT_ROLE_ID,
  TEAM_LEAD_ROLE_ID,
} from '../../simulator/index.ts';
import { type Answer, idsAt, listAt, objectAt, openSession, type Session } from './client.ts';

const openUsers = (people = {}): Promise<Session> => openSession({ tickets: 60, limits: 'off', people });

const post = (session: Session, user: object): Promise<Answer> =>
  session.call('/api/v2/users', { body: { user } });

const put = (session: Session, id: number, user: object): Promise<Answer> =>
  session.call(`/api/v2/users/${id}`, { method: 'PUT', body: { user } });

const idOf = (session: Session, email: string): number => session.simulator.users.byEmail(email)?.id ?? 0;

const detailsOf = (answer: Answer): Record<string, unknown> => {
  expect(answer.status).toBe(422);
  expect(answer.body['error']).toBe('RecordInvalid');
  return objectAt(answer.body, 'details');
};

describe('creating users', () => {
  it('answers 201 with location and the whole user, and names what it ignored', async () => {
    await using session = await openUsers();
    const answer = await post(session, {
      name: 'Grace Field',
      email: 'grace@x.test',
      role: 'agent',
      external_id: 'HR-1',
      two_factor_auth_enabled: true,
      last_login_at: '2020-01-01T00:00:00Z',
    });
    expect(answer.status).toBe(201);
    const user = objectAt(answer.body, 'user');
    expect(user).toMatchObject({
      name: 'Grace Field',
      email: 'grace@x.test',
      role: 'agent',
      role_type: null,
      custom_role_id: null,
      active: true,
      suspended: false,
      external_id: 'HR-1',
      two_factor_auth_enabled: false,
      last_login_at: null,
      created_at: '2026-11-21T06:00:00Z',
      default_group_id: FIRST_GROUP_ID,
    });
    expect(answer.headers.get('location')).toBe(`${session.simulator.url}/api/v2/users/${user['id']}.json`);
    expect(answer.headers.get('x-zendesk-api-warn')).toContain(
      ':unpermitted_keys=>["user.two_factor_auth_enabled", "user.last_login_at"]',
    );
  });

  it('refuses taken addresses and external ids whatever their case, and names that are empty', async () => {
    await using session = await openUsers();
    await post(session, { name: 'First', email: 'first@x.test', external_id: 'hr-1' });
    const taken = detailsOf(
      await post(session, { name: ' ', email: 'FIRST@x.test', external_id: 'HR-1', role: 'king' }),
    );
    expect(taken).toMatchObject({
      name: [{ error: 'ValueTooShort', description: 'Name: is too short (minimum one character)' }],
      email: [{ error: 'DuplicateValue' }],
      external_id: [{ error: 'DuplicateValue' }],
      role: [{ error: 'InvalidValue' }],
    });
    expect(session.simulator.users.byEmail('first@x.test')?.name).toBe('First');
  });

  it.each([
    ['an unknown custom role', { custom_role_id: 7 }],
    ['a custom role of another role', { custom_role_id: TEAM_LEAD_ROLE_ID, role: 'admin' }],
    ['an unknown organization', { organization_id: 7 }],
    ['an unknown group', { default_group_id: 7, role: 'agent' }],
    ['a suspension that is no flag', { suspended: 'yes' }],
    ['an address that is none', { email: 'nobody' }],
  ])('refuses %s', async (_what, fields) => {
    await using session = await openUsers();
    const { count } = session.simulator.users;
    detailsOf(await post(session, { name: 'New', ...fields }));
    expect(session.simulator.users.count).toBe(count);
  });

  it('gives the role type and the role of a custom role', async () => {
    await using session = await openUsers();
    const light = await post(session, { name: 'Light', custom_role_id: LIGHT_AGENT_ROLE_ID });
    expect(light.body['user']).toMatchObject({
      role: 'agent',
      role_type: 1,
      custom_role_id: LIGHT_AGENT_ROLE_ID,
      only_private_comments: true,
    });
    const listed = await session.call('/api/v2/custom_roles');
    expect(
      listAt(listed.body, 'custom_roles').find((role) => role['id'] === LIGHT_AGENT_ROLE_ID),
    ).toMatchObject({ name: 'Light agent', role_type: 1, team_member_count: 1 });
  });
});

describe('create_or_update', () => {
  it('creates with 201, then updates with 200 by external id or address, whatever the case', async () => {
    await using session = await openUsers();
    const call = (user: object) => session.call('/api/v2/users/create_or_update', { body: { user } });
    const created = await call({ name: 'One', email: 'one@x.test', external_id: 'hr-1' });
    expect(created.status).toBe(201);
    const id = Number(objectAt(created.body, 'user')['id']);
    const byExternalId = await call({ external_id: 'HR-1', phone: '+44 20 1' });
    expect(byExternalId.status).toBe(200);
    expect(byExternalId.body['user']).toMatchObject({
      id,
      name: 'One',
      phone: '+44 20 1',
      external_id: 'HR-1',
    });
    const byEmail = await call({ email: 'ONE@x.test', name: 'Uno' });
    expect(byEmail.status).toBe(200);
    expect(byEmail.body['user']).toMatchObject({ id, name: 'Uno', email: 'one@x.test' });
  });
});

describe('updating users', () => {
  it('changes what is named, moves updated_at and answers the user', async () => {
    await using session = await openUsers();
    const id = idOf(session, 'customer@example.test');
    session.clock.advance(5000);
    const answer = await put(session, id, { name: 'Changed', tags: ['vip'], bogus: 1 });
    expect(answer.status).toBe(200);
    expect(answer.body['user']).toMatchObject({
      id,
      name: 'Changed',
      tags: ['vip'],
      email: 'customer@example.test',
      updated_at: '2026-11-21T06:00:05Z',
    });
    expect(answer.headers.get('x-zendesk-api-warn')).toContain('user.bogus');
    expect((await put(session, 7, { name: 'Nobody' })).status).toBe(404);
  });

  it('adds an address beside the primary one, which make_primary exchanges', async () => {
    await using session = await openUsers();
    const id = idOf(session, 'customer@example.test');
    const answer = await put(session, id, { email: 'second@x.test' });
    expect(answer.body['user']).toMatchObject({ email: 'customer@example.test' });
    const found = await session.call('/api/v2/users/search?query=email:second@x.test');
    expect(idsAt(found.body, 'users')).toEqual([id]);
    const path = `/api/v2/users/${id}/identities`;
    const listed = listAt((await session.call(path)).body, 'identities');
    expect(listed).toMatchObject([
      { type: 'email', value: 'customer@example.test', primary: true },
      { type: 'email', value: 'second@x.test', primary: false },
    ]);
    const primary = await session.call(`${path}/${listed[1]?.['id']}/make_primary`, {
      method: 'PUT',
      body: {},
    });
    expect(listAt(primary.body, 'identities')).toMatchObject([
      { value: 'second@x.test', primary: true },
      { value: 'customer@example.test', primary: false },
    ]);
    expect(idOf(session, 'customer@example.test')).toBe(id);
    expect(session.simulator.users.get(id)?.email).toBe('second@x.test');
    detailsOf(await post(session, { name: 'Taken', email: 'Customer@example.test' }));
    const former = idsAt(primary.body, 'identities')[1];
    expect((await session.call(`${path}/${former}`, { method: 'DELETE' })).status).toBe(204);
    expect((await post(session, { name: 'Free', email: 'Customer@example.test' })).status).toBe(201);
  });

  it('replaces the organization memberships with the organization', async () => {
    await using session = await openUsers();
    const id = idOf(session, 'customer@example.test');
    const organizations = idsAt((await session.call('/api/v2/organizations')).body, 'organizations');
    const path = `/api/v2/users/${id}/organization_memberships`;
    const seen: unknown[] = [];
    for (const organization of organizations.slice(0, 2)) {
      await put(session, id, { organization_id: organization });
      const rows = listAt((await session.call(path)).body, 'organization_memberships');
      expect(rows).toMatchObject([{ user_id: id, organization_id: organization, default: true }]);
      seen.push(rows[0]?.['id']);
    }
    expect(new Set(seen).size).toBe(2);
    await put(session, id, { organization_id: null });
    expect(listAt((await session.call(path)).body, 'organization_memberships')).toEqual([]);
  });

  it('takes groups, custom role and open tickets from an agent who becomes an end user', async () => {
    await using session = await openUsers({ varied: true });
    const { tickets, users } = session.simulator;
    const open = tickets.all().find((row) => row.assigneeId !== null && row.status === 'open');
    const solved = tickets.all().filter((row) => row.status === 'solved' || row.status === 'closed');
    const id = open?.assigneeId ?? 0;
    const kept = solved.filter((row) => row.assigneeId === id).length;
    expect(users.groupIds(id).length).toBeGreaterThan(0);
    const answer = await put(session, id, { role: 'end-user' });
    expect(answer.body['user']).toMatchObject({
      role: 'end-user',
      role_type: null,
      custom_role_id: null,
      default_group_id: null,
    });
    expect(users.groupIds(id)).toEqual([]);
    expect(tickets.get(open?.id ?? 0)?.assigneeId).toBe(idOf(session, 'admin@example.test'));
    expect(solved.filter((row) => row.assigneeId === id)).toHaveLength(kept);
    const back = await put(session, id, { role: 'agent' });
    expect(back.body['user']).toMatchObject({ default_group_id: FIRST_GROUP_ID });
    expect(users.groupIds(id)).toEqual([FIRST_GROUP_ID]);
  });
});

describe('deleting users', () => {
  it('answers the user without an address, and ends logins, groups, lists and searches', async () => {
    await using session = await openUsers();
    const id = idOf(session, 'agent@example.test');
    const answer = await session.call(`/api/v2/users/${id}.json`, { method: 'DELETE' });
    expect(answer.status).toBe(200);
    expect(answer.body['user']).toMatchObject({ id, active: false, email: null, name: 'Demo Agent' });
    expect((await session.call(`/api/v2/users/${id}`)).body['user']).toMatchObject({ active: false });
    const found = await session.call('/api/v2/users/search?query=email:agent@example.test');
    expect(idsAt(found.body, 'users')).toEqual([]);
    const agents = await session.call('/api/v2/users?role[]=agent&role[]=admin');
    expect(idsAt(agents.body, 'users')).not.toContain(id);
    expect(session.simulator.users.groupIds(id)).toEqual([]);
    const login = Buffer.from('agent@example.test/token:demo-api-token-not-secret').toString('base64');
    expect((await session.call('/api/v2/users/me', { authorization: `Basic ${login}` })).status).toBe(401);
    expect((await put(session, id, { name: 'Again' })).status).toBe(404);
    expect((await session.call(`/api/v2/users/${id}`, { method: 'DELETE' })).status).toBe(404);
    expect((await post(session, { name: 'Heir', email: 'agent@example.test' })).status).toBe(201);
  });

  it('permanently takes the personal data of those who are deleted already', async () => {
    await using session = await openUsers();
    const id = idOf(session, 'customer@example.test');
    const path = `/api/v2/deleted_users/${id}`;
    expect((await session.call(path, { method: 'DELETE' })).status).toBe(404);
    await session.call(`/api/v2/users/${id}`, { method: 'DELETE' });
    const answer = await session.call(path, { method: 'DELETE' });
    expect(answer.body['deleted_user']).toMatchObject({
      id,
      active: false,
      email: null,
      phone: null,
      tags: [],
    });
    expect(answer.text).not.toContain('Demo Customer');
    expect((await session.call(path, { method: 'DELETE' })).status).toBe(404);
  });

  it('shows the deleted in the export', async () => {
    await using session = await openSession({ tickets: 20, limits: 'off', exportLagSeconds: 0 });
    const id = idOf(session, 'customer@example.test');
    await session.call(`/api/v2/users/${id}`, { method: 'DELETE' });
    session.clock.advance(1000);
    const answer = await session.call('/api/v2/incremental/users/cursor?start_time=0');
    expect(listAt(answer.body, 'users').at(-1)).toMatchObject({ id, active: false, email: null });
  });
});

describe('seats', () => {
  it('are taken by agents and admins, suspended ones too, but not by light agents and contributors', async () => {
    await using session = await openUsers({ seats: 25 });
    const { users } = session.simulator;
    expect(users.seatsUsed).toBe(24);
    await post(session, { name: 'Light', custom_role_id: LIGHT_AGENT_ROLE_ID });
    await post(session, { name: 'Contributor', custom_role_id: CONTRIBUTOR_ROLE_ID });
    expect(users.seatsUsed).toBe(24);
    const last = await post(session, { name: 'Last', role: 'agent' });
    expect(last.status).toBe(201);
    const over = detailsOf(await post(session, { name: 'Over', role: 'agent' }));
    expect(over).toMatchObject({ base: [{ description: expect.stringContaining('(25)') }] });
    const customer = idOf(session, 'customer@example.test');
    detailsOf(await put(session, customer, { role: 'agent' }));
    const lastId = Number(objectAt(last.body, 'user')['id']);
    await put(session, lastId, { suspended: true });
    detailsOf(await put(session, customer, { role: 'agent' }));
    await put(session, lastId, { role: 'end-user' });
    expect((await put(session, customer, { role: 'agent' })).status).toBe(200);
    expect(users.seatsUsed).toBe(25);
  });
});

describe('listing users', () => {
  it('filters by custom role and external id, and counts what it lists', async () => {
    await using session = await openUsers({ staff: 60, varied: true });
    const light = await session.call(`/api/v2/users?permission_set=${LIGHT_AGENT_ROLE_ID}&per_page=100`);
    const rows = listAt(light.body, 'users');
    expect(rows.length).toBeGreaterThan(3);
    expect(new Set(rows.map((row) => row['role_type']))).toEqual(new Set([1]));
    const count = await session.call(`/api/v2/users/count?permission_set=${LIGHT_AGENT_ROLE_ID}`);
    expect(objectAt(count.body, 'count')['value']).toBe(rows.length);
    await post(session, { name: 'Found', external_id: 'HR-77' });
    const found = await session.call('/api/v2/users?external_id=hr-77');
    expect(listAt(found.body, 'users')).toMatchObject([{ name: 'Found' }]);
  });

  it('has staff worth a review: light agents, long absences, missing second factors, suspensions', async () => {
    await using session = await openUsers({ staff: 60, varied: true });
    const { body } = await session.call('/api/v2/users?role[]=agent&role[]=admin&per_page=100');
    const rows = listAt(body, 'users');
    const days = (row: Record<string, unknown>) =>
      (session.clock.now() - Date.parse(String(row['last_login_at']))) / 86_400_000;
    expect(rows.filter((row) => row['last_login_at'] !== null && days(row) > 90).length).toBeGreaterThan(3);
    expect(rows.some((row) => row['last_login_at'] === null)).toBe(true);
    expect(rows.some((row) => row['two_factor_auth_enabled'] === true)).toBe(true);
    expect(rows.some((row) => row['two_factor_auth_enabled'] === false)).toBe(true);
    expect(rows.filter((row) => row['suspended'] === true).length).toBeGreaterThan(1);
  });

  it('has odd people on request, two of them with one address but for its case', async () => {
    await using session = await openUsers({ odd: true });
    const { body } = await session.call('/api/v2/users?page[size]=15&sort=-id');
    const rows = listAt(body, 'users');
    expect(rows.some((row) => String(row['name']).startsWith('=HYPERLINK('))).toBe(true);
    expect(rows.some((row) => String(row['name']).length > 250)).toBe(true);
    const twins = rows.filter((row) => String(row['email']).toLowerCase() === 'twin@odd.example');
    expect(new Set(twins.map((row) => row['email'])).size).toBe(2);
    expect(idOf(session, 'TWIN@odd.example')).toBe(Math.min(...twins.map((row) => Number(row['id']))));
  });
});
