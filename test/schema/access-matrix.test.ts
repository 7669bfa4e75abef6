/** Every root field against every role. A field that the table does not name fails the walk. */
import { expect, it } from 'vitest';
import { schema } from '../../schema/index.ts';
import { ROLES, type Role } from '../../src/access/index.ts';
import { createId } from '../../src/base/index.ts';
import { codeOf, type House, useHouse } from '../service/house.ts';
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
  'Query.credentials': { document: `{ credentials ${PAGE} }`, roles: ['ADMIN'] },
  'Query.integrations': { document: `{ integrations ${PAGE} }`, roles: ['ADMIN', 'AGENT', 'DASHBOARD'] },
  'Query.integration': {
    document: 'query($id: ID!) { integration(id: $id) { id } }',
    variables: id('integration'),
    roles: ['ADMIN', 'AGENT', 'DASHBOARD'],
  },
  'Query.auditEvents': { document: `{ auditEvents ${PAGE} }`, roles: ['AUDITOR'] },
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
  'Mutation.revokeClientKey': {
    document: 'mutation($id: ID!) { revokeClientKey(keyId: $id) { clientKey { id } } }',
    variables: id('clientKey'),
    roles: MANAGERS,
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
const ROWS: Readonly<Record<string, Row>> = { ...FIELDS, ...TICKET_FIELDS };

/** What a client sends to be answered by a stream. */
function streamHeaders(row: Row, { tenant }: House): Readonly<Record<string, string>> {
  return row.isStream === true
    ? { accept: 'text/event-stream', 'x-sealdesk-key': tenant.keyFile.key_id }
    : {};
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

  it.each(Object.entries(ROWS))('lets through %s the roles of the table and no other', async (_name, row) => {
    const variables = row.variables?.(house()) ?? {};
    for (const role of ROLES) {
      const apiKey = row.showsZendesk ? await clearKeyOf(role) : keyOf(role);
      const headers = streamHeaders(row, house());
      const answer = await house().gateway.graphql(row.document, { apiKey, variables, headers });
      const code = codeOf(answer);
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

  it.each(Object.entries(ROWS))('asks strangers before %s for a key', async (_name, row) => {
    house().clock.advance(60_000);
    const variables = row.variables?.(house()) ?? {};
    const headers = streamHeaders(row, house());
    const answer = await house().gateway.graphql(row.document, { variables, headers });
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
