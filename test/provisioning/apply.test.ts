/** Applying: against a Zendesk that moves, fails and refuses, and by processes that die. */
import { expect, it } from 'vitest';
import { createId } from '../../src/base/index.ts';
import { openPlanRuns, openPlanWorker } from '../../src/service/index.ts';
import type { Store } from '../../src/store/index.ts';
import { dumpTables, findWords } from '../leaks/canaries.ts';
import { openHouse } from '../service/house.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { createTestApiKey, PROVISIONING_OPERATIONS } from '../support/tenant.ts';
import { wrappedStore } from '../support/wrapped-store.ts';
import {
  codeOf,
  dataOf,
  fieldsOf,
  PATIENT,
  type PlanDesk,
  planDeskOf,
  type Result,
  stepsOf,
  usePlanDesk,
} from './plan-desk.ts';

let made = 0;
function newAgent({ users }: Pick<PlanDesk, 'users'>): number {
  made += 1;
  return users.create({ name: `Agent ${made}`, email: `agent${made}@apply.test`, role: 'agent' });
}
const peopleOf = (name: string, count: number) =>
  Array.from({ length: count }, (_, n) => ({ email: `${name}${n}@apply.test`, name: `Person ${n}` }));
const statesOf = (plan: Result): readonly string[] => plan.items.nodes.map(({ state }: Result) => state);

