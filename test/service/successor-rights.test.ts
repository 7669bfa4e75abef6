/** What a successor takes over of the key before it: its login and its restriction, and what each key does for itself. */
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { OVERLAP_MS } from '../../src/access/index.ts';
import type { WelcomedKeyFile } from '../../src/client/index.ts';
import { openLoginKey, signedGraphql } from '../support/login.ts';
import {
  createSuccessor,
  mapTestKey,
  REVOKE,
  ROTATE,
  rotateTestKey,
  type SuccessorWish,
} from '../support/rotation.ts';
import { SEALED_ACCEPT } from '../support/sealed-graphql.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { createTestApiKey, dataOf, openTestClientKey } from '../support/tenant.ts';
import { codeOf, newestEvents, useHouse } from './house.ts';

const VIEWER = '{ viewer { clientKey { id } } }';
const MAP = `mutation($id: ID!, $login: ClientKeyLoginInput, $restrictTo: ClientKeyRestrictionInput) {
  mapClientKey(keyId: $id, login: $login, restrictTo: $restrictTo) { clientKey { login { roles allowedOperations } } } }`;
const HISTORY = `query($lineageId: ID!) { clientKeyHistory(lineageId: $lineageId) { nodes {
  keyId login { roles allowedOperations } restriction { organizationId } isProven } } }`;
const LOGIN = { roles: ['AGENT', 'DASHBOARD'], allowedOperations: ['list_tickets'] };

