/** What happens while a plan is under way: guard rails that come to stand, cancelling, tickets that are handed over. */
import { expect, it } from 'vitest';
import { AGENT_EMAIL } from '../../simulator/index.ts';
import { openHouse } from '../service/house.ts';
import { describeOnBothDatabases, describeOnPostgres } from '../support/store.ts';
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
  return users.create({ name: `Agent ${made}`, email: `agent${made}@under-way.test`, role: 'agent' });
}

function giveTickets(
  { house }: PlanDesk,
  assignee: number,
  count: number,
  status = 'open',
): readonly number[] {
  const { tickets } = house.gateway.simulator;
  return Array.from({ length: count }, (_, n) =>
    tickets.create({ subject: `T${n}`, comment: { body: 'x' }, assignee_id: assignee, status }),
  );
}

const nameForEmergencies = async ({ ask }: PlanDesk, integrationId: string, ids: readonly number[]) =>
  dataOf(
    await ask(
      'mutation($input: ProvisioningSettingsInput!) { setProvisioningSettings(input: $input) { maxChanges } }',
      { input: { integrationId, breakGlassUserIds: ids.map(String) } },
    ),
  );
const cancel = async ({ ask }: PlanDesk, id: string): Promise<Result> =>
  dataOf(await ask('mutation($id: ID!) { cancelPlan(planId: $id) { state isStopping } }', { id })).cancelPlan;
const slow = (path: string, milliseconds = 600) =>
  ({ method: 'PUT', path, effect: { kind: 'latency', milliseconds } }) as const;