describeOnBothDatabases('applying a plan', (database) => {
  const desk = usePlanDesk(database);

  it('is refused, and changes nothing, where somebody changed the person since', async () => {
    const { plan, tryApply, users, writes, house, events } = desk();
    const id = newAgent(desk());
    const shown = await plan('deprovisionUser', { userId: String(id) });
    users.change(id, { role: 'admin' });
    const since = house.gateway.simulator.requests.total;
    const refused = await tryApply(shown.id);
    expect(codeOf(refused)).toBe('PLAN_STALE');
    expect(Object.keys(fieldsOf(refused))).toEqual(['items.0.role']);
    expect(refused.errors[0].extensions.mutation).toBe('NOT_SENT');
    expect(writes(since)).toEqual([]);
    expect((await events(6)).find(({ action }) => action === 'plan.apply')).toMatchObject({
      outcome: 'FAILED',
      denialReason: 'PLAN_STALE',
      resource: shown.id,
    });
    users.change(id, { role: 'agent' });
    expect((await desk().apply(shown.id)).state).toBe('APPLIED');
  });

  it('is refused where a guard rail came to stand around the person since', async () => {
    const { plan, tryApply, ask, integrationId } = desk();
    const id = newAgent(desk());
    const shown = await plan('suspendUser', { userId: String(id) });
    const set = (ids: readonly string[]) =>
      ask(
        'mutation($input: ProvisioningSettingsInput!) { setProvisioningSettings(input: $input) { maxChanges } }',
        { input: { integrationId, breakGlassUserIds: ids } },
      );
    dataOf(await set([String(id)]));
    const refused = await tryApply(shown.id);
    expect([codeOf(refused), Object.keys(fieldsOf(refused))]).toEqual(['PLAN_STALE', ['items.0.guard']]);
    dataOf(await set([]));
  });

  it('leaves one of many who moved before its turn, and does the others', async () => {
    const { plan, users, apply, settled, house } = desk();
    const ids = [newAgent(desk()), newAgent(desk())];
    const emails = ids.map((id) => users.get(id)?.email ?? '');
    const shown = await plan('provisionMany', {
      people: [
        { email: 'first@moved.test', name: 'First' },
        ...emails.map((email) => ({ email, name: 'X', role: 'AGENT', externalId: `ext-${email}` })),
      ],
      allowExisting: true,
    });
    // Everything is as planned when it is applied; the second moves while the first is made.
    house.gateway.simulator.faults.add({
      method: 'POST',
      path: '/api/v2/users',
      count: 1,
      effect: { kind: 'latency', milliseconds: 300 },
    });
    await apply(shown.id);
    users.change(ids[0] ?? 0, { role: 'admin' });
    const done = await settled(shown.id);
    expect([done.state, statesOf(done)]).toEqual(['PARTLY_APPLIED', ['DONE', 'STALE', 'DONE']]);
    expect(users.get(ids[0] ?? 0)?.externalId).toBeNull();
  });

  it.each([
    ['before it takes effect', false],
    ['after it took effect', true],
  ])('looks at Zendesk where a write fails %s, and repeats nothing that was done', async (_what, applied) => {
    const { plan, apply, users, house, writes, events } = desk();
    const id = newAgent(desk());
    const shown = await plan('deprovisionUser', { userId: String(id) });
    const since = house.gateway.simulator.requests.total;
    // The second write of the person is the suspension.
    house.gateway.simulator.faults.add({
      method: 'PUT',
      path: '/api/v2/users/*',
      skip: 1,
      count: 1,
      effect: { kind: 'status', status: 500, applied },
    });
    const done = await apply(shown.id);
    expect(stepsOf(done)).toEqual(['CHANGE_ROLE DONE', 'SUSPEND DONE', 'END_SESSIONS DONE']);
    expect(users.get(id)).toMatchObject({ role: 'end-user', suspended: true });
    expect(writes(since)).toEqual([
      `PUT /users/${id}`,
      `PUT /users/${id}`,
      ...(applied ? [] : [`PUT /users/${id}`]),
      `DELETE /users/${id}/sessions`,
    ]);
    const outcomes = (await events(16)).filter(
      ({ operation, phase }) => operation === 'suspend_user' && phase !== 'INTENT',
    );
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(applied ? ['UNKNOWN'] : ['UNKNOWN', 'SUCCEEDED']);
  });

  it('makes nobody twice whose creation was not heard of', async () => {
    const { plan, apply, users, house } = desk();
    const before = users.count;
    house.gateway.simulator.faults.add({
      method: 'POST',
      path: '/api/v2/users',
      count: 1,
      effect: { kind: 'close', applied: true },
    });
    const shown = await plan('provisionUser', { email: 'lost@apply.test', name: 'Lost', role: 'AGENT' });
    const done = await apply(shown.id);
    expect(done.state).toBe('APPLIED');
    expect(done.items.nodes[0].userId).toBe(String(users.byEmail('lost@apply.test')?.id));
    expect(users.count).toBe(before + 1);
  });

  it('waits for the search to know whom it made, where the creation was not heard of and is refused again', async () => {
    const { plan, apply, users, house } = desk();
    const { faults } = house.gateway.simulator;
    faults.add({ method: 'POST', path: '/api/v2/users', count: 1, effect: { kind: 'close', applied: true } });
    const nobody = JSON.stringify({ users: [], count: 0, next_page: null, previous_page: null });
    const shown = await plan('provisionUser', { email: 'late@apply.test', name: 'Late' });
    faults.add({
      path: '/api/v2/users/search',
      skip: 1,
      effect: { kind: 'status', status: 200, body: nobody },
    });
    expect(await apply(shown.id)).toMatchObject({ state: 'INTERRUPTED', failure: 'UPSTREAM_REJECTED' });
    faults.clear();
    const done = await apply(shown.id);
    expect(done.state).toBe('APPLIED');
    expect(done.items.nodes[0].userId).toBe(String(users.byEmail('late@apply.test')?.id));
  });

  it('is interrupted where Zendesk fails on and on, and goes on where it was when applied again', async () => {
    const { plan, tryApply, settled, users, house, writes } = desk();
    const people = peopleOf('half', 6);
    const shown = await plan('provisionMany', { people });
    const { faults, requests } = house.gateway.simulator;
    const since = requests.total;
    faults.add({ method: 'POST', path: '/api/v2/users', skip: 3, effect: { kind: 'status', status: 500 } });
    dataOf(await tryApply(shown.id));
    const half = await settled(shown.id);
    expect(half).toMatchObject({
      state: 'INTERRUPTED',
      failure: 'OUTCOME_UNKNOWN',
      counts: { done: 3, pending: 3 },
    });
    expect(stepsOf(half, 3)).toEqual(['CREATE_USER SENT']);
    expect(writes(since).length).toBe(6);
    expect(users.byEmail('half3@apply.test')).toBeNull();
    faults.clear();
    dataOf(await tryApply(shown.id));
    expect(await settled(shown.id)).toMatchObject({ state: 'APPLIED', counts: { done: 6 } });
    expect(writes(since).length).toBe(9);
    expect(people.every(({ email }) => users.byEmail(email) !== null)).toBe(true);
  });

  it('fails the person whom Zendesk refuses, and does the others', async () => {
    const { plan, tryApply, settled, users } = desk();
    const people = peopleOf('dup', 3);
    const shown = await plan('provisionMany', { people });
    dataOf(await tryApply(shown.id));
    const done = await settled(shown.id);
    expect(statesOf(done)).toEqual(['DONE', 'DONE', 'DONE']);
    const more = await plan('provisionMany', { people: peopleOf('more', 3) });
    desk().house.gateway.simulator.faults.add({
      method: 'POST',
      path: '/api/v2/users',
      skip: 1,
      count: 1,
      effect: {
        kind: 'status',
        status: 422,
        body: JSON.stringify({ error: 'RecordInvalid', details: { email: [{ error: 'DuplicateValue' }] } }),
      },
    });
    dataOf(await tryApply(more.id));
    const part = await settled(more.id);
    expect([part.state, statesOf(part)]).toEqual(['PARTLY_APPLIED', ['DONE', 'FAILED', 'DONE']]);
    expect(part.items.nodes[1]).toMatchObject({
      failure: 'UPSTREAM_REJECTED',
      steps: [{ state: 'FAILED', failure: 'UPSTREAM_REJECTED', upstreamStatus: 422 }],
    });
    expect(users.byEmail('more2@apply.test')).not.toBeNull();
  });

  it('sent twice and at the same time does everything once', async () => {
    const { plan, tryApply, settled, users, writes, house } = desk();
    const people = peopleOf('once', 5);
    const shown = await plan('provisionMany', { people });
    const since = house.gateway.simulator.requests.total;
    const answers = await Promise.all([1, 2, 3].map(() => tryApply(shown.id)));
    expect(answers.map(codeOf)).toEqual([null, null, null]);
    const done = await settled(shown.id);
    expect(done.state).toBe('APPLIED');
    expect(dataOf(await tryApply(shown.id)).applyPlan).toMatchObject({
      state: 'APPLIED',
      counts: { done: 5 },
    });
    expect(writes(since)).toEqual(people.map(() => 'POST /users'));
    expect(people.every(({ email }) => users.byEmail(email) !== null)).toBe(true);
  });

  it('stops after the step under way when the plan is cancelled', async () => {
    const { plan, tryApply, ask, settled, users, house } = desk();
    const shown = await plan('provisionMany', { people: peopleOf('stop', 4) });
    house.gateway.simulator.faults.add({
      method: 'POST',
      path: '/api/v2/users',
      effect: { kind: 'latency', milliseconds: 250 },
    });
    dataOf(await tryApply(shown.id));
    const cancel = () =>
      ask('mutation($id: ID!) { cancelPlan(planId: $id) { state isStopping } }', { id: shown.id });
    expect(dataOf(await cancel()).cancelPlan).toEqual({ state: 'APPLYING', isStopping: true });
    const done = await settled(shown.id);
    expect(done.state).toBe('CANCELLED');
    expect(done.counts.left).toBeGreaterThan(0);
    expect(done.counts.left + done.counts.done).toBe(4);
    expect(users.byEmail('stop3@apply.test')).toBeNull();
    expect(codeOf(await cancel())).toBe('CONFLICT');
    expect(codeOf(await tryApply(shown.id))).toBe('CONFLICT');
  });

  it('of a plan that was cancelled before is refused', async () => {
    const { plan, tryApply, ask } = desk();
    const shown = await plan('suspendUser', { userId: String(newAgent(desk())) });
    const cancelled = await ask('mutation($id: ID!) { cancelPlan(planId: $id) { state } }', { id: shown.id });
    expect(dataOf(cancelled).cancelPlan.state).toBe('CANCELLED');
    expect(codeOf(await tryApply(shown.id))).toBe('CONFLICT');
  });

  it('is interrupted where the policy takes a step back, and when the key that applied it is revoked', async () => {
    const { plan, tryApply, settled, ask, house, integrationId, users } = desk();
    const { gateway, tenant } = house;
    const second = await createTestApiKey(gateway, tenant.keys.admin, { roles: ['ADMIN'] });
    const shown = await plan('provisionMany', { people: peopleOf('revoked', 3) });
    gateway.simulator.faults.add({
      method: 'POST',
      path: '/api/v2/users',
      count: 1,
      effect: { kind: 'latency', milliseconds: 300 },
    });
    dataOf(await tryApply(shown.id, { apiKey: second }));
    const keys = await ask('{ apiKeys(last: 1) { nodes { id } } }');
    dataOf(
      await ask('mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }', {
        id: keys.data.apiKeys.nodes[0].id,
      }),
    );
    const half = await settled(shown.id);
    expect(half).toMatchObject({ state: 'INTERRUPTED', failure: 'UNAUTHENTICATED' });
    expect(users.byEmail('revoked2@apply.test')).toBeNull();
    const allow = (operations: readonly string[]) =>
      ask(
        'mutation($input: UpdateIntegrationInput!) { updateIntegration(input: $input) { integration { id } } }',
        {
          input: { id: integrationId, allowedOperations: operations },
        },
      );
    dataOf(await allow(PROVISIONING_OPERATIONS.filter((name) => name !== 'create_user')));
    expect(codeOf(await tryApply(shown.id))).toBe('OPERATION_NOT_ALLOWED');
    dataOf(await allow(['update_ticket', ...PROVISIONING_OPERATIONS]));
    dataOf(await tryApply(shown.id));
    expect(await settled(shown.id)).toMatchObject({ state: 'APPLIED', counts: { done: 3 } });
  });

  it('keeps nothing in the clear of whom it touches', async () => {
    const { plan, house } = desk();
    await plan('provisionUser', {
      email: 'canary-address@apply.test',
      name: 'Canary Name',
      externalId: 'canary-reference',
    });
    const words = ['canary-address', 'Canary Name', 'canary-reference'];
    expect(findWords(await dumpTables(house.gateway.store), words)).toEqual([]);
  });

  it('is nothing that another tenant, another role or a restricted client key can do', async () => {
    const { plan, tryPlan, tryApply, ask, house, integrationId } = desk();
    const { gateway, tenant, other } = house;
    const shown = await plan('suspendUser', { userId: String(newAgent(desk())) });
    for (const apiKey of [tenant.keys.agent, tenant.keys.auditor, tenant.keys.dashboard]) {
      expect(codeOf(await tryApply(shown.id, { apiKey }))).toBe('FORBIDDEN');
      expect(codeOf(await tryPlan('suspendUser', { userId: '5' }, { apiKey }))).toBe('FORBIDDEN');
    }
    const foreign = planDeskOf({ ...house, tenant: other });
    expect(codeOf(await foreign.tryApply(shown.id))).toBe('NOT_FOUND');
    expect(codeOf(await foreign.tryPlan('suspendUser', { integrationId, userId: '5' }))).toBe('NOT_FOUND');
    for (const document of [
      'mutation($id: ID!) { cancelPlan(planId: $id) { id } }',
      'query($id: ID!) { provisioningPlan(id: $id) { id } }',
    ]) {
      expect(codeOf(await foreign.ask(document, { id: shown.id }))).toBe('NOT_FOUND');
    }
    const listed = await foreign.ask(
      'query($id: ID!) { provisioningPlans(integrationId: $id) { nodes { id } } }',
      { id: integrationId },
    );
    expect(dataOf(listed).provisioningPlans.nodes).toEqual([]);
    const unsealed = await gateway.graphql('query($id: ID!) { provisioningPlan(id: $id) { state } }', {
      apiKey: tenant.keys.admin,
      variables: { id: shown.id },
    });
    expect(codeOf(unsealed.json)).toBe('SEALED_RESPONSE_REQUIRED');
    const own = await ask(
      'query($id: ID!) { provisioningPlans(integrationId: $id, state: READY, last: 2) { nodes { id } } }',
      { id: integrationId },
    );
    expect(dataOf(own).provisioningPlans.nodes.at(-1)).toEqual({ id: shown.id });
  });

  it.each([
    ['provisionUser', { email: 'p@policy.test', name: 'P' }, 'create_user'],
    ['provisionUser', { email: 'p@policy.test', name: 'P', allowExisting: true }, 'update_user'],
    ['provisionUser', { email: 'p@policy.test', name: 'P', role: 'AGENT', groupIds: ['5'] }, 'manage_groups'],
    ['provisionMany', { people: [{ email: 'p@policy.test', name: 'P' }] }, 'create_user'],
    ['changeUserRole', { userId: '5', role: 'AGENT' }, 'update_user'],
    ['assignGroups', { userId: '5', add: ['6'] }, 'manage_groups'],
    ['suspendUser', { userId: '5' }, 'suspend_user'],
    ['unsuspendUser', { userId: '5' }, 'suspend_user'],
    ['deprovisionUser', { userId: '5' }, 'update_user'],
    ['deprovisionUser', { userId: '5' }, 'suspend_user'],
    ['deprovisionUser', { userId: '5' }, 'end_sessions'],
    ['deprovisionUser', { userId: '5', reassignTicketsTo: '6' }, 'update_ticket'],
  ])('cannot be planned by %s of %j without %s', async (name, input, operation) => {
    const { tryPlan, ask, house, integrationId } = desk();
    const all = ['update_ticket', ...PROVISIONING_OPERATIONS];
    const allow = (operations: readonly string[]) =>
      ask(
        'mutation($input: UpdateIntegrationInput!) { updateIntegration(input: $input) { integration { id } } }',
        {
          input: { id: integrationId, allowedOperations: operations },
        },
      );
    dataOf(await allow(all.filter((one) => one !== operation)));
    const calls = house.gateway.simulator.requests.total;
    const refused = await tryPlan(name, input);
    dataOf(await allow(all));
    expect(codeOf(refused)).toBe('OPERATION_NOT_ALLOWED');
    expect(refused.errors[0].extensions.subject).toBe(operation);
    expect(house.gateway.simulator.requests.total).toBe(calls);
  });
});

