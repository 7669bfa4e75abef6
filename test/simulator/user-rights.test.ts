import { describe, expect, it } from 'vitest';
import { LIGHT_AGENT_ROLE_ID, OWNER_ID, TEAM_LEAD_ROLE_ID } from '../../simulator/index.ts';
import { ADMIN, basic, openSession, type Session } from './client.ts';

const AGENT = basic('agent@example.test');

const write = (
  session: Session,
  method: string,
  path: string,
  user: object | undefined,
  authorization: string,
) =>
  session.call(`/api/v2/users${path}`, {
    method,
    ...(user === undefined ? {} : { body: { user } }),
    authorization,
  });

const idOf = (session: Session, email: string): number => session.simulator.users.byEmail(email)?.id ?? 0;

const FORBIDDEN = {
  error: {
    title: 'Forbidden',
    message:
      'You do not have access to this page. Please contact the account owner of this help desk for further help.',
  },
};

describe('who may write whom', () => {
  it.each([
    ['demoted', 'PUT', { role: 'end-user' }],
    ['suspended', 'PUT', { suspended: true }],
    ['renamed', 'PUT', { name: 'Other' }],
    ['deleted', 'DELETE', undefined],
  ])('the owner can not be %s by another admin', async (_what, method, user) => {
    await using session = await openSession({ tickets: 20 });
    const before = session.simulator.users.current(OWNER_ID);
    const answer = await write(session, method, `/${OWNER_ID}`, user, ADMIN);
    expect(answer.status).toBe(403);
    expect(answer.body).toEqual(FORBIDDEN);
    expect(session.simulator.users.current(OWNER_ID)).toEqual(before);
  });

  it.each([
    ['demote', 'PUT', { role: 'end-user' }],
    ['suspend', 'PUT', { suspended: true }],
    ['delete', 'DELETE', undefined],
  ])('nobody may %s themselves, the owner included', async (_what, method, user) => {
    await using session = await openSession({ tickets: 20, people: { owner: 'admin@example.test' } });
    const id = idOf(session, 'admin@example.test');
    expect(session.simulator.users.ownerId).toBe(id);
    expect((await write(session, method, `/${id}`, user, ADMIN)).status).toBe(403);
  });

  it('an agent may create and edit customers, and no staff', async () => {
    await using session = await openSession({ tickets: 20, limits: 'off' });
    const customer = idOf(session, 'customer@example.test');
    expect((await write(session, 'POST', '', { name: 'New' }, AGENT)).status).toBe(201);
    expect((await write(session, 'PUT', `/${customer}`, { name: 'New' }, AGENT)).status).toBe(200);
    expect((await write(session, 'POST', '', { name: 'New', role: 'agent' }, AGENT)).status).toBe(403);
    expect((await write(session, 'PUT', `/${customer}`, { role: 'agent' }, AGENT)).status).toBe(403);
    const other = idOf(session, 'suspended@example.test');
    expect((await write(session, 'PUT', `/${other}`, { name: 'New' }, AGENT)).status).toBe(403);
    expect((await write(session, 'DELETE', `/${other}`, undefined, AGENT)).status).toBe(403);
  });

  it('a light agent may write nobody, a team lead agents but no admins, an end user nothing', async () => {
    await using session = await openSession({ tickets: 20, limits: 'off' });
    const { users } = session.simulator;
    const customer = idOf(session, 'customer@example.test');
    const agent = idOf(session, 'agent@example.test');
    users.change(agent, { custom_role_id: LIGHT_AGENT_ROLE_ID });
    expect((await session.call('/api/v2/users', { authorization: AGENT })).status).toBe(200);
    expect((await write(session, 'PUT', `/${customer}`, { name: 'New' }, AGENT)).status).toBe(403);
    users.change(agent, { custom_role_id: TEAM_LEAD_ROLE_ID });
    expect((await write(session, 'PUT', `/${customer}`, { role: 'agent' }, AGENT)).status).toBe(200);
    expect((await write(session, 'PUT', `/${customer}`, { role: 'admin' }, AGENT)).status).toBe(403);
    const admin = idOf(session, 'admin@example.test');
    expect((await write(session, 'PUT', `/${admin}`, { suspended: true }, AGENT)).status).toBe(403);
    users.change(agent, { role: 'end-user' });
    expect((await write(session, 'POST', '', { name: 'New' }, AGENT)).status).toBe(403);
  });

  it('a token needs the scope of what it does', async () => {
    await using session = await openSession({ tickets: 20, limits: 'off' });
    const bearer = (...scopes: string[]) => `Bearer ${session.simulator.issueAccessToken({ scopes }).token}`;
    const readOnly = await write(
      session,
      'POST',
      '',
      { name: 'New' },
      bearer('read', 'users:read', 'tickets:write'),
    );
    expect(readOnly.status).toBe(403);
    expect(readOnly.body).toMatchObject({
      error: 'Forbidden',
      description: 'Missing the following required scopes: write',
    });
    expect((await write(session, 'POST', '', { name: 'New' }, bearer('users:write'))).status).toBe(201);
    const sessions = `/api/v2/users/${OWNER_ID}/sessions`;
    expect((await session.call(sessions, { authorization: bearer('users:write') })).status).toBe(403);
    expect((await session.call(sessions, { authorization: bearer('users:read') })).status).toBe(200);
  });
});

