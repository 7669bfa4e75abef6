/** What a sync brings into the directory, and what it takes out of it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ADMIN_EMAIL, AGENT_EMAIL } from '../../simulator/index.ts';
import { createId, type JsonObject } from '../../src/base/index.ts';
import {
  countDirectoryRoles,
  emailIndexOf,
  externalIdIndexOf,
  listMemberships,
  listNamedEntries,
  listRoleChanges,
  openNamedEntry,
  storeUserRecords,
} from '../../src/directory/index.ts';
import { MovableClock } from '../service/house.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { dataOf } from '../support/tenant.ts';
import { openSyncRig, type SyncRig } from './sync-rig.ts';

describeOnBothDatabases('A sync of the directory', (database) => {
  /** Zendesk's: its export keeps back what was changed within the present second. */
  const clock = new MovableClock();
  const endSecond = () => clock.advance(1_000);
  let rig: SyncRig;
  beforeAll(async () => {
    rig = await openSyncRig({ database, simulator: { clock, people: { count: 120, varied: true } } });
    rig.startWorker();
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  const simulated = () => rig.gateway.simulator.users;
  const idOf = (email: string): number => {
    const user = simulated().byEmail(email);
    if (user === null) throw new Error('The simulator knows no such user');
    return user.id;
  };
  const userOf = async (id: number) => (await rig.users()).find(({ zendeskId }) => zendeskId === id);

  it('brings every user first, with groups, memberships, organizations and custom roles', async () => {
    const run = await rig.sync();
    const { count } = simulated();
    expect(run).toMatchObject({ kind: 'FULL', state: 'SUCCEEDED', phase: 'DONE', progress: 1, reason: null });
    expect(run).toMatchObject({ added: count, changed: 0, removed: 0, usersSeen: count });
    const users = await rig.users();
    expect(users).toHaveLength(count);
    const admin = users.find(({ email }) => email === ADMIN_EMAIL);
    expect(admin).toMatchObject({ role: 'admin', name: simulated().byEmail(ADMIN_EMAIL)?.name });
    expect(users.filter(({ role }) => role === 'end-user').length).toBeGreaterThan(50);
    const { deps, store } = rig.gateway;
    const keys = await deps.keyring.keysOf(rig.tenant.id);
    await store.withTenant(rig.tenant.id, async (tx) => {
      const groups = await listNamedEntries(tx, 'directory_groups', rig.key);
      const names = groups.map((group) => openNamedEntry(keys, 'directory_groups', rig.key, group).name);
      expect(names).toContain('Support');
      expect((await listNamedEntries(tx, 'directory_organizations', rig.key)).length).toBeGreaterThan(0);
      expect((await listNamedEntries(tx, 'directory_custom_roles', rig.key)).length).toBeGreaterThan(0);
      const id = idOf(AGENT_EMAIL);
      const memberships = await listMemberships(tx, rig.key, [id]);
      expect(memberships.map(({ groupId }) => groupId).toSorted()).toEqual(
        simulated().groupIds(id).toSorted(),
      );
      const counted = await countDirectoryRoles(tx, rig.key);
      expect(counted.reduce((sum, one) => sum + one.count, 0)).toBe(count);
    });
  });

  it('makes all of its calls in the background lane of the budget, as one caller', async () => {
    await using own = await openSyncRig({ database, simulator: { people: { count: 30 } } });
    const { simulator, deps } = own.gateway;
    const { connections } = deps;
    const made = new Set<string>();
    let calls = 0;
    const noting: typeof connections = {
      ...connections,
      clientFor(...of) {
        const client = connections.clientFor(...of);
        return {
          ...client,
          request(request) {
            calls += 1;
            made.add(`${request.lane} ${request.caller}`);
            return client.request(request);
          },
        };
      },
    };
    const before = simulator.requests.total;
    own.startWorker({ deps: { connections: noting } });
    expect((await own.sync()).state).toBe('SUCCEEDED');
    expect([...made]).toEqual(['BACKGROUND access-sync']);
    expect(calls).toBe(simulator.requests.total - before);
  });

  it('then brings what changed since, and notes since when a user has a role', async () => {
    const id = idOf(AGENT_EMAIL);
    const before = await userOf(id);
    expect(before).toMatchObject({ role: 'agent', isRoleSinceExact: false });
    simulated().update(id, { role: 'admin', name: 'Ada Newname' });
    const newcomer = simulated().create({ name: 'Nia Newcomer', email: 'nia@example.test' });
    endSecond();
    const run = await rig.sync();
    expect(run).toMatchObject({ kind: 'INCREMENTAL', state: 'SUCCEEDED', added: 1, changed: 1, removed: 0 });
    const after = await userOf(id);
    expect(after).toMatchObject({ role: 'admin', name: 'Ada Newname', isRoleSinceExact: true });
    expect(after?.roleSince.getTime()).toBeGreaterThan(before?.roleSince.getTime() ?? Infinity);
    const changes = await rig.gateway.store.withTenant(rig.tenant.id, (tx) =>
      listRoleChanges(tx, rig.key, [id]),
    );
    expect(changes).toMatchObject([{ zendeskId: id, fromRole: 'agent', toRole: 'admin', runId: run.id }]);
    expect(await userOf(newcomer)).toMatchObject({ email: 'nia@example.test' });
  });

  it('counts nothing where nothing changed, also when it reads everything again', async () => {
    const run = await rig.sync(true);
    expect(run).toMatchObject({ kind: 'FULL', state: 'SUCCEEDED', added: 0, changed: 0, removed: 0 });
    expect(run.usersSeen).toBe(simulated().count);
  });

  it('takes deleted users out of the answers, and those that are gone for good when it reads everything', async () => {
    const deleted = simulated().create({ name: 'Del Eted', email: 'del@example.test' });
    const scrubbed = simulated().create({ name: 'Scru Bbed', email: 'scrub@example.test' });
    endSecond();
    expect(await rig.sync()).toMatchObject({ added: 2 });
    simulated().delete(deleted);
    simulated().scrub(scrubbed);
    endSecond();
    const run = await rig.sync(true);
    expect(run).toMatchObject({ state: 'SUCCEEDED', removed: 2 });
    expect(await userOf(deleted)).toBeUndefined();
    expect(await userOf(scrubbed)).toBeUndefined();
  });

  it('keeps a user whom the export of a full run has not shown but Zendesk does', async () => {
    const id = simulated().create({ name: 'Late Comer', email: 'late@example.test' });
    endSecond();
    await rig.sync();
    // As the export does with whom was changed within the last minute.
    rig.gateway.simulator.faults.add({
      path: '/api/v2/incremental/users/cursor',
      count: 1,
      effect: {
        ...{ kind: 'status', status: 200, contentType: 'application/json' },
        body: JSON.stringify({ users: [], after_cursor: 'MTc2NDAwMDAwMC4wfHwxfA==', end_of_stream: true }),
      },
    });
    const before = (await rig.users()).length;
    const run = await rig.sync(true);
    expect(run).toMatchObject({ state: 'SUCCEEDED', usersSeen: 0, removed: 0 });
    expect(await rig.users()).toHaveLength(before);
    expect(await userOf(id)).toBeDefined();
  });

  it('brings those back, though they did not change, whom Zendesk shows again after it did not', async () => {
    const answerOnce = (path: string, answer: object) =>
      rig.gateway.simulator.faults.add({
        ...{ path, count: 1 },
        effect: {
          ...{ kind: 'status', status: 200, contentType: 'application/json' },
          body: JSON.stringify(answer),
        },
      });
    const place = { after_cursor: 'MTc2NDAwMDAwMC4wfHwxfA==', end_of_stream: true };
    answerOnce('/api/v2/incremental/users/cursor', { users: [], ...place });
    answerOnce('/api/v2/users/show_many', { users: [] });
    const idsAndNames = async () => (await rig.users()).map(({ zendeskId, name }) => [zendeskId, name]);
    const before = await idsAndNames();
    expect(await rig.sync(true)).toMatchObject({ state: 'SUCCEEDED', added: 0, removed: 100 });
    expect(await rig.users()).toHaveLength(before.length - 100);
    expect(await rig.sync(true)).toMatchObject({ state: 'SUCCEEDED', added: 100, changed: 0, removed: 0 });
    expect(await idsAndNames()).toEqual(before);
  });

  it('finds users by address and external id whatever the case, all of them where several have the same', async () => {
    const [one, other] = [
      simulated().create({ name: 'Twin One', email: 'twin@example.test', external_id: 'Ext-77' }),
      simulated().create({ name: 'Twin Two', email: 'twin2@example.test' }),
    ];
    simulated().update(other, { email: 'Twin@Example.Test' });
    endSecond();
    expect(await rig.sync(true)).toMatchObject({ state: 'SUCCEEDED' });
    const keys = await rig.gateway.deps.keyring.keysOf(rig.tenant.id);
    const { integrationId } = rig.key;
    const byEmail = await rig.users({ emailIndex: emailIndexOf(keys, integrationId, ' TWIN@example.test') });
    expect(byEmail.map(({ zendeskId }) => zendeskId).toSorted()).toEqual([one, other].toSorted());
    const byExternalId = await rig.users({
      externalIdIndex: externalIdIndexOf(keys, integrationId, 'EXT-77'),
    });
    expect(byExternalId.map(({ zendeskId }) => zendeskId)).toEqual([one]);
    const elsewhere = emailIndexOf(keys, 'int_other', 'twin@example.test');
    expect(await rig.users({ emailIndex: elsewhere })).toEqual([]);
  });

  it('narrows what is read by role, status, group, and last login', async () => {
    const all = await rig.users();
    const staff = await rig.users({ roles: ['agent', 'admin'] });
    expect(staff.map(({ zendeskId }) => zendeskId)).toEqual(
      all.filter(({ role }) => role !== 'end-user').map(({ zendeskId }) => zendeskId),
    );
    const suspended = await rig.users({ status: 'SUSPENDED' });
    expect(suspended.length).toBeGreaterThan(0);
    expect(suspended.every(({ status }) => status === 'SUSPENDED')).toBe(true);
    const [groupId = 0] = simulated().groupIds(idOf(AGENT_EMAIL));
    const members = await rig.users({ groupId });
    expect(members.map(({ zendeskId }) => zendeskId)).toContain(idOf(AGENT_EMAIL));
    expect(members.length).toBeLessThan(all.length);
    const cut = new Date(Date.now() - 90 * 86_400_000);
    const [dormant, seen] = [await rig.users({ notSeenSince: cut }), await rig.users({ seenSince: cut })];
    expect(dormant.length + seen.length).toBe(all.length);
    expect(seen.every(({ lastSeenAt }) => lastSeenAt !== null && lastSeenAt >= cut)).toBe(true);
  });

  it('is listed with its runs, the newest last, and stands at the integration', async () => {
    const answer = await rig.ask(
      `query($id: ID!) {
        accessSyncRuns(integrationId: $id, last: 2) { edges { node { id state } } pageInfo { hasPreviousPage } }
        integration(id: $id) { accessSync { syncedAt nextRunAt schedule { cron } lastRun { id } } } }`,
      { id: rig.key.integrationId },
    );
    const data = dataOf(answer) as Record<string, ReturnType<typeof JSON.parse>>;
    const runs = data['accessSyncRuns'];
    expect(runs.edges).toHaveLength(2);
    expect(runs.pageInfo.hasPreviousPage).toBe(true);
    const { accessSync } = data['integration'];
    expect(accessSync).toMatchObject({
      schedule: null,
      nextRunAt: null,
      lastRun: { id: runs.edges[1].node.id },
    });
    expect(Date.parse(accessSync.syncedAt)).toBeLessThan(Date.now());
  });

  it('takes a user who comes twice on a page once, as it came last, however far apart', async () => {
    const ids = Array.from({ length: 250 }, (_, index) => 900_000_001 + index);
    const [twice = 0] = ids;
    const records: JsonObject[] = [...ids, twice].map((id, index) => ({
      ...{ id, role: index < ids.length ? 'end-user' : 'agent', name: `User ${index}`, active: true },
    }));
    const keys = await rig.gateway.deps.keyring.keysOf(rig.tenant.id);
    const now = new Date();
    const page = { keys, key: rig.key, runId: createId('run', now.getTime()), now, isFull: true };
    const store = () =>
      rig.gateway.store.withTenant(rig.tenant.id, (tx) =>
        storeUserRecords(tx, page, [...records, { role: 'agent' }, { id: ids[1] }]),
      );
    expect(await store()).toEqual({ added: 250, changed: 0, removed: 0 });
    expect(await store()).toEqual({ added: 0, changed: 0, removed: 0 });
    expect(await userOf(twice)).toMatchObject({ role: 'agent', name: 'User 250' });
    expect(await userOf(ids[1] ?? 0)).toMatchObject({ role: 'end-user', name: 'User 1' });
    expect(await userOf(ids[249] ?? 0)).toMatchObject({ name: 'User 249' });
  });
});
