/** Who gets in by a client key's own signature: once, for one request, with what its mapping granted. */
import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { createId } from '../../src/base/index.ts';
import { createKeyFile, type WelcomedKeyFile } from '../../src/client/index.ts';
import { sweepLoginTokens } from '../../src/service/index.ts';
import { openStore } from '../../src/store/index.ts';
import { codeOf, eventIdOf, newestEvents, readEvent, useHouse } from '../service/house.ts';
import { openTestGateway, type RestAnswer, type TestGateway } from '../support/gateway.ts';
import {
  base64Url,
  mapKey,
  openLoginKey,
  PUBLIC_URL,
  sha256,
  signedGraphql,
  signerOf,
  signText,
  signToken,
  tokenParts,
} from '../support/login.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { createTestApiKey, dataOf, openTestClientKey, suite } from '../support/tenant.ts';

const VIEWER = '{ viewer { apiKey { id } clientKey { id login { roles } } tenant { id } } }';
const BODY = JSON.stringify({ query: VIEWER });
const REVOKE = 'mutation($id: ID!) { revokeClientKey(keyId: $id) { clientKey { status } } }';
const REFUSAL =
  'The login token is not valid. Sign a new one for this very request, by a clock that is right to half a minute.';

let addresses = 0;
/** Refusals are counted by address. */
const newAddress = (): string => {
  addresses += 1;
  return `10.${addresses >> 16}.${(addresses >> 8) & 255}.${addresses & 255}`;
};

