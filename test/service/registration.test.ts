/** Registering, confirming and mapping a client key with everything wrong that can be. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBase64, encodeBase64Url } from '../../src/base/index.ts';
import {
  acceptWelcome,
  createKeyFile,
  fingerprint,
  importKeys,
  publicJwkSet,
} from '../../src/client/index.ts';
import { signRegistration } from '../../src/envelope/index.ts';
import type { RestAnswer } from '../support/gateway.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { createTestTenant, suite, type TestTenant } from '../support/tenant.ts';
import { codeOf, eventIdOf, type House, newestEvents, openHouse, readEvent } from './house.ts';

const REGISTER = `mutation($input: RegisterClientKeyInput!) {
  registerClientKey(input: $input) { clientKey { id status } welcome } }`;
const CONFIRM =
  'mutation($input: ConfirmClientKeyInput!) { confirmClientKey(input: $input) { clientKey { status } } }';
const MAP = 'mutation($id: ID!) { mapClientKey(keyId: $id) { clientKey { status } } }';

type Jwks = { keys: Record<string, unknown>[] };
interface Attempt {
  readonly keyFile: ReturnType<typeof createKeyFile>;
  input: { jwks: Record<string, unknown>; issuedAt: number; proof: string; name?: string };
}

function change(target: object, member: PropertyKey, value: unknown): void {
  Reflect.set(target, member, value);
}

describeOnBothDatabases('registering a client key', (database) => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse(database);
  });
  afterAll(() => house[Symbol.asyncDispose]());

  async function attempt(
    tenantId = house.tenant.id,
    ahead = 0,
    keyFile = createKeyFile(suite),
  ): Promise<Attempt> {
    const { kem, sig } = importKeys(suite, keyFile);
    const issuedAt = Math.floor(house.clock.now() / 1000) + ahead;
    const claim = { tenant_id: tenantId, kem_kid: kem.kid, sig_kid: sig.kid, issued_at: issuedAt };
    const jwks: Jwks = structuredClone({
      keys: publicJwkSet(suite, keyFile).keys.map((jwk) => ({ ...jwk })),
    });
    return {
      keyFile,
      input: { jwks: { ...jwks }, issuedAt, proof: encodeBase64(await signRegistration(sig, claim)) },
    };
  }

  const register = (input: unknown, apiKey = house.tenant.keys.agent) =>
    house.gateway.graphql(REGISTER, { apiKey, variables: { input } });

  async function registered(tenant: TestTenant = house.tenant) {
    const { keyFile, input } = await attempt(tenant.id);
    const { json } = await register(input, tenant.keys.agent);
    const { clientKey, welcome } = json.data.registerClientKey;
    const { confirmationMac } = await acceptWelcome(suite, keyFile, welcome);
    return { keyId: String(clientKey.id), mac: confirmationMac, input };
  }
  const confirm = (keyId: string, mac: string, apiKey?: string): Promise<RestAnswer> =>
    house.gateway.graphql(CONFIRM, {
      ...(apiKey === undefined ? {} : { apiKey }),
      variables: { input: { keyId, mac } },
    });
  const map = (id: string): Promise<RestAnswer> =>
    house.gateway.graphql(MAP, { apiKey: house.tenant.keys.admin, variables: { id } });

  const keyOf = ({ input }: Attempt, index: number): Record<string, unknown> =>
    (input.jwks as Jwks).keys[index] as Record<string, unknown>;

  const BAD_SETS: readonly (readonly [string, (attempt: Attempt) => void])[] = [
    ['no keys', (a) => change(a.input, 'jwks', {})],
    ['an empty list', (a) => change(a.input, 'jwks', { keys: [] })],
    ['one key only', (a) => void (a.input.jwks as Jwks).keys.pop()],
    ['three keys', (a) => void (a.input.jwks as Jwks).keys.push({ ...keyOf(a, 0) })],
    ['the same half twice', (a) => change((a.input.jwks as Jwks).keys, 1, { ...keyOf(a, 0) })],
    ['a member beside the keys', (a) => change(a.input.jwks, 'extra', 1)],
    ['a key that is no object', (a) => change((a.input.jwks as Jwks).keys, 0, 'x' as never)],
    ['another key type', (a) => change(keyOf(a, 0), 'kty', 'RSA')],
    ['another algorithm', (a) => change(keyOf(a, 0), 'alg', 'ML-KEM-512')],
    ['a wrong thumbprint', (a) => change(keyOf(a, 0), 'kid', encodeBase64Url(new Uint8Array(32)))],
    ['an unknown member', (a) => change(keyOf(a, 1), 'use', 'sig')],
    ['a key one byte short', (a) => change(keyOf(a, 0), 'pub', encodeBase64Url(new Uint8Array(1183)))],
    ['a key one byte long', (a) => change(keyOf(a, 1), 'pub', encodeBase64Url(new Uint8Array(1953)))],
    ['padded base64', (a) => change(keyOf(a, 0), 'pub', `${keyOf(a, 0)['pub']}==`)],
    ['a private seed', (a) => change(keyOf(a, 0), 'priv', encodeBase64Url(new Uint8Array(64)))],
    ['a symmetric key', (a) => change(keyOf(a, 1), 'k', 'c2VjcmV0')],
    // FIPS 203 §7.2: coefficients of 12 bits that are not below q = 3329.
    [
      'an ML-KEM key failing FIPS 203 §7.2',
      (a) => change(keyOf(a, 0), 'pub', encodeBase64Url(new Uint8Array(1184).fill(0xff))),
    ],
  ];
  it.each(BAD_SETS)('refuses a JWK Set with %s, and keeps nothing of it', async (_what, spoil) => {
    const { gateway, tenant } = house;
    const bad = await attempt();
    spoil(bad);
    const answer = await register(bad.input);
    expect([answer.status, codeOf(answer)]).toEqual([400, 'VALIDATION_FAILED']);
    expect(answer.json.data).toBeNull();
    const event = (await newestEvents(gateway, tenant.keys.auditor, 6)).findLast(
      ({ action }) => action === 'client-key.register',
    );
    expect(event).toMatchObject({ outcome: 'FAILED', denialReason: 'VALIDATION_FAILED' });
    const found = await gateway.graphql('query($id: ID!) { node(id: $id) { id } }', {
      apiKey: tenant.keys.admin,
      variables: { id: event?.resource },
    });
    expect(codeOf(found)).toBe('NOT_FOUND');
  });

  it('refuses a JWK Set beyond the limit of a body', async () => {
    const { input } = await attempt();
    const answer = await register({ ...input, jwks: { keys: Array(2_000).fill('x'.repeat(100)) } });
    expect(codeOf(answer)).toBe('VALIDATION_FAILED');
    expect(JSON.stringify(answer.json).length).toBeLessThan(2_000);
  });

  it.each([
    ['of another tenant', async () => (await attempt(house.other.id)).input],
    ['by another key', async () => ({ ...(await attempt()).input, proof: (await attempt()).input.proof })],
    [
      'for another time',
      async () => attempt().then(({ input }) => ({ ...input, issuedAt: input.issuedAt + 1 })),
    ],
    [
      'of 3308 bytes',
      async () => ({ ...(await attempt()).input, proof: encodeBase64(new Uint8Array(3308)) }),
    ],
    ['of zeros', async () => ({ ...(await attempt()).input, proof: encodeBase64(new Uint8Array(3309)) })],
    ['that is no base64', async () => ({ ...(await attempt()).input, proof: '!' })],
    ['that is too old', async () => (await attempt(house.tenant.id, -602)).input],
    ['from the future', async () => (await attempt(house.tenant.id, 602)).input],
  ] as const)('refuses a proof %s', async (_what, make) => {
    const answer = await register(await make());
    expect([answer.status, codeOf(answer)]).toEqual([400, 'VALIDATION_FAILED']);
  });

  it('takes proofs up to ten minutes off either way', async () => {
    for (const ahead of [-590, 590]) {
      expect(codeOf(await register((await attempt(house.tenant.id, ahead)).input))).toBeNull();
    }
  });

  it('refuses a key that is registered already, or one half of it, and says as which', async () => {
    const { keyId, input } = await registered();
    const again = await register(input);
    expect([again.status, codeOf(again)]).toEqual([409, 'CONFLICT']);
    expect(again.json.errors[0].extensions.subject).toBe(keyId);
  });

  it('refuses a confirmation that is wrong, of another key, or malformed; the key stays PENDING', async () => {
    const { gateway, tenant, clock } = house;
    clock.advance(60_000);
    const { keyId, mac } = await registered();
    const second = await registered();
    const events = await newestEvents(gateway, tenant.keys.auditor, 1);
    for (const wrong of [
      encodeBase64(new Uint8Array(64)),
      second.mac,
      encodeBase64(new Uint8Array(63)),
      '!',
      '',
    ]) {
      expect(codeOf(await confirm(keyId, wrong))).toBe('VALIDATION_FAILED');
    }
    const shown = await gateway.graphql('query($id: ID!) { node(id: $id) { ... on ClientKey { status } } }', {
      apiKey: tenant.keys.admin,
      variables: { id: keyId },
    });
    expect(shown.json.data.node.status).toBe('PENDING');
    // What strangers try does not fill the log of the tenant.
    const after = await newestEvents(gateway, tenant.keys.auditor, 3);
    expect(after.filter(({ action }) => action === 'client-key.confirm')).toEqual([]);
    expect((after.at(-1)?.index ?? 0) - (events.at(-1)?.index ?? 0)).toBeLessThanOrEqual(3);
    expect(codeOf(await confirm(keyId, mac))).toBeNull();
  });

  it('confirms a key twice alike but records it once, without a key of any tenant, naming nobody of another tenant', async () => {
    const { gateway, tenant, other, clock } = house;
    clock.advance(60_000);
    const { keyId, mac } = await registered();
    for (const apiKey of [undefined, other.keys.admin]) {
      const answer = await confirm(keyId, mac, apiKey);
      expect(answer.json.data.confirmClientKey.clientKey.status).toBe('CONFIRMED');
    }
    const own = (await newestEvents(gateway, tenant.keys.auditor, 4)).filter(
      ({ action, resource }) => action === 'client-key.confirm' && resource === keyId,
    );
    // The second time changes nothing, so that strangers cannot fill the log by it.
    expect(own.map(({ actor, parentId, resource }) => ({ actor: actor.id, parentId, resource }))).toEqual([
      { actor: 'anonymous', parentId: null, resource: keyId },
    ]);
  });

  it('shows an admin the fingerprint that its holder can read out', async () => {
    const { gateway, tenant } = house;
    const { kem, sig } = importKeys(suite, tenant.keyFile);
    const answer = await gateway.graphql(
      'query($id: ID!) { node(id: $id) { ... on ClientKey { fingerprint kemKid sigKid } } }',
      { apiKey: tenant.keys.admin, variables: { id: tenant.keyFile.key_id } },
    );
    expect(answer.json.data.node).toEqual({
      fingerprint: fingerprint(suite, { kem: kem.kid, sig: sig.kid }),
      kemKid: kem.kid,
      sigKid: sig.kid,
    });
  });

  it('maps no key before it is confirmed, and none twice', async () => {
    const { keyId, mac } = await registered();
    const early = await map(keyId);
    expect([early.status, codeOf(early)]).toEqual([409, 'CONFLICT']);
    expect(early.json.errors[0].message).toContain('confirmClientKey');
    await confirm(keyId, mac, house.tenant.keys.agent);
    expect((await map(keyId)).json.data.mapClientKey.clientKey.status).toBe('ACTIVE');
    expect(codeOf(await map(keyId))).toBe('CONFLICT');
  });

  it('neither confirms nor maps a revoked key', async () => {
    const { gateway, tenant } = house;
    const { keyId, mac } = await registered();
    await gateway.graphql('mutation($id: ID!) { revokeClientKey(keyId: $id) { clientKey { id } } }', {
      apiKey: tenant.keys.admin,
      variables: { id: keyId },
    });
    expect(codeOf(await confirm(keyId, mac, tenant.keys.agent))).toBe('KEY_REVOKED');
    expect(codeOf(await map(keyId))).toBe('KEY_REVOKED');
  });

  describe('with many keys waiting', () => {
    it('refuses the 21st, and takes it once the others have expired', async () => {
      const { gateway, clock } = house;
      const tenant = await createTestTenant(gateway, { name: 'Initech' });
      const first = await registered(tenant);
      for (let waiting = 1; waiting < 20; waiting += 1) await registered(tenant);
      const { input } = await attempt(tenant.id);
      const refused = await register(input, tenant.keys.agent);
      expect([refused.status, codeOf(refused)]).toEqual([409, 'CONFLICT']);
      expect(await readEvent(gateway, tenant.keys.auditor, eventIdOf(refused))).toMatchObject({
        denialReason: 'CONFLICT',
      });

      clock.advance(24 * 3_600_000 + 1_000);
      const late = await confirm(first.keyId, first.mac, tenant.keys.agent);
      expect(codeOf(late)).toBe('CONFLICT');
      expect(late.json.errors[0].message).toContain('24 hours');
      expect(codeOf(await register((await attempt(tenant.id)).input, tenant.keys.agent))).toBeNull();
      expect(codeOf(await confirm(first.keyId, first.mac, tenant.keys.agent))).toBe('NOT_FOUND');
    });
  });
});