describeOnBothDatabases('a plan under way', (database) => {
  const desk = usePlanDesk(database);
  const heir = () => String(desk().users.byEmail(AGENT_EMAIL)?.id);

  it.each([
    ['the owner', '/api/v2/account', (id: number) => ({ account: { owner_id: id } })],
    ['the connected admin', '/api/v2/users/me', (id: number) => ({ user: { id } })],
  ])('suspends nobody who became %s while it was interrupted', async (_who, path, body) => {
    const { plan, apply, users, house } = desk();
    const { faults } = house.gateway.simulator;
    const id = newAgent(desk());
    const shown = await plan('deprovisionUser', { userId: String(id) });
    // The second write of the person is the suspension.
    faults.add({
      method: 'PUT',
      path: '/api/v2/users/*',
      skip: 1,
      effect: { kind: 'status', status: 500 },
    });
    expect((await apply(shown.id)).state).toBe('INTERRUPTED');
    faults.clear();
    faults.add({ path, effect: { kind: 'status', status: 200, body: JSON.stringify(body(id)) } });
    const done = await apply(shown.id);
    expect(done.state).toBe('PARTLY_APPLIED');
    expect(stepsOf(done)).toEqual(['CHANGE_ROLE DONE', 'SUSPEND FAILED', 'END_SESSIONS SKIPPED']);
    expect(done.items.nodes[0].steps[1].failure).toBe('OPERATION_NOT_ALLOWED');
    expect(users.get(id)?.suspended).toBe(false);
  });

  it('suspends nobody who was named for emergencies after an earlier step of the same person', async () => {
    const { plan, tryApply, users, house, integrationId } = desk();
    const { faults, requests } = house.gateway.simulator;
    const id = newAgent(desk());
    const shown = await plan('deprovisionUser', { userId: String(id) });
    faults.add({ ...slow('/api/v2/users/*'), count: 1 });
    const since = requests.total;
    const applying = tryApply(shown.id);
    await house.gateway.simulator.waitForRequest(({ method }) => method === 'PUT', { after: since });
    await nameForEmergencies(desk(), integrationId, [id]);
    const done = dataOf(await applying).applyPlan;
    expect(stepsOf(done)).toEqual(['CHANGE_ROLE DONE', 'SUSPEND FAILED', 'END_SESSIONS SKIPPED']);
    expect(users.get(id)?.suspended).toBe(false);
    await nameForEmergencies(desk(), integrationId, []);
  });

  it('spares whom another integration of the same account names for emergencies', async () => {
    const { plan, ask, house } = desk();
    const id = newAgent(desk());
    const made = await ask(
      'mutation($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } } }',
      {
        input: {
          systemType: 'ZENDESK',
          config: { subdomain: 'acme' },
          credentialId: house.tenant.credentialId,
          allowedOperations: ['suspend_user'],
        },
      },
    );
    const second: string = dataOf(made).createIntegration.integration.id;
    const shown = await plan('suspendUser', { userId: String(id) });
    await nameForEmergencies(desk(), second, [id]);
    expect((await plan('suspendUser', { userId: String(id) })).items.nodes[0].blocked?.reason).toBe(
      'BREAK_GLASS',
    );
    const refused = await desk().tryApply(shown.id);
    expect(Object.keys(fieldsOf(refused))).toEqual(['items.0.guard']);
    const { tenant } = house;
    const payload = { user_id: id, suspended: true };
    const alone = await tenant.proxy('suspend_user', payload, {
      apiKey: tenant.keys.admin,
      headers: { 'x-sealdesk-key': tenant.keyFile.key_id },
    });
    expect(alone.json.error?.code).toBe('OPERATION_NOT_ALLOWED');
    await nameForEmergencies(desk(), second, []);
  });

  it('is about whom its sealed text names, whatever was written beside it in the database', async () => {
    const { plan, apply, users, house } = desk();
    const [wanted, other] = [newAgent(desk()), newAgent(desk())];
    const shown = await plan('suspendUser', { userId: String(wanted) });
    await house.gateway.store.withTenant(house.tenant.id, (tx) =>
      tx
        .updateTable('provisioning_items')
        .set({ zendesk_id: String(other) })
        .where('plan_id', '=', shown.id)
        .execute(),
    );
    await apply(shown.id);
    expect([wanted, other].map((id) => users.get(id)?.suspended)).toEqual([true, false]);
  });

  it('that is cancelled stops after the step under way, in the middle of a person', async () => {
    const { plan, tryApply, users, house, settled } = desk();
    const { faults, requests } = house.gateway.simulator;
    const id = newAgent(desk());
    const shown = await plan('deprovisionUser', { userId: String(id) });
    faults.add({ ...slow('/api/v2/users/*'), count: 1 });
    const since = requests.total;
    const applying = tryApply(shown.id);
    await house.gateway.simulator.waitForRequest(({ method }) => method === 'PUT', { after: since });
    expect(await cancel(desk(), shown.id)).toEqual({ state: 'APPLYING', isStopping: true });
    await applying;
    const done = await settled(shown.id);
    expect(done).toMatchObject({ state: 'CANCELLED', counts: { left: 1 } });
    expect(stepsOf(done)).toEqual(['CHANGE_ROLE DONE', 'SUSPEND SKIPPED', 'END_SESSIONS SKIPPED']);
    expect(users.get(id)).toMatchObject({ role: 'end-user', suspended: false });
  });

  it('that is cancelled stops between two tickets, and tells how many it handed over', async () => {
    const { plan, tryApply, users, house, settled, events } = desk();
    const { faults, requests, tickets } = house.gateway.simulator;
    const id = newAgent(desk());
    const open = giveTickets(desk(), id, 8);
    const shown = await plan('deprovisionUser', { userId: String(id), reassignTicketsTo: heir() });
    faults.add(slow('/api/v2/tickets/*', 400));
    const since = requests.total;
    const applying = tryApply(shown.id);
    await house.gateway.simulator.waitForRequest(({ method }) => method === 'PUT', { after: since });
    await cancel(desk(), shown.id);
    await applying;
    const done = await settled(shown.id);
    expect([done.state, stepsOf(done)[0]]).toEqual(['CANCELLED', 'REASSIGN_TICKETS SKIPPED']);
    const moved = open.filter((ticket) => tickets.get(ticket)?.assigneeId !== id).length;
    expect(moved).toBeGreaterThan(0);
    expect(moved).toBeLessThan(open.length);
    expect(done.items.nodes[0].steps[0].count).toBe(moved);
    const outcome = (await events(8)).findLast(
      ({ operation, phase }) => operation === 'update_ticket' && phase === 'OUTCOME',
    );
    expect(outcome).toMatchObject({ outcome: 'SUCCEEDED', count: moved });
    expect(users.get(id)?.role).toBe('agent');
  });

  it.each([
    {},
    { reassignTicketsTo: true },
  ])('takes nobody out of the staff who got tickets since it was made: %j', async ({
    reassignTicketsTo = false,
  }) => {
    const { plan, tryApply, users } = desk();
    const id = newAgent(desk());
    const shown = await plan('changeUserRole', {
      userId: String(id),
      role: 'END_USER',
      ...(reassignTicketsTo ? { reassignTicketsTo: heir() } : {}),
    });
    giveTickets(desk(), id, 1);
    const refused = await tryApply(shown.id);
    expect(codeOf(refused)).toBe('PLAN_STALE');
    expect(Object.keys(fieldsOf(refused))).toEqual(['items.0.openTickets']);
    expect(users.get(id)?.role).toBe('agent');
  });

  it('takes nobody out of the staff who got tickets just before their turn', async () => {
    const { plan, tryApply, users, house } = desk();
    const { faults, requests } = house.gateway.simulator;
    const id = newAgent(desk());
    const shown = await plan('changeUserRole', { userId: String(id), role: 'END_USER' });
    const since = requests.total;
    const looks = () =>
      requests.entries.filter(
        ({ sequence, path }) => sequence > since && path.startsWith('/api/v2/users/show_many'),
      ).length;
    // It is looked at when it is applied, and once more when the person's turn comes.
    faults.add({
      path: '/api/v2/users/show_many',
      skip: 1,
      count: 1,
      effect: { kind: 'latency', milliseconds: 300 },
    });
    const applying = tryApply(shown.id);
    await house.gateway.simulator.waitForRequest(() => looks() === 2, { after: since });
    giveTickets(desk(), id, 1);
    const done = dataOf(await applying).applyPlan;
    expect([done.state, done.items.nodes[0].state]).toEqual(['PARTLY_APPLIED', 'STALE']);
    expect(users.get(id)?.role).toBe('agent');
  });

  it('hands over also the ticket that comes after thousands of solved ones', async () => {
    const { plan, apply, users, house } = desk();
    const id = newAgent(desk());
    giveTickets(desk(), id, 5_000, 'solved');
    const [ticket = 0] = giveTickets(desk(), id, 1);
    const shown = await plan('deprovisionUser', { userId: String(id), reassignTicketsTo: heir() });
    const done = await apply(shown.id);
    expect([done.state, done.items.nodes[0].steps[0].count]).toEqual(['APPLIED', 1]);
    expect(String(house.gateway.simulator.tickets.get(ticket)?.assigneeId)).toBe(heir());
    expect(users.get(id)?.role).toBe('end-user');
  });

  it('is interrupted, and takes no role, while Zendesk does not show all tickets that are open', async () => {
    const { plan, apply, users, house } = desk();
    const { faults, tickets } = house.gateway.simulator;
    const id = newAgent(desk());
    const open = giveTickets(desk(), id, 25);
    const shown = await plan('deprovisionUser', { userId: String(id), reassignTicketsTo: heir() });
    const hidden = { results: [], count: 1_200, next_page: 'https://acme.zendesk.com/more' };
    faults.add({
      path: '/api/v2/search',
      effect: { kind: 'status', status: 200, body: JSON.stringify(hidden) },
    });
    const half = await apply(shown.id);
    expect(half).toMatchObject({ state: 'INTERRUPTED', failure: 'UPSTREAM_UNAVAILABLE' });
    expect(users.get(id)?.role).toBe('agent');
    faults.clear();
    const done = await apply(shown.id);
    expect([done.state, done.items.nodes[0].steps[0].count]).toEqual(['APPLIED', 25]);
    expect(open.every((ticket) => String(tickets.get(ticket)?.assigneeId) === heir())).toBe(true);
  });
});

describeOnPostgres('a plan of one person', () => {
  it('does not wait for all that another tenant has under way', async () => {
    await using house = await openHouse('postgres', PATIENT);
    const { gateway, other } = house;
    const own = planDeskOf(house);
    const theirs = planDeskOf({ ...house, tenant: other });
    const shown = await own.plan('suspendUser', { userId: String(newAgent(own)) });
    const bulk: string[] = [];
    for (let n = 0; n < 8; n += 1) {
      const people = [0, 1].map((m) => ({ email: `bulk${n}-${m}@under-way.test`, name: 'Bulk' }));
      bulk.push((await theirs.plan('provisionMany', { people })).id);
    }
    gateway.simulator.faults.add({
      method: 'POST',
      path: '/api/v2/users',
      effect: { kind: 'latency', milliseconds: 2_000 },
    });
    for (const id of bulk) expect((await theirs.apply(id)).state).toBe('APPLYING');
    expect((await own.apply(shown.id)).state).toBe('APPLIED');
    const others = await Promise.all(bulk.map((id) => theirs.read(id)));
    expect(others.map(({ state }) => state)).toEqual(bulk.map(() => 'APPLYING'));
    for (const id of bulk) await cancel(theirs, id);
  });
});