describeOnBothDatabases('logging in with a client key', (database) => {
  const house = useHouse(database);
  let known: Promise<WelcomedKeyFile> | undefined;
  const key = (): Promise<WelcomedKeyFile> => {
    known ??= openLoginKey(house().gateway, house().tenant.keys.admin);
    return known;
  };
  const now = (): number => house().clock.now();
  const send = (token: string, ip = newAddress(), body: string | Uint8Array<ArrayBuffer> = BODY) =>
    house().gateway.send('/graphql', { body, ip, headers: { authorization: `Bearer ${token}` } });
  /** A second process on the same database, where no time passes and so no rate fills up. */
  const openStillGateway = (time: number): Promise<TestGateway> => {
    const { gateway, clock } = house();
    return openTestGateway({
      ...{ store: gateway.store, kms: gateway.deps.kms, simulator: { tickets: 1 } },
      clock: { now: () => time, wait: clock.wait },
    });
  };
  const expectRefusal = (answer: RestAnswer): void => {
    expect([answer.status, codeOf(answer)]).toEqual([401, 'UNAUTHENTICATED']);
    expect(answer.json.errors[0].message).toBe(REFUSAL);
    expect(answer.json).not.toHaveProperty('data');
  };

  it('a key gets in as itself, and the log names it', async () => {
    const { gateway, tenant } = house();
    const keyFile = await key();
    const answer = await signedGraphql(gateway, keyFile, VIEWER, { now: now() });
    expect(dataOf(answer)).toEqual({
      viewer: {
        apiKey: null,
        clientKey: { id: keyFile.key_id, login: { roles: ['AGENT'] } },
        tenant: { id: tenant.id },
      },
    });
    const event = await readEvent(gateway, tenant.keys.auditor, eventIdOf(answer));
    expect(event).toMatchObject({
      action: 'query.viewer',
      outcome: 'SUCCEEDED',
      actor: { type: 'CLIENT_KEY', id: keyFile.key_id },
    });
  });

  it('a key gets Zendesk’s answers by REST, sealed to itself and to no other', async () => {
    const { gateway, tenant } = house();
    const keyFile = await key();
    const body = JSON.stringify({
      integration_id: tenant.integrationId,
      operation: 'list_tickets',
      payload: { per_page: 1 },
    });
    const signed = async (headers: Readonly<Record<string, string>> = {}) => {
      const claims = { htu: `${PUBLIC_URL}/api/v2/proxy/outbound` };
      const token = await signToken(keyFile, { body, now: now(), claims });
      return gateway.send('/api/v2/proxy/outbound', {
        body,
        headers: { ...headers, authorization: `Bearer ${token}` },
      });
    };
    const answer = await signed();
    expect(answer.status).toBe(200);
    const header = JSON.parse(Buffer.from(answer.json.encrypted.protected, 'base64').toString());
    expect(header).toMatchObject({ recipient_key_id: keyFile.key_id, operation: 'list_tickets' });
    expect((await signed({ 'x-sealdesk-key': keyFile.key_id })).status).toBe(200);
    const named = await signed({ 'x-sealdesk-key': tenant.keyFile.key_id });
    expect([named.status, codeOf(named)]).toEqual([403, 'FORBIDDEN']);
  });

  it('tickets are answered sealed or not at all', async () => {
    const { gateway, tenant } = house();
    const answer = await signedGraphql(
      gateway,
      await key(),
      'query($id: ID!) { integration(id: $id) { tickets(first: 1) { nodes { subject } } } }',
      { now: now(), variables: { id: tenant.integrationId } },
    );
    expect(codeOf(answer)).toBe('SEALED_RESPONSE_REQUIRED');
  });

  type Wish = (keyFile: WelcomedKeyFile) => Promise<string> | string;
  const claiming =
    (claims: (keyFile: WelcomedKeyFile) => object): Wish =>
    (keyFile) =>
      signToken(keyFile, { body: BODY, now: now(), claims: { ...claims(keyFile) } });
  const withAlg =
    (alg: string, signature: (input: string, keyFile: WelcomedKeyFile) => Uint8Array): Wish =>
    (keyFile) => {
      const parts = tokenParts(keyFile, { body: BODY, now: now(), header: { alg } });
      const input = parts.map((part) => base64Url(JSON.stringify(part))).join('.');
      return `${input}.${base64Url(signature(input, keyFile))}`;
    };
  const texts =
    (change: (header: string, payload: string) => readonly [string, string]): Wish =>
    (keyFile) => {
      const [header, claims] = tokenParts(keyFile, { body: BODY, now: now() });
      return signText(signerOf(keyFile), ...change(JSON.stringify(header), JSON.stringify(claims)));
    };
  const seconds = (): number => Math.floor(now() / 1000);

  it.each<readonly [string, Wish]>([
    ['of no algorithm', withAlg('none', () => new Uint8Array(0))],
    ['of no algorithm with a signature’s length', withAlg('none', () => new Uint8Array(3309))],
    [
      'HMACed with the public key',
      withAlg('HS256', (input, keyFile) =>
        createHmac('sha256', signerOf(keyFile).publicKey).update(input).digest(),
      ),
    ],
    [
      'signed Ed25519',
      withAlg('EdDSA', (input) => sign(null, Buffer.from(input), generateKeyPairSync('ed25519').privateKey)),
    ],
    [
      'signed ML-DSA-44',
      withAlg('ML-DSA-44', (input) =>
        sign(null, Buffer.from(input), generateKeyPairSync('ml-dsa-44').privateKey),
      ),
    ],
    ['that says ML-DSA-44', (keyFile) => signToken(keyFile, { body: BODY, header: { alg: 'ML-DSA-44' } })],
    [
      'signed by another key',
      (keyFile) => signToken(keyFile, { body: BODY, now: now(), signer: createKeyFile(suite) }),
    ],
    [
      'signed for another use of the key',
      async (keyFile) => {
        const [header, claims] = tokenParts(keyFile, { body: BODY, now: now() });
        const input = [header, claims].map((part) => base64Url(JSON.stringify(part))).join('.');
        const context = Buffer.from('sealdesk/register/v1');
        return `${input}.${base64Url(await signerOf(keyFile).sign(Buffer.from(input), context))}`;
      },
    ],
    [
      'that names another key by its thumbprint',
      (keyFile) =>
        signToken(keyFile, { body: BODY, now: now(), header: { kid: signerOf(createKeyFile(suite)).kid } }),
    ],
    [
      'with a critical extension',
      (keyFile) => signToken(keyFile, { body: BODY, header: { crit: ['b64'], b64: false } }),
    ],
    [
      'with a key of its own',
      (keyFile) => signToken(keyFile, { body: BODY, header: { jwk: keyFile.keys[1] } }),
    ],
    ['of another type', (keyFile) => signToken(keyFile, { body: BODY, header: { typ: 'dpop+jwt' } })],
    ['of an unknown key', claiming(() => ({ iss: createId('clientKey'), sub: undefined }))],
    [
      'of a key that nobody registered',
      claiming(() => {
        const id = createId('clientKey');
        return { iss: id, sub: id };
      }),
    ],
    ['whose issuer is not its subject', claiming(() => ({ sub: createId('clientKey') }))],
    ['for another gateway', claiming(() => ({ aud: 'https://elsewhere.example' }))],
    ['for several gateways', claiming(() => ({ aud: [PUBLIC_URL, 'https://elsewhere.example'] }))],
    ['for another method', claiming(() => ({ htm: 'GET', body_sha256: undefined }))],
    ['for a method in small letters', claiming(() => ({ htm: 'post' }))],
    ['for another path', claiming(() => ({ htu: `${PUBLIC_URL}/api/v2/vault/seal` }))],
    ['for another host', claiming(() => ({ htu: 'https://elsewhere.example/graphql' }))],
    ['for another scheme', claiming(() => ({ htu: 'https://localhost:4000/graphql' }))],
    ['for another user', claiming(() => ({ htu: 'http://user@localhost:4000/graphql' }))],
    ['for a path without a host', claiming(() => ({ htu: '/graphql' }))],
    ['for another body', claiming(() => ({ body_sha256: sha256('{}') }))],
    ['for any body', claiming(() => ({ body_sha256: undefined }))],
    ['for more than a minute', claiming(() => ({ exp: seconds() + 61 }))],
    ['for no time', claiming(() => ({ exp: seconds() }))],
    ['that has expired', claiming(() => ({ iat: seconds() - 91, exp: seconds() - 31 }))],
    ['from the future', claiming(() => ({ iat: seconds() + 32, exp: seconds() + 60 }))],
    ['with a time that is no whole number', claiming(() => ({ iat: seconds() + 0.5 }))],
    ['with a time as text', claiming(() => ({ exp: String(seconds() + 30) }))],
    ['with a short id', claiming(() => ({ jti: base64Url(randomBytes(12)) }))],
    ['with a long id', claiming(() => ({ jti: base64Url(randomBytes(32)) }))],
    ['with a member that is not known', claiming(() => ({ scope: 'all' }))],
    ['that is longer than any', claiming(() => ({ htu: `${PUBLIC_URL}/graphql?${'a'.repeat(9_000)}` }))],
    [
      'that names its algorithm twice',
      texts((header, payload) => [header.replace('{', '{"alg":"none",'), payload]),
    ],
    [
      'that names its method twice',
      texts((header, payload) => [header, payload.replace('{', '{"htm":"GET",')]),
    ],
    [
      'that names a member twice, once in disguise',
      texts((header, payload) => [header, payload.replace('{', '{"h\\u0074m":"GET",')]),
    ],
    ['whose claims are a list', texts((header, payload) => [header, `[${payload}]`])],
    ['whose claims are no JSON', texts((header, payload) => [header, payload.slice(1)])],
    ['with a byte order mark', texts((header, payload) => [header, `\ufeff${payload}`])],
    ['with padding', async (keyFile) => `${await signToken(keyFile, { body: BODY, now: now() })}=`],
    ['with a fourth part', async (keyFile) => `${await signToken(keyFile, { body: BODY, now: now() })}.AAAA`],
    ['cut short', async (keyFile) => (await signToken(keyFile, { body: BODY, now: now() })).slice(0, -1)],
    ['that is empty but for its points', () => '..'],
  ])('a token %s is refused with the one text', async (_what, wish) => {
    expectRefusal(await send(await wish(await key())));
  });

  it.each([
    'iss',
    'sub',
    'aud',
    'iat',
    'exp',
    'jti',
    'htm',
    'htu',
    'body_sha256',
  ])('a token without %s is refused with the one text', async (member) => {
    const claims = { [member]: undefined };
    expectRefusal(await send(await signToken(await key(), { body: BODY, now: now(), claims })));
  });

  it.each(['alg', 'kid'])('a token without %s is refused with the one text', async (member) => {
    const header = { [member]: undefined };
    expectRefusal(await send(await signToken(await key(), { body: BODY, now: now(), header })));
  });

  it('a token that one bit was changed in is refused, wherever it is', async () => {
    const token = await signToken(await key(), { body: BODY, now: now() });
    const bytes = token.split('.').map((part) => Buffer.from(part, 'base64url'));
    for (const at of [0, 1, 2]) {
      for (const share of [0.1, 0.5, 0.9]) {
        const changed = bytes.map((part) => Buffer.from(part));
        const part = changed[at] ?? Buffer.alloc(0);
        const place = Math.floor(part.length * share);
        part[place] = (part[place] ?? 0) ^ 1;
        expectRefusal(await send(changed.map((one) => one.toString('base64url')).join('.')));
      }
    }
  });

  it.each([
    ['a query and a fragment', `${PUBLIC_URL}/graphql?a=b#c`],
    ['capital letters where they mean nothing', 'HTTP://LocalHost:4000/graphql'],
    ['escapes and dots that mean nothing', `${PUBLIC_URL}/a/../%67raphql`],
  ])('a token for the same target with %s is taken', async (_what, htu) => {
    const answer = await send(await signToken(await key(), { body: BODY, now: now(), claims: { htu } }));
    expect(codeOf(answer)).toBeNull();
  });

  it('clocks may differ by half a minute, and a header without a type will do', async () => {
    const keyFile = await key();
    for (const off of [-85_000, 28_000]) {
      const header = { typ: undefined };
      expect(
        codeOf(await send(await signToken(keyFile, { body: BODY, now: now() + off, header }))),
      ).toBeNull();
    }
  });

  it('of a body that was packed neither form is taken', async () => {
    const keyFile = await key();
    const packed = new Uint8Array(gzipSync(BODY));
    const sendPacked = async (body: string | Uint8Array) =>
      house().gateway.send('/graphql', {
        body: packed,
        ip: newAddress(),
        headers: {
          'content-encoding': 'gzip',
          authorization: `Bearer ${await signToken(keyFile, { body, now: now() })}`,
        },
      });
    expectRefusal(await sendPacked(BODY));
    expect(codeOf(await sendPacked(packed))).toBe('VALIDATION_FAILED');
  });

  it('a token beside an API key is refused, and so are two tokens', async () => {
    const { gateway, tenant } = house();
    const authorization = `Bearer ${await signToken(await key(), { body: BODY, now: now() })}`;
    const headers = { authorization, 'x-api-key': tenant.keys.agent };
    const answer = await gateway.send('/graphql', { body: BODY, ip: newAddress(), headers });
    expect([answer.status, codeOf(answer)]).toEqual([401, 'UNAUTHENTICATED']);
    expect(answer.json.errors[0].message).toMatch(/with another key/);
    const twice = { authorization: `${authorization}, ${authorization}` };
    expect((await gateway.send('/graphql', { body: BODY, ip: newAddress(), headers: twice })).status).toBe(
      401,
    );
    expect(codeOf(await gateway.send('/graphql', { body: BODY, headers: { authorization } }))).toBeNull();
  });

  it('a token is used once', async () => {
    const { gateway, tenant } = house();
    const keyFile = await key();
    const token = await signToken(keyFile, { body: BODY, now: now() });
    expect(codeOf(await send(token))).toBeNull();
    const again = await send(token);
    expect([again.status, codeOf(again)]).toEqual([401, 'TOKEN_REUSED']);
    expect(await readEvent(gateway, tenant.keys.auditor, eventIdOf(again))).toMatchObject({
      action: 'request.refuse',
      denialReason: 'TOKEN_REUSED',
      actor: { type: 'CLIENT_KEY', id: keyFile.key_id },
    });
  });

  it('a token is used once by all processes together, and another key’s may have the same id', async () => {
    const { gateway, clock, tenant } = house();
    await using resources = new AsyncDisposableStack();
    const { connectionString } = gateway;
    const store =
      connectionString === null
        ? gateway.store
        : resources.use(await openStore({ location: { kind: 'postgres', connectionString } }));
    const second: TestGateway = resources.use(
      await openTestGateway({ store, clock, kms: gateway.deps.kms, simulator: { tickets: 1 } }),
    );
    const jti = base64Url(randomBytes(16));
    const headers = async (keyFile: WelcomedKeyFile) => ({
      authorization: `Bearer ${await signToken(keyFile, { body: BODY, now: now(), claims: { jti } })}`,
    });
    const own = { body: BODY, headers: await headers(await key()) };
    const answers = await Promise.all(
      [gateway, second, gateway, second, gateway, second].map((one) => one.send('/graphql', own)),
    );
    expect(answers.map(codeOf).sort()).toEqual([...Array(5).fill('TOKEN_REUSED'), null]);
    const other = await openLoginKey(gateway, tenant.keys.admin);
    expect(codeOf(await second.send('/graphql', { body: BODY, headers: await headers(other) }))).toBeNull();
  });

  it('used tokens are forgotten when they are long too old, and not before', async () => {
    const { gateway, clock, tenant } = house();
    const keyFile = await key();
    const count = () =>
      gateway.store.withTenant(tenant.id, async (tx) =>
        tx
          .selectFrom('login_tokens')
          .select((row) => row.fn.countAll<number>().as('count'))
          .where('client_key_id', '=', keyFile.key_id)
          .executeTakeFirstOrThrow(),
      );
    await signedGraphql(gateway, keyFile, VIEWER, { now: now() });
    await sweepLoginTokens(gateway.deps);
    const before = Number((await count()).count);
    expect(before).toBeGreaterThan(0);
    clock.advance(720_000);
    await sweepLoginTokens(gateway.deps);
    expect(Number((await count()).count)).toBe(0);
  });

  it.each([
    [
      'was mapped without a login',
      null,
      'FORBIDDEN',
      /An ADMIN or OPERATOR grants that with "login" in mapClientKey/,
    ],
    ['is not mapped yet', 'CONFIRMED', 'CLIENT_KEY_NOT_MAPPED', /map the key: mapClientKey/],
    ['is not confirmed yet', 'PENDING', 'CLIENT_KEY_NOT_MAPPED', /must confirm it/],
    ['was replaced', 'RETIRED', 'CLIENT_KEY_NOT_MAPPED', /was replaced at/],
    ['was revoked', 'REVOKED', 'KEY_REVOKED', /was revoked/],
  ] as const)('a key that %s proves who it is and is told so', async (_what, status, code, message) => {
    const { gateway, tenant } = house();
    const { admin } = tenant.keys;
    const keyFile = await openTestClientKey(gateway, admin, status === null ? admin : null);
    if (status !== null) {
      const ends = { ended_at: new Date(), end_reason: 'UNSPECIFIED' };
      const values = {
        status,
        pending_until: new Date(),
        ...(status === 'REVOKED' || status === 'RETIRED' ? ends : {}),
      };
      await gateway.store.withTenant(tenant.id, (tx) =>
        tx.updateTable('client_keys').set(values).where('id', '=', keyFile.key_id).execute(),
      );
    }
    const token = await signToken(keyFile, { body: BODY, now: now() });
    const answer = await send(token);
    expect([answer.status, codeOf(answer)]).toEqual([403, code]);
    expect(answer.json.errors[0].message).toMatch(message);
    const event = await readEvent(gateway, tenant.keys.auditor, eventIdOf(answer));
    expect(event).toMatchObject({ denialReason: code, actor: { type: 'CLIENT_KEY', id: keyFile.key_id } });
    // It was not used up, since it was of no use.
    expect(codeOf(await send(token))).toBe(code);
  });

  it('a key that is revoked is out with its next request', async () => {
    const { gateway, tenant } = house();
    const keyFile = await openLoginKey(gateway, tenant.keys.admin);
    expect(codeOf(await signedGraphql(gateway, keyFile, VIEWER, { now: now() }))).toBeNull();
    dataOf(await gateway.graphql(REVOKE, { apiKey: tenant.keys.admin, variables: { id: keyFile.key_id } }));
    expect(codeOf(await signedGraphql(gateway, keyFile, VIEWER, { now: now() }))).toBe('KEY_REVOKED');
  });

  it('a key has the rights of its roles and operations, and none of an admin', async () => {
    const { gateway, tenant } = house();
    const { admin } = tenant.keys;
    const run = async (keyFile: WelcomedKeyFile, operation: string, payload: object) => {
      const body = JSON.stringify({ integration_id: tenant.integrationId, operation, payload });
      const claims = { htu: `${PUBLIC_URL}/api/v2/proxy/outbound` };
      const authorization = `Bearer ${await signToken(keyFile, { body, now: now(), claims })}`;
      return codeOf(await gateway.send('/api/v2/proxy/outbound', { body, headers: { authorization } }));
    };
    const comment = { body: 'It flickers.', public: true };
    const dashboard = await openLoginKey(gateway, admin, { roles: ['DASHBOARD'] });
    expect(await run(dashboard, 'list_tickets', { per_page: 1 })).toBeNull();
    expect(await run(dashboard, 'create_ticket', { subject: 'Lamp', comment })).toBe('FORBIDDEN');
    const narrow = await openLoginKey(gateway, admin, {
      roles: ['AGENT'],
      allowedOperations: ['create_ticket'],
    });
    expect(await run(narrow, 'create_ticket', { subject: 'Lamp', comment })).toBeNull();
    expect(await run(narrow, 'list_tickets', { per_page: 1 })).toBe('OPERATION_NOT_ALLOWED');
    for (const document of [
      'mutation { createApiKey(input: { name: "x", roles: [ADMIN] }) { secret } }',
      `mutation { mapClientKey(keyId: "${tenant.keyFile.key_id}") { clientKey { id } } }`,
      '{ auditEvents(first: 1) { edges { node { id } } } }',
      '{ apiKeys(first: 1) { edges { node { id } } } }',
    ]) {
      expect(codeOf(await signedGraphql(gateway, narrow, document, { now: now() }))).toBe('FORBIDDEN');
    }
  });

  it('a key makes no other key known', async () => {
    const { gateway } = house();
    const document = `mutation($jwks: JSONObject!) {
      registerClientKey(input: { jwks: $jwks, issuedAt: 1, proof: "" }) { welcome }
    }`;
    const answer = await signedGraphql(gateway, await key(), document, {
      now: now(),
      variables: { jwks: {} },
    });
    expect([codeOf(answer), answer.json.errors[0].message]).toEqual([
      'FORBIDDEN',
      'Registering a client key, or its successor, needs an API key of its tenant.',
    ]);
  });

  it('a key sees the changes that it made itself, and no others', async () => {
    const { gateway, tenant } = house();
    const keyFile = await openLoginKey(gateway, tenant.keys.admin);
    const body = JSON.stringify({
      integration_id: tenant.integrationId,
      operation: 'create_ticket',
      payload: { subject: 'Lamp', comment: { body: 'It flickers.', public: true } },
    });
    const claims = { htu: `${PUBLIC_URL}/api/v2/proxy/outbound` };
    const authorization = `Bearer ${await signToken(keyFile, { body, now: now(), claims })}`;
    const created = await gateway.send('/api/v2/proxy/outbound', { body, headers: { authorization } });
    expect(created.status).toBe(200);
    const events = await newestEvents(gateway, tenant.keys.auditor, 10);
    const intent = events.findLast(({ phase }) => phase === 'INTENT');
    expect(intent?.actor).toEqual({ type: 'CLIENT_KEY', id: keyFile.key_id });
    const status = (caller: WelcomedKeyFile) =>
      signedGraphql(gateway, caller, 'query($id: ID!) { operationStatus(intentId: $id) { __typename } }', {
        now: now(),
        variables: { id: intent?.id },
      });
    expect(codeOf(await status(keyFile))).toBeNull();
    expect(codeOf(await status(await key()))).toBe('NOT_FOUND');
  });

  it('a login is granted within what the mapping key may run itself, once, and as an act of its own', async () => {
    const { gateway, tenant } = house();
    const { admin, auditor } = tenant.keys;
    const narrowed = await createTestApiKey(gateway, admin, {
      ...{ roles: ['ADMIN'], allowedOperations: ['get_ticket'] },
    });
    const { key_id: id } = await openTestClientKey(gateway, admin, null);
    const roles = ['AGENT'];
    for (const login of [
      { roles },
      { roles, allowedOperations: ['search'] },
      { roles: [] },
      { roles: ['AGENT', 'AGENT'] },
    ]) {
      expect(codeOf(await mapKey(gateway, narrowed, id, login))).toBe('VALIDATION_FAILED');
    }
    const mapped = await mapKey(gateway, narrowed, id, { roles, allowedOperations: ['get_ticket'] });
    expect(dataOf(mapped)['mapClientKey']).toEqual({
      clientKey: { id, status: 'ACTIVE', login: { roles, allowedOperations: ['get_ticket'] } },
    });
    const actions = (await newestEvents(gateway, auditor, 5)).filter(({ resource }) => resource === id);
    expect(actions.map(({ action }) => action)).toEqual(['client-key.map', 'client-key.grant-login']);
    expect(codeOf(await mapKey(gateway, admin, id, { roles }))).toBe('CONFLICT');
  });

  it('an operator grants no login in the tenant of the operators', async () => {
    const { gateway } = house();
    const { key_id: id } = await openTestClientKey(gateway, gateway.operatorKey, null);
    expect(codeOf(await mapKey(gateway, gateway.operatorKey, id, { roles: ['AGENT'] }))).toBe(
      'VALIDATION_FAILED',
    );
  });

  it('an address that sends bad tokens is turned away before any signature is verified for it', async () => {
    const keyFile = await key();
    const still = now();
    await using second = await openStillGateway(still);
    const sendTo = (token: string, ip: string) =>
      second.send('/graphql', { body: BODY, ip, headers: { authorization: `Bearer ${token}` } });
    const ip = newAddress();
    for (let sent = 0; sent < 60; sent += 1) expect((await sendTo('a.b.c', ip)).status).toBe(401);
    const good = await signToken(keyFile, { body: BODY, now: still });
    const refused = await sendTo(good, ip);
    expect([refused.status, codeOf(refused)]).toEqual([429, 'TOO_MANY_REQUESTS']);
    expect(codeOf(await sendTo(good, newAddress()))).toBeNull();
  });

  it('an address from which strangers send too much still lets in who can sign, and counts used tokens apart', async () => {
    const keyFile = await key();
    const still = now();
    await using second = await openStillGateway(still);
    const ip = newAddress();
    const sendAs = (headers: Readonly<Record<string, string>>) =>
      second.send('/graphql', { body: BODY, ip, headers });
    for (let sent = 0; sent < 60; sent += 1) await sendAs(sent % 2 === 0 ? {} : { 'x-api-key': 'wrong' });
    expect(codeOf(await sendAs({}))).toBe('TOO_MANY_REQUESTS');
    const freshToken = async () => ({
      authorization: `Bearer ${await signToken(keyFile, { body: BODY, now: still })}`,
    });
    expect(codeOf(await sendAs(await freshToken()))).toBeNull();

    const used = await freshToken();
    expect(codeOf(await sendAs(used))).toBeNull();
    for (let sent = 0; sent < 60; sent += 1) expect(codeOf(await sendAs(used))).toBe('TOKEN_REUSED');
    expect(codeOf(await sendAs(await freshToken()))).toBe('TOO_MANY_REQUESTS');
  });

  it('a key has a rate of its own, and what is beyond it is recorded in its name', async () => {
    const { gateway, tenant } = house();
    const keyFile = await openLoginKey(gateway, tenant.keys.admin);
    const still = now();
    await using second = await openStillGateway(still);
    const { limiter } = second.deps;
    for (let taken = 0; taken < 599; taken += 1) {
      limiter.take({ id: keyFile.key_id, requestsPerMinute: null });
    }
    const ask = () => signedGraphql(second, keyFile, VIEWER, { now: still });
    expect(codeOf(await ask())).toBeNull();
    const refused = await ask();
    expect([refused.status, codeOf(refused)]).toEqual([429, 'TOO_MANY_REQUESTS']);
    expect(await readEvent(gateway, tenant.keys.auditor, eventIdOf(refused))).toMatchObject({
      denialReason: 'TOO_MANY_REQUESTS',
      actor: { type: 'CLIENT_KEY', id: keyFile.key_id },
    });
  });
});
