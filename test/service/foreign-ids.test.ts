/** Ids of another tenant: to every field that takes one they are as unknown as those of nobody. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createId } from '../../src/base/index.ts';
import { begin } from '../connect/connecting.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { codeOf, eventIdOf, type House, newestEvents, openHouse, readEvent, zendeskCalls } from './house.ts';

type Ids = Record<
  'tenant' | 'integration' | 'credential' | 'clientKey' | 'apiKey' | 'auditEvent' | 'intent' | 'connection',
  string
>;
interface Row {
  readonly as: 'admin' | 'agent' | 'auditor';
  readonly document: string;
  readonly variables: (ids: Ids, house: House) => Readonly<Record<string, unknown>>;
  /** What is answered beside what is refused. */
  readonly kept?: (house: House) => readonly unknown[];
}
const one = (kind: keyof Ids) => (ids: Ids) => ({ id: ids[kind] });
const ownCredential = '(input: { id: $own, credentialId: $id }) { integration { id } }';

const ROWS: Readonly<Record<string, Row>> = {
  'tenant(id)': {
    as: 'admin',
    document: 'query($id: ID!) { tenant(id: $id) { id } }',
    variables: one('tenant'),
  },
  'keyStatus(tenantId)': {
    as: 'admin',
    document: 'query($id: ID!) { keyStatus(tenantId: $id) { tenantId } }',
    variables: one('tenant'),
  },
  'rotateSigningKey(tenantId)': {
    as: 'admin',
    document: 'mutation($id: ID!) { rotateSigningKey(tenantId: $id, now: true) { signingKey { id } } }',
    variables: one('tenant'),
  },
  'cancelSigningKeyRotation(tenantId)': {
    as: 'admin',
    document: 'mutation($id: ID!) { cancelSigningKeyRotation(tenantId: $id) { signingKey { id } } }',
    variables: one('tenant'),
  },
  'rotateVaultKey(tenantId)': {
    as: 'admin',
    document: 'mutation($id: ID!) { rotateVaultKey(tenantId: $id) { rotation { total } } }',
    variables: one('tenant'),
  },
  'integration(id)': {
    as: 'agent',
    document: 'query($id: ID!) { integration(id: $id) { id } }',
    variables: one('integration'),
  },
  'node of a tenant': {
    as: 'admin',
    document: 'query($id: ID!) { node(id: $id) { id } }',
    variables: one('tenant'),
  },
  'node of an integration': {
    as: 'admin',
    document: 'query($id: ID!) { node(id: $id) { id } }',
    variables: one('integration'),
  },
  'node of a credential': {
    as: 'admin',
    document: 'query($id: ID!) { node(id: $id) { id } }',
    variables: one('credential'),
  },
  'node of a client key': {
    as: 'admin',
    document: 'query($id: ID!) { node(id: $id) { id } }',
    variables: one('clientKey'),
  },
  'node of an API key': {
    as: 'admin',
    document: 'query($id: ID!) { node(id: $id) { id } }',
    variables: one('apiKey'),
  },
  'node of an audit event': {
    as: 'auditor',
    document: 'query($id: ID!) { node(id: $id) { id } }',
    variables: one('auditEvent'),
  },
  'nodes beside an own id': {
    as: 'admin',
    document: 'query($own: ID!, $id: ID!) { nodes(ids: [$own, $id]) { id } }',
    variables: ({ integration }, { tenant }) => ({ own: tenant.integrationId, id: integration }),
    kept: ({ tenant }) => [{ id: tenant.integrationId }],
  },
  'auditEvent(id)': {
    as: 'auditor',
    document: 'query($id: ID!) { auditEvent(id: $id) { index } }',
    variables: one('auditEvent'),
  },
  'auditReceipt(auditEventId)': {
    as: 'auditor',
    document: 'query($id: ID!) { auditReceipt(auditEventId: $id) { leaf } }',
    variables: one('auditEvent'),
  },
  'operationStatus(intentId)': {
    as: 'auditor',
    document: 'query($id: ID!) { operationStatus(intentId: $id) { state } }',
    variables: one('intent'),
  },
  'explainOperation(integrationId)': {
    as: 'admin',
    document: 'query($id: ID!) { explainOperation(integrationId: $id, operation: "search") { allowed } }',
    variables: one('integration'),
  },
  'explainOperation(apiKeyId)': {
    as: 'admin',
    document:
      'query($own: ID!, $id: ID!) { explainOperation(integrationId: $own, operation: "search", apiKeyId: $id) { allowed } }',
    variables: ({ apiKey }, { tenant }) => ({ own: tenant.integrationId, id: apiKey }),
  },
  'createApiKey(clientKeyId)': {
    as: 'admin',
    document:
      'mutation($id: ID!) { createApiKey(input: { name: "x", roles: [AGENT], clientKeyId: $id }) { secret } }',
    variables: one('clientKey'),
  },
  'revokeApiKey(id)': {
    as: 'admin',
    document: 'mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }',
    variables: one('apiKey'),
  },
  'mapClientKey(keyId)': {
    as: 'admin',
    document: 'mutation($id: ID!) { mapClientKey(keyId: $id) { clientKey { id } } }',
    variables: one('clientKey'),
  },
  'mapClientKey(restrictTo)': {
    as: 'admin',
    document: `mutation($own: ID!, $id: ID!) { mapClientKey(keyId: $own,
      restrictTo: { integrationId: $id, organizationId: "1" }) { clientKey { id } } }`,
    variables: ({ integration }, { tenant }) => ({ own: tenant.keyFile.key_id, id: integration }),
  },
  'revokeClientKey(keyId)': {
    as: 'admin',
    document: 'mutation($id: ID!) { revokeClientKey(keyId: $id) { clientKey { id } } }',
    variables: one('clientKey'),
  },
  'rotateCredential(id)': {
    as: 'admin',
    document:
      'mutation($id: ID!) { rotateCredential(input: { id: $id, secret: { api_key: "x" } }) { credential { id } } }',
    variables: one('credential'),
  },
  'deleteCredential(id)': {
    as: 'admin',
    document: 'mutation($id: ID!) { deleteCredential(id: $id) { deletedId } }',
    variables: one('credential'),
  },
  'unsealCredential(id)': {
    as: 'admin',
    document: 'mutation($id: ID!) { unsealCredential(id: $id) { envelope } }',
    variables: one('credential'),
  },
  'createIntegration(credentialId)': {
    as: 'admin',
    document: `mutation($id: ID!) { createIntegration(input:
      { systemType: ZENDESK, config: { subdomain: "acme" }, credentialId: $id }) { integration { id } } }`,
    variables: one('credential'),
  },
  'updateIntegration(id)': {
    as: 'admin',
    document:
      'mutation($id: ID!) { updateIntegration(input: { id: $id, enabled: false }) { integration { id } } }',
    variables: one('integration'),
  },
  'updateIntegration(credentialId)': {
    as: 'admin',
    document: `mutation($own: ID!, $id: ID!) { updateIntegration${ownCredential} }`,
    variables: ({ credential }, { tenant }) => ({ own: tenant.integrationId, id: credential }),
  },
  'deleteIntegration(id)': {
    as: 'admin',
    document: 'mutation($id: ID!) { deleteIntegration(id: $id) { deletedId } }',
    variables: one('integration'),
  },
  'testIntegration(id)': {
    as: 'admin',
    document: 'mutation($id: ID!) { testIntegration(id: $id) { ok } }',
    variables: one('integration'),
  },
  'zendeskConnection(id)': {
    as: 'admin',
    document: 'query($id: ID!) { zendeskConnection(id: $id) { status } }',
    variables: one('connection'),
  },
  'connectZendesk(integrationId)': {
    as: 'admin',
    document: 'mutation($id: ID!) { connectZendesk(integrationId: $id, clientId: "x") { authorizationUrl } }',
    variables: one('integration'),
  },
  'connectZendesk(credentialId)': {
    as: 'admin',
    document:
      'mutation($own: ID!, $id: ID!) { connectZendesk(integrationId: $own, credentialId: $id) { authorizationUrl } }',
    variables: ({ credential }, { tenant }) => ({ own: tenant.integrationId, id: credential }),
  },
  'disconnectZendesk(integrationId)': {
    as: 'admin',
    document: 'mutation($id: ID!) { disconnectZendesk(integrationId: $id) { deletedId } }',
    variables: one('integration'),
  },
  'accessSyncRuns(integrationId)': {
    as: 'admin',
    document: 'query($id: ID!) { accessSyncRuns(integrationId: $id) { edges { node { id } } } }',
    variables: one('integration'),
  },
  'startAccessSync(integrationId)': {
    as: 'admin',
    document: 'mutation($id: ID!) { startAccessSync(integrationId: $id) { run { id } } }',
    variables: one('integration'),
  },
  'setAccessSyncSchedule(integrationId)': {
    as: 'admin',
    document: `mutation($id: ID!) {
      setAccessSyncSchedule(integrationId: $id, cron: "0 3 * * *") { schedule { cron } } }`,
    variables: one('integration'),
  },
  'removeAccessSyncSchedule(integrationId)': {
    as: 'admin',
    document: 'mutation($id: ID!) { removeAccessSyncSchedule(integrationId: $id) { integrationId } }',
    variables: one('integration'),
  },
  'eraseDirectoryUser(integrationId)': {
    as: 'admin',
    document: 'mutation($id: ID!) { eraseDirectoryUser(integrationId: $id, zendeskId: 1) { zendeskId } }',
    variables: one('integration'),
  },
  'setProvisioningSettings(integrationId)': {
    as: 'admin',
    document:
      'mutation($id: ID!) { setProvisioningSettings(input: { integrationId: $id, maxChanges: 7 }) { maxChanges } }',
    variables: one('integration'),
  },
  'proxyOutbound(integrationId)': {
    as: 'agent',
    document: `mutation($id: ID!) { proxyOutbound(input:
      { integrationId: $id, operation: "get_ticket", payload: { ticket_id: 1 } }) { envelope } }`,
    variables: one('integration'),
  },
};

