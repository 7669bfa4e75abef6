/** Plans: what each kind shows, what it does when it is applied, and what it never does. */
import { expect, it } from 'vitest';
import { ADMIN_EMAIL, AGENT_EMAIL, CUSTOMER_EMAIL, TEAM_LEAD_ROLE_ID } from '../../simulator/index.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { codeOf, dataOf, fieldsOf, type Result, stepsOf, usePlanDesk } from './plan-desk.ts';

describeOnBothDatabases('a plan', (database) => {
  const desk = usePlanDesk(database);
  let made = 0;

  /** An agent of the account, with a group and a second one. */
  function newAgent(): { readonly id: number; readonly groups: readonly number[] } {
    const { users } = desk();
    made += 1;
    const id = users.create({ name: `Agent ${made}`, email: `agent${made}@lumen.test`, role: 'agent' });
    const [first, second] = groupIds();
    users.join(id, first);
    users.join(id, second);
    return { id, groups: users.groupIds(id) };
  }

  function groupIds(): [number, number, number] {
    const { users } = desk();
    const all = [
      ...new Set([1, 2, 3, 4, 5, 6, 7, 8].flatMap((n) => users.groupIds(idOf(AGENT_EMAIL) + n * 7))),
    ];
    return [all[0] ?? 0, all[1] ?? 0, all[2] ?? 0];
  }

  function idOf(email: string): number {
    return desk().users.byEmail(email)?.id ?? 0;
  }

  const single = (plan: Result) => plan.items.nodes[0];

  it('to provision somebody new shows who it is and what it takes, and then creates them', async () => {
    const { plan, apply, users, house, writes } = desk();
    const [first, second] = groupIds();
    const since = house.gateway.simulator.requests.total;
    const shown = await plan('provisionUser', {
      email: 'Nora.New@Lumen.test',
      name: 'Nora New',
      role: 'AGENT',
      externalId: 'hr-77',
      groupIds: [String(first), String(second)],
      defaultGroupId: String(second),
    });
    expect(shown).toMatchObject({
      kind: 'PROVISION_USER',
      state: 'READY',
      changes: 1,
      people: 1,
      warnings: [],
    });
    expect(shown.staff).toBeGreaterThan(5);
    expect(single(shown)).toMatchObject({
      userId: null,
      name: 'Nora New',
      email: 'nora.new@lumen.test',
      blocked: null,
      warnings: [{ code: 'TAKES_SEAT', count: 1 }, { code: 'MAIL_IS_SENT' }],
    });
    expect(stepsOf(shown)).toEqual([
      'CREATE_USER PENDING',
      'ADD_GROUP PENDING',
      'ADD_GROUP PENDING',
      'SET_DEFAULT_GROUP PENDING',
    ]);
    expect(writes(since)).toEqual([]);
    expect(users.byEmail('nora.new@lumen.test')).toBeNull();

    const applied = await apply(shown.id);
    const row = users.byEmail('nora.new@lumen.test');
    expect(applied).toMatchObject({ state: 'APPLIED', counts: { done: 1, pending: 0 } });
    expect(single(applied)).toMatchObject({ state: 'DONE', userId: String(row?.id) });
    expect(row).toMatchObject({
      name: 'Nora New',
      role: 'agent',
      externalId: 'hr-77',
      defaultGroupId: second,
    });
    expect(users.groupIds(row?.id ?? 0)).toEqual(expect.arrayContaining([first, second]));
  });

  it('to provision somebody who is there as wished changes nothing, and cannot be applied', async () => {
    const { plan, tryApply } = desk();
    const shown = await plan('provisionUser', { email: CUSTOMER_EMAIL.toUpperCase(), name: 'Whoever' });
    expect(shown).toMatchObject({ changes: 0, counts: { unchanged: 1 } });
    expect(codeOf(await tryApply(shown.id))).toBe('CONFLICT');
  });

  it('to provision somebody who is there otherwise tells the differences, and changes them only when told to', async () => {
    const { plan, apply, users } = desk();
    const { id } = newAgent();
    users.change(id, { role: 'end-user', external_id: 'old-1' });
    const email = users.get(id)?.email ?? '';
    const input = { email, name: 'Another Name', role: 'AGENT', externalId: 'new-1' };
    const reported = await plan('provisionUser', input);
    expect(single(reported)).toMatchObject({
      state: 'BLOCKED',
      blocked: { reason: 'EXISTS' },
      differences: [
        { field: 'role', is: 'end-user', wished: 'agent' },
        { field: 'externalId', is: 'old-1', wished: 'new-1' },
      ],
      steps: [],
    });
    const told = await plan('provisionUser', { ...input, allowExisting: true });
    expect(stepsOf(told)).toEqual(['CHANGE_ROLE PENDING', 'SET_EXTERNAL_ID PENDING']);
    await apply(told.id);
    // The name was not asked to be changed, and stays.
    expect(users.get(id)).toMatchObject({ role: 'agent', externalId: 'new-1' });
    expect(users.get(id)?.name).not.toBe('Another Name');
  });

  it('finds somebody by an address that is not the primary one', async () => {
    const { plan, users } = desk();
    const { id } = newAgent();
    users.change(id, { email: `second${id}@lumen.test` });
    const shown = await plan('provisionUser', { email: `second${id}@lumen.test`, name: 'X', role: 'AGENT' });
    expect(single(shown)).toMatchObject({ userId: String(id), state: 'UNCHANGED' });
  });

  it('to change a role shows from what to what, and does it', async () => {
    const { plan, apply, users } = desk();
    const { id } = newAgent();
    const shown = await plan('changeUserRole', {
      userId: String(id),
      role: 'AGENT',
      customRoleId: String(TEAM_LEAD_ROLE_ID),
    });
    expect(single(shown).steps).toMatchObject([
      { kind: 'CHANGE_ROLE', field: 'role', from: 'agent', to: `agent (custom role ${TEAM_LEAD_ROLE_ID})` },
    ]);
    await apply(shown.id);
    expect(users.get(id)).toMatchObject({ role: 'agent', customRoleId: TEAM_LEAD_ROLE_ID });
    const up = await plan('changeUserRole', { userId: String(id), role: 'ADMIN' });
    expect(single(up).warnings).toMatchObject([{ code: 'BECOMES_ADMIN' }]);
    await apply(up.id);
    expect(users.get(id)?.role).toBe('admin');
    const unknown = await plan('changeUserRole', { userId: String(id), role: 'AGENT', customRoleId: '12' });
    expect(single(unknown).blocked.reason).toBe('UNKNOWN_ROLE');
  });

  it('to downgrade somebody with open tickets wants to know who gets them, and names lost groups', async () => {
    const { plan, apply, users, house } = desk();
    const { id } = newAgent();
    const ticket = house.gateway.simulator.tickets.create({
      subject: 'Lamp',
      comment: { body: 'Dark.' },
      assignee_id: id,
      status: 'open',
    });
    const input = { userId: String(id), role: 'END_USER' };
    expect(single(await plan('changeUserRole', input)).blocked.reason).toBe('OPEN_TICKETS');
    const unfit = await plan('changeUserRole', { ...input, reassignTicketsTo: String(idOf(CUSTOMER_EMAIL)) });
    expect(single(unfit).blocked.reason).toBe('UNFIT_HEIR');
    const shown = await plan('changeUserRole', { ...input, reassignTicketsTo: String(idOf(AGENT_EMAIL)) });
    expect(single(shown)).toMatchObject({
      warnings: [
        { code: 'TICKETS_MOVE', count: 1 },
        { code: 'FREES_SEAT' },
        { code: 'LOSES_GROUPS', count: users.groupIds(id).length },
      ],
      steps: [{ kind: 'REASSIGN_TICKETS', count: 1 }, { kind: 'CHANGE_ROLE' }],
    });
    expect(single(shown).warnings[2].names.join()).toMatch(/[A-Za-z]/);
    await apply(shown.id);
    expect(users.get(id)?.role).toBe('end-user');
    expect(house.gateway.simulator.tickets.get(ticket)?.assigneeId).toBe(idOf(AGENT_EMAIL));
  });

  it('to assign groups adds, makes the default, and takes out last', async () => {
    const { plan, apply, users } = desk();
    const { id } = newAgent();
    const [first, second, third] = groupIds();
    const shown = await plan('assignGroups', {
      userId: String(id),
      add: [String(third), String(second)],
      remove: [String(first)],
      defaultGroupId: String(third),
    });
    expect(stepsOf(shown)).toEqual([
      'ADD_GROUP PENDING',
      'SET_DEFAULT_GROUP PENDING',
      'REMOVE_GROUP PENDING',
    ]);
    const applied = await apply(shown.id);
    expect(applied.state).toBe('APPLIED');
    expect(users.groupIds(id)).toContain(third);
    expect(users.groupIds(id)).not.toContain(first);
    expect(users.get(id)?.defaultGroupId).toBe(third);
    for (const [input, reason] of [
      [{ userId: String(idOf(CUSTOMER_EMAIL)), add: [String(first)] }, 'NOT_STAFF'],
      [{ userId: String(id), add: ['77'] }, 'UNKNOWN_GROUP'],
      [{ userId: String(id), remove: users.groupIds(id).map(String) }, 'LAST_GROUP'],
      [{ userId: '424242', add: [String(first)] }, 'NOT_FOUND'],
    ] as const) {
      expect(single(await plan('assignGroups', input)).blocked.reason).toBe(reason);
    }
  });

  it('to suspend and to lift a suspension does so, and warns that the seat stays taken', async () => {
    const { plan, apply, users } = desk();
    const { id } = newAgent();
    const out = await plan('suspendUser', { userId: String(id) });
    expect(single(out).warnings).toMatchObject([{ code: 'KEEPS_SEAT' }]);
    await apply(out.id);
    expect(users.get(id)?.suspended).toBe(true);
    expect(await plan('suspendUser', { userId: String(id) })).toMatchObject({ changes: 0 });
    const back = await plan('unsuspendUser', { userId: `${desk().integrationId}:user:${id}` });
    await apply(back.id);
    expect(users.get(id)?.suspended).toBe(false);
  });

  it('to deprovision hands tickets over, downgrades, suspends and ends sessions, each step told', async () => {
    const { plan, apply, users, house, writes, events } = desk();
    const { tickets } = house.gateway.simulator;
    const { id } = newAgent();
    users.signIn(id);
    const open = [1, 2, 3].map((n) =>
      tickets.create({ subject: `T${n}`, comment: { body: 'x' }, assignee_id: id, status: 'open' }),
    );
    const solved = tickets.create({
      subject: 'S',
      comment: { body: 'x' },
      assignee_id: id,
      status: 'solved',
    });
    const shown = await plan('deprovisionUser', {
      userId: String(id),
      reassignTicketsTo: String(idOf(AGENT_EMAIL)),
    });
    const since = house.gateway.simulator.requests.total;
    const applied = await apply(shown.id);
    expect(stepsOf(applied)).toEqual([
      'REASSIGN_TICKETS DONE',
      'CHANGE_ROLE DONE',
      'SUSPEND DONE',
      'END_SESSIONS DONE',
    ]);
    expect(single(applied).steps[0].count).toBe(3);
    expect(writes(since)).toEqual([
      ...open.toSorted((a, b) => a - b).map((ticket) => `PUT /tickets/${ticket}`),
      `PUT /users/${id}`,
      `PUT /users/${id}`,
      `DELETE /users/${id}/sessions`,
    ]);
    expect(users.get(id)).toMatchObject({ role: 'end-user', suspended: true });
    expect(users.sessionIds(id)).toEqual([]);
    expect(open.map((ticket) => tickets.get(ticket)?.assigneeId)).toEqual(open.map(() => idOf(AGENT_EMAIL)));
    expect(tickets.get(solved)?.assigneeId).not.toBe(idOf(AGENT_EMAIL));

    const log = await events(40);
    const applying = log.findLast(({ action }) => action === 'plan.apply');
    expect(applying).toMatchObject({ outcome: 'SUCCEEDED', resource: shown.id });
    const calls = log.filter(
      ({ parentId, action }) => parentId === applying?.id && action === 'zendesk.call',
    );
    expect(calls.map(({ operation, phase, outcome }) => `${operation} ${phase} ${outcome}`)).toEqual([
      'update_ticket INTENT null',
      'update_ticket OUTCOME SUCCEEDED',
      'update_user INTENT null',
      'update_user OUTCOME SUCCEEDED',
      'suspend_user INTENT null',
      'suspend_user OUTCOME SUCCEEDED',
      'end_sessions INTENT null',
      'end_sessions OUTCOME SUCCEEDED',
    ]);
    expect(calls.every(({ resource }) => resource === `user:${id}`)).toBe(true);
    expect(calls[0]?.count).toBe(3);
    expect(
      log.find(({ action, resource }) => action === 'plan.finish' && resource === shown.id),
    ).toMatchObject({
      outcome: 'SUCCEEDED',
      parentId: applying?.id,
    });
    expect(JSON.stringify(log)).not.toContain('lumen.test');
  });

  it('never locks out the owner, the connected admin, or whom the integration names for emergencies', async () => {
    const { plan, ask, users, integrationId } = desk();
    const { id } = newAgent();
    const set = await ask(
      `mutation($input: ProvisioningSettingsInput!) { setProvisioningSettings(input: $input) {
        breakGlassUserIds maxChanges } }`,
      { input: { integrationId, breakGlassUserIds: [String(id)] } },
    );
    expect(dataOf(set).setProvisioningSettings).toEqual({ breakGlassUserIds: [String(id)], maxChanges: 50 });
    for (const [userId, reason] of [
      [users.ownerId, 'OWNER'],
      [idOf(ADMIN_EMAIL), 'CONNECTED_ADMIN'],
      [id, 'BREAK_GLASS'],
    ] as const) {
      for (const [name, input] of [
        ['suspendUser', {}],
        ['deprovisionUser', { reassignTicketsTo: String(idOf(AGENT_EMAIL)) }],
        ['changeUserRole', { role: 'END_USER' }],
        ['changeUserRole', { role: 'AGENT', customRoleId: String(TEAM_LEAD_ROLE_ID) }],
      ] as const) {
        const shown = await plan(name, { userId: String(userId), ...input });
        expect(single(shown).blocked?.reason, `${name} ${reason}`).toBe(reason);
        expect(shown.changes).toBe(0);
      }
    }
    await ask(
      'mutation($input: ProvisioningSettingsInput!) { setProvisioningSettings(input: $input) { maxChanges } }',
      { input: { integrationId, breakGlassUserIds: [] } },
    );
  });

  it('warns where Zendesk does not tell who owns the account', async () => {
    const { plan, house } = desk();
    house.gateway.simulator.faults.add({ path: '/api/v2/account', effect: { kind: 'status', status: 404 } });
    const shown = await plan('suspendUser', { userId: String(newAgent().id) });
    expect(shown.warnings).toEqual([{ code: 'OWNER_UNKNOWN' }]);
  });

  it('of many tells each person by row, and is applied behind the answer', async () => {
    const { plan, apply, settled, users } = desk();
    const people = Array.from({ length: 60 }, (_, n) => ({ email: `row${n}@many.test`, name: `Row ${n}` }));
    people[7] = { email: CUSTOMER_EMAIL, name: 'There' };
    const shown = await plan('provisionMany', { people, maxChanges: 100 });
    expect(shown).toMatchObject({ changes: 59, people: 60, counts: { pending: 59, unchanged: 1 } });
    expect(shown.items.nodes.map(({ position }: Result) => position)).toEqual(people.map((_, n) => n));
    const begun = await apply(shown.id);
    expect(['APPLYING', 'APPLIED']).toContain(begun.state);
    const done = await settled(shown.id);
    expect(done).toMatchObject({ state: 'APPLIED', counts: { done: 59, unchanged: 1, pending: 0 } });
    expect(users.byEmail('row59@many.test')?.role).toBe('end-user');
  });

  it('of a thousand people, each with all that can be wished, is planned and applied; of one more it is refused', async () => {
    const { tryPlan, plan, tryApply, settled, users, house, ask, writes } = desk();
    const people = Array.from({ length: 1_001 }, (_, n) => ({
      ...{ email: `${'long'.repeat(10)}.${n}@thousand.test`, name: `Person of the thousand, number ${n}` },
      ...{ role: 'END_USER', externalId: `reference-${n}`, organizationId: null, customRoleId: null },
      ...{ groupIds: [], defaultGroupId: null },
    }));
    const refused = await tryPlan('provisionMany', { people, maxChanges: 1_000 });
    expect([codeOf(refused), Object.keys(fieldsOf(refused))]).toEqual(['VALIDATION_FAILED', ['people']]);
    const calls = house.gateway.simulator.requests.total;
    const shown = await plan('provisionMany', { people: people.slice(0, 1_000), maxChanges: 1_000 });
    // Many addresses are asked for at once.
    expect(house.gateway.simulator.requests.total - calls).toBeLessThan(50);
    expect(shown).toMatchObject({ changes: 1_000, people: 1_000, counts: { pending: 1_000 } });
    if (database === 'postgres' && process.env['SLOW'] !== '1') return;
    const since = house.gateway.simulator.requests.total;
    dataOf(await tryApply(shown.id));
    const done = await settled(shown.id);
    expect(done).toMatchObject({ state: 'APPLIED', counts: { done: 1_000, pending: 0, failed: 0 } });
    expect(writes(since)).toHaveLength(1_000);
    for (const { email, externalId } of people.slice(0, 1_000)) {
      expect(users.byEmail(email)?.externalId).toBe(externalId);
    }
    const last = await ask(
      `query($id: ID!) { provisioningPlan(id: $id) { items(last: 1) { nodes { position state email } } } }`,
      { id: shown.id },
    );
    expect(dataOf(last).provisioningPlan.items.nodes).toEqual([
      { position: 999, state: 'DONE', email: people[999]?.email },
    ]);
  }, 120_000);

  it('tells its people in pages of either direction', async () => {
    const { plan, ask } = desk();
    const people = Array.from({ length: 7 }, (_, n) => ({ email: `page${n}@many.test`, name: `Page ${n}` }));
    const { id } = await plan('provisionMany', { people });
    const page = async (args: string): Promise<Result> =>
      ask(
        `query($id: ID!) { provisioningPlan(id: $id) { items(${args}) { nodes { position }
          pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }`,
        { id },
      );
    const walk = async (
      size: string,
      next: (pageInfo: Result) => string | null,
    ): Promise<readonly number[]> => {
      const { nodes, pageInfo } = dataOf(await page(size)).provisioningPlan.items;
      const positions = nodes.map(({ position }: Result) => position);
      const cursor = next(pageInfo);
      if (cursor === null) return positions;
      const rest = await walk(`${size.split(',')[0]}, ${cursor}`, next);
      return size.startsWith('last') ? [...rest, ...positions] : [...positions, ...rest];
    };
    const all = people.map((_, n) => n);
    const forwards = await walk('first: 3', ({ hasNextPage, endCursor }) =>
      hasNextPage ? `after: "${endCursor}"` : null,
    );
    const backwards = await walk('last: 3', ({ hasPreviousPage, startCursor }) =>
      hasPreviousPage ? `before: "${startCursor}"` : null,
    );
    expect([forwards, backwards]).toEqual([all, all]);
    for (const bound of ['after', 'before']) {
      const refused = await page(`${bound}: "${Buffer.from('key_5').toString('base64url')}"`);
      expect([codeOf(refused), Object.keys(fieldsOf(refused))]).toEqual(['VALIDATION_FAILED', [bound]]);
    }
  });

  it('of more people than may change at once is refused unless it says how many', async () => {
    const { tryPlan, plan, house } = desk();
    const people = Array.from({ length: 51 }, (_, n) => ({ email: `max${n}@many.test`, name: `Max ${n}` }));
    const refused = await tryPlan('provisionMany', { people });
    expect(codeOf(refused)).toBe('VALIDATION_FAILED');
    expect(fieldsOf(refused)['maxChanges']).toContain('would change 51 people');
    expect(codeOf(await tryPlan('provisionMany', { people, maxChanges: 1001 }))).toBe('VALIDATION_FAILED');
    expect((await plan('provisionMany', { people, maxChanges: 51 })).changes).toBe(51);
    expect(JSON.stringify(refused)).not.toContain('many.test');
    expect(house.gateway.simulator.users.byEmail('max1@many.test')).toBeNull();
  });

  it('of many with an address twice, whatever its case, is refused by row number', async () => {
    const { tryPlan } = desk();
    const refused = await tryPlan('provisionMany', {
      people: [
        { email: 'One@dup.test', name: 'A' },
        { email: 'two@dup.test', name: 'B' },
        { email: 'oNE@DUP.test', name: 'C' },
      ],
    });
    expect(fieldsOf(refused)).toEqual({ 'people.2.email': 'is the address of people.0 too' });
    expect(JSON.stringify(refused)).not.toContain('dup.test');
  });

  it.each([
    ['provisionUser', { email: 'not an address', name: 'A' }, 'email'],
    ['provisionUser', { email: 'a"b@x.test', name: 'A' }, 'email'],
    ['provisionUser', { email: 'a@x.test', name: ' ' }, 'name'],
    ['provisionUser', { email: 'a@x.test', name: 'A', role: 'OTHER' }, 'role'],
    ['provisionUser', { email: 'a@x.test', name: 'A', groupIds: ['5'] }, 'groupIds'],
    ['provisionUser', { email: 'a@x.test', name: 'A', role: 'ADMIN', customRoleId: '5' }, 'customRoleId'],
    ['provisionMany', { people: [] }, 'people'],
    ['changeUserRole', { userId: 'x', role: 'AGENT' }, 'userId'],
    ['changeUserRole', { userId: '5', role: 'END_USER', customRoleId: '7' }, 'customRoleId'],
    ['assignGroups', { userId: '5' }, 'add'],
    ['assignGroups', { userId: '5', add: ['1'], remove: ['1'] }, 'remove'],
    ['suspendUser', { userId: '-1' }, 'userId'],
    [
      'deprovisionUser',
      { userId: '5', reassignTicketsTo: '6', reassignTicketsToGroup: '7' },
      'reassignTicketsToGroup',
    ],
  ])('by %s of %j is refused before Zendesk hears of it', async (name, input, path) => {
    const { tryPlan, house } = desk();
    const calls = house.gateway.simulator.requests.total;
    const refused = await tryPlan(name, input);
    expect(codeOf(refused)).toBe('VALIDATION_FAILED');
    expect(Object.keys(fieldsOf(refused))).toEqual([path]);
    expect(house.gateway.simulator.requests.total).toBe(calls);
  });
});