describe('limits of user updates', () => {
  it('are one a second for the account, over PUT and create_or_update together', async () => {
    await using session = await openSession({ tickets: 20 });
    const customer = idOf(session, 'customer@example.test');
    const agent = idOf(session, 'agent@example.test');
    const first = await write(session, 'PUT', `/${customer}`, { name: 'One' }, ADMIN);
    expect(first.status).toBe(200);
    expect(first.headers.get('zendesk-ratelimit-users-update')).toBe('total=1; remaining=0; resets=1');
    const second = await write(session, 'PUT', `/${agent}`, { name: 'Two' }, ADMIN);
    expect(second.status).toBe(429);
    expect(second.headers.get('retry-after')).toBe('1');
    expect(second.body['error']).toBe('APIRateLimitExceeded');
    expect(session.simulator.users.get(agent)?.name).toBe('Demo Agent');
    const third = await write(
      session,
      'POST',
      '/create_or_update',
      { name: 'New', email: 'n@x.test' },
      ADMIN,
    );
    expect(third.status).toBe(429);
    session.clock.advance(1000);
    expect((await write(session, 'PUT', `/${agent}`, { name: 'Two' }, ADMIN)).status).toBe(200);
  });

  it('are five a minute for one user, whichever way the user is named', async () => {
    await using session = await openSession({ tickets: 20, endpointLimits: { 'users-update': 1000 } });
    const customer = idOf(session, 'customer@example.test');
    const named = { email: 'CUSTOMER@example.test', name: 'Named' };
    for (let count = 0; count < 3; count += 1) {
      expect((await write(session, 'PUT', `/${customer}`, { name: `${count}` }, ADMIN)).status).toBe(200);
    }
    for (let count = 0; count < 2; count += 1) {
      expect((await write(session, 'POST', '/create_or_update', named, ADMIN)).status).toBe(200);
    }
    expect((await write(session, 'POST', '/create_or_update', named, ADMIN)).status).toBe(429);
    const other = idOf(session, 'agent@example.test');
    expect((await write(session, 'PUT', `/${other}`, { name: 'Other' }, ADMIN)).status).toBe(200);
    session.clock.advance(60_000);
    expect((await write(session, 'PUT', `/${customer}`, { name: 'Again' }, ADMIN)).status).toBe(200);
  });

  it('are lifted with all others for benchmarks', async () => {
    await using session = await openSession({ tickets: 20, limits: 'off' });
    const customer = idOf(session, 'customer@example.test');
    for (let count = 0; count < 12; count += 1) {
      const { status } = await write(session, 'PUT', `/${customer}`, { name: `${count}` }, ADMIN);
      expect(status).toBe(200);
      expect((await session.call('/api/v2/incremental/users/cursor?start_time=0')).status).toBe(200);
    }
  });
});
