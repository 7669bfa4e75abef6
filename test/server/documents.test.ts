/** GraphQL documents and variables that ask too much, say nonsense or try to learn something. */
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId, ERROR_CODES, isErrorCode } from '../../src/base/index.ts';
import { codeOf, eventIdOf, type House, openHouse, readEvent } from '../service/house.ts';
import type { RestAnswer } from '../support/gateway.ts';

const CREATE_KEY = 'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }';
const SECRET = 'hunter2';

describe('a GraphQL request', () => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse('pglite');
  });
  afterAll(() => house[Symbol.asyncDispose]());
  const ask = (query: string, variables?: unknown) =>
    house.gateway.graphql(query, { apiKey: house.tenant.keys.admin, variables });
  const send = (json: unknown, headers = {}) =>
    house.gateway.send('/graphql', { apiKey: house.tenant.keys.admin, json, headers });

  function expectRefusal(answer: RestAnswer, code: string): void {
    expect(codeOf(answer)).toBe(code);
    expect(answer.json.data ?? null).toBeNull();
    for (const { extensions } of answer.json.errors) {
      const own: unknown = extensions.code;
      expect(isErrorCode(own) && ERROR_CODES[own].retryable).toBe(extensions.retryable);
    }
    const first: unknown = answer.json.errors[0].extensions.code;
    expect(isErrorCode(first) && ERROR_CODES[first].status).toBe(answer.status);
    expect(answer.json.extensions.requestId).toBe(answer.headers['x-request-id']);
    expect(JSON.stringify(answer.json)).not.toContain(SECRET);
  }

  const issuesOf = ({ fields }: { readonly fields: readonly { path: string; message: string }[] }) =>
    Object.fromEntries(fields.map(({ path, message }) => [path, message]));

  const alias = (count: number, field: string) =>
    Array.from({ length: count }, (_, at) => `a${at}: ${field}`).join(' ');
  it.each([
    ['2000 tokens and more', `{ ${'__typename '.repeat(2_001)} }`],
    ['a million letters of tokens', `{ ${'a '.repeat(400_000)} }`],
    ['many levels', `{ __schema { types ${'{ fields { type '.repeat(4)} { name } ${'} }'.repeat(4)} } }`],
    ['more than 240 fields', `{ ${alias(81, 'viewer { tenant { id } }')} }`],
    [
      'forty pages of a hundred',
      `{ ${alias(40, 'integrations(first: 100) { edges { node { id name status } } }')} }`,
    ],
    [
      'more than a hundred objects by id',
      `{ nodes(ids: [${`"${createId('integration')}" `.repeat(125)}]) { id } }`,
    ],
    [
      'fragments that spread their breadth',
      `{ ${alias(3, 'viewer { ...v }')} } fragment v on Viewer { ${alias(50, 'tenant { id }')} }`,
    ],
  ])('of %s is refused', async (_what, document) => {
    expectRefusal(await ask(document), 'QUERY_TOO_COMPLEX');
  });

  it('within its limits may ask for a full page with every field, and for a hundred objects', async () => {
    const page = `{ auditEvents(first: 100) { pageInfo { hasNextPage endCursor } edges { cursor node {
      id index occurredAt actor { type id } phase action outcome intentId parentId integrationId operation resource
      requestId requestSha256 ip upstreamStatus durationMs denialReason count envelopes { keyId sha256 } } } } }`;
    const audited = await house.gateway.graphql(page, { apiKey: house.tenant.keys.auditor });
    expect(codeOf(audited)).toBeNull();
    const ids = Array(100).fill(house.tenant.integrationId);
    expect(
      codeOf(
        await ask('query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Integration { name status } } }', {
          ids,
        }),
      ),
    ).toBeNull();
    expect(codeOf(await ask(getIntrospectionQuery()))).toBeNull();
  });

  it('of fragments that lead back to themselves is refused', async () => {
    const document = '{ ...f } fragment f on Query { ...g } fragment g on Query { ...f }';
    expectRefusal(await ask(document), 'VALIDATION_FAILED');
  });

  it.each([
    ['a batch', [{ query: '{ __typename }' }, { query: '{ __typename }' }]],
    ['a batch of none', []],
    ['nothing', null],
    ['a string', SECRET],
    ['no document', {}],
    ['an empty document', { query: '' }],
    ['a document that is no text', { query: { a: SECRET } }],
    ['variables as a list', { query: '{ __typename }', variables: [SECRET] }],
    ['variables as text', { query: '{ __typename }', variables: SECRET }],
    ['an operation name that is no name', { query: '{ __typename }', operationName: 7 }],
    ['an operation that is not there', { query: '{ __typename }', operationName: SECRET }],
    ['two operations and no name', { query: 'query a { __typename } query b { __typename }' }],
    ['an unknown member', { query: '{ __typename }', [SECRET]: 1 }],
    ['a persisted query only', { extensions: { persistedQuery: { version: 1, sha256Hash: 'x' } } }],
    ['a subscription', { query: 'subscription { ticketChanges { cursor } }' }],
  ])('with %s is refused with our code', async (_what, body) => {
    expectRefusal(await send(body), 'VALIDATION_FAILED');
  });

  it('in a URL is refused', async () => {
    const answer = await house.gateway.send('/graphql?query={__typename}', {
      method: 'GET',
      apiKey: house.tenant.keys.admin,
    });
    expectRefusal(answer, 'VALIDATION_FAILED');
    expect(answer.headers['allow']).toBe('POST');
  });

  it.each([
    'text/event-stream',
    'multipart/mixed',
    'text/html',
    'image/png',
    'application/json',
    '',
  ])('that accepts %s gets one JSON result, failures too', async (accept) => {
    const good = await send({ query: '{ viewer { tenant { id } } }' }, { accept });
    expect(good.json.data.viewer.tenant.id).toBe(house.tenant.id);
    expect(good.headers['content-type']).toBe('application/json; charset=utf-8');
    expectRefusal(await send({ query: '{ integration(id: "x") { id } }' }, { accept }), 'NOT_FOUND');
  });

  it('that accepts execution results by name gets that type, refused or not', async () => {
    const headers = { accept: 'application/graphql-response+json, application/json;q=0.9' };
    const answers = [
      await send({ query: '{ viewer { tenant { id } } }' }, headers),
      await send([], headers),
      await house.gateway.graphql('{ __typename }', { apiKey: 'x', headers }),
    ];
    for (const answer of answers) {
      expect(answer.headers['content-type']).toBe('application/graphql-response+json; charset=utf-8');
    }
  });

  it.each([
    ['a text for an object', SECRET],
    ['an object for a text', { name: { a: SECRET }, roles: ['AGENT'] }],
    ['a value that is not of the enum', { name: 'x', roles: [SECRET] }],
    ['a text for a list', { name: 'x', roles: SECRET }],
    ['an unknown member', { name: 'x', roles: ['AGENT'], [SECRET]: SECRET }],
    ['a text for a number', { name: 'x', roles: ['AGENT'], requestsPerMinute: SECRET }],
    ['a number out of range', { name: 'x', roles: ['AGENT'], requestsPerMinute: 3.5e12 }],
    ['a time that is none', { name: 'x', roles: ['AGENT'], expiresAt: SECRET }],
    ['a missing member', { roles: ['AGENT'], allowedOperations: [SECRET] }],
    ['null for a member', { name: null, roles: ['AGENT'], clientKeyId: SECRET }],
    ['an operation that is not there', { name: 'x', roles: ['AGENT'], allowedOperations: [SECRET] }],
    ['a client key that is none', { name: 'x', roles: ['AGENT'], clientKeyId: SECRET }],
    ['a role twice', { name: SECRET, roles: ['AGENT', 'AGENT'] }],
    ['a role of operators', { name: SECRET, roles: ['OPERATOR'] }],
    ['a name of control characters', { name: `${SECRET}\u0007`, roles: ['AGENT'] }],
    [
      'a value that speaks like the library',
      { name: [`x" at "${SECRET}"; Value "${SECRET}" does not exist in "${SECRET}" enum`], roles: ['AGENT'] },
    ],
  ])('with %s in its variables is refused and repeats no value', async (_what, input) => {
    expectRefusal(await ask(CREATE_KEY, { input }), 'VALIDATION_FAILED');
  });

  it.each([
    ['an enum', `mutation { createApiKey(input: { name: "x", roles: [${SECRET}] }) { secret } }`],
    ['a text in an enum', `mutation { createApiKey(input: { name: "x", roles: ["${SECRET}"] }) { secret } }`],
    [
      'a member',
      `mutation { createApiKey(input: { name: "x", roles: [AGENT], nme: "${SECRET}" }) { secret } }`,
    ],
    ['an input', `mutation { createApiKey(input: "${SECRET}") { secret } }`],
    ['a number', `{ integrations(first: "${SECRET}") { edges { cursor } } }`],
    ['a default', `query($first: Int = "${SECRET}") { integrations(first: $first) { edges { cursor } } }`],
    ['a time', `{ auditEvents(filter: { from: "${SECRET}" }) { edges { cursor } } }`],
    [
      'an object',
      `mutation { sealCredential(input: { type: API_KEY, secret: "${SECRET}" }) { credential { id } } }`,
    ],
    ['an id', `{ integration(id: { a: "${SECRET}" }) { id } }`],
    ['a stray text', `{ viewer "${SECRET}" }`],
    ['a stray block', `{ viewer """${SECRET}""" }`],
    ['a text without end', `{ integration(id: "${SECRET}) { id } }`],
    ['a missing id', `{ integration(idd: "${SECRET}") { id } }`],
  ])('with a literal at fault, %s, is refused and repeats no value', async (_what, document) => {
    expectRefusal(await ask(document), 'VALIDATION_FAILED');
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    [
      'values of an enum',
      { name: 'x', roles: ['AGENT', 'NOBODY'] },
      { 'input.roles.1': expect.stringMatching(/^must be one of (?:[A-Z]+, )+[A-Z]+$/) },
    ],
    ['a missing member', { roles: ['AGENT'] }, { 'input.name': 'is missing' }],
    ['null', { name: null, roles: ['AGENT'] }, { 'input.name': 'must not be null' }],
    [
      'an unknown member',
      { name: 'x', roles: ['AGENT'], expireAt: SECRET },
      { input: 'has a field that CreateApiKeyInput does not have; did you mean expiresAt?' },
    ],
    [
      'several at once',
      { name: 7, roles: 'NOBODY', expiresAt: 'x', requestsPerMinute: 'x', clientKeyId: {} },
      {
        'input.name': 'must be a value of type String',
        'input.roles': expect.stringContaining('must be one of'),
        'input.expiresAt': expect.stringContaining('must be ISO 8601'),
        'input.requestsPerMinute': 'must be a value of type Int',
        'input.clientKeyId': 'must be a value of type ID',
      },
    ],
  ])('says of variables at fault where and what is needed: %s', async (_what, input, expected) => {
    const query = CREATE_KEY.replaceAll('$input', '$i');
    const { json } = await ask(query, { i: input });
    expect(json.errors).toHaveLength(1);
    const [{ message, extensions, locations }] = json.errors;
    expect(issuesOf(extensions)).toEqual(expected);
    for (const [path, told] of Object.entries(issuesOf(extensions)))
      expect(message).toContain(`${path}: ${told}`);
    expect(locations).toEqual([{ line: 1, column: query.indexOf('$i:') + 1 }]);
  });

  it.each([
    [
      'createApiKey(input: { name: "x", roles: [AGENT, NOBODY] }) { secret }',
      'input.roles.1',
      'must be one of',
    ],
    [
      'createApiKey(input: { name: "x", roles: [AGENT], expiresAt: "x" }) { secret }',
      'input.expiresAt',
      'must be ISO',
    ],
    ['createApiKey(input: { roles: [AGENT] }) { secret }', 'input.name', 'is missing'],
    [
      'createApiKey(input: { name: "x", roles: [AGENT], expireAt: "x" }) { secret }',
      'input',
      'did you mean expiresAt?',
    ],
    ['createApiKey { secret }', 'input', 'is missing'],
    [
      'createApiKey(input: { name: 7, roles: [AGENT] }) { secret }',
      'input.name',
      'must be a value of type String',
    ],
  ])('says of what is written into it where and what is needed: %s', async (field, path, told) => {
    const { json } = await ask(`mutation { ${field} }`);
    expect(json.errors).toHaveLength(1);
    const [{ extensions, locations }] = json.errors;
    expect(issuesOf(extensions)).toEqual({ [path]: expect.stringContaining(told) });
    expect(locations).toEqual([expect.objectContaining({ line: 1 })]);
  });

  it('says of a default, and of variables within an input, where they are used', async () => {
    const byDefault = await ask('query($n: Int = "x") { integrations(first: $n) { nodes { id } } }');
    expect(issuesOf(byDefault.json.errors[0].extensions)).toEqual({ first: 'must be a value of type Int' });
    const within = await ask(
      'mutation($r: Role!) { createApiKey(input: { name: "x", roles: [AGENT, $r] }) { secret } }',
      { r: SECRET },
    );
    expect(issuesOf(within.json.errors[0].extensions)).toEqual({
      'input.roles.1': expect.stringContaining('AGENT'),
    });
    const missing = await ask('query($x: ID!) { integration(id: $x) { id } }', {});
    expect(issuesOf(missing.json.errors[0].extensions)).toEqual({ id: 'is missing' });
  });

  it.each([
    ['values', { input: { name: 'x', roles: Array(30_000).fill(SECRET) } }],
    [
      'members',
      { input: Object.fromEntries(Array.from({ length: 30_000 }, (_, at) => [`name${at}`, SECRET])) },
    ],
  ])('with thirty thousand wrong %s is told ten of them, and soon', async (_what, variables) => {
    const startedAt = performance.now();
    const { json } = await ask(CREATE_KEY, variables);
    expect(json.errors[0].extensions.fields).toHaveLength(10);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it.each([
    ['an id', 'query($x: ID!) { integration(id: $x) { id } }', '\0', 'NOT_FOUND'],
    ['a tenant', 'query($x: ID!) { tenant(id: $x) { id } }', '\0', 'NOT_FOUND'],
    ['a node', 'query($x: ID!) { node(id: $x) { id } }', '\0', 'NOT_FOUND'],
    ['an intent', 'query($x: ID!) { operationStatus(intentId: $x) { state } }', '\0', 'NOT_FOUND'],
    ['an API key', 'mutation($x: ID!) { revokeApiKey(id: $x) { apiKey { id } } }', '\0', 'VALIDATION_FAILED'],
    [
      'a client key',
      'mutation($x: ID!) { mapClientKey(keyId: $x) { clientKey { id } } }',
      '\0',
      'VALIDATION_FAILED',
    ],
    [
      'a credential',
      'mutation($x: ID!) { deleteCredential(id: $x) { deletedId } }',
      '\ud800',
      'VALIDATION_FAILED',
    ],
    [
      'a key of absurd length',
      'query($x: ID!) { integration(id: $x) { id } }',
      'x'.repeat(500_000),
      'NOT_FOUND',
    ],
  ])('with what no database takes for %s fails by our code', async (_what, document, x, code) => {
    const answer = await ask(document, { x });
    expect(codeOf(answer)).toBe(code);
    expect(JSON.stringify(answer.json).length).toBeLessThan(1_000);
  });

  it('may look at the schema with a key only, also after another looked at it by the same document', async () => {
    for (const document of [
      '{ __schema { queryType { name } } }',
      '{ __type(name: "Query") { name } }',
      getIntrospectionQuery(),
    ]) {
      expect(codeOf(await ask(document))).toBeNull();
      const stranger = await house.gateway.graphql(document);
      expectRefusal(stranger, 'VALIDATION_FAILED');
      expect(stranger.json.errors[0].message).toContain('API key');
      expect(codeOf(await ask(document))).toBeNull();
    }
  });

  it('of a stranger is told no names of the schema', async () => {
    const stranger = await house.gateway.graphql('{ viewr { tenat { id } } }');
    expect(stranger.json.errors[0].message).toBe('Cannot query field "viewr" on type "Query".');
    const wrong = await house.gateway.graphql(
      'mutation($input: ConfirmClientKeyInput!) { confirmClientKey(input: $input) { __typename } }',
      { variables: { input: { keyid: 'x' } } },
    );
    expect(JSON.stringify(wrong.json)).not.toMatch(/did you mean|one of/i);
    expect((await ask('{ viewr { id } }')).json.errors[0].message).toContain('"viewer"');
  });

  it('is refused as a whole where one of its fields is forbidden, and recorded as denied', async () => {
    const answer = await ask('{ viewer { tenant { id } } auditEvents { edges { cursor } } }');
    expectRefusal(answer, 'FORBIDDEN');
    expect(await readEvent(house.gateway, house.tenant.keys.auditor, eventIdOf(answer))).toMatchObject({
      action: 'graphql.query',
      outcome: 'DENIED',
      denialReason: 'FORBIDDEN',
    });
  });

  it('is recorded as failed where it was malformed, with nothing of its text', async () => {
    const answer = await ask(`{ ${SECRET} }`);
    expect(answer.json.errors[0].message).toContain(SECRET);
    const event = await readEvent(house.gateway, house.tenant.keys.auditor, eventIdOf(answer));
    expect(event).toMatchObject({
      action: 'graphql.document',
      outcome: 'FAILED',
      denialReason: 'VALIDATION_FAILED',
    });
    expect(JSON.stringify(event)).not.toContain(SECRET);
  });
});
