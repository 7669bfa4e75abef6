/** REST requests as strangers and careless programs send them, and the exact shapes of the answers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERROR_CODES, encodeBase64Url, isErrorCode } from '../../src/base/index.ts';
import { codeOf, eventIdOf, type House, openHouse, readEvent } from '../service/house.ts';
import { openTestGateway } from '../support/gateway.ts';
import { sealedGraphql } from '../support/sealed-graphql.ts';

const ID = (prefix: string) => expect.stringMatching(new RegExp(`^${prefix}_[0-9a-z]{26}$`));
const UUID = expect.stringMatching(/^[0-9a-f-]{36}$/);

describe('the REST routes', () => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse('pglite');
  });
  afterAll(() => house[Symbol.asyncDispose]());

  const asAdmin = () => ({ apiKey: house.tenant.keys.admin });
  const integration = (subdomain: unknown) => ({ system_type: 'ZENDESK', config: { subdomain } });
  const createIntegration = (json: unknown) =>
    house.gateway.send('/api/v2/integrations', { ...asAdmin(), json });

  it.each([
    ['a dot', 'acme.evil'],
    ['a whole host', 'acme.zendesk.com'],
    ['a path', 'acme/../x'],
    ['a backslash', 'acme\\evil'],
    ['a port', 'acme:8080'],
    ['user info', 'user@evil'],
    ['a fragment', 'evil.test#'],
    ['a query', 'evil.test?'],
    ['a scheme', 'https://evil.test'],
    ['an address', '127.0.0.1'],
    ['an IPv6 address', '[::1]'],
    ['percent encoding', 'acme%2eevil'],
    ['a line break', 'acme\r\nHost: evil'],
    ['a null byte', 'acme\0'],
    ['white space', ' acme'],
    ['capitals', 'Acme'],
    ['a leading hyphen', '-acme'],
    ['a trailing hyphen', 'acme-'],
    ['punycode', 'xn--acme-xyz'],
    ['a full-width dot', 'acme．evil'],
    ['a look-alike letter', 'аcme'],
    ['an underscore', 'ac_me'],
    ['64 characters', 'a'.repeat(64)],
    ['nothing', ''],
    ['a number', 7],
    ['null', null],
    ['a list', ['acme']],
    ['the template', '{subdomain}'],
  ])('take no subdomain with %s', async (_what, subdomain) => {
    const answer = await createIntegration(integration(subdomain));
    expect([answer.status, codeOf(answer)]).toEqual([400, 'VALIDATION_FAILED']);
    expect(answer.json.error.details.fields[0].path).toMatch(/subdomain$/);
    expect(await readEvent(house.gateway, house.tenant.keys.auditor, eventIdOf(answer))).toMatchObject({
      action: 'integration.create',
      denialReason: 'VALIDATION_FAILED',
    });
  });

  it('take the longest and the shortest label', async () => {
    for (const subdomain of ['a', 'a'.repeat(63), '0-9']) {
      expect((await createIntegration(integration(subdomain))).status).toBe(201);
    }
  });

  it.each([
    ['malformed JSON', '{"system_type":"hunter2'],
    ['nothing', ''],
    ['a bare word', 'hunter2'],
    ['two values', '{} {}'],
    ['a byte order mark', '\ufeff{}'],
    ['bad UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['brackets without end', '['.repeat(100_000)],
    ['brackets beyond counting', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['a list', '[]'],
    ['null', 'null'],
    ['a string', '"hunter2"'],
    [
      'an own __proto__',
      '{"system_type":"ZENDESK","config":{"subdomain":"acme"},"__proto__":{"name":"hunter2"}}',
    ],
    [
      'a nested __proto__',
      '{"system_type":"ZENDESK","config":{"subdomain":"acme","__proto__":{"x":"hunter2"}}}',
    ],
    ['an unknown member', '{"system_type":"ZENDESK","config":{"subdomain":"acme"},"hunter2":1}'],
    ['a member by its inner name', '{"systemType":"ZENDESK","config":{"subdomain":"acme"}}'],
    ['a lone surrogate', '{"system_type":"ZENDESK","name":"hunter2\\ud800","config":{"subdomain":"acme"}}'],
  ])('refuse a body of %s without repeating it', async (_what, body) => {
    const answer = await house.gateway.send('/api/v2/integrations', { ...asAdmin(), body });
    expect([answer.status, codeOf(answer)]).toEqual([400, 'VALIDATION_FAILED']);
    expect(JSON.stringify(answer.json)).not.toContain('hunter2');
    expect(answer.json.meta.audit_event_id).toEqual(ID('aud'));
  });

  it('are not changed by members that go for the prototype', async () => {
    const body = '{"credential_type":"api_key","secret":{"api_key":"x","__proto__":{"polluted":1}}}';
    expect(codeOf(await house.gateway.send('/api/v2/vault/seal', { ...asAdmin(), body }))).toBe(
      'VALIDATION_FAILED',
    );
    const proxied = await house.gateway.send('/api/v2/proxy/outbound', {
      apiKey: house.tenant.keys.agent,
      body: `{"integration_id":"${house.tenant.integrationId}","operation":"get_ticket","payload":{"ticket_id":1,"__proto__":{"polluted":1}}}`,
    });
    expect(['VALIDATION_FAILED', null]).toContain(codeOf(proxied));
    expect('polluted' in {}).toBe(false);
  });

  it.each([
    ['POST /api/v2/vault/seal', {}, 'text/plain'],
    ['POST /api/v2/vault/seal', {}, 'application/x-www-form-urlencoded'],
    ['POST /api/v2/vault/seal', {}, 'multipart/form-data; boundary=x'],
    ['POST /api/v2/vault/seal', {}, 'application/jsonp'],
    ['POST /api/v2/vault/seal', {}, ''],
    ['POST /graphql', {}, 'application/graphql'],
    ['POST /graphql', {}, 'multipart/form-data; boundary=x'],
  ])('%s takes no other type than JSON, such as %s %s', async (target, json, type) => {
    const answer = await house.gateway.send(target.slice(5), {
      ...asAdmin(),
      json,
      headers: { 'content-type': type },
    });
    expect([answer.status, codeOf(answer)]).toEqual([400, 'VALIDATION_FAILED']);
  });

  it.each(['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD'])('answer no %s', async (method) => {
    for (const path of ['/graphql', '/api/v2/proxy/outbound', '/api/v2/vault/seal', '/api/v2/integrations']) {
      const answer = await house.gateway.send(path, { ...asAdmin(), method });
      expect([answer.status, codeOf(answer)], path).toEqual([400, 'VALIDATION_FAILED']);
    }
  });

  it.each([
    '/',
    '/graphql/',
    '/GRAPHQL',
    '/api/v2/proxy/outbound/x',
    '/api/v2',
    '/metrics',
    '/__proto__',
    '/.well-known/sealdesk/x',
  ])('know no route %s', async (path) => {
    const answer = await house.gateway.send(path, {
      ...asAdmin(),
      method: path.startsWith('/.w') ? 'GET' : 'POST',
      json: {},
    });
    expect([answer.status, codeOf(answer)]).toEqual([404, 'NOT_FOUND']);
    expect(answer.json).toMatchObject({ success: false, meta: { request_id: UUID } });
  });

  it.each([
    ['15 bytes', encodeBase64Url(new Uint8Array(15))],
    ['65 bytes', encodeBase64Url(new Uint8Array(65))],
    ['padding', `${encodeBase64Url(new Uint8Array(16))}==`],
    ['standard base64', '+/'.repeat(12)],
    ['loose bits', `${'A'.repeat(21)}B`],
    ['nothing', ''],
  ])('refuse a nonce of %s before Zendesk is called', async (_what, nonce) => {
    const before = house.gateway.simulator.requests.total;
    const answer = await house.tenant.proxy(
      'get_ticket',
      { ticket_id: 1 },
      { headers: { 'x-sealdesk-nonce': nonce } },
    );
    expect([answer.status, codeOf(answer)]).toEqual([400, 'VALIDATION_FAILED']);
    expect(house.gateway.simulator.requests.total).toBe(before);
  });

  it('bind a well-formed nonce, the route and the body into the envelope', async () => {
    for (const size of [16, 64]) {
      const nonce = encodeBase64Url(crypto.getRandomValues(new Uint8Array(size)));
      const answer = await house.tenant.proxy(
        'get_ticket',
        { ticket_id: 1 },
        { headers: { 'x-sealdesk-nonce': nonce } },
      );
      const { header } = await house.tenant.open(answer.json);
      expect(header).toMatchObject({ client_nonce: nonce, request_target: 'POST /api/v2/proxy/outbound' });
    }
  });

  it('answer a proxied call with the envelope itself', async () => {
    const answer = await house.tenant.proxy('get_ticket', { ticket_id: 1 });
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.json).toSorted()).toEqual([
      'audit_event_id',
      'encrypted',
      'signature',
      'success',
    ]);
    expect(Object.keys(answer.json.encrypted).toSorted()).toEqual([
      'algorithm',
      'ciphertext_data',
      'ciphertext_kem',
      'nonce',
      'protected',
      'tenant_id',
    ]);
    expect(answer.json).toMatchObject({ success: true, audit_event_id: ID('aud') });
    expect(
      await readEvent(house.gateway, house.tenant.keys.auditor, answer.json.audit_event_id),
    ).toMatchObject({
      action: 'zendesk.call',
      operation: 'get_ticket',
      outcome: 'SUCCEEDED',
    });
  });

  it('answer a sealed credential with 201 and its metadata, never its secret', async () => {
    const expires = new Date(house.clock.now() + 3_600_000).toISOString();
    const answer = await house.gateway.send('/api/v2/vault/seal', {
      ...asAdmin(),
      json: { credential_type: 'api_key', secret: { api_key: 'hunter2' }, expires_at: expires },
    });
    expect(answer.status).toBe(201);
    expect(answer.json).toEqual({
      success: true,
      data: { credential_id: ID('cred'), credential_type: 'api_key', version: 1, expires_at: expires },
      meta: { request_id: UUID, audit_event_id: ID('aud') },
    });
    expect(answer.headers['x-request-id']).toBe(answer.json.meta.request_id);
  });

  it.each([
    ['a list', ['2030-01-01']],
    ['a number', 4_102_444_800_000],
    ['a date without time', '2030-01-01'],
    ['a time without offset', '2030-01-01T00:00:00'],
    ['the past', '2020-01-01T00:00:00Z'],
    ['a time that no calendar has', '2030-13-01T00:00:00Z'],
    ['a time beyond the database', '+275760-09-13T00:00:00Z'],
    ['the end of days', '9999-12-31T23:59:59Z'],
  ])('take no credential that ends at %s', async (_what, expires_at) => {
    const answer = await house.gateway.send('/api/v2/vault/seal', {
      ...asAdmin(),
      json: { credential_type: 'api_key', secret: { api_key: 'x' }, expires_at },
    });
    expect([answer.status, codeOf(answer)]).toEqual([400, 'VALIDATION_FAILED']);
  });

  it('answer a new integration with 201', async () => {
    const answer = await createIntegration({ ...integration('initech'), allowed_operations: ['search'] });
    expect(answer.status).toBe(201);
    expect(answer.json).toEqual({
      success: true,
      data: {
        integration_id: ID('int'),
        system_type: 'ZENDESK',
        status: 'ACTIVE',
        allowed_operations: ['search'],
      },
      meta: { request_id: UUID, audit_event_id: ID('aud') },
    });
  });

  it('answer failures in one shape, with the status of the code', async () => {
    const { tenant, gateway } = house;
    const failures = [
      await gateway.send('/api/v2/vault/seal', { json: {} }),
      await gateway.send('/api/v2/vault/seal', { apiKey: tenant.keys.agent, json: {} }),
      await createIntegration(integration('evil.test')),
      await tenant.proxy('no_such_operation', {}),
      await tenant.proxy('get_ticket', { ticket_id: 99_999_999 }),
      await tenant.proxy('get_ticket', { ticket_id: -1 }),
      await tenant.proxy('get_ticket', { ticket_id: 1 }, { idempotencyKey: 'x' }),
    ];
    expect(failures.map(codeOf)).toEqual([
      'UNAUTHENTICATED',
      'FORBIDDEN',
      'VALIDATION_FAILED',
      'OPERATION_NOT_ALLOWED',
      'NOT_FOUND',
      'VALIDATION_FAILED',
      'VALIDATION_FAILED',
    ]);
    for (const { status, json, headers } of failures) {
      expect(Object.keys(json).toSorted()).toEqual(['error', 'meta', 'success']);
      expect(Object.keys(json.error).toSorted()).toEqual(['code', 'details', 'message']);
      expect(json.meta).toEqual({ request_id: UUID, audit_event_id: ID('aud') });
      const code: unknown = json.error.code;
      expect(isErrorCode(code) && ERROR_CODES[code].status).toBe(status);
      expect(headers['content-type']).toBe('application/json; charset=utf-8');
    }
  });

  it('name an integration that an agent may not see as little as one that is not there', async () => {
    const answers = [];
    for (const integration_id of [house.other.integrationId, 'int_x', '\0', '../x']) {
      answers.push(
        await house.gateway.send('/api/v2/proxy/outbound', {
          apiKey: house.tenant.keys.agent,
          json: { integration_id, operation: 'get_ticket', payload: { ticket_id: 1 } },
        }),
      );
    }
    expect(new Set(answers.map(({ status, json }) => `${status} ${json.error.message}`)).size).toBe(1);
    expect(answers.map(codeOf)).toEqual(Array(4).fill('NOT_FOUND'));
  });
});

describe('a page of another origin', () => {
  const ORIGIN = 'https://desk.example';
  const SECURITY = {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  };
  const requests = [
    ['a preflight', '/graphql', { method: 'OPTIONS' }],
    ['a call', '/graphql', { json: { query: '{ __typename }' } }],
    ['a refused call', '/api/v2/proxy/outbound', { json: {} }],
    ['an unknown route', '/nowhere', { json: {} }],
  ] as const;

  it('is told nothing by default, whatever origin it claims', async () => {
    await using gateway = await openTestGateway();
    for (const [what, path, options] of requests) {
      for (const origin of [ORIGIN, 'null', 'http://localhost:4000']) {
        const { headers } = await gateway.send(path, { ...options, headers: { origin } });
        expect(
          Object.keys(headers).filter((name) => name.startsWith('access-control')),
          what,
        ).toEqual([]);
      }
    }
  });

  it('is told what it needs if its origin is listed, and no other is', async () => {
    await using gateway = await openTestGateway({ corsOrigins: [ORIGIN] });
    for (const [what, path, options] of requests) {
      const listed = await gateway.send(path, { ...options, headers: { origin: ORIGIN } });
      expect(listed.headers, what).toMatchObject({ 'access-control-allow-origin': ORIGIN, vary: 'Origin' });
      expect(listed.headers, what).not.toHaveProperty('access-control-allow-credentials');
      for (const origin of [
        `${ORIGIN}.evil.test`,
        'http://desk.example',
        'null',
        `${ORIGIN}:8443`,
        ORIGIN.toUpperCase(),
      ]) {
        const { headers } = await gateway.send(path, { ...options, headers: { origin } });
        expect(headers, origin).not.toHaveProperty('access-control-allow-origin');
        expect(headers, origin).toMatchObject({ vary: 'Origin' });
      }
    }
    const preflight = await gateway.send('/graphql', { method: 'OPTIONS', headers: { origin: ORIGIN } });
    expect(preflight.status).toBe(204);
    for (const name of ['content-type', 'x-sealdesk-key', 'x-sealdesk-nonce']) {
      expect(preflight.headers['access-control-allow-headers']?.split(', ')).toContain(name);
    }
    expect(preflight.headers['access-control-allow-methods']).toBe('POST, GET');
  });

  it('gets sealed answers if its origin is listed, and may read of their headers what it needs', async () => {
    await using house = await openHouse('pglite', { corsOrigins: [ORIGIN] });
    const answer = await sealedGraphql(house.gateway, house.tenant, '{ viewer { tenant { id } } }', {
      headers: { origin: ORIGIN },
    });
    expect(answer.result.data.viewer.tenant.id).toBe(house.tenant.id);
    expect(answer.headers).toMatchObject({
      ...SECURITY,
      'access-control-allow-origin': ORIGIN,
      'access-control-expose-headers': 'retry-after, x-request-id',
    });
  });

  it('gets the security headers with every answer', async () => {
    await using gateway = await openTestGateway();
    for (const [what, path, options] of requests.slice(1)) {
      expect((await gateway.send(path, options)).headers, what).toMatchObject(SECURITY);
    }
    expect((await gateway.send('/healthz', { method: 'GET' })).headers).toMatchObject(SECURITY);
  });

  it('may read the signing keys, which are public, and nothing of a tenant that is not there', async () => {
    await using house = await openHouse('pglite');
    const known = await house.gateway.send(`/.well-known/sealdesk/${house.tenant.id}/keys.json`, {
      method: 'GET',
    });
    expect(known.headers['access-control-allow-origin']).toBe('*');
    expect(known.json.keys[0]).not.toHaveProperty('priv');
    for (const id of ['ten_00000000000000000000000000', 'x', '%00', '..%2f..']) {
      const answer = await house.gateway.send(`/.well-known/sealdesk/${id}/keys.json`, { method: 'GET' });
      expect([answer.status, codeOf(answer)]).toEqual([404, 'NOT_FOUND']);
    }
  });
});
