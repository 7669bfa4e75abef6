/** Every act leaves its own event within that of its operation; and what cannot be recorded is not answered. */
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { schema } from '../../schema/index.ts';
import { FIRST_GROUP_ID, FIRST_USER_ID } from '../../simulator/index.ts';
import { createId, encodeBase64 } from '../../src/base/index.ts';
import { acceptWelcome, createKeyFile, importKeys, publicJwkSet } from '../../src/client/index.ts';
import { signRegistration } from '../../src/envelope/index.ts';
import type { RestAnswer } from '../support/gateway.ts';
import { createSuccessor } from '../support/rotation.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { ALL_OPERATIONS, createTestApiKey, PROVISIONING_OPERATIONS, suite } from '../support/tenant.ts';
import {
  codeOf,
  type EventView,
  eventIdOf,
  type House,
  installationAuditor,
  newestEvents,
  openHouse,
  readEvent,
  zendeskCalls,
} from './house.ts';

interface Step {
  readonly action: string;
  readonly selection: string;
  readonly types: Readonly<Record<string, string>>;
  readonly variables: (
    state: State,
    house: House,
  ) => Promise<Readonly<Record<string, unknown>>> | Readonly<Record<string, unknown>>;
  /** Keeps what later steps need. */
  readonly keep?: (payload: Readonly<Record<string, never>>, state: State) => Promise<void> | void;
  readonly asOperator?: true;
  readonly asAuditor?: true;
  /** Whether its answer shows something of Zendesk, which leaves in the clear only to a key made so. */
  readonly showsZendesk?: 'AGENT' | 'ADMIN';
  /** What the event names, if it is not the same for all. */
  readonly resource?: (state: State) => string;
}
interface State {
  apiKey: string;
  clientKey: string;
  successor: string;
  signingKey: string;
  ticket: string;
  plan: string;
  mac: string;
  credential: string;
  integration: string;
  connection: string;
  run: string;
  keyFile: ReturnType<typeof createKeyFile>;
}

const input = (type: string) => ({ input: `${type}!` });
const ID = { id: 'ID!' };
const KEY_ID = { keyId: 'ID!' };

/** The demo agent, and a customer. */
const AGENT_ID = String(FIRST_USER_ID + 7);
const CUSTOMER_ID = String(FIRST_USER_ID + 30 * 7);

/** Makes a plan, which is then the one to apply or to give up. */
const planStep = (type: string, fields: Readonly<Record<string, unknown>>): Step => ({
  action: 'plan.create',
  selection: '{ id }',
  types: input(type),
  variables: (_state, { tenant }) => ({ input: { integrationId: tenant.integrationId, ...fields } }),
  keep: ({ id }, state) => {
    state.plan = id ?? '';
  },
  resource: (state) => state.plan,
  showsZendesk: 'ADMIN',
});
const ofPlan = (action: string): Step => ({
  action,
  selection: '{ state }',
  types: { planId: 'ID!' },
  variables: (state) => ({ planId: state.plan || createId('plan') }),
  resource: (state) => state.plan,
  showsZendesk: 'ADMIN',
});

