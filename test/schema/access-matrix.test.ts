/**
 * Every root field against every role, and what each call leaves in the log. A field that the table does not name
 * fails the walk.
 */
import { expect, it } from 'vitest';
import { schema } from '../../schema/index.ts';
import { ROLES, type Role } from '../../src/access/index.ts';
import { type AuditEvent, getAuditEvent, listAuditEvents } from '../../src/audit/index.ts';
import { createId } from '../../src/base/index.ts';
import { ensureInstallation } from '../../src/service/index.ts';
import { codeOf, eventIdOf, type House, useHouse } from '../service/house.ts';
import type { RestAnswer } from '../support/gateway.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { createTestApiKey } from '../support/tenant.ts';

interface Row {
  readonly document: string;
  readonly variables?: (house: House) => Readonly<Record<string, unknown>>;
  /** The roles that come past the door; what they meet behind it is not asked here. */
  readonly roles: readonly Role[];
  readonly needsNoKey?: true;
  /** Whether it is answered as a stream, of which the first result is looked at, and sealed to the tenant's client key. */
  readonly isStream?: true;
  /** Whether its answer shows something of Zendesk, which leaves in the clear only to a key made so. */
  readonly showsZendesk?: true;
}

const EVERYBODY = ROLES;
const MANAGERS: readonly Role[] = ['ADMIN', 'OPERATOR'];
const PAGE = '{ edges { node { id } } }';
const id = (kind: Parameters<typeof createId>[0]) => () => ({ id: createId(kind) });

