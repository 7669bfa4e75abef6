/** Answers in the clear by an ADMIN's choice, and everything around them that stays sealed. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRig, type Rig } from '../proxy/rig.ts';
import { codeOf, eventIdOf, zendeskCalls } from '../service/house.ts';
import { sealedGraphql } from '../support/sealed-graphql.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { createTestApiKey } from '../support/tenant.ts';

const CREATE = `mutation ($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { apiKey { id delivery } secret }
}`;
const TICKET = `query ($id: ID!, $ticket: ID!) { integration(id: $id) { ticket(id: $ticket) { id subject } } }`;
const PROXY = 'mutation ($input: ProxyOutboundInput!) { proxyOutbound(input: $input) { envelope } }';

describeOnBothDatabases('an API key whose answers leave in the clear', (database) => {
  let rig: Rig;
  let clear: string;
  beforeAll(async () => {
    rig = await openRig({ database, transport: { headersTimeout: 20_000 } });
    clear = await createTestApiKey(rig.gateway, rig.tenant.keys.admin, {
      roles: ['AGENT'],
      clientKeyId: rig.tenant.keyFile.key_id,
      delivery: 'PLAINTEXT',
    });
  });
  afterAll(() => rig[Symbol.asyncDispose]());
  const variables = () => ({ id: rig.tenant.integrationId, ticket: '295' });
  const subject = () => rig.gateway.simulator.tickets.get(295)?.subject;

  it('is made by an ADMIN, which has an entry of its own in the log', async () => {
    const { gateway, tenant } = rig;
    const before = (await rig.events()).length;
    const answer = await gateway.graphql(CREATE, {
      apiKey: tenant.keys.admin,
      variables: { input: { name: 'report', roles: ['DASHBOARD'], delivery: 'PLAINTEXT' } },
    });
    const { apiKey } = answer.json.data.createApiKey;
    expect(apiKey.delivery).toBe('PLAINTEXT');
    const events = (await rig.events()).slice(before);
    expect(events.map(({ action, resource, parentId }) => [action, resource, parentId])).toEqual([
      ['api-key.create', apiKey.id, eventIdOf(answer)],
      ['api-key.opt-in-plaintext', apiKey.id, eventIdOf(answer)],
      ['mutation.createApiKey', undefined, undefined],
    ]);
    expect(new Set(events.map(({ id }) => id)).size).toBe(3);
  });

  it('is nobody else’s to make, and nobody’s by default', async () => {
    const { gateway, tenant } = rig;
    const input = { name: 'operator', roles: ['OPERATOR'], delivery: 'PLAINTEXT' };
    const operator = await gateway.graphql(CREATE, { apiKey: gateway.operatorKey, variables: { input } });
    expect(codeOf(operator)).toBe('FORBIDDEN');
    const agent = await gateway.graphql(CREATE, {
      apiKey: clear,
      variables: { input: { ...input, roles: ['AGENT'] } },
    });
    expect(codeOf(agent)).toBe('FORBIDDEN');
    const before = (await rig.events()).length;
    const usual = await gateway.graphql(CREATE, {
      apiKey: tenant.keys.admin,
      variables: { input: { name: 'usual', roles: ['AGENT'] } },
    });
    expect(usual.json.data.createApiKey.apiKey.delivery).toBe('SEALED');
    const actions = (await rig.events()).slice(before).map(({ action }) => action);
    expect(actions).toEqual(['api-key.create', 'mutation.createApiKey']);
  });

  it('sees what it is, and so does the ADMIN', async () => {
    const viewer = 'query { viewer { apiKey { id delivery } } }';
    const own = await rig.gateway.graphql(viewer, { apiKey: clear });
    expect(own.json.data.viewer.apiKey.delivery).toBe('PLAINTEXT');
    const usual = await rig.gateway.graphql(viewer, { apiKey: rig.tenant.keys.agent });
    expect(usual.json.data.viewer.apiKey.delivery).toBe('SEALED');
    const all = await rig.gateway.graphql('{ apiKeys(first: 100) { edges { node { id delivery } } } }', {
      apiKey: rig.tenant.keys.admin,
    });
    expect(all.json.data.apiKeys.edges).toContainEqual({ node: own.json.data.viewer.apiKey });
  });

  it('reads tickets in the clear, which the log tells without an envelope', async () => {
    const answer = await rig.gateway.graphql(TICKET, { apiKey: clear, variables: variables() });
    expect([answer.status, answer.json.data.integration.ticket.subject]).toEqual([200, subject()]);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.json.extensions.zendesk).toMatchObject({ calls: expect.any(Number) });
    const events = await rig.events();
    const at = events.findIndex(({ id }) => id === eventIdOf(answer));
    expect(events[at]).toMatchObject({ action: 'query.integration', outcome: 'SUCCEEDED' });
    expect(events[at]).not.toHaveProperty('envelopes');
    expect(events[at - 1]).toMatchObject({ action: 'zendesk.call', parentId: eventIdOf(answer) });
  });

  it('is answered sealed where it asks for that, and by the proxy always', async () => {
    const { gateway, tenant } = rig;
    const sealed = await sealedGraphql(gateway, tenant, TICKET, { apiKey: clear, variables: variables() });
    expect(sealed.header?.purpose).toBe('graphql.result');
    expect(sealed.result.data.integration.ticket.subject).toBe(subject());
    const input = {
      integrationId: tenant.integrationId,
      operation: 'get_ticket',
      payload: { ticket_id: 295 },
    };
    const proxied = await gateway.graphql(PROXY, { apiKey: clear, variables: { input } });
    const opened = await tenant.open(proxied.json.data.proxyOutbound.envelope);
    expect(JSON.stringify(proxied.json)).not.toContain(subject());
    expect(JSON.stringify(opened.value)).toContain(subject());
    const rest = await tenant.proxy('get_ticket', { ticket_id: 295 }, { apiKey: clear });
    expect(JSON.stringify(rest.json)).not.toContain(subject());
  });

  it('is answered nothing once it is revoked, or is to be sealed, while the call is under way', async () => {
    const { gateway, tenant } = rig;
    const { simulator, store } = gateway;
    for (const [change, code] of [
      [{ delivery: 'SEALED' }, 'SEALED_RESPONSE_REQUIRED'],
      [{ delivery: 'PLAINTEXT', revoked_at: new Date() }, 'UNAUTHENTICATED'],
    ] as const) {
      const apiKey = await createTestApiKey(gateway, tenant.keys.admin, {
        roles: ['AGENT'],
        delivery: 'PLAINTEXT',
      });
      const { json } = await gateway.graphql('{ viewer { apiKey { id } } }', { apiKey });
      const apiKeyId: string = json.data.viewer.apiKey.id;
      simulator.faults.add({ method: 'GET', count: 1, effect: { kind: 'latency', milliseconds: 1_000 } });
      const taken = simulator
        .waitForRequest((request) => request.method === 'GET', { after: simulator.requests.total })
        .then(() =>
          store.withTenant(tenant.id, (tx) =>
            tx.updateTable('api_keys').set(change).where('id', '=', apiKeyId).execute(),
          ),
        );
      const [answer] = await Promise.all([
        gateway.graphql(TICKET, { apiKey, variables: { ...variables(), ticket: '284' } }),
        taken,
      ]);
      expect(codeOf(answer)).toBe(code);
      expect(answer.json).not.toHaveProperty('data');
      expect(await rig.eventOf(eventIdOf(answer))).toMatchObject({ outcome: 'DENIED', denialReason: code });
    }
  });

  it('is the only one that reads tickets in the clear', async () => {
    const { gateway, tenant } = rig;
    const before = zendeskCalls(gateway);
    for (const apiKey of Object.values(tenant.keys)) {
      const answer = await gateway.graphql(TICKET, { apiKey, variables: variables() });
      expect(codeOf(answer)).toBe('SEALED_RESPONSE_REQUIRED');
    }
    expect(zendeskCalls(gateway)).toBe(before);
  });
});