/** All mutations in an order in which each succeeds. */
const STEPS: Readonly<Record<string, Step>> = {
  createTenant: {
    action: 'tenant.create',
    selection: '{ tenant { id } }',
    types: input('CreateTenantInput'),
    variables: () => ({ input: { name: 'Umbrella' } }),
    asOperator: true,
  },
  createApiKey: {
    action: 'api-key.create',
    selection: '{ apiKey { id } }',
    types: input('CreateApiKeyInput'),
    variables: () => ({ input: { name: 'x', roles: ['AGENT'] } }),
    keep: ({ apiKey }, state) => {
      state.apiKey = apiKey?.['id'] ?? '';
    },
    resource: (state) => state.apiKey,
  },
  revokeApiKey: {
    action: 'api-key.revoke',
    selection: '{ apiKey { id } }',
    types: ID,
    variables: (state) => ({ id: state.apiKey }),
    resource: (state) => state.apiKey,
  },
  registerClientKey: {
    action: 'client-key.register',
    selection: '{ clientKey { id } welcome }',
    types: input('RegisterClientKeyInput'),
    async variables(state, { clock, tenant }) {
      const { kem, sig } = importKeys(suite, state.keyFile);
      const issuedAt = Math.floor(clock.now() / 1000);
      const claim = { tenant_id: tenant.id, kem_kid: kem.kid, sig_kid: sig.kid, issued_at: issuedAt };
      const proof = encodeBase64(await signRegistration(sig, claim));
      return { input: { jwks: publicJwkSet(suite, state.keyFile), issuedAt, proof } };
    },
    async keep({ clientKey, welcome }, state) {
      state.clientKey = clientKey?.['id'] ?? '';
      state.mac = (await acceptWelcome(suite, state.keyFile, welcome)).confirmationMac;
    },
    resource: (state) => state.clientKey,
  },
  confirmClientKey: {
    action: 'client-key.confirm',
    selection: '{ clientKey { id } }',
    types: input('ConfirmClientKeyInput'),
    variables: (state) => ({ input: { keyId: state.clientKey, mac: state.mac } }),
    resource: (state) => state.clientKey,
  },
  mapClientKey: {
    action: 'client-key.map',
    selection: '{ clientKey { id } }',
    types: KEY_ID,
    variables: (state) => ({ keyId: state.clientKey }),
    resource: (state) => state.clientKey,
  },
  rotateClientKey: {
    action: 'client-key.rotate',
    selection: '{ clientKey { id } }',
    types: input('RotateClientKeyInput'),
    async variables(state, { clock, tenant }) {
      const old = { ...tenant.keyFile, keys: state.keyFile.keys, key_id: state.clientKey };
      return { input: (await createSuccessor(old, { now: clock.now() })).input };
    },
    keep: ({ clientKey }, state) => {
      state.successor = clientKey?.['id'] ?? '';
    },
    resource: (state) => state.successor,
  },
  revokeClientKey: {
    action: 'client-key.revoke',
    selection: '{ clientKey { id } }',
    types: KEY_ID,
    variables: (state) => ({ keyId: state.successor }),
    resource: (state) => state.successor,
  },
  sealCredential: {
    action: 'credential.seal',
    selection: '{ credential { id } }',
    types: input('SealCredentialInput'),
    variables: () => ({ input: { type: 'API_KEY', secret: { api_key: 'x' } } }),
    keep: ({ credential }, state) => {
      state.credential = credential?.['id'] ?? '';
    },
    resource: (state) => state.credential,
  },
  rotateCredential: {
    action: 'credential.rotate',
    selection: '{ credential { id } }',
    types: input('RotateCredentialInput'),
    variables: (state) => ({ input: { id: state.credential, secret: { api_key: 'y' } } }),
    resource: (state) => state.credential,
  },
  unsealCredential: {
    action: 'credential.unseal',
    selection: '{ envelope }',
    types: ID,
    variables: (state) => ({ id: state.credential }),
    resource: (state) => state.credential,
  },
  createIntegration: {
    action: 'integration.create',
    selection: '{ integration { id } }',
    types: input('CreateIntegrationInput'),
    variables: () => ({ input: { systemType: 'ZENDESK', config: { subdomain: 'umbrella' } } }),
    keep: ({ integration }, state) => {
      state.integration = integration?.['id'] ?? '';
    },
    resource: (state) => state.integration,
  },
  updateIntegration: {
    action: 'integration.update',
    selection: '{ integration { id } }',
    types: input('UpdateIntegrationInput'),
    variables: (state) => ({ input: { id: state.integration, enabled: false } }),
    resource: (state) => state.integration,
  },
  testIntegration: {
    action: 'integration.test',
    selection: '{ ok }',
    types: ID,
    variables: (_state, { tenant }) => ({ id: tenant.integrationId }),
  },
  enableTicketFeed: {
    action: 'feed.enable',
    selection: '{ integration { id } }',
    types: { integrationId: 'ID!' },
    variables: (_state, { tenant }) => ({ integrationId: tenant.integrationId }),
  },
  disableTicketFeed: {
    action: 'feed.disable',
    selection: '{ integration { id } }',
    types: { integrationId: 'ID!' },
    variables: (_state, { tenant }) => ({ integrationId: tenant.integrationId }),
  },
  startAccessSync: {
    action: 'access-sync.start',
    selection: '{ run { id } }',
    types: { integrationId: 'ID!' },
    variables: (_state, { tenant }) => ({ integrationId: tenant.integrationId }),
    keep: ({ run }, state) => {
      state.run = run?.['id'] ?? '';
    },
    resource: (state) => state.run,
  },
  cancelAccessSync: {
    action: 'access-sync.cancel',
    selection: '{ run { id } }',
    types: { runId: 'ID!' },
    variables: (state) => ({ runId: state.run }),
    resource: (state) => state.run,
  },
  setAccessSyncSchedule: {
    action: 'access-sync.schedule',
    selection: '{ schedule { cron } }',
    types: { integrationId: 'ID!', cron: 'String!' },
    variables: (_state, { tenant }) => ({ integrationId: tenant.integrationId, cron: '0 3 * * *' }),
  },
  removeAccessSyncSchedule: {
    action: 'access-sync.unschedule',
    selection: '{ integrationId }',
    types: { integrationId: 'ID!' },
    variables: (_state, { tenant }) => ({ integrationId: tenant.integrationId }),
  },
  eraseDirectoryUser: {
    action: 'directory.erase',
    selection: '{ zendeskId }',
    types: { integrationId: 'ID!', zendeskId: 'ID!' },
    async variables(_state, { gateway, tenant }) {
      const { integrationId } = tenant;
      const now = new Date();
      await gateway.store.withTenant(tenant.id, (tx) =>
        tx
          .insertInto('directory_users')
          .values({
            ...{ tenant_id: tenant.id, integration_id: integrationId, zendesk_id: 7, role: 'agent' },
            ...{ role_since: now, status: 'ACTIVE', first_seen_run: 'run', seen_run: 'run', changed_at: now },
          })
          .onConflict((conflict) => conflict.doNothing())
          .execute(),
      );
      return { integrationId, zendeskId: 7 };
    },
    resource: () => 'user:7',
  },
  rotateSigningKey: {
    action: 'signing-key.rotate',
    selection: '{ signingKey { id } }',
    types: { now: 'Boolean' },
    variables: () => ({ now: false }),
    keep: ({ signingKey }, state) => {
      state.signingKey = signingKey?.['id'] ?? '';
    },
    resource: (state) => state.signingKey,
  },
  cancelSigningKeyRotation: {
    action: 'signing-key.cancel',
    selection: '{ signingKey { id } }',
    types: { tenantId: 'ID' },
    variables: () => ({}),
    resource: (state) => state.signingKey,
  },
  rotateVaultKey: {
    action: 'vault-key.rotate',
    selection: '{ rotation { total } }',
    types: { tenantId: 'ID' },
    variables: () => ({}),
  },
  rotateKmsKey: {
    action: 'kms-key.rotate',
    selection: '{ rotation { total } }',
    types: { tenantId: 'ID' },
    variables: () => ({}),
    asOperator: true,
  },
  exportAudit: {
    action: 'audit.export',
    selection: '{ export { id } }',
    types: input('ExportAuditInput'),
    variables: () => ({ input: { from: 0, to: 1 } }),
    asAuditor: true,
  },
  deleteIntegration: {
    action: 'integration.delete',
    selection: '{ deletedId }',
    types: ID,
    variables: (state) => ({ id: state.integration }),
    resource: (state) => state.integration,
  },
  deleteCredential: {
    action: 'credential.delete',
    selection: '{ deletedId }',
    types: ID,
    variables: (state) => ({ id: state.credential }),
    resource: (state) => state.credential,
  },
  proxyOutbound: {
    action: 'zendesk.call',
    selection: '{ auditEventId }',
    types: input('ProxyOutboundInput'),
    variables: (_state, { tenant }) => ({
      input: { integrationId: tenant.integrationId, operation: 'get_ticket', payload: { ticket_id: 1 } },
    }),
  },
  createTicket: {
    action: 'zendesk.call',
    selection: '{ ticket { id } }',
    types: input('CreateTicketInput'),
    variables: (_state, { tenant }) => ({
      input: { integrationId: tenant.integrationId, subject: 'x', comment: { body: 'y', public: false } },
    }),
    keep: ({ ticket }, state) => {
      state.ticket = ticket?.['id'] ?? '';
    },
    resource: (state) => state.ticket.split(':').slice(1).join(':'),
    showsZendesk: 'AGENT',
  },
  updateTicket: {
    action: 'zendesk.call',
    selection: '{ ticket { id } }',
    types: input('UpdateTicketInput'),
    variables: ({ ticket }, { tenant }) => ({
      input: { ticketId: ticket || `${tenant.integrationId}:ticket:4`, subject: 'z' },
    }),
    resource: (state) => state.ticket.split(':').slice(1).join(':'),
    showsZendesk: 'AGENT',
  },
  connectZendesk: {
    action: 'connection.begin',
    selection: '{ connection { id } }',
    types: { integrationId: 'ID!', clientId: 'String' },
    variables: (_state, { tenant }) => ({ integrationId: tenant.integrationId, clientId: 'x' }),
    keep: ({ connection }, state) => {
      state.connection = connection?.['id'] ?? '';
    },
    resource: (state) => state.connection,
  },
  addComment: {
    action: 'zendesk.call',
    selection: '{ ticket { id } }',
    types: input('AddCommentInput'),
    variables: ({ ticket }, { tenant }) => ({
      input: { ticketId: ticket || `${tenant.integrationId}:ticket:4`, body: 'z', public: false },
    }),
    resource: (state) => state.ticket.split(':').slice(1).join(':'),
    showsZendesk: 'AGENT',
  },
  provisionUser: planStep('ProvisionUserInput', { email: 'new@trail.test', name: 'New' }),
  provisionMany: planStep('ProvisionManyInput', { people: [{ email: 'new@trail.test', name: 'New' }] }),
  changeUserRole: planStep('ChangeUserRoleInput', { userId: CUSTOMER_ID, role: 'AGENT' }),
  assignGroups: planStep('AssignGroupsInput', { userId: AGENT_ID, add: [String(FIRST_GROUP_ID)] }),
  deprovisionUser: planStep('DeprovisionUserInput', { userId: CUSTOMER_ID }),
  suspendUser: planStep('SuspendUserInput', { userId: CUSTOMER_ID }),
  applyPlan: ofPlan('plan.apply'),
  unsuspendUser: planStep('SuspendUserInput', { userId: CUSTOMER_ID }),
  cancelPlan: ofPlan('plan.cancel'),
  setProvisioningSettings: {
    action: 'provisioning.set',
    selection: '{ maxChanges }',
    types: input('ProvisioningSettingsInput'),
    variables: (_state, { tenant }) => ({ input: { integrationId: tenant.integrationId, maxChanges: 20 } }),
  },
  // Nothing of Zendesk can be asked after it.
  disconnectZendesk: {
    action: 'connection.end',
    selection: '{ deletedId }',
    types: { integrationId: 'ID!' },
    variables: (_state, { tenant }) => ({ integrationId: tenant.integrationId }),
  },
};