const FIELDS: Readonly<Record<string, Row>> = {
  'Query.viewer': { document: '{ viewer { tenant { id } } }', roles: EVERYBODY },
  'Query.tenant': { document: '{ tenant { id } }', roles: EVERYBODY },
  'Query.tenants': { document: `{ tenants ${PAGE} }`, roles: ['OPERATOR'] },
  'Query.apiKeys': { document: `{ apiKeys ${PAGE} }`, roles: MANAGERS },
  'Query.clientKeys': { document: `{ clientKeys ${PAGE} }`, roles: ['ADMIN'] },
  'Query.clientKeyHistory': {
    document: '{ clientKeyHistory { edges { node { keyId } } } }',
    roles: ['ADMIN', 'OPERATOR', 'AUDITOR'],
  },
  'Query.credentials': { document: `{ credentials ${PAGE} }`, roles: ['ADMIN'] },
  'Query.integrations': { document: `{ integrations ${PAGE} }`, roles: ['ADMIN', 'AGENT', 'DASHBOARD'] },
  'Query.integration': {
    document: 'query($id: ID!) { integration(id: $id) { id } }',
    variables: id('integration'),
    roles: ['ADMIN', 'AGENT', 'DASHBOARD'],
  },
  'Query.myTickets': {
    document: 'query($id: ID!) { myTickets(integrationId: $id) { nodes { id } } }',
    variables: ({ tenant }) => ({ id: tenant.integrationId }),
    roles: ['AGENT', 'DASHBOARD'],
    showsZendesk: true,
  },
  'Query.directory': {
    document: 'query($id: ID!) { directory(integrationId: $id) { totalCount } }',
    variables: ({ tenant }) => ({ id: tenant.integrationId }),
    roles: ['ADMIN'],
    showsZendesk: true,
  },
  'Query.accessReview': {
    document: 'query($id: ID!) { accessReview(integrationId: $id) { staff } }',
    variables: ({ tenant }) => ({ id: tenant.integrationId }),
    roles: ['ADMIN'],
    showsZendesk: true,
  },
  'Query.auditEvents': { document: `{ auditEvents ${PAGE} }`, roles: ['AUDITOR'] },
  'Query.auditEvent': {
    document: 'query($id: ID!) { auditEvent(id: $id) { id } }',
    variables: id('auditEvent'),
    roles: ['AUDITOR'],
  },
  'Query.auditCheckpoint': { document: '{ auditCheckpoint { size } }', roles: ['AUDITOR'] },
  'Query.auditConsistencyProof': {
    document: '{ auditConsistencyProof(from: 1) { hashes } }',
    roles: ['AUDITOR'],
  },
  'Query.auditReceipt': {
    document: 'query($id: ID!) { auditReceipt(auditEventId: $id) { leaf } }',
    variables: id('auditEvent'),
    roles: EVERYBODY,
  },
  'Query.auditExport': {
    document: 'query($id: ID!) { auditExport(id: $id) { state } }',
    variables: id('run'),
    roles: ['AUDITOR'],
  },
  'Query.keyStatus': { document: '{ keyStatus { tenantId } }', roles: MANAGERS },
  'Query.operationStatus': {
    document: 'query($id: ID!) { operationStatus(intentId: $id) { state } }',
    variables: id('auditEvent'),
    roles: ['AGENT', 'ADMIN', 'AUDITOR'],
  },
  'Query.explainOperation': {
    document: 'query($id: ID!) { explainOperation(integrationId: $id, operation: "search") { allowed } }',
    variables: id('integration'),
    roles: ['ADMIN'],
  },
  'Query.node': {
    document: 'query($id: ID!) { node(id: $id) { id } }',
    variables: ({ tenant }) => ({ id: tenant.credentialId }),
    roles: ['ADMIN'],
  },
  'Query.nodes': {
    document: 'query($id: ID!) { nodes(ids: [$id]) { id } }',
    variables: ({ tenant }) => ({ id: tenant.credentialId }),
    roles: ['ADMIN'],
  },
  'Mutation.createTenant': {
    document: 'mutation { createTenant(input: { name: "" }) { tenant { id } } }',
    roles: ['OPERATOR'],
  },
  'Mutation.createApiKey': {
    document: 'mutation { createApiKey(input: { name: "", roles: [AUDITOR] }) { secret } }',
    roles: MANAGERS,
  },
  'Mutation.revokeApiKey': {
    document: 'mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }',
    variables: id('apiKey'),
    roles: MANAGERS,
  },
  'Mutation.registerClientKey': {
    document: 'mutation { registerClientKey(input: { jwks: {}, issuedAt: 0, proof: "" }) { welcome } }',
    roles: EVERYBODY,
  },
  'Mutation.confirmClientKey': {
    document: 'mutation($id: ID!) { confirmClientKey(input: { keyId: $id, mac: "" }) { clientKey { id } } }',
    variables: id('clientKey'),
    roles: EVERYBODY,
    needsNoKey: true,
  },
  'Mutation.mapClientKey': {
    document: 'mutation($id: ID!) { mapClientKey(keyId: $id) { clientKey { id } } }',
    variables: id('clientKey'),
    roles: MANAGERS,
  },
  'Mutation.rotateClientKey': {
    document: `mutation($id: ID!) {
      rotateClientKey(input: { keyId: $id, mode: STRICT, jwks: {}, issuedAt: 0, proof: "" }) { welcome } }`,
    variables: id('clientKey'),
    roles: EVERYBODY,
  },
  'Mutation.revokeClientKey': {
    document: 'mutation($id: ID!) { revokeClientKey(keyId: $id) { clientKey { id } } }',
    variables: id('clientKey'),
    roles: MANAGERS,
  },
  'Mutation.rotateSigningKey': {
    document: 'mutation { rotateSigningKey { signingKey { id } } }',
    roles: MANAGERS,
  },
  'Mutation.cancelSigningKeyRotation': {
    document: 'mutation { cancelSigningKeyRotation { signingKey { id } } }',
    roles: MANAGERS,
  },
  'Mutation.rotateVaultKey': {
    document: 'mutation { rotateVaultKey { rotation { total } } }',
    roles: MANAGERS,
  },
  'Mutation.rotateKmsKey': {
    document: 'mutation { rotateKmsKey { rotation { total } } }',
    roles: ['OPERATOR'],
  },
  'Mutation.sealCredential': {
    document: 'mutation { sealCredential(input: { type: API_KEY, secret: {} }) { credential { id } } }',
    roles: ['ADMIN'],
  },
  'Mutation.rotateCredential': {
    document: 'mutation($id: ID!) { rotateCredential(input: { id: $id, secret: {} }) { credential { id } } }',
    variables: id('credential'),
    roles: ['ADMIN'],
  },
  'Mutation.deleteCredential': {
    document: 'mutation($id: ID!) { deleteCredential(id: $id) { deletedId } }',
    variables: id('credential'),
    roles: ['ADMIN'],
  },
  'Mutation.unsealCredential': {
    document: 'mutation($id: ID!) { unsealCredential(id: $id) { envelope } }',
    variables: id('credential'),
    roles: ['ADMIN'],
  },
  'Mutation.createIntegration': {
    document:
      'mutation { createIntegration(input: { systemType: ZENDESK, config: { subdomain: "" } }) { integration { id } } }',
    roles: ['ADMIN'],
  },
  'Mutation.updateIntegration': {
    document: 'mutation($id: ID!) { updateIntegration(input: { id: $id }) { integration { id } } }',
    variables: id('integration'),
    roles: ['ADMIN'],
  },
  'Mutation.deleteIntegration': {
    document: 'mutation($id: ID!) { deleteIntegration(id: $id) { deletedId } }',
    variables: id('integration'),
    roles: ['ADMIN'],
  },
  'Mutation.testIntegration': {
    document: 'mutation($id: ID!) { testIntegration(id: $id) { ok } }',
    variables: id('integration'),
    roles: ['ADMIN'],
  },
  'Query.zendeskConnection': {
    document: 'query($id: ID!) { zendeskConnection(id: $id) { status } }',
    variables: id('run'),
    roles: ['ADMIN'],
  },
  'Mutation.connectZendesk': {
    document: 'mutation($id: ID!) { connectZendesk(integrationId: $id) { authorizationUrl } }',
    variables: id('integration'),
    roles: ['ADMIN'],
  },
  'Mutation.disconnectZendesk': {
    document: 'mutation($id: ID!) { disconnectZendesk(integrationId: $id) { deletedId } }',
    variables: id('integration'),
    roles: ['ADMIN'],
  },
  'Mutation.enableTicketFeed': {
    document: 'mutation($id: ID!) { enableTicketFeed(integrationId: $id) { integration { id } } }',
    variables: id('integration'),
    roles: ['ADMIN'],
  },
  'Mutation.disableTicketFeed': {
    document: 'mutation($id: ID!) { disableTicketFeed(integrationId: $id) { integration { id } } }',
    variables: id('integration'),
    roles: ['ADMIN'],
  },
  'Mutation.exportAudit': {
    document: 'mutation { exportAudit(input: { from: 0, to: 1 }) { export { id } } }',
    roles: ['AUDITOR'],
  },
  'Query.accessSyncRun': {
    document: 'query($id: ID!) { accessSyncRun(id: $id) { id } }',
    variables: id('run'),
    roles: ['ADMIN'],
  },
  'Query.accessSyncRuns': {
    document: `query($id: ID!) { accessSyncRuns(integrationId: $id) ${PAGE} }`,
    variables: ({ tenant }) => ({ id: tenant.integrationId }),
    roles: ['ADMIN'],
  },
  'Mutation.startAccessSync': {
    document: 'mutation($id: ID!) { startAccessSync(integrationId: $id) { run { id } } }',
    variables: id('integration'),
    roles: ['ADMIN'],
  },
  'Mutation.cancelAccessSync': {
    document: 'mutation($id: ID!) { cancelAccessSync(runId: $id) { run { id } } }',
    variables: id('run'),
    roles: ['ADMIN'],
  },
  'Mutation.setAccessSyncSchedule': {
    document: `mutation($id: ID!) {
      setAccessSyncSchedule(integrationId: $id, cron: "0 3 * * *") { schedule { cron } } }`,
    variables: id('integration'),
    roles: ['ADMIN'],
  },
  'Mutation.removeAccessSyncSchedule': {
    document: 'mutation($id: ID!) { removeAccessSyncSchedule(integrationId: $id) { integrationId } }',
    variables: id('integration'),
    roles: ['ADMIN'],
  },
  'Mutation.eraseDirectoryUser': {
    document: 'mutation($id: ID!) { eraseDirectoryUser(integrationId: $id, zendeskId: 1) { zendeskId } }',
    variables: id('integration'),
    roles: ['ADMIN'],
  },
  'Subscription.syncProgress': {
    document: 'subscription($id: ID!) { syncProgress(runId: $id) { state } }',
    variables: id('run'),
    roles: ['ADMIN'],
    isStream: true,
  },
  'Subscription.auditTail': {
    document: 'subscription { auditTail { cursor } }',
    roles: ['AUDITOR'],
    isStream: true,
  },
  'Subscription.ticketChanges': {
    document: 'subscription($id: ID!) { ticketChanges(integrationId: $id) { __typename } }',
    variables: ({ tenant }) => ({ id: tenant.integrationId }),
    roles: ['AGENT', 'DASHBOARD'],
    isStream: true,
  },
  'Mutation.proxyOutbound': {
    document: `mutation($id: ID!) { proxyOutbound(input:
      { integrationId: $id, operation: "update_ticket", payload: {} }) { envelope } }`,
    variables: ({ tenant }) => ({ id: tenant.integrationId }),
    roles: ['AGENT'],
  },
};