describeOnBothDatabases('the successor of a client key', (database) => {
  const house = useHouse(database);
  const admin = () => house().tenant.keys.admin;
  const rotate = (old: WelcomedKeyFile, wish: SuccessorWish = {}) =>
    rotateTestKey(house().gateway, admin(), old, { now: house().clock.now(), ...wish });
  const map = (id: string, members: object = {}, apiKey = admin()) =>
    house().gateway.graphql(MAP, { apiKey, variables: { id, ...members } });
  const logIn = (file: WelcomedKeyFile, headers: Readonly<Record<string, string>> = {}) =>
    signedGraphql(house().gateway, file, VIEWER, { now: house().clock.now(), headers });
  const historyOf = async (lineageId: string): Promise<unknown[]> => {
    const { json } = await house().gateway.graphql(HISTORY, { apiKey: admin(), variables: { lineageId } });
    return json.data.clientKeyHistory.nodes;
  };

  it('may log in as the key could that vouched for it, each key for itself while they overlap', async () => {
    const { gateway, tenant, clock } = house();
    const old = await openLoginKey(gateway, admin(), LOGIN);
    const next = await rotate(old);
    expect(codeOf(await logIn(next))).toBe('CLIENT_KEY_NOT_MAPPED');
    await mapTestKey(gateway, admin(), next);
    const events = await newestEvents(gateway, tenant.keys.auditor, 5);
    expect(events.find(({ action }) => action === 'client-key.grant-login')?.resource).toBe(next.key_id);

    for (const file of [old, next]) {
      expect(dataOf(await logIn(file))).toEqual({ viewer: { clientKey: { id: file.key_id } } });
      const other = file === old ? next : old;
      const crossed = { accept: SEALED_ACCEPT, 'x-sealdesk-key': other.key_id };
      expect(codeOf(await logIn(file, crossed))).toBe('FORBIDDEN');
    }
    expect(await historyOf(old.key_id)).toMatchObject([
      { keyId: old.key_id, login: LOGIN, isProven: true },
      { keyId: next.key_id, login: LOGIN, isProven: true },
    ]);
    clock.advance(OVERLAP_MS);
    expect(codeOf(await logIn(old))).toBe('CLIENT_KEY_NOT_MAPPED');
    expect(dataOf(await logIn(next))).toEqual({ viewer: { clientKey: { id: next.key_id } } });
  });

  it('may not log in where its mapping says so, nor where an ADMIN asked for it and the mapping says nothing', async () => {
    const { gateway } = house();
    const old = await openLoginKey(gateway, admin(), LOGIN);
    const next = await rotate(old);
    dataOf(await map(next.key_id, { login: null }));
    expect(codeOf(await logIn(next))).toBe('FORBIDDEN');

    const lost = await openLoginKey(gateway, admin(), LOGIN);
    const handedIn = await rotate(lost, { mode: 'STRICT', signedBy: null });
    expect(codeOf(await logIn(lost))).toBe('CLIENT_KEY_NOT_MAPPED');
    dataOf(await map(handedIn.key_id));
    expect(codeOf(await logIn(handedIn))).toBe('FORBIDDEN');
  });

  it('is not mapped by an ADMIN whose own operations are narrower than what it would take over', async () => {
    const { gateway } = house();
    const next = await rotate(await openLoginKey(gateway, admin(), LOGIN));
    const narrow = await createTestApiKey(gateway, admin(), {
      ...{ roles: ['ADMIN'], allowedOperations: ['get_ticket'] },
    });
    expect(codeOf(await map(next.key_id, {}, narrow))).toBe('VALIDATION_FAILED');
    expect(codeOf(await logIn(next))).toBe('CLIENT_KEY_NOT_MAPPED');
    dataOf(await map(next.key_id, { login: null }, narrow));
  });

  it('is registered by an API key, by a key that logs in neither', async () => {
    const { gateway, clock } = house();
    const old = await openLoginKey(gateway, admin(), LOGIN);
    const { input } = await createSuccessor(old, { now: clock.now() });
    const asked = await signedGraphql(gateway, old, ROTATE, { variables: { input }, now: clock.now() });
    expect(codeOf(asked)).toBe('FORBIDDEN');
  });

  it('logs in no more once it was revoked, and the key before it neither', async () => {
    const { gateway } = house();
    const old = await openLoginKey(gateway, admin(), LOGIN);
    const next = await rotate(old);
    await mapTestKey(gateway, admin(), next);
    for (const file of [old, next]) {
      dataOf(
        await gateway.graphql(REVOKE, {
          ...{ apiKey: admin(), variables: { id: file.key_id, reason: 'KEY_COMPROMISE' } },
        }),
      );
      expect(codeOf(await logIn(file))).toBe('KEY_REVOKED');
    }
  });

  it('takes nothing over from a key that was revoked before it was mapped, behind the gateway’s back too', async () => {
    const { gateway, tenant, clock } = house();
    const old = await openLoginKey(gateway, admin(), LOGIN);
    const next = await rotate(old);
    await gateway.store.withTenant(tenant.id, (tx) =>
      tx
        .updateTable('client_keys')
        .set({ status: 'REVOKED', ended_at: new Date(clock.now()), end_reason: 'KEY_LOST' })
        .where('id', '=', old.key_id)
        .execute(),
    );
    dataOf(await map(next.key_id));
    expect(codeOf(await logIn(next))).toBe('FORBIDDEN');
  });

  it('is restricted as its lineage from its registration on, so that an API key is at no time less restricted', async () => {
    const { gateway, tenant } = house();
    const restrictTo = { integrationId: tenant.integrationId, organizationId: '42' };
    const old = await openTestClientKey(gateway, admin(), null);
    dataOf(await map(old.key_id, { restrictTo }));
    const apiKey = await createTestApiKey(gateway, admin(), {
      ...{ roles: ['ADMIN', 'AGENT'], clientKeyId: old.key_id, delivery: 'PLAINTEXT' },
    });
    // Who is restricted is left AGENT and DASHBOARD of its roles.
    const isHeld = async () =>
      codeOf(await gateway.graphql('{ clientKeys { nodes { id } } }', { apiKey })) === 'FORBIDDEN';
    expect(await isHeld()).toBe(true);
    const next = await rotate(old, { mode: 'STRICT' });
    expect(await isHeld()).toBe(true);
    dataOf(await map(next.key_id));
    expect(await isHeld()).toBe(true);
    expect(await historyOf(old.key_id)).toMatchObject([
      { keyId: old.key_id, restriction: { organizationId: '42' }, isProven: true },
      { keyId: next.key_id, restriction: { organizationId: '42' }, isProven: true },
    ]);
    await gateway.store.withSystem('health', async (tx) => {
      await sql`ALTER TABLE client_keys DISABLE TRIGGER client_keys_scope_kept`.execute(tx);
      await tx
        .updateTable('client_keys')
        .set({ scope_organization_id: 43 })
        .where('id', '=', next.key_id)
        .execute();
      await sql`ALTER TABLE client_keys ENABLE TRIGGER client_keys_scope_kept`.execute(tx);
    });
    expect(await historyOf(old.key_id)).toMatchObject([{ isProven: true }, { isProven: false }]);
  });
});
