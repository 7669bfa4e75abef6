/** Who may connect by WebSocket, and how who may not is told. */
import { request as sendRequest } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createId, SealdeskError } from '../../../src/base/index.ts';
import { openTestGateway, type TestGateway } from '../../support/gateway.ts';
import { createTestTenant, type TestTenant } from '../../support/tenant.ts';
import { type Edge, openEdge } from './edge.ts';

let gateway: TestGateway;
let tenant: TestTenant;
let edge: Edge;
beforeAll(async () => {
  gateway = await openTestGateway();
  tenant = await createTestTenant(gateway);
  edge = await openEdge(gateway, { corsOrigins: ['https://desk.example'] });
});
afterAll(async () => {
  await edge[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

const INIT = { type: 'connection_init' };

/** Status and body of an upgrade that is answered by HTTP. */
async function refusedUpgrade(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number | undefined; readonly json: ReturnType<typeof JSON.parse> }> {
  const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<typeof refusedUpgrade>>>();
  const request = sendRequest(url.replace(/^ws:/, 'http:'), {
    headers: {
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      'sec-websocket-protocol': 'graphql-transport-ws',
      ...headers,
    },
  });
  request.on('error', reject);
  request.on('upgrade', () => reject(new Error('The upgrade was not refused')));
  request.on('response', async (response) => {
    const parts = await response.toArray();
    resolve({ status: response.statusCode, json: JSON.parse(Buffer.concat(parts).toString()) });
  });
  request.end();
  return promise;
}

it('lets in who sends a key as a header, as a bearer, in connection_init, or the same in both', async () => {
  const { agent } = tenant.keys;
  const ways = [
    { headers: { 'x-api-key': agent }, payload: undefined },
    { headers: { authorization: `Bearer ${agent}` }, payload: {} },
    { headers: {}, payload: { apiKey: agent } },
    { headers: { 'x-api-key': agent }, payload: { apiKey: agent } },
  ];
  for (const { headers, payload } of ways) {
    await using socket = await edge.connect({ headers });
    socket.send({ ...INIT, payload });
    expect(await socket.next()).toEqual({ type: 'connection_ack' });
    const { call } = edge.feed.sessions.at(-1) ?? {};
    expect(call).toMatchObject({
      caller: { tenantId: tenant.id, roles: ['AGENT'] },
      requestTarget: 'GET /graphql',
      recipientKeyId: null,
      ip: '127.0.0.1',
    });
  }
});

it('takes the client key from the header or from connection_init, and not two of them', async () => {
  const apiKey = tenant.keys.agent;
  const keyId = tenant.keyFile.key_id;
  const recipientOf = async (header: string | null, clientKey: string | undefined) => {
    const headers = header === null ? {} : { 'x-sealdesk-key': header };
    await using socket = await edge.connect({ headers });
    socket.send({ ...INIT, payload: { apiKey, clientKey } });
    await socket.next();
    return edge.feed.sessions.at(-1)?.call.recipientKeyId;
  };
  expect(await recipientOf(keyId, undefined)).toBe(keyId);
  expect(await recipientOf(null, keyId)).toBe(keyId);
  expect(await recipientOf(keyId, keyId)).toBe(keyId);

  await using socket = await edge.connect({ headers: { 'x-sealdesk-key': keyId } });
  socket.send({ ...INIT, payload: { apiKey, clientKey: createId('clientKey') } });
  expect(await socket.closed).toMatchObject({
    code: 4400,
    reason: expect.stringMatching(/^VALIDATION_FAILED /),
  });
});

it.each([
  ['no key', {}, undefined],
  ['an unknown key in a header', { 'x-api-key': 'sd_live_hunter2' }, undefined],
  ['an unknown key in connection_init', {}, { apiKey: 'sd_live_hunter2' }],
  ['a key that is no text', {}, { apiKey: { hunter2: 1 } }],
])('closes with 4401 where there is %s', async (_what, headers, payload) => {
  await using socket = await edge.connect({ headers });
  socket.send({ ...INIT, payload });
  const { code, reason } = await socket.closed;
  expect(code).toBe(4401);
  expect(reason).toMatch(/^UNAUTHENTICATED /);
  expect(reason).not.toContain('hunter2');
});

it('closes with 4401 where header and connection_init have different keys, good ones too', async () => {
  await using socket = await edge.connect({ headers: { 'x-api-key': tenant.keys.agent } });
  socket.send({ ...INIT, payload: { apiKey: tenant.keys.dashboard } });
  expect(await socket.closed).toMatchObject({ code: 4401 });
});

it.each([
  ['KEY_REVOKED', 4403],
  ['CLIENT_KEY_NOT_MAPPED', 4403],
  ['FORBIDDEN', 4403],
  ['SEALED_RESPONSE_REQUIRED', 4403],
  ['TOO_MANY_REQUESTS', 1013],
  ['AUDIT_UNAVAILABLE', 1013],
  ['INTERNAL', 1011],
] as const)('closes a connection that %s refuses, or ends, with %i and the reason', async (failure, code) => {
  const error = new SealdeskError(failure, 'Because.');
  edge.feed.sessionFailure = error;
  await using refused = await edge.connect();
  refused.send({ ...INIT, payload: { apiKey: tenant.keys.agent } });
  const closed = await refused.closed;
  edge.feed.sessionFailure = null;
  expect(closed).toEqual({ code, reason: `${failure} Because.` });

  await using ended = await edge.login(tenant.keys.agent);
  edge.feed.sessions.at(-1)?.onEnd(error);
  expect(await ended.closed).toEqual({ code, reason: `${failure} Because.` });
});

it('fits the reason into what a close may carry', async () => {
  await using socket = await edge.login(tenant.keys.agent);
  edge.feed.sessions.at(-1)?.onEnd(new SealdeskError('KEY_REVOKED', 'ä'.repeat(100)));
  const { reason } = await socket.closed;
  expect(reason).toBe(`KEY_REVOKED ${'ä'.repeat(55)}`);
});

it('gives up the session of a connection that is closed', async () => {
  const socket = await edge.login(tenant.keys.agent);
  const session = edge.feed.sessions.at(-1);
  expect(session?.disposed).toBe(false);
  socket.ws.close();
  await edge.feed.until(() => session?.disposed === true);
  expect(session?.call.signal.aborted).toBe(true);
});

it('closes a connection on which nobody logs in', async () => {
  await using impatient = await openEdge(gateway, { loginTimeoutMs: 20 });
  await using socket = await impatient.connect();
  expect(await socket.closed).toMatchObject({ code: 4408 });
});

it.each([
  ['another protocol', ['graphql-ws'], 4406],
  ['none', [], 4406],
])('closes a connection that wants %s', async (_what, protocols, code) => {
  // The client itself refuses an answer without one of its protocols.
  await using socket = await edge.connect({ protocols }).catch(() => edge.connect({ protocols: [] }));
  expect(await socket.closed).toMatchObject({ code });
});

it.each([
  ['a subscription before the login', { type: 'subscribe', id: '1', payload: { query: '{ a }' } }, 4401],
  ['an unknown message', { type: 'hello' }, 4400],
])('closes after %s', async (_what, message, code) => {
  await using socket = await edge.connect();
  socket.send(message);
  expect(await socket.closed).toMatchObject({ code });
});

it('closes after a message of more than 16 KiB', async () => {
  await using socket = await edge.login(tenant.keys.agent);
  socket.ws.send('x'.repeat(16_385));
  expect(await socket.closed).toMatchObject({ code: 1009 });
});

it('closes after a message in more than sixteen parts', async () => {
  await using socket = await edge.login(tenant.keys.agent);
  for (let part = 0; part < 17; part += 1) socket.ws.send('x', { fin: false });
  expect(await socket.closed).toMatchObject({ code: 1008 });
});

it('closes after a name that is given twice, however long it is', async () => {
  await using socket = await edge.login(tenant.keys.agent);
  const id = 'ä'.repeat(1_000);
  for (let time = 0; time < 2; time += 1) socket.subscribe(id, 'subscription { __typename }');
  const { code, reason } = await socket.closed;
  expect([code, reason.startsWith('Subscriber for ää'), Buffer.byteLength(reason)]).toEqual([
    4409,
    true,
    123,
  ]);
});

it.each([
  ['in connection_init', {}, '\u0000'],
  ['in connection_init, as no text', {}, { hunter2: 1 }],
  ['in the header', { 'x-sealdesk-key': 'hunter2' }, undefined],
])('closes with 4400 where what is sent %s is no id of a client key', async (_what, headers, clientKey) => {
  await using socket = await edge.connect({ headers });
  socket.send({ ...INIT, payload: { apiKey: tenant.keys.agent, clientKey } });
  expect(await socket.closed).toEqual({
    code: 4400,
    reason: 'VALIDATION_FAILED The client key must be the id of a client key.',
  });
});

it.each([
  ['a key in the URL', '?apiKey=hunter2', {}, 400, 'VALIDATION_FAILED'],
  ['anything else in the URL', '?a', {}, 400, 'VALIDATION_FAILED'],
  ['a page of an unlisted origin', '', { origin: 'https://evil.example' }, 403, 'FORBIDDEN'],
  ['a page without an origin of its own', '', { origin: 'null' }, 403, 'FORBIDDEN'],
  ['another path', '/../elsewhere', {}, 404, 'NOT_FOUND'],
])('refuses an upgrade from %s by HTTP', async (_what, suffix, headers, status, code) => {
  const { status: answered, json } = await refusedUpgrade(edge.socketUrl + suffix, headers);
  expect(answered).toBe(status);
  expect(json).toMatchObject({ errors: [{ extensions: { code } }] });
  expect(JSON.stringify(json)).not.toContain('hunter2');
});

it('lets in pages of a listed origin', async () => {
  await using socket = await edge.connect({ headers: { origin: 'https://desk.example' } });
  socket.send({ ...INIT, payload: { apiKey: tenant.keys.agent } });
  expect(await socket.next()).toEqual({ type: 'connection_ack' });
});

it('answers who asks for another protocol than WebSocket as if it had not', async () => {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const request = sendRequest(`${edge.url}/healthz`, { headers: { connection: 'upgrade', upgrade: 'h2c' } });
  request.on('response', (response) => {
    response.resume();
    resolve(response.statusCode);
  });
  request.on('error', reject);
  request.end();
  expect(await promise).toBe(200);
});

it('lets few of one address wait for their login at once, and others in when they have gone', async () => {
  await using crowded = await openEdge(gateway);
  await using sockets = new AsyncDisposableStack();
  for (let waiting = 0; waiting < 64; waiting += 1) sockets.use(await crowded.connect());
  expect(await refusedUpgrade(crowded.socketUrl)).toMatchObject({
    status: 429,
    json: { errors: [{ extensions: { code: 'TOO_MANY_REQUESTS', retryAfter: 5 } }] },
  });
  await sockets.disposeAsync();
  const loggedIn = [];
  for (let count = 0; count < 70; count += 1) loggedIn.push(await crowded.login(tenant.keys.agent));
  expect(crowded.tally.streams.websocket.connections).toBeGreaterThanOrEqual(70);
  for (const socket of loggedIn) await socket[Symbol.asyncDispose]();
});

it.each([
  ['sends no key', { type: 'connection_init' }],
  ['goes without a login', null],
])('counts against its address who %s', async (_what, message) => {
  const taken: (string | null)[] = [];
  await using counted = await openEdge(gateway, {
    services: { takeFromRate: ({ caller, ip }) => taken.push(caller === null ? ip : 'a key') },
  });
  const socket = await counted.connect();
  if (message === null) socket.ws.close();
  else socket.send(message);
  await socket.closed;
  await using other = await counted.login(tenant.keys.agent);
  expect(other.ws.readyState).toBe(other.ws.OPEN);
  expect(taken).toEqual(['127.0.0.1', 'a key']);
});

it('counts a login as a request of its key', async () => {
  const made = await gateway.graphql(
    'mutation { createApiKey(input: { name: "x", roles: [AGENT], requestsPerMinute: 1 }) { secret } }',
    { apiKey: tenant.keys.admin },
  );
  const apiKey = made.json.data.createApiKey.secret;
  await using first = await edge.login(apiKey);
  await using second = await edge.connect();
  second.send({ ...INIT, payload: { apiKey } });
  expect(await second.closed).toMatchObject({
    code: 1013,
    reason: expect.stringMatching(/^TOO_MANY_REQUESTS /),
  });
  expect(first.ws.readyState).toBe(first.ws.OPEN);
});
