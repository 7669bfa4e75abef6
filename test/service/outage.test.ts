/** Database or KMS gone: one code, nothing answered, Zendesk not called, and all well as soon as they are back. */
import { describe, expect, it } from 'vitest';
import { SealdeskError } from '../../src/base/index.ts';
import type { Store } from '../../src/store/index.ts';
import { openFailingKms } from '../support/failing-kms.ts';
import { codeOf, newestEvents, openHouse, zendeskCalls } from './house.ts';

describe('an outage', () => {
  it('of the database is AUDIT_UNAVAILABLE everywhere, and over at once when it is over', async () => {
    let down = false;
    const failing = (store: Store): Store =>
      Object.freeze({
        kind: store.kind,
        applied: store.applied,
        withTenant: async (...rest: Parameters<Store['withTenant']>) =>
          refuseOr(() => store.withTenant(...rest)),
        runAtOnce: async (...rest: Parameters<Store['runAtOnce']>) =>
          refuseOr(() => store.runAtOnce(...rest)),
        withSystem: async (...rest: Parameters<Store['withSystem']>) =>
          refuseOr(() => store.withSystem(...rest)),
        listen: (...rest: Parameters<Store['listen']>) => store.listen(...rest),
        [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
      }) as Store;
    const refuseOr = <T>(work: () => Promise<T>): Promise<T> => {
      if (!down) return work();
      // As the store itself tells of a database that it cannot reach.
      throw new SealdeskError('AUDIT_UNAVAILABLE', 'The database does not answer.', {
        cause: new Error('connect ECONNREFUSED 10.0.0.5:5432'),
      });
    };
    await using house = await openHouse('pglite', { wrapStore: failing });
    const { gateway, tenant } = house;
    const ask = async () => [
      await gateway.graphql('{ viewer { tenant { id } } }', { apiKey: tenant.keys.admin }),
      await gateway.graphql('{ viewer { tenant { id } } }'),
      await gateway.graphql('mutation { createApiKey(input: { name: "x", roles: [AGENT] }) { secret } }', {
        apiKey: tenant.keys.admin,
      }),
      await tenant.proxy('get_ticket', { ticket_id: 1 }),
    ];
    down = true;
    const calls = zendeskCalls(gateway);
    for (const answer of await ask()) {
      expect([answer.status, codeOf(answer)]).toEqual([503, 'AUDIT_UNAVAILABLE']);
      expect(JSON.stringify(answer.json)).not.toContain('10.0.0.5');
    }
    expect(zendeskCalls(gateway)).toBe(calls);
    house.clock.advance(6_000);
    expect((await gateway.send('/readyz', { method: 'GET' })).json).toMatchObject({ database: false });
    down = false;
    expect((await ask()).map(codeOf)).toEqual([null, 'UNAUTHENTICATED', null, null]);
    house.clock.advance(6_000);
    expect((await gateway.send('/readyz', { method: 'GET' })).json).toMatchObject({ status: 'ready' });
  });

  it('of the KMS is KMS_UNAVAILABLE once its keys have aged, and over at once when it is over', async () => {
    await using kms = await openFailingKms();
    await using house = await openHouse('pglite', { kms });
    const { gateway, tenant, clock } = house;
    const seal = () =>
      gateway.send('/api/v2/vault/seal', {
        apiKey: tenant.keys.admin,
        json: { credential_type: 'api_key', secret: { api_key: 'x' } },
      });
    clock.advance(360_000);
    kms.down = true;
    const calls = zendeskCalls(gateway);
    const answers = [
      await gateway.graphql('{ viewer { tenant { id } } }', { apiKey: tenant.keys.admin }),
      await gateway.graphql('mutation { createApiKey(input: { name: "x", roles: [AGENT] }) { secret } }', {
        apiKey: tenant.keys.admin,
      }),
      await seal(),
      await tenant.proxy('get_ticket', { ticket_id: 1 }),
      await tenant.proxy('create_ticket', { subject: 'x', comment: { body: 'y', public: false } }),
    ];
    for (const answer of answers) {
      expect([answer.status, codeOf(answer)]).toEqual([503, 'KMS_UNAVAILABLE']);
      expect(answer.json.data ?? null).toBeNull();
    }
    expect(zendeskCalls(gateway)).toBe(calls);
    expect((await gateway.send('/readyz', { method: 'GET' })).json).toMatchObject({ keys: false });
    kms.down = false;
    expect((await tenant.proxy('get_ticket', { ticket_id: 1 })).status).toBe(200);
    expect((await seal()).status).toBe(201);
  });

  it('of the KMS with keys still at hand is recorded in the log', async () => {
    await using kms = await openFailingKms();
    await using house = await openHouse('pglite', { kms });
    const { gateway, tenant } = house;
    kms.down = true;
    const answer = await gateway.graphql('mutation($id: ID!) { unsealCredential(id: $id) { envelope } }', {
      apiKey: tenant.keys.admin,
      variables: { id: tenant.credentialId },
      headers: { 'x-sealdesk-key': tenant.keyFile.key_id },
    });
    kms.down = false;
    expect(codeOf(answer)).toBe('KMS_UNAVAILABLE');
    const events = await newestEvents(gateway, tenant.keys.auditor, 3);
    expect(
      events.filter(({ denialReason }) => denialReason === 'KMS_UNAVAILABLE').map(({ action }) => action),
    ).toEqual(['credential.unseal', 'mutation.unsealCredential']);
  });
});