const KEPT = `{ integrations { edges { node { id name status credentialId allowedOperations updatedAt } } }
  credentials { edges { node { id version rotatedAt } } }
  clientKeys { edges { node { id status } } }
  apiKeys { edges { node { id revokedAt clientKeyId } } }
  keyStatus { signingKeys { kid status } vaultKeys { version } } }`;

describeOnBothDatabases('ids of another tenant', (database) => {
  let house: House;
  let foreign: Ids;
  const unknown: Ids = {
    tenant: createId('tenant'),
    integration: createId('integration'),
    credential: createId('credential'),
    clientKey: createId('clientKey'),
    apiKey: createId('apiKey'),
    auditEvent: createId('auditEvent'),
    intent: createId('auditEvent'),
    connection: createId('run'),
  };

  beforeAll(async () => {
    house = await openHouse(database);
    const { gateway, other } = house;
    await other.proxy('create_ticket', { subject: 'x', comment: { body: 'y', public: false } });
    const events = await newestEvents(gateway, other.keys.auditor);
    const begun = await begin({ gateway, tenant: other }, other.integrationId);
    const viewer = await gateway.graphql('{ viewer { apiKey { id } } }', { apiKey: other.keys.agent });
    foreign = {
      tenant: other.id,
      integration: other.integrationId,
      credential: other.credentialId,
      clientKey: other.keyFile.key_id,
      apiKey: viewer.json.data.viewer.apiKey.id,
      auditEvent: events.at(-1)?.id ?? '',
      intent: events.findLast(({ phase }) => phase === 'INTENT')?.id ?? '',
      connection: begun.connection.id,
    };
  });
  afterAll(() => house[Symbol.asyncDispose]());

  const keptOf = async (tenant: House['tenant']) =>
    (await house.gateway.graphql(KEPT, { apiKey: tenant.keys.admin })).json.data;

  it.each(
    Object.entries(ROWS),
  )('are not found by %s, which changes nothing and is recorded', async (_name, row) => {
    const { gateway, tenant, other } = house;
    const [ownBefore, otherBefore] = [await keptOf(tenant), await keptOf(other)];
    const logBefore = await newestEvents(gateway, other.keys.auditor, 1);
    const calls = zendeskCalls(gateway);
    const ask = (ids: Ids) =>
      gateway.graphql(row.document, {
        apiKey: tenant.keys[row.as],
        variables: row.variables(ids, house),
        headers: { 'x-sealdesk-key': tenant.keyFile.key_id },
      });
    const answer = await ask(foreign);
    expect(codeOf(answer)).toBe('NOT_FOUND');
    // What is one's own beside it stays.
    expect(
      Object.values(answer.json.data ?? {})
        .flat()
        .filter((value) => value !== null),
    ).toEqual(row.kept?.(house) ?? []);
    // Not by its text either can a foreign object be told from none.
    expect(answer.json.errors).toEqual((await ask(unknown)).json.errors);
    expect(zendeskCalls(gateway)).toBe(calls);
    expect(await keptOf(tenant)).toEqual(ownBefore);
    expect(await keptOf(other)).toEqual(otherBefore);
    expect(await readEvent(gateway, tenant.keys.auditor, eventIdOf(answer))).toMatchObject({
      outcome: 'DENIED',
      denialReason: 'NOT_FOUND',
    });
    // The other tenant's log holds its own readings only.
    const logAfter = await newestEvents(gateway, other.keys.auditor, 8);
    const since = logAfter.filter(({ index }) => index > (logBefore.at(-1)?.index ?? 0));
    expect(since.every(({ action }) => action.startsWith('query.') || action === 'graphql.query')).toBe(true);
  });

  it('show auditors only what their own tenant tried on them', async () => {
    const { gateway, tenant } = house;
    const idOf = async (apiKey: string): Promise<string> =>
      (await gateway.graphql('{ viewer { apiKey { id } } }', { apiKey })).json.data.viewer.apiKey.id;
    const answer = await gateway.graphql(
      'query($id: ID!) { auditEvents(filter: { integrationId: $id }) { edges { node { actor { id } outcome } } } }',
      { apiKey: tenant.keys.auditor, variables: { id: foreign.integration } },
    );
    // By disconnectZendesk and proxyOutbound, which name the integration before they look for it.
    expect(answer.json.data.auditEvents.edges).toEqual([
      { node: { actor: { id: await idOf(tenant.keys.admin) }, outcome: 'DENIED' } },
      { node: { actor: { id: await idOf(tenant.keys.agent) }, outcome: 'DENIED' } },
    ]);
  });
});
