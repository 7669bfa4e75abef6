import { describe, expect, it } from 'vitest';
import { OWNER_ID } from '../../simulator/index.ts';
import { basic, objectAt, openSession, type Session } from './client.ts';

const idOf = (session: Session, email: string): number => session.simulator.users.byEmail(email)?.id ?? 0;

describe('changing users past the API', () => {
  it('creates, changes, deletes and scrubs with the checks of the API, without limits and log', async () => {
    await using session = await openSession({ tickets: 20 });
    const control = (path: string, body?: object, method?: string) =>
      session.call(`/__simulator${path}`, {
        ...(body === undefined ? {} : { body }),
        ...(method === undefined ? {} : { method }),
      });
    const created = await control('/users', { name: 'New', role: 'agent' });
    expect(created.status).toBe(201);
    const id = Number(objectAt(created.body, 'user')['id']);
    for (let count = 0; count < 8; count += 1) {
      expect((await control(`/users/${id}`, { name: `New ${count}` })).status).toBe(200);
    }
    expect((await control(`/users/${id}`, { role: 'king' })).status).toBe(422);
    expect((await control(`/users/${id}/sign_in`, {})).status).toBe(201);
    const shown = await control(`/users/${id}`);
    expect(shown.body).toMatchObject({ user: { id, name: 'New 7' }, group_ids: [expect.any(Number)] });
    expect(shown.body['session_ids']).toHaveLength(1);
    expect((await control(`/users/${id}`, undefined, 'DELETE')).body['user']).toMatchObject({
      active: false,
    });
    expect((await control(`/users/${id}/scrub`, {})).status).toBe(200);
    expect((await control('/users/7')).status).toBe(404);
    expect((await control(`/users/${OWNER_ID}`, { suspended: true })).status).toBe(403);
    expect(session.simulator.requests.total).toBe(0);
  });

  it('tells a program what was refused', async () => {
    await using session = await openSession({ tickets: 20 });
    const { users } = session.simulator;
    expect(() => users.delete(OWNER_ID)).toThrow(/403/);
    expect(() => users.create({ name: '' })).toThrow(/ValueTooShort/);
    expect(() => users.signIn(7)).toThrow(RangeError);
    const id = idOf(session, 'agent@example.test');
    const [group = 0] = users.groupIds(id);
    users.leave(id, group);
    expect(() => users.leave(id, group)).toThrow(/not in group/);
    users.join(id, group);
    expect(users.groupIds(id)).toEqual([group]);
  });
});

describe('an account that goes bad in the middle', () => {
  it('suspended: what its credential was allowed is refused from then on', async () => {
    await using session = await openSession({ tickets: 20, limits: 'off' });
    const path = '/api/v2/incremental/users/cursor?start_time=0&per_page=5';
    const authorization = `Bearer ${session.simulator.issueAccessToken({ email: 'second@x.test' }).token}`;
    expect((await session.call(path, { authorization })).status).toBe(200);
    session.simulator.users.change(idOf(session, 'second@x.test'), { suspended: true });
    expect((await session.call(path, { authorization })).status).toBe(403);
    expect((await session.call('/api/v2/users', { authorization })).status).toBe(403);
    expect((await session.call('/api/v2/users/me', { authorization })).body['user']).toMatchObject({
      suspended: true,
    });
    session.simulator.users.delete(idOf(session, 'second@x.test'));
    expect((await session.call('/api/v2/users', { authorization })).status).toBe(401);
  });

  it('the n-th write fails, taken effect or not, by a fault that lets the first ones pass', async () => {
    await using session = await openSession({ tickets: 20, limits: 'off' });
    session.simulator.faults.add({
      method: 'PUT',
      path: '/api/v2/users/*',
      skip: 1,
      count: 1,
      effect: { kind: 'status', status: 500, applied: true },
    });
    const id = idOf(session, 'customer@example.test');
    const put = (name: string) =>
      session.call(`/api/v2/users/${id}`, { method: 'PUT', body: { user: { name } } });
    expect((await put('One')).status).toBe(200);
    expect((await put('Two')).status).toBe(500);
    expect(session.simulator.users.get(id)?.name).toBe('Two');
    expect((await put('Three')).status).toBe(200);
  });

  it('demoted: the exports are gone, the lists stay', async () => {
    await using session = await openSession({ tickets: 20 });
    session.simulator.users.change(idOf(session, 'admin@example.test'), { role: 'agent' });
    const authorization = basic('admin@example.test');
    const path = '/api/v2/incremental/users/cursor?start_time=0';
    expect((await session.call(path, { authorization })).status).toBe(403);
    expect((await session.call('/api/v2/users', { authorization })).status).toBe(200);
  });
});