describeOnBothDatabases('an account without a free seat', (database) => {
  const desk = usePlanDesk(database, {
    ...PATIENT,
    simulator: { ...PATIENT.simulator, people: { seats: 25 } },
  });

  it('lets a plan take those that are left, and tells who got none', async () => {
    const { plan, tryApply, settled, users } = desk();
    const free = 25 - users.seatsUsed;
    const people = peopleOf('seat', free + 1).map((person) => ({ ...person, role: 'AGENT' }));
    const shown = await plan('provisionMany', { people });
    expect(shown.staff).toBeGreaterThanOrEqual(users.seatsUsed);
    dataOf(await tryApply(shown.id));
    const done = await settled(shown.id);
    expect([done.state, statesOf(done)]).toEqual(['PARTLY_APPLIED', [...Array(free).fill('DONE'), 'FAILED']]);
    expect(users.seatsUsed).toBe(25);
  });
});

describeOnBothDatabases('a plan that is kept', (database) => {
  const desk = usePlanDesk(database);

  it('is one of so many at most, and gone after a day, also from the database', async () => {
    const { plan, tryPlan, ask, house, integrationId, users } = desk();
    const { gateway, tenant, clock } = house;
    const id = newAgent(desk());
    const shown = await plan('suspendUser', { userId: String(id) });
    const count = () =>
      gateway.store.withTenant(tenant.id, async (tx) => {
        const rows = await tx.selectFrom('provisioning_plans').select('id').execute();
        return rows.length;
      });
    // As many as may be kept, copied from the one that was made.
    await gateway.store.withTenant(tenant.id, async (tx) => {
      const row = await tx.selectFrom('provisioning_plans').selectAll().executeTakeFirstOrThrow();
      const copies = Array.from({ length: 199 }, () => ({ ...row, id: createId('plan') }));
      await tx.insertInto('provisioning_plans').values(copies).execute();
    });
    const calls = gateway.simulator.requests.total;
    expect(codeOf(await tryPlan('suspendUser', { userId: String(id) }))).toBe('CONFLICT');
    expect(gateway.simulator.requests.total).toBe(calls);
    expect(await count()).toBe(200);

    clock.advance(86_400_001);
    expect(codeOf(await desk().tryApply(shown.id))).toBe('NOT_FOUND');
    const listed = await ask('query($id: ID!) { provisioningPlans(integrationId: $id) { nodes { id } } }', {
      id: integrationId,
    });
    expect(dataOf(listed).provisioningPlans.nodes).toEqual([]);
    {
      await using _look = openPlanWorker(gateway.deps);
    }
    expect(await count()).toBe(0);
    expect(users.get(id)?.suspended).toBe(false);
  });
});

