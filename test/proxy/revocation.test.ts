/** What is taken away while a call is under way, and what one tenant can take from another. */
import { expect, it } from 'vitest';
import { createEnvelopeOpener } from '../../src/client/index.ts';
import { mapTestKey, rotateTestKey } from '../support/rotation.ts';
import { type DatabaseKind, describeOnBothDatabases } from '../support/store.ts';
import { createTestApiKey, createTestTenant, dataOf, openTestClientKey, suite } from '../support/tenant.ts';
import { openRig, type Rig, refusalOf, SEALED } from './rig.ts';

/** Longer than any revocation takes here. */
const SLOW = { kind: 'latency', milliseconds: 1_500 } as const;

describeOnBothDatabases('an answer under way', (kind: DatabaseKind) => {
  const openSlowRig = () => openRig({ database: kind, transport: { headersTimeout: 20_000 } });

  /** Runs `revoke` when the call of `operation` has reached Zendesk, and resolves to the call's answer. */
  async function during(rig: Rig, apiKey: string, method: 'GET' | 'PUT', revoke: () => Promise<unknown>) {
    const { simulator } = rig.gateway;
    simulator.faults.add({ path: '/api/v2/tickets/295', method, count: 1, effect: SLOW });
    const arrived = simulator
      .waitForRequest((one) => one.path.startsWith('/api/v2/tickets/295') && one.method === method, {
        after: simulator.requests.total,
      })
      .then(revoke);
    const [operation, payload] =
      method === 'GET'
        ? ['get_ticket', { ticket_id: 295, max_comments: 0 }]
        : ['update_ticket', { ticket_id: 295, subject: 'Changed all the same' }];
    const answer = await rig.tenant.proxy(String(operation), payload, { apiKey });
    await arrived;
    return answer;
  }

  const revokeKeyOf = (rig: Rig, keyId: string) => async () =>
    dataOf(
      await rig.gateway.graphql(
        'mutation($id: ID!) { revokeClientKey(keyId: $id, reason: KEY_COMPROMISE) { clientKey { id } } }',
        { apiKey: rig.tenant.keys.admin, variables: { id: keyId } },
      ),
    );

  async function secondAgent(rig: Rig) {
    const { gateway, tenant } = rig;
    const keyFile = await openTestClientKey(gateway, tenant.keys.admin, tenant.keys.admin);
    const apiKey = await createTestApiKey(gateway, tenant.keys.admin, {
      roles: ['AGENT'],
      clientKeyId: keyFile.key_id,
    });
    return { keyFile, keyId: keyFile.key_id, apiKey };
  }

  it('does not leave for a client key that was revoked meanwhile', async () => {
    await using rig = await openSlowRig();
    const { keyId, apiKey } = await secondAgent(rig);
    const refusal = refusalOf(await during(rig, apiKey, 'GET', revokeKeyOf(rig, keyId)));
    expect([refusal.status, refusal.code]).toEqual([403, 'KEY_REVOKED']);
    const event = await rig.eventOf(refusal.auditEventId);
    expect(event).toMatchObject({ outcome: 'DENIED', denialReason: 'KEY_REVOKED' });
    expect(event.envelopes).toBeUndefined();
  });

  it('leaves for a client key that gave way by OVERLAP meanwhile, and not for one that did by STRICT', async () => {
    await using rig = await openSlowRig();
    const { gateway, tenant } = rig;
    const { keyFile, keyId, apiKey } = await secondAgent(rig);
    const successor = await rotateTestKey(gateway, apiKey, keyFile);
    const answer = await during(rig, apiKey, 'GET', () => mapTestKey(gateway, tenant.keys.admin, successor));
    const { header } = await createEnvelopeOpener(suite, keyFile).open(answer.json);
    expect(header.recipient_key_id).toBe(keyId);

    const stop = () => rotateTestKey(gateway, apiKey, successor, { mode: 'STRICT' });
    const refusal = refusalOf(await during(rig, apiKey, 'GET', stop));
    expect([refusal.status, refusal.code]).toEqual([403, 'CLIENT_KEY_NOT_MAPPED']);
    expect((await rig.eventOf(refusal.auditEventId)).envelopes).toBeUndefined();
  });

  it('does not leave for an API key that was revoked meanwhile', async () => {
    await using rig = await openSlowRig();
    const { apiKey } = await secondAgent(rig);
    const viewer: { viewer?: { apiKey: { id: string } } } = dataOf(
      await rig.gateway.graphql('{ viewer { apiKey { id } } }', { apiKey }),
    );
    const refusal = refusalOf(
      await during(rig, apiKey, 'GET', async () =>
        dataOf(
          await rig.gateway.graphql('mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }', {
            apiKey: rig.tenant.keys.admin,
            variables: { id: viewer.viewer?.apiKey.id },
          }),
        ),
      ),
    );
    expect([refusal.status, refusal.code]).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('tells of a change that was made that it was', async () => {
    await using rig = await openSlowRig();
    const { keyId, apiKey } = await secondAgent(rig);
    const refusal = refusalOf(await during(rig, apiKey, 'PUT', revokeKeyOf(rig, keyId)));
    expect([refusal.code, refusal.details.mutation]).toEqual(['KEY_REVOKED', 'APPLIED']);
    expect(rig.gateway.simulator.tickets.get(295)?.subject).toBe('Changed all the same');
    const status = await rig.gateway.graphql('query($id: ID!) { operationStatus(intentId: $id) { state } }', {
      apiKey: rig.tenant.keys.admin,
      variables: { id: refusal.details.intentId },
    });
    expect(status.json.data.operationStatus.state).toBe('APPLIED');
  });

  it('seals no failure of Zendesk to a key that was revoked meanwhile', async () => {
    await using rig = await openSlowRig();
    const { keyId, apiKey } = await secondAgent(rig);
    const { simulator } = rig.gateway;
    simulator.faults.add({ path: '/api/v2/tickets/99999', count: 1, effect: SLOW });
    const arrived = simulator
      .waitForRequest(({ path }) => path.startsWith('/api/v2/tickets/99999'))
      .then(revokeKeyOf(rig, keyId));
    const answer = await rig.tenant.proxy('get_ticket', { ticket_id: 99_999 }, { apiKey, headers: SEALED });
    await arrived;
    expect(answer.json.encrypted).toBeUndefined();
    expect(refusalOf(answer).code).toBe('NOT_FOUND');
  });

  it('is not held up by another tenant that names the same account', async () => {
    await using rig = await openSlowRig();
    const { gateway, tenant } = rig;
    const other = await createTestTenant(gateway, {
      name: 'Evil',
      credential: { type: 'BASIC_AUTH', secret: { username: 'nobody@evil.example', password: 'wrong' } },
    });
    gateway.simulator.faults.add({
      path: '/api/v2/users',
      count: 1,
      effect: { kind: 'rate-limited', retryAfter: 40 },
    });
    const paused = await other.proxy('list_users', {});
    expect(refusalOf(paused).code).toBe('UPSTREAM_RATE_LIMITED');
    const answer = await tenant.proxy('get_ticket', { ticket_id: 295, max_comments: 0 });
    expect(answer.status).toBe(200);
  });

  it('rests on a credential that never goes to another account, also after its integration is gone', async () => {
    await using rig = await openSlowRig();
    const { gateway, tenant } = rig;
    const admin = { apiKey: tenant.keys.admin };
    dataOf(
      await gateway.graphql('mutation($id: ID!) { deleteIntegration(id: $id) { deletedId } }', {
        ...admin,
        variables: { id: tenant.integrationId },
      }),
    );
    const create = (subdomain: string) =>
      gateway.graphql(
        'mutation($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } } }',
        {
          ...admin,
          variables: {
            input: { systemType: 'ZENDESK', config: { subdomain }, credentialId: tenant.credentialId },
          },
        },
      );
    const elsewhere = await create('evil');
    expect(elsewhere.json.errors[0].extensions.code).toBe('CONFLICT');
    expect((await create('acme')).status).toBe(200);
  });
});
