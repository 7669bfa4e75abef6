/** The operations of the catalogue behind plans, sent one by one: what they do, and whom they never lock out. */
import { expect, it } from 'vitest';
import { ADMIN_EMAIL, CUSTOMER_EMAIL } from '../../simulator/index.ts';
import type { RestAnswer } from '../support/gateway.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { createTestApiKey, openTestClientKey } from '../support/tenant.ts';
import { dataOf, type Result, usePlanDesk } from './plan-desk.ts';

describeOnBothDatabases('an operation on people', (database) => {
  const desk = usePlanDesk(database);
  const idOf = (email: string): number => desk().users.byEmail(email)?.id ?? 0;

  async function run(
    operation: string,
    payload: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly answer: RestAnswer; readonly result: Result; readonly code: string | null }> {
    const { tenant } = desk().house;
    const answer = await tenant.proxy(operation, payload, {
      apiKey: tenant.keys.admin,
      headers: { 'x-sealdesk-key': tenant.keyFile.key_id, ...headers },
    });
    const code = answer.json.error?.code ?? null;
    const result = code === null ? (await tenant.open(answer.json)).value : null;
    return { answer, result, code };
  }

  it('creates, changes, suspends, groups and signs out, and answers no more than that', async () => {
    const { users } = desk();
    const { result: created } = await run('create_user', {
      name: 'Olga Operated',
      email: 'olga@ops.test',
      role: 'agent',
      notes: 'Likes tea.',
    });
    const id = created.user.id;
    expect(created).toEqual({
      user: { id, role: 'agent', custom_role_id: null, suspended: false, active: true },
    });
    expect(users.get(id)).toMatchObject({
      name: 'Olga Operated',
      email: 'olga@ops.test',
      notes: 'Likes tea.',
    });
    await run('update_user', { user_id: id, phone: '+44 1', details: null });
    expect(users.get(id)?.phone).toBe('+44 1');
    const groupId = users.groupIds(idOf(ADMIN_EMAIL))[0] ?? 0;
    const group = { user_id: id, group_id: groupId };
    const had = users.groupIds(id).includes(groupId);
    expect((await run('manage_groups', { ...group, action: 'add' })).result).toEqual({
      ...group,
      member: true,
      changed: !had,
    });
    expect((await run('manage_groups', { ...group, action: 'add' })).result.changed).toBe(false);
    await run('manage_groups', { ...group, action: 'make_default' });
    expect(users.get(id)?.defaultGroupId).toBe(groupId);
    users.signIn(id);
    expect((await run('end_sessions', { user_id: id })).result).toEqual({ user_id: id });
    expect(users.sessionIds(id)).toEqual([]);
    expect((await run('suspend_user', { user_id: id, suspended: true })).result.user.suspended).toBe(true);
    expect((await run('suspend_user', { user_id: id, suspended: false })).result.user.suspended).toBe(false);
  });

  it.each([
    ['create_user', { name: 'A' }, 'email'],
    ['create_user', { name: 'A', email: 'a@x.test', role: 'owner' }, 'role'],
    ['create_user', { name: 'A', email: 'a@x.test', custom_role_id: 5, role: 'admin' }, 'custom_role_id'],
    ['create_user', { name: 'A', email: 'a@x.test', suspended: true }, 'suspended'],
    ['update_user', { user_id: 5 }, 'payload'],
    ['update_user', { user_id: 5, email: 'other@x.test' }, 'email'],
    ['update_user', { user_id: 5, suspended: true }, 'suspended'],
    ['suspend_user', { user_id: 5 }, 'suspended'],
    ['manage_groups', { user_id: 5, group_id: 6, action: 'join' }, 'action'],
    ['end_sessions', {}, 'user_id'],
  ])('%s takes no %j', async (operation, payload, path) => {
    const calls = desk().house.gateway.simulator.requests.total;
    const { code, answer } = await run(operation, payload);
    expect(code).toBe('VALIDATION_FAILED');
    expect(answer.json.error.details.fields.map((field: { path: string }) => field.path)).toContain(path);
    expect(desk().house.gateway.simulator.requests.total).toBe(calls);
  });

  it.each([
    ['suspend_user', { suspended: true }],
    ['update_user', { role: 'end-user' }],
    ['update_user', { custom_role_id: 5 }],
    ['update_user', { ticket_restriction: 'assigned' }],
  ])('%s locks out neither owner, nor connected admin, nor whom the integration names', async (operation, payload) => {
    const { users, ask, integrationId, writes, house } = desk();
    const named = idOf(CUSTOMER_EMAIL);
    const set = (ids: readonly string[]) =>
      ask(
        'mutation($input: ProvisioningSettingsInput!) { setProvisioningSettings(input: $input) { maxChanges } }',
        { input: { integrationId, breakGlassUserIds: ids } },
      );
    dataOf(await set([String(named)]));
    const since = house.gateway.simulator.requests.total;
    for (const id of [users.ownerId, idOf(ADMIN_EMAIL), named]) {
      const { code, answer } = await run(operation, { user_id: id, ...payload });
      expect(code).toBe('OPERATION_NOT_ALLOWED');
      expect(answer.json.error.details.mutation).toBe('NOT_SENT');
    }
    expect(writes(since)).toEqual([]);
    dataOf(await set([]));
  });

  it('is for ADMIN, and for no restricted client key', async () => {
    const { house, users } = desk();
    const { gateway, tenant } = house;
    const payload = { user_id: idOf(CUSTOMER_EMAIL), suspended: true };
    const asAgent = await tenant.proxy('suspend_user', payload);
    expect(asAgent.json.error.code).toBe('FORBIDDEN');
    const restricted = await openTestClientKey(gateway, tenant.keys.admin, tenant.keys.admin, {
      integrationId: tenant.integrationId,
      organizationId: '6130907500004',
    });
    expect((await run('suspend_user', payload, { 'x-sealdesk-key': restricted.key_id })).code).toBe(
      'OPERATION_NOT_ALLOWED',
    );
    const shown = await desk().plan('suspendUser', { userId: String(payload.user_id) });
    for (const document of [
      'query($id: ID!) { provisioningPlan(id: $id) { state } }',
      'mutation($id: ID!) { applyPlan(planId: $id) { state } }',
      'mutation($id: ID!) { cancelPlan(planId: $id) { state } }',
    ]) {
      const refused = await gateway.graphql(document, {
        apiKey: await createTestApiKey(gateway, tenant.keys.admin, {
          roles: ['ADMIN'],
          delivery: 'PLAINTEXT',
        }),
        variables: { id: shown.id },
        headers: { 'x-sealdesk-key': restricted.key_id },
      });
      expect(refused.json.errors[0].extensions.code).toBe('OPERATION_NOT_ALLOWED');
    }
    const setting = await gateway.graphql(
      'mutation($input: ProvisioningSettingsInput!) { setProvisioningSettings(input: $input) { maxChanges } }',
      {
        apiKey: tenant.keys.admin,
        variables: { input: { integrationId: tenant.integrationId, breakGlassUserIds: [] } },
        headers: { 'x-sealdesk-key': restricted.key_id },
      },
    );
    expect(setting.json.errors[0].extensions.code).toBe('OPERATION_NOT_ALLOWED');
    const bound = await createTestApiKey(gateway, tenant.keys.admin, {
      roles: ['ADMIN', 'AGENT'],
      clientKeyId: restricted.key_id,
    });
    const asBound = await tenant.proxy('suspend_user', payload, { apiKey: bound });
    expect(asBound.json.error.code).toBe('FORBIDDEN');
    expect(users.get(payload.user_id)?.suspended).toBe(false);
  });

  it('that Zendesk cannot be asked about first is not sent, and told so', async () => {
    const { house, writes } = desk();
    const since = house.gateway.simulator.requests.total;
    house.gateway.simulator.faults.add({
      path: '/api/v2/users/me',
      effect: { kind: 'status', status: 500 },
    });
    const { code, answer } = await run('suspend_user', { user_id: idOf(CUSTOMER_EMAIL), suspended: true });
    expect([code, answer.json.error.details.mutation]).toEqual(['UPSTREAM_UNAVAILABLE', 'NOT_SENT']);
    expect(writes(since)).toEqual([]);
  });
});
