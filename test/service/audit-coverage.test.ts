/**
 * Nothing runs unaudited: every operation of the catalogue and every REST route, let through, turned away and
 * without a key, leaves the entry that its answer names. Root fields of the graph are walked by the access matrix,
 * changes that succeed by the audit trail; the fetching of exports and the callback of OAuth have tests of their own.
 */
import { expect, it } from 'vitest';
import { FIRST_GROUP_ID, FIRST_USER_ID } from '../../simulator/index.ts';
import { type AuditEvent, getAuditEvent, listAuditEvents } from '../../src/audit/index.ts';
import { CATALOGUE, OPERATION_NAMES, type OperationName } from '../../src/proxy/catalogue/catalogue.ts';
import { REST_PATHS } from '../../src/server/dispatch.ts';
import { createOperatorKey, createTenantByCommand, ensureInstallation } from '../../src/service/index.ts';
import type { RestAnswer } from '../support/gateway.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { codeOf, eventIdOf, type House, useHouse, zendeskCalls } from './house.ts';

/** The demo agent, and a customer. */
const AGENT_ID = FIRST_USER_ID + 7;
const CUSTOMER_ID = FIRST_USER_ID + 30 * 7;

/** A payload of each operation that Zendesk takes; `null` for what runs as a stream or in the background, whose fields the access matrix walks. */
const EXAMPLES: Readonly<Record<OperationName, object | null>> = {
  list_tickets: {},
  get_ticket: { ticket_id: 7 },
  create_ticket: { subject: 'Lamp', comment: { body: 'It is dark.', public: false } },
  update_ticket: { ticket_id: 290, priority: 'high' },
  list_users: {},
  list_organizations: {},
  search: { query: 'lamp' },
  subscribe_tickets: null,
  sync_directory: null,
  create_user: { name: 'Nora New', email: 'nora@covered.test' },
  update_user: { user_id: CUSTOMER_ID, phone: '+44 20 7946 0000' },
  suspend_user: { user_id: CUSTOMER_ID, suspended: true },
  manage_groups: { user_id: AGENT_ID, group_id: FIRST_GROUP_ID, action: 'add' },
  end_sessions: { user_id: CUSTOMER_ID },
};

const ROUTES: Readonly<
  Record<
    string,
    { readonly action: string; readonly json: (house: House) => object; readonly role: 'admin' | 'agent' }
  >
> = {
  '/api/v2/proxy/outbound': {
    action: 'zendesk.call',
    role: 'agent',
    json: ({ tenant }) => ({
      integration_id: tenant.integrationId,
      operation: 'get_ticket',
      payload: { ticket_id: 1 },
    }),
  },
  '/api/v2/vault/seal': {
    action: 'credential.seal',
    role: 'admin',
    json: () => ({ credential_type: 'api_key', secret: { api_key: 'x' } }),
  },
  '/api/v2/integrations': {
    action: 'integration.create',
    role: 'admin',
    json: () => ({ system_type: 'ZENDESK', config: { subdomain: 'umbrella' } }),
  },
};

it('knows an example of every operation of the catalogue', () => {
  expect(Object.keys(EXAMPLES).toSorted()).toEqual([...OPERATION_NAMES].toSorted());
});

it('knows an example of every REST route that takes JSON', () => {
  expect(Object.keys(ROUTES).toSorted()).toEqual(REST_PATHS.toSorted());
});