const inTicket = (name: string, fields: string): Row => ({
  document: `mutation($id: ID!) { ${name}(input: { ticketId: $id ${fields} }) { __typename } }`,
  variables: ({ tenant }) => ({ id: `${tenant.integrationId}:ticket:4` }),
  roles: ['AGENT'],
  showsZendesk: true,
});
const TICKET_FIELDS: Readonly<Record<string, Row>> = {
  'Mutation.createTicket': {
    document: `mutation($id: ID!) { createTicket(input: { integrationId: $id,
      comment: { body: "x", public: false } }) { idempotency } }`,
    variables: ({ tenant }) => ({ id: tenant.integrationId }),
    roles: ['AGENT'],
    showsZendesk: true,
  },
  'Mutation.updateTicket': inTicket('updateTicket', ''),
  'Mutation.addComment': inTicket('addComment', 'body: "", public: false'),
};

const planning = (name: string, input: string): Row => ({
  document: `mutation($id: ID!) { ${name}(input: { integrationId: $id ${input} }) { state } }`,
  variables: ({ tenant }) => ({ id: tenant.integrationId }),
  roles: ['ADMIN'],
  showsZendesk: true,
});
const ofPlan = (document: string): Row => ({
  document,
  variables: id('plan'),
  roles: ['ADMIN'],
  showsZendesk: true,
});
const PLAN_FIELDS: Readonly<Record<string, Row>> = {
  'Query.provisioningPlan': ofPlan('query($id: ID!) { provisioningPlan(id: $id) { state } }'),
  'Query.provisioningPlans': {
    document: 'query($id: ID!) { provisioningPlans(integrationId: $id) { nodes { state } } }',
    variables: ({ tenant }) => ({ id: tenant.integrationId }),
    roles: ['ADMIN'],
    showsZendesk: true,
  },
  'Mutation.provisionUser': planning('provisionUser', 'email: "new@matrix.test", name: "New"'),
  'Mutation.provisionMany': planning('provisionMany', 'people: [{ email: "new@matrix.test", name: "New" }]'),
  'Mutation.changeUserRole': planning('changeUserRole', 'userId: "5", role: AGENT'),
  'Mutation.assignGroups': planning('assignGroups', 'userId: "5", add: ["6"]'),
  'Mutation.suspendUser': planning('suspendUser', 'userId: "5"'),
  'Mutation.unsuspendUser': planning('unsuspendUser', 'userId: "5"'),
  'Mutation.deprovisionUser': planning('deprovisionUser', 'userId: "5"'),
  'Mutation.applyPlan': ofPlan('mutation($id: ID!) { applyPlan(planId: $id) { state } }'),
  'Mutation.cancelPlan': ofPlan('mutation($id: ID!) { cancelPlan(planId: $id) { state } }'),
  'Mutation.setProvisioningSettings': {
    document: 'mutation($id: ID!) { setProvisioningSettings(input: { integrationId: $id }) { maxChanges } }',
    variables: id('integration'),
    roles: ['ADMIN'],
  },
};
const ROWS: Readonly<Record<string, Row>> = { ...FIELDS, ...TICKET_FIELDS, ...PLAN_FIELDS };

