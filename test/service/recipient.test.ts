/** Whom an answer is sealed to; and that without such a key Zendesk never hears of the call. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createId, encodeBase64 } from '../../src/base/index.ts';
import { createKeyFile, importKeys, publicJwkSet } from '../../src/client/index.ts';
import { signRegistration } from '../../src/envelope/index.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { createTestApiKey, dataOf, openTestClientKey, suite } from '../support/tenant.ts';
import { codeOf, eventIdOf, type House, openHouse, readEvent, zendeskCalls } from './house.ts';

const REGISTER =
  'mutation($input: RegisterClientKeyInput!) { registerClientKey(input: $input) { clientKey { id } } }';
const PROXY =
  'mutation($input: ProxyOutboundInput!) { proxyOutbound(input: $input) { envelope auditEventId } }';

describeOnBothDatabases('the recipient of an answer', (database) => {
  let house: House;
  /** An AGENT that is bound to no client key. */
  let free: string;
  const keys: Record<'pending' | 'confirmed' | 'revoked' | 'foreign' | 'unknown', string> = {
    pending: '',
    confirmed: '',
    revoked: '',
    foreign: '',
    unknown: createId('clientKey'),
  };

  beforeAll(async () => {
    house = await openHouse(database);
    const { gateway, tenant, other } = house;
    const { admin } = tenant.keys;
    free = await createTestApiKey(gateway, admin, { roles: ['AGENT'] });
    keys.confirmed = (await openTestClientKey(gateway, admin, null)).key_id;
    keys.revoked = (await openTestClientKey(gateway, admin, admin)).key_id;
    keys.foreign = other.keyFile.key_id;
    dataOf(
      await gateway.graphql(
        'mutation($id: ID!) { revokeClientKey(keyId: $id, reason: KEY_LOST) { clientKey { id } } }',
        {
          apiKey: admin,
          variables: { id: keys.revoked },
        },
      ),
    );
    const keyFile = createKeyFile(suite);
    const { kem, sig } = importKeys(suite, keyFile);
    const issuedAt = Math.floor(Date.now() / 1000);
    const proof = encodeBase64(
      await signRegistration(sig, {
        tenant_id: tenant.id,
        kem_kid: kem.kid,
        sig_kid: sig.kid,
        issued_at: issuedAt,
      }),
    );
    const registered = await gateway.graphql(REGISTER, {
      apiKey: free,
      variables: { input: { jwks: publicJwkSet(suite, keyFile), issuedAt, proof } },
    });
    keys.pending = registered.json.data.registerClientKey.clientKey.id;
  });
  afterAll(() => house[Symbol.asyncDispose]());

  it.each([
    ['no key at all', null, 406, 'SEALED_RESPONSE_REQUIRED'],
    ['a PENDING key', 'pending', 403, 'CLIENT_KEY_NOT_MAPPED'],
    ['a CONFIRMED key', 'confirmed', 403, 'CLIENT_KEY_NOT_MAPPED'],
    ['a revoked key', 'revoked', 403, 'KEY_REVOKED'],
    ['a key of another tenant', 'foreign', 404, 'NOT_FOUND'],
    ['an unknown key', 'unknown', 404, 'NOT_FOUND'],
  ] as const)('refuses %s by REST and GraphQL before Zendesk is called, and records it', async (_what, name, status, code) => {
    const { gateway, tenant } = house;
    const before = zendeskCalls(gateway);
    const headers = name === null ? {} : { 'x-sealdesk-key': keys[name] };
    const rest = await tenant.proxy('get_ticket', { ticket_id: 1 }, { apiKey: free, headers });
    const graph = await gateway.graphql(PROXY, {
      apiKey: free,
      headers,
      variables: {
        input: { integrationId: tenant.integrationId, operation: 'get_ticket', payload: { ticket_id: 1 } },
      },
    });
    for (const answer of [rest, graph]) {
      expect([answer.status, codeOf(answer)]).toEqual([status, code]);
      const event = await readEvent(gateway, tenant.keys.auditor, eventIdOf(answer));
      expect(event).toMatchObject({ outcome: 'DENIED', denialReason: code });
    }
    expect(graph.json.data).toBeNull();
    expect(rest.json).toMatchObject({ success: false });
    expect(zendeskCalls(gateway)).toBe(before);
  });

  it('tells who must do what with a key that is not mapped', async () => {
    const { tenant } = house;
    const answer = await tenant.proxy(
      'get_ticket',
      { ticket_id: 1 },
      { apiKey: free, headers: { 'x-sealdesk-key': keys.confirmed } },
    );
    expect(answer.json.error.message).toContain('mapClientKey');
    expect(answer.json.error.details.subject).toBe(keys.confirmed);
  });

  it('refuses a bound API key that names another client key, and takes its own name', async () => {
    const { gateway, tenant } = house;
    const second = await openTestClientKey(gateway, tenant.keys.admin, tenant.keys.admin);
    const before = zendeskCalls(gateway);
    const wrong = await tenant.proxy(
      'get_ticket',
      { ticket_id: 1 },
      { headers: { 'x-sealdesk-key': second.key_id } },
    );
    expect([wrong.status, codeOf(wrong)]).toEqual([403, 'FORBIDDEN']);
    expect(await readEvent(gateway, tenant.keys.auditor, eventIdOf(wrong))).toMatchObject({
      outcome: 'DENIED',
      denialReason: 'FORBIDDEN',
    });
    expect(zendeskCalls(gateway)).toBe(before);
    const right = await tenant.proxy(
      'get_ticket',
      { ticket_id: 1 },
      { headers: { 'x-sealdesk-key': tenant.keyFile.key_id } },
    );
    expect(right.status).toBe(200);
  });

  it('seals to the key that an unbound caller names, and to no other', async () => {
    const { tenant } = house;
    const answer = await tenant.proxy(
      'get_ticket',
      { ticket_id: 1 },
      { apiKey: free, headers: { 'x-sealdesk-key': tenant.keyFile.key_id } },
    );
    expect((await tenant.open(answer.json)).header).toMatchObject({
      recipient_key_id: tenant.keyFile.key_id,
    });
    await expect(house.other.open(answer.json)).rejects.toThrow();
  });

  it('refuses the key of a bound API key as soon as it is revoked', async () => {
    const { gateway, tenant } = house;
    const { admin } = tenant.keys;
    const keyFile = await openTestClientKey(gateway, admin, admin);
    const bound = await createTestApiKey(gateway, admin, { roles: ['AGENT'], clientKeyId: keyFile.key_id });
    expect((await tenant.proxy('get_ticket', { ticket_id: 1 }, { apiKey: bound })).status).toBe(200);
    await gateway.graphql('mutation($id: ID!) { revokeClientKey(keyId: $id) { clientKey { id } } }', {
      apiKey: admin,
      variables: { id: keyFile.key_id },
    });
    const before = zendeskCalls(gateway);
    expect(codeOf(await tenant.proxy('get_ticket', { ticket_id: 1 }, { apiKey: bound }))).toBe('KEY_REVOKED');
    expect(zendeskCalls(gateway)).toBe(before);
  });

  it('answers a credential only as an envelope to a key of the admin', async () => {
    const { gateway, tenant } = house;
    const document = 'mutation($id: ID!) { unsealCredential(id: $id) { envelope } }';
    const variables = { id: tenant.credentialId };
    const bare = await gateway.graphql(document, { apiKey: tenant.keys.admin, variables });
    expect(codeOf(bare)).toBe('SEALED_RESPONSE_REQUIRED');
    const named = await gateway.graphql(document, {
      apiKey: tenant.keys.admin,
      variables,
      headers: { 'x-sealdesk-key': tenant.keyFile.key_id },
    });
    const { header, value } = await tenant.open(named.json.data.unsealCredential.envelope);
    expect(header).toMatchObject({ purpose: 'credential' });
    expect(value).toMatchObject({ credential_id: tenant.credentialId, type: 'basic_auth' });
  });
});