function documentOf(name: string, { types, selection }: Step): string {
  const declared = Object.entries(types).map(([variable, type]) => `$${variable}: ${type}`);
  const passed = Object.keys(types).map((variable) => `${variable}: $${variable}`);
  return `mutation(${declared.join(', ')}) { ${name}(${passed.join(', ')}) ${selection} }`;
}

/** What asks for a proof in place of a role. */
const FOR_ANY_ROLE: readonly string[] = ['registerClientKey', 'confirmClientKey', 'rotateClientKey'];

it('names every mutation of the schema', () => {
  expect(Object.keys(STEPS).toSorted()).toEqual(
    Object.keys(schema.getMutationType()?.getFields() ?? {}).toSorted(),
  );
});

describeOnBothDatabases('the audit trail', (database) => {
  let house: House;
  let installation: string;
  const state: State = {
    apiKey: '',
    clientKey: '',
    successor: '',
    signingKey: '',
    ticket: '',
    plan: '',
    mac: '',
    credential: '',
    integration: '',
    connection: '',
    run: '',
    keyFile: createKeyFile(suite),
  };
  beforeAll(async () => {
    house = await openHouse(database);
    installation = await installationAuditor(house.gateway);
    const { keys, integrationId } = house.tenant;
    const allowed = await house.gateway.graphql(
      `mutation($id: ID!, $operations: [String!]!) {
        updateIntegration(input: { id: $id, allowedOperations: $operations }) { integration { id } }
      }`,
      {
        apiKey: keys.admin,
        variables: {
          id: integrationId,
          operations: [...ALL_OPERATIONS, ...PROVISIONING_OPERATIONS, 'subscribe_tickets', 'sync_directory'],
        },
      },
    );
    expect(codeOf(allowed)).toBeNull();
  });
  afterAll(() => house[Symbol.asyncDispose]());

  async function run(name: string, step: Step, apiKey: string): Promise<RestAnswer> {
    return house.gateway.graphql(documentOf(name, step), {
      apiKey,
      variables: await step.variables(state, house),
      headers: { 'x-sealdesk-key': house.tenant.keyFile.key_id },
    });
  }
  const clearKey = (role: string): Promise<string> =>
    createTestApiKey(house.gateway, house.tenant.keys.admin, { roles: [role], delivery: 'PLAINTEXT' });
  async function childrenOf(answer: RestAnswer, auditor: string): Promise<readonly EventView[]> {
    const parent = eventIdOf(answer);
    return (await newestEvents(house.gateway, auditor, 8)).filter(({ parentId }) => parentId === parent);
  }

  it.each(
    Object.entries(STEPS),
  )('has for %s an event of its own within that of the operation', async (name, step) => {
    const { gateway, tenant } = house;
    const auditor = step.asOperator ? installation : tenant.keys.auditor;
    const keys = {
      proxyOutbound: tenant.keys.agent,
      createTenant: gateway.operatorKey,
      rotateKmsKey: gateway.operatorKey,
      exportAudit: tenant.keys.auditor,
    };
    const apiKey = Object.hasOwn(keys, name) ? keys[name as keyof typeof keys] : tenant.keys.admin;
    const answer = await run(name, step, step.showsZendesk ? await clearKey(step.showsZendesk) : apiKey);
    expect(codeOf(answer)).toBeNull();
    await step.keep?.(answer.json.data[name], state);
    expect(await readEvent(gateway, auditor, eventIdOf(answer))).toMatchObject({
      action: `mutation.${name}`,
      outcome: 'SUCCEEDED',
      parentId: null,
    });
    const children = await childrenOf(answer, auditor);
    const ended = children.filter(({ phase }) => phase !== 'INTENT');
    expect(ended.map(({ action, outcome }) => ({ action, outcome }))).toEqual([
      { action: step.action, outcome: 'SUCCEEDED' },
    ]);
    if (step.resource !== undefined) expect(ended[0]?.resource).toBe(step.resource(state));
  });

  it.each(
    Object.entries(STEPS).filter(([name]) => !FOR_ANY_ROLE.includes(name)),
  )('has an event of its own for a refused %s', async (name, step) => {
    const { auditor } = house.tenant.keys;
    const refused = step.asAuditor === true ? house.tenant.keys.admin : auditor;
    const answer = await run(name, step, step.showsZendesk ? await clearKey('AUDITOR') : refused);
    expect(codeOf(answer)).toBe('FORBIDDEN');
    const [child, ...others] = await childrenOf(answer, house.tenant.keys.auditor);
    expect(others).toEqual([]);
    expect(child).toMatchObject({ action: step.action, outcome: 'DENIED', denialReason: 'FORBIDDEN' });
    expect(await readEvent(house.gateway, house.tenant.keys.auditor, eventIdOf(answer))).toMatchObject({
      outcome: 'DENIED',
      denialReason: 'FORBIDDEN',
    });
  });

  it('has one event for each of several changes in one document, and one for the whole', async () => {
    const answer = await house.gateway.graphql(
      `mutation { a: createApiKey(input: { name: "a", roles: [AGENT] }) { secret }
        b: createApiKey(input: { name: "b", roles: [AGENT] }) { secret } }`,
      { apiKey: house.tenant.keys.admin },
    );
    const children = await childrenOf(answer, house.tenant.keys.auditor);
    expect(children.map(({ action }) => action)).toEqual(['api-key.create', 'api-key.create']);
  });

  it('has an event for each operation that a policy allows or withdraws', async () => {
    const { gateway, tenant } = house;
    const created = await gateway.graphql(
      `mutation { createIntegration(input: { systemType: ZENDESK, config: { subdomain: "policies" },
        allowedOperations: ["get_ticket", "search"] }) { integration { id } } }`,
      { apiKey: tenant.keys.admin },
    );
    const { id } = created.json.data.createIntegration.integration;
    const set = (operations: readonly string[]): Promise<RestAnswer> =>
      gateway.graphql(
        `mutation($id: ID!, $operations: [String!]!) {
          updateIntegration(input: { id: $id, allowedOperations: $operations }) { integration { id } } }`,
        { apiKey: tenant.keys.admin, variables: { id, operations } },
      );
    const changesOf = async (answer: RestAnswer) =>
      (await childrenOf(answer, tenant.keys.auditor))
        .filter(({ resource, integrationId }) => resource === id && integrationId === id)
        .map(({ action, operation }) => (operation === null ? action : `${action} ${operation}`));
    expect(await changesOf(created)).toEqual([
      'integration.create',
      'policy.allow get_ticket',
      'policy.allow search',
    ]);
    expect(await changesOf(await set(['get_ticket', 'list_users']))).toEqual([
      'integration.update',
      'policy.allow list_users',
      'policy.withdraw search',
    ]);
    expect(await changesOf(await set(['list_users', 'get_ticket']))).toEqual(['integration.update']);
    const deleted = await gateway.graphql('mutation($id: ID!) { deleteIntegration(id: $id) { deletedId } }', {
      ...{ apiKey: tenant.keys.admin, variables: { id } },
    });
    expect(await changesOf(deleted)).toEqual([
      'integration.delete',
      'policy.withdraw list_users',
      'policy.withdraw get_ticket',
    ]);
  });

  it('loses no answer of a change to a later one that fails', async () => {
    const answer = await house.gateway.graphql(
      `mutation { a: createApiKey(input: { name: "a", roles: [AGENT] }) { secret }
        b: revokeApiKey(id: "${createId('apiKey')}") { apiKey { id } } }`,
      { apiKey: house.tenant.keys.admin },
    );
    expect(answer.status).toBe(200);
    expect(answer.json.data).toEqual({ a: { secret: expect.stringMatching(/^sd_live_/) }, b: null });
    expect(answer.json.errors).toMatchObject([{ path: ['b'], extensions: { code: 'NOT_FOUND' } }]);
    const children = await childrenOf(answer, house.tenant.keys.auditor);
    expect(children.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      'api-key.create SUCCEEDED',
      'api-key.revoke DENIED',
    ]);
  });

  it('of the reading of the log tells that it was read', async () => {
    const [event] = (await newestEvents(house.gateway, house.tenant.keys.auditor, 2)).slice(-1);
    const again = await newestEvents(house.gateway, house.tenant.keys.auditor, 1);
    expect(again[0]).toMatchObject({ action: 'query.auditEvents', index: (event?.index ?? 0) + 1 });
  });

  const DAMAGES: Readonly<Record<string, { readonly break: string; readonly mend: string }>> = {
    'a head that fails its MAC': {
      break: `UPDATE audit_heads SET mac = set_byte(mac, 0, get_byte(mac, 0) # 1)`,
      mend: `UPDATE audit_heads SET mac = set_byte(mac, 0, get_byte(mac, 0) # 1)`,
    },
    'a table that refuses rows': {
      break: `ALTER TABLE audit_events ADD CONSTRAINT broken CHECK (index < 0) NOT VALID`,
      mend: `ALTER TABLE audit_events DROP CONSTRAINT broken`,
    },
  };
  it.each(
    Object.entries(DAMAGES),
  )('that cannot be written, for %s, lets nothing be answered or done', async (_what, damage) => {
    const { gateway, tenant } = house;
    const alter = (statement: string) =>
      gateway.store.withSystem('health', (tx) => sql.raw(statement).execute(tx));
    const count = async () =>
      (await gateway.graphql('{ apiKeys(first: 100) { edges { cursor } } }', { apiKey: tenant.keys.admin }))
        .json.data.apiKeys.edges.length;
    const before = await count();
    await alter(damage.break);
    const answers: RestAnswer[] = [];
    const calls = zendeskCalls(gateway);
    try {
      answers.push(
        await gateway.graphql('{ viewer { tenant { id } } }', { apiKey: tenant.keys.admin }),
        await gateway.graphql('mutation { createApiKey(input: { name: "x", roles: [AGENT] }) { secret } }', {
          apiKey: tenant.keys.admin,
        }),
        await gateway.send('/api/v2/vault/seal', {
          apiKey: tenant.keys.admin,
          json: { credential_type: 'api_key', secret: { api_key: 'x' } },
        }),
        await gateway.send('/api/v2/vault/seal', { apiKey: tenant.keys.agent, json: {} }),
        await gateway.send('/api/v2/vault/seal', { apiKey: tenant.keys.agent, body: 'x' }),
        await gateway.graphql('{ nonsense }', { apiKey: tenant.keys.admin }),
      );
      expect(zendeskCalls(gateway)).toBe(calls);
      answers.push(
        await tenant.proxy('create_ticket', { subject: 'x', comment: { body: 'y', public: false } }),
      );
      // A change is announced in the log before it is sent.
      expect(zendeskCalls(gateway)).toBe(calls);
      answers.push(await tenant.proxy('get_ticket', { ticket_id: 1 }));
    } finally {
      await alter(damage.mend);
    }
    for (const answer of answers) {
      expect([answer.status, codeOf(answer)]).toEqual([503, 'AUDIT_UNAVAILABLE']);
      expect(answer.json.data ?? null).toBeNull();
      expect(answer.json).not.toHaveProperty('encrypted');
    }
    expect(await count()).toBe(before);
  });
});