/** What a client sends to be answered by a stream. */
function streamHeaders(row: Row, { tenant }: House): Readonly<Record<string, string>> {
  return row.isStream === true
    ? { accept: 'text/event-stream', 'x-sealdesk-key': tenant.keyFile.key_id }
    : {};
}

function actionOf(name: string): string {
  const [type = '', field] = name.split('.');
  return `${type.toLowerCase()}.${field}`;
}

/** What the log tells of a call that was answered with `code`, `null` for none. */
function entryFor(name: string, row: Row, code: string | null) {
  const actor = { type: 'API_KEY' };
  if (code === null) return { actor, action: actionOf(name), outcome: 'SUCCEEDED' };
  // A stream that does not begin is a refused request.
  if (row.isStream === true)
    return { actor, action: 'request.refuse', outcome: 'DENIED', denialReason: code };
  const outcome = expect.stringMatching(/^(DENIED|FAILED)$/);
  return { actor, action: actionOf(name), outcome, denialReason: code };
}

const ROOTS = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap(
  (type) => (type == null ? [] : Object.keys(type.getFields()).map((field) => `${type.name}.${field}`)),
);

it('names every root field of the schema, and none that is gone', () => {
  expect(Object.keys(ROWS).toSorted()).toEqual(ROOTS.toSorted());
});