describeOnBothDatabases('what a call leaves in the audit log', (database) => {
  const house = useHouse(database);

  /** The entry that the answer names, in the log of the tenant or, of strangers, of the installation. */
  async function entryOf(answer: RestAnswer, isStranger = false): Promise<AuditEvent | null> {
    const { gateway, tenant } = house();
    const tenantId = isStranger ? (await ensureInstallation(gateway.deps)).id : tenant.id;
    return gateway.store.withTenant(tenantId, (tx) => getAuditEvent(tx, tenantId, eventIdOf(answer)));
  }

  async function newestOf(operation: string, last: number): Promise<readonly AuditEvent[]> {
    const { gateway, tenant } = house();
    return gateway.store.withTenant(tenant.id, (tx) =>
      listAuditEvents(tx, tenant.id, { filter: { operation }, backwards: true, limit: last }),
    );
  }

  it.each(
    Object.entries(EXAMPLES),
  )('is, for %s, its outcome, and before a change its intent', async (operation, payload) => {
    const { tenant, gateway } = house();
    const calls = zendeskCalls(gateway);
    const of = CATALOGUE[operation as OperationName];
    const options = of.roles.includes('ADMIN')
      ? { apiKey: tenant.keys.admin, headers: { 'x-sealdesk-key': tenant.keyFile.key_id } }
      : {};
    const answer = await tenant.proxy(operation, payload ?? {}, options);
    const entry = await entryOf(answer);
    const isChange = of.mutation;
    expect(entry).toMatchObject({
      action: 'zendesk.call',
      operation,
      integrationId: tenant.integrationId,
      phase: isChange ? 'OUTCOME' : 'SINGLE',
      ...(payload === null ? { outcome: 'DENIED' } : { outcome: 'SUCCEEDED' }),
    });
    expect(zendeskCalls(gateway) > calls).toBe(payload !== null);
    const [outcome, intent] = await newestOf(operation, 2);
    expect(outcome?.id).toBe(entry?.id);
    if (isChange && entry?.phase === 'OUTCOME') {
      expect(intent).toMatchObject({
        id: entry.intentId,
        phase: 'INTENT',
        action: 'zendesk.call',
        operation,
      });
    }
  });

  it.each(
    OPERATION_NAMES,
  )('is, for a refused %s, its refusal, and Zendesk hears of nothing', async (operation) => {
    const { tenant, other, gateway } = house();
    const calls = zendeskCalls(gateway);
    const payload = EXAMPLES[operation] ?? {};
    const byRole = await tenant.proxy(operation, payload, { apiKey: tenant.keys.auditor });
    const byTenant = await other.proxy(operation, payload, { apiKey: tenant.keys.agent });
    for (const answer of [byRole, byTenant]) {
      expect(codeOf(answer)).not.toBeNull();
      expect(await entryOf(answer)).toMatchObject({
        action: 'zendesk.call',
        operation,
        phase: 'SINGLE',
        outcome: 'DENIED',
        denialReason: codeOf(answer),
      });
    }
    expect(zendeskCalls(gateway)).toBe(calls);
  });

  it('is, for what is done beside the database without a key, who did it and to what', async () => {
    const { deps, store } = house().gateway;
    const { apiKey } = await createOperatorKey(deps, 'second operator');
    const founded = await createTenantByCommand(deps, 'Initech', null);
    const { id: installationId } = await ensureInstallation(deps);
    const ofCommands = (tenantId: string) =>
      store.withTenant(tenantId, (tx) =>
        listAuditEvents(tx, tenantId, {
          filter: { actorType: 'COMMAND_LINE' },
          ...{ backwards: true, limit: 2 },
        }),
      );
    expect(await ofCommands(installationId)).toMatchObject([
      { action: 'tenant.create', resource: founded.tenant.id, outcome: 'SUCCEEDED' },
      { action: 'api-key.create', resource: apiKey.id, outcome: 'SUCCEEDED' },
    ]);
    expect(await ofCommands(founded.tenant.id)).toMatchObject([
      { actor: { type: 'COMMAND_LINE', id: 'tenant-create' }, outcome: 'SUCCEEDED', index: 0 },
    ]);
  });

  it.each(
    Object.entries(ROUTES),
  )('is, for %s, an entry of who was let through, turned away, or had no key', async (path, route) => {
    const { tenant, gateway, clock } = house();
    const json = route.json(house());
    const done = await gateway.send(path, { apiKey: tenant.keys[route.role], json });
    expect(codeOf(done)).toBeNull();
    expect(await entryOf(done)).toMatchObject({ action: route.action, outcome: 'SUCCEEDED' });
    const refused = await gateway.send(path, { apiKey: tenant.keys.auditor, json });
    expect(await entryOf(refused)).toMatchObject({
      action: route.action,
      outcome: 'DENIED',
      denialReason: codeOf(refused),
    });
    clock.advance(60_000);
    const stranger = await gateway.send(path, { json });
    expect(codeOf(stranger)).toBe('UNAUTHENTICATED');
    expect(await entryOf(stranger, true)).toMatchObject({
      actor: { type: 'SYSTEM', id: 'anonymous' },
      action: 'request.refuse',
      outcome: 'DENIED',
      denialReason: 'UNAUTHENTICATED',
    });
  });
});