describeOnBothDatabases('a process that dies while it applies a plan', (database) => {
  it('leaves it to another, which repeats nothing that was done', async () => {
    let isDead = false;
    let rawStore: Store | null = null;
    await using house = await openHouse(database, {
      ...PATIENT,
      planTimes: { pause: 10, lease: 400 },
      wrapStore(store) {
        rawStore = store;
        const withTenant: Store['withTenant'] = (tenantId, work) =>
          isDead ? Promise.reject(new Error('dead')) : store.withTenant(tenantId, work);
        return wrappedStore(store, { withTenant });
      },
    });
    const { gateway } = house;
    const { plan, tryApply, read, users, writes, events } = planDeskOf(house);
    const id = newAgent({ users });
    users.signIn(id);
    const shown = await plan('deprovisionUser', { userId: String(id) });
    const since = gateway.simulator.requests.total;
    // It dies while the suspension is under way: Zendesk makes it, and nobody writes that down.
    const second = { method: 'PUT', path: '/api/v2/users/*', skip: 1, count: 1 };
    gateway.simulator.faults.add({ ...second, effect: { kind: 'latency', milliseconds: 300 } });
    const dying = tryApply(shown.id);
    await gateway.simulator.waitForRequest(({ method }) => method === 'PUT' && writes(since).length === 2, {
      after: since,
    });
    isDead = true;
    await dying;
    expect(users.get(id)).toMatchObject({ role: 'end-user', suspended: true });
    isDead = false;
    expect((await read(shown.id)).state).toBe('APPLYING');

    await using other = new AsyncDisposableStack();
    const deps = { ...gateway.deps, store: rawStore ?? gateway.store };
    const planRuns = other.use(openPlanRuns(deps, { pause: 10, scan: 20 }));
    other.use(openPlanWorker({ ...deps, planRuns }));
    let over = await read(shown.id);
    while (over.state === 'APPLYING') over = await read(shown.id);
    expect(over.state).toBe('APPLIED');
    expect(stepsOf(over)).toEqual(['CHANGE_ROLE DONE', 'SUSPEND DONE', 'END_SESSIONS DONE']);
    expect(users.sessionIds(id)).toEqual([]);
    expect(writes(since)).toEqual([`PUT /users/${id}`, `PUT /users/${id}`, `DELETE /users/${id}/sessions`]);
    const outcomes = (await events(20)).filter(
      ({ operation, phase }) => operation === 'suspend_user' && phase === 'OUTCOME',
    );
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['APPLIED']);
  });

  it('at any of its steps to the database leaves it to another, which ends it and sends no change twice', async () => {
    let rawStore: Store | null = null;
    let diesAt = 0;
    let reached = 0;
    const mortal =
      <Rest extends readonly unknown[], Result>(work: (...rest: Rest) => Promise<Result>) =>
      async (...rest: Rest): Promise<Result> => {
        reached += 1;
        if (diesAt > 0 && reached >= diesAt) throw new Error('dead');
        return work(...rest);
      };
    await using house = await openHouse(database, {
      ...PATIENT,
      planTimes: { pause: 10, lease: 300 },
      wrapStore(store) {
        rawStore = store;
        return wrappedStore(store, {
          withTenant: mortal(store.withTenant.bind(store)) as Store['withTenant'],
          withSystem: mortal(store.withSystem.bind(store)) as Store['withSystem'],
          runAtOnce: mortal(store.runAtOnce.bind(store)) as Store['runAtOnce'],
        });
      },
    });
    const { gateway } = house;
    const { plan, tryApply, read, users, writes } = planDeskOf(house);
    await using other = new AsyncDisposableStack();
    const deps = { ...gateway.deps, store: rawStore ?? gateway.store };
    const planRuns = other.use(openPlanRuns(deps, { pause: 10, scan: 20, lease: 5_000 }));
    other.use(openPlanWorker({ ...deps, planRuns }));
    // Until it comes to its end before it dies.
    for (let at = 1, isAlive = false; !isAlive; at += 1) {
      const id = newAgent({ users });
      users.signIn(id);
      const shown = await plan('deprovisionUser', { userId: String(id) });
      const since = gateway.simulator.requests.total;
      reached = 0;
      diesAt = at;
      await tryApply(shown.id).catch(() => undefined);
      isAlive = reached < at;
      diesAt = 0;
      // Dead before anything was begun, it has left the plan as it was.
      if ((await read(shown.id)).state === 'READY') await tryApply(shown.id);
      await expect.poll(async () => (await read(shown.id)).state, { timeout: 10_000 }).toBe('APPLIED');
      expect(stepsOf(await read(shown.id))).toEqual([
        'CHANGE_ROLE DONE',
        'SUSPEND DONE',
        'END_SESSIONS DONE',
      ]);
      expect(users.get(id)).toMatchObject({ role: 'end-user', suspended: true });
      expect(users.sessionIds(id)).toEqual([]);
      expect([at, writes(since).filter((write) => write === `PUT /users/${id}`).length]).toEqual([at, 2]);
    }
  }, 120_000);

  it('stopped in good order gives it back, and another goes on at once', async () => {
    await using house = await openHouse(database, PATIENT);
    const { gateway, tenant } = house;
    const { plan, tryApply, read, users, writes } = planDeskOf(house);
    const shown = await plan('provisionMany', { people: peopleOf('handed', 5) });
    const since = gateway.simulator.requests.total;
    gateway.simulator.faults.add({
      method: 'POST',
      path: '/api/v2/users',
      count: 1,
      effect: { kind: 'latency', milliseconds: 200 },
    });
    expect(dataOf(await tryApply(shown.id)).applyPlan.state).toBe('APPLYING');
    await gateway.simulator.waitForRequest(({ method }) => method === 'POST', { after: since });
    await gateway.deps.planRuns[Symbol.asyncDispose]();
    expect(await read(shown.id)).toMatchObject({ state: 'APPLYING', counts: { done: 1, pending: 4 } });
    await using other = openPlanRuns(gateway.deps, { pause: 10 });
    await other.run({ tenantId: tenant.id, planId: shown.id, items: 5 });
    expect(await read(shown.id)).toMatchObject({ state: 'APPLIED', counts: { done: 5 } });
    expect(writes(since)).toEqual(Array(5).fill('POST /users'));
    expect(users.byEmail('handed4@apply.test')).not.toBeNull();
  });
});