describeOnBothDatabases('the door before every root field', (database) => {
  const house = useHouse(database);

  function keyOf(role: Role): string {
    const { gateway, tenant } = house();
    switch (role) {
      case 'OPERATOR':
        return gateway.operatorKey;
      case 'ADMIN':
        return tenant.keys.admin;
      case 'AGENT':
        return tenant.keys.agent;
      case 'DASHBOARD':
        return tenant.keys.dashboard;
      case 'AUDITOR':
        return tenant.keys.auditor;
      default:
        return role satisfies never;
    }
  }

  /** Whose log takes what a caller of `role` does; `null` is a stranger. */
  async function logOf(role: Role | null): Promise<string> {
    const { gateway, tenant } = house();
    return role === null || role === 'OPERATOR' ? (await ensureInstallation(gateway.deps)).id : tenant.id;
  }

  /** The entry of a call: the one that its answer names, or, of a stream that began, the newest of its kind. */
  async function entryOf(name: string, answer: RestAnswer, role: Role | null): Promise<AuditEvent | null> {
    const tenantId = await logOf(role);
    return house().gateway.store.withTenant(tenantId, async (tx) => {
      const id = eventIdOf(answer);
      if (id !== undefined) return getAuditEvent(tx, tenantId, id);
      const filter = { action: actionOf(name) };
      const [newest] = await listAuditEvents(tx, tenantId, { filter, backwards: true, limit: 1 });
      return newest ?? null;
    });
  }

  /** The entries that calls have been found to leave. */
  const entries = new Set<string | undefined>();

  const clearKeys = new Map<Role, string>();
  /** A key whose answers leave in the clear, of every role that can have one. */
  async function clearKeyOf(role: Role): Promise<string> {
    if (role === 'OPERATOR') return keyOf(role);
    const { gateway, tenant } = house();
    const made =
      clearKeys.get(role) ??
      (await createTestApiKey(gateway, tenant.keys.admin, { roles: [role], delivery: 'PLAINTEXT' }));
    clearKeys.set(role, made);
    return made;
  }

  it.each(
    Object.entries(ROWS),
  )('lets through %s the roles of the table and no other, and records each', async (name, row) => {
    // Refused requests of one cause have one entry a minute.
    if (row.isStream === true) house().clock.advance(60_000);
    const variables = row.variables?.(house()) ?? {};
    for (const role of ROLES) {
      const apiKey = row.showsZendesk ? await clearKeyOf(role) : keyOf(role);
      const headers = streamHeaders(row, house());
      const answer = await house().gateway.graphql(row.document, { apiKey, variables, headers });
      const code = codeOf(answer);
      const entry = await entryOf(name, answer, role);
      expect(entry, `the entry of ${name} by ${role}`).toMatchObject(entryFor(name, row, code));
      expect(entries, `an entry of its own for ${name} by ${role}`).not.toContain(entry?.id);
      entries.add(entry?.id);
      if (row.roles.includes(role)) {
        expect(code, role).not.toBe('FORBIDDEN');
        expect(code, role).not.toBe('UNAUTHENTICATED');
        expect(code, role).not.toBe('INTERNAL');
        continue;
      }
      // A key of another tenant is told that there is nothing, before its role is asked for.
      const isForeign =
        role === 'OPERATOR' && (row.isStream === true || row.document.includes('proxyOutbound'));
      // What is of Zendesk is closed to an OPERATOR before its role is asked for, since no key of that role is made so.
      const isClosed = role === 'OPERATOR' && row.showsZendesk === true;
      expect(code, role).toBe(isForeign ? 'NOT_FOUND' : isClosed ? 'SEALED_RESPONSE_REQUIRED' : 'FORBIDDEN');
      expect(
        Object.values(answer.json.data ?? {})
          .flat()
          .filter((value) => value !== null),
        role,
      ).toEqual([]);
    }
  });

  it.each(
    Object.entries(ROWS),
  )('asks strangers before %s for a key, and counts them in the log', async (name, row) => {
    house().clock.advance(60_000);
    const variables = row.variables?.(house()) ?? {};
    const headers = streamHeaders(row, house());
    const answer = await house().gateway.graphql(row.document, { variables, headers });
    const code = codeOf(answer);
    expect(await entryOf(name, answer, null), `the entry of ${name} by a stranger`).toMatchObject({
      actor: { type: 'SYSTEM', id: 'anonymous' },
      action: 'request.refuse',
      outcome: 'DENIED',
      denialReason: code,
      count: expect.any(Number),
    });
    if (row.needsNoKey === true) expect(codeOf(answer)).not.toBe('UNAUTHENTICATED');
    else {
      expect(codeOf(answer)).toBe('UNAUTHENTICATED');
      expect(
        Object.values(answer.json.data ?? {})
          .flat()
          .filter((value) => value !== null),
      ).toEqual([]);
    }
  });

  it('lets nobody but the roles of its list read an object by its id', async () => {
    const { tenant, gateway } = house();
    const [event] = (
      await gateway.graphql('{ auditEvents(first: 1) { edges { node { id } } } }', {
        apiKey: tenant.keys.auditor,
      })
    ).json.data.auditEvents.edges;
    const viewer = await gateway.graphql('{ viewer { apiKey { id } } }', { apiKey: tenant.keys.agent });
    const readers: Readonly<Record<string, readonly Role[]>> = {
      [tenant.id]: ['OPERATOR', 'ADMIN', 'AGENT', 'DASHBOARD', 'AUDITOR'],
      [tenant.integrationId]: ['ADMIN', 'AGENT', 'DASHBOARD'],
      [tenant.credentialId]: ['ADMIN'],
      [tenant.keyFile.key_id]: ['ADMIN', 'AGENT', 'DASHBOARD'],
      [viewer.json.data.viewer.apiKey.id]: ['ADMIN'],
      [event.node.id]: ['AUDITOR'],
    };
    for (const [objectId, roles] of Object.entries(readers)) {
      for (const role of ROLES) {
        const { json } = await gateway.graphql('query($id: ID!) { node(id: $id) { id } }', {
          apiKey: keyOf(role),
          variables: { id: objectId },
        });
        expect(json.data?.node?.id ?? null, `${role} reads ${objectId}`).toBe(
          roles.includes(role) ? objectId : null,
        );
      }
    }
  });

  it('lets agents and dashboards read the objects of Zendesk by their ids, and nobody else', async () => {
    const { tenant, gateway } = house();
    const readers: readonly Role[] = ['AGENT', 'DASHBOARD'];
    const [user, organization] = ['6130907993352', '6130907500004'];
    for (const object of ['ticket:4', `user:${user}`, `organization:${organization}`]) {
      const id = `${tenant.integrationId}:${object}`;
      for (const role of ROLES) {
        const { json } = await gateway.graphql('query($id: ID!) { node(id: $id) { id } }', {
          apiKey: await clearKeyOf(role),
          variables: { id },
        });
        expect(json.data?.node?.id ?? null, `${role} reads ${object}`).toBe(
          readers.includes(role) ? id : null,
        );
      }
    }
  });

  it('answers an operator neither tickets nor what belongs to a tenant', async () => {
    const { tenant, gateway } = house();
    const before = gateway.simulator.requests.total;
    const answers = [
      await tenant.proxy('get_ticket', { ticket_id: 1 }, { apiKey: gateway.operatorKey }),
      await gateway.graphql('{ credentials { edges { node { id } } } }', { apiKey: gateway.operatorKey }),
      await gateway.graphql('mutation($id: ID!) { unsealCredential(id: $id) { envelope } }', {
        apiKey: gateway.operatorKey,
        variables: { id: tenant.credentialId },
        headers: { 'x-sealdesk-key': tenant.keyFile.key_id },
      }),
    ];
    expect(answers.map(codeOf)).toEqual(['NOT_FOUND', 'FORBIDDEN', 'FORBIDDEN']);
    expect(gateway.simulator.requests.total).toBe(before);
  });
});
