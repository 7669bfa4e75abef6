/** Subscriptions as server-sent events, over a real connection. */
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SealdeskError } from '../../../src/base/index.ts';
import { openTestGateway, type TestGateway } from '../../support/gateway.ts';
import { createTestTenant, type TestTenant } from '../../support/tenant.ts';
import { type Edge, openEdge } from './edge.ts';
import { fakeChange, fakeEnvelope, fakePosition } from './fake-feed.ts';

let gateway: TestGateway;
let tenant: TestTenant;
beforeAll(async () => {
  gateway = await openTestGateway();
  tenant = await createTestTenant(gateway);
});
afterAll(() => gateway[Symbol.asyncDispose]());

const FOLLOW = `subscription($id: ID!) { ticketChanges(integrationId: $id) {
  ... on TicketChange { sequence envelope } ... on FeedPosition { position: sequence } } }`;

interface AskOptions {
  readonly query?: string;
  readonly apiKey?: string | null;
  readonly accept?: string;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

function ask(edge: Edge, options: AskOptions = {}): Promise<Response> {
  const { query = FOLLOW, apiKey = tenant.keys.agent, accept = 'text/event-stream', signal } = options;
  return fetch(`${edge.url}/graphql`, {
    method: 'POST',
    headers: {
      accept,
      'content-type': 'application/json',
      ...(apiKey === null ? {} : { 'x-api-key': apiKey }),
      ...options.headers,
    },
    body: JSON.stringify({ query, variables: { id: tenant.integrationId } }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** The frames of a stream as they come, each up to its empty line. */
async function* framesOf({ body }: Response): AsyncGenerator<string, void> {
  if (body === null) throw new Error('The answer has no body');
  let text = '';
  for await (const part of body.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      yield text.slice(0, end);
      text = text.slice(end + 2);
    }
  }
  expect(text).toBe('');
}

const resultOf = (frame: unknown) => JSON.parse(/^event: next\ndata: (.*)$/.exec(String(frame))?.[1] ?? '');

it('sends each result as an event, until the client goes', async () => {
  await using edge = await openEdge(gateway, { corsOrigins: ['https://desk.example'] });
  edge.feed.publish(fakePosition(4));
  const gone = new AbortController();
  const response = await ask(edge, { signal: gone.signal, headers: { origin: 'https://desk.example' } });
  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'access-control-allow-origin': 'https://desk.example',
  });
  const frames = framesOf(response);
  expect(resultOf((await frames.next()).value)).toEqual({ data: { ticketChanges: { position: 4 } } });
  const change = fakeChange(5);
  edge.feed.publish(change);
  expect(resultOf((await frames.next()).value)).toEqual({
    data: { ticketChanges: { sequence: 5, envelope: change.envelope } },
  });
  expect(edge.tally.streams.sse).toMatchObject({ connections: 1, subscriptions: 1, events: 2 });
  gone.abort();
  await edge.feed.until(() => edge.feed.sessions[0]?.disposed === true);
  expect(edge.feed.subscriptions[0]?.signal.aborted).toBe(true);
});

it('ends with a result of errors and `complete` where it fails later', async () => {
  await using edge = await openEdge(gateway);
  edge.feed.publish(fakePosition(0));
  const frames = framesOf(await ask(edge));
  await frames.next();
  edge.feed.fail(new SealdeskError('KEY_REVOKED', 'The key has ended.'));
  expect(resultOf((await frames.next()).value)).toMatchObject({
    errors: [
      {
        message: 'The key has ended.',
        extensions: { code: 'KEY_REVOKED', auditEventId: expect.stringMatching(/^aud_/) },
      },
    ],
  });
  expect((await frames.next()).value).toBe('event: complete\ndata:');
  expect((await frames.next()).done).toBe(true);
  await edge.feed.until(() => edge.feed.sessions[0]?.disposed === true);
});

it('answers a failure before the first result with its status, as any request', async () => {
  await using edge = await openEdge(gateway);
  edge.feed.refusal = new SealdeskError('CURSOR_EXPIRED', 'Too late.', { subject: 'c7' });
  const response = await ask(edge);
  expect(response.status).toBe(410);
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(await response.json()).toMatchObject({
    errors: [{ message: 'Too late.', extensions: { code: 'CURSOR_EXPIRED', subject: 'c7' } }],
    extensions: { auditEventId: expect.stringMatching(/^aud_/), requestId: expect.any(String) },
  });
  expect(edge.feed.sessions[0]?.disposed).toBe(true);

  edge.feed.refusal = null;
  edge.feed.fail(new SealdeskError('KMS_UNAVAILABLE', 'Not now.', { retryAfter: 3 }));
  const later = await ask(edge);
  expect([later.status, later.headers.get('retry-after')]).toEqual([503, '3']);
});

it.each([
  ['no key', { apiKey: null }, 401, 'UNAUTHENTICATED'],
  ['a wrong key', { apiKey: 'sd_live_hunter2' }, 401, 'UNAUTHENTICATED'],
  ['a document that is not valid', { query: 'subscription { nothing }' }, 400, 'VALIDATION_FAILED'],
  ['a client that takes no stream', { accept: 'application/json' }, 400, 'VALIDATION_FAILED'],
  ['a client that says it does not', { accept: 'text/event-stream;q=0' }, 400, 'VALIDATION_FAILED'],
] as const)('is refused with its status to %s', async (_what, options, status, code) => {
  await using edge = await openEdge(gateway);
  const response = await ask(edge, options);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ errors: [{ extensions: { code } }] });
  expect(edge.feed.subscriptions).toEqual([]);
});

it('leaves queries as they are, also of clients that take both', async () => {
  await using edge = await openEdge(gateway);
  for (const accept of ['application/json, text/event-stream, multipart/mixed', 'text/event-stream']) {
    const response = await ask(edge, { query: 'query subscription { viewer { tenant { id } } }', accept });
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toMatchObject({ data: { viewer: { tenant: { id: tenant.id } } } });
  }
});

it('writes comments while there is nothing else', async () => {
  await using edge = await openEdge(gateway, { times: { heartbeatMs: 5 } });
  edge.feed.publish(fakePosition(0));
  const frames = framesOf(await ask(edge));
  await frames.next();
  expect((await frames.next()).value).toBe(':');
  expect((await frames.next()).value).toBe(':');
});

it('is not cut by the time that a request may take', async () => {
  await using edge = await openEdge(gateway, {
    times: { headersTimeoutMs: 300, requestTimeoutMs: 500, checkIntervalMs: 20, heartbeatMs: 250 },
  });
  edge.feed.publish(fakePosition(0));
  const frames = framesOf(await ask(edge));
  await frames.next();
  for (let beat = 0; beat < 3; beat += 1) expect((await frames.next()).value).toBe(':');
});

it('pulls nothing for a client that does not read, and cuts it off after long', async () => {
  await using edge = await openEdge(gateway, { times: { heartbeatMs: 20, stallMs: 100 } });
  const big = fakeEnvelope(65_536);
  edge.feed.publish(...Array.from({ length: 1_000 }, (_, index) => fakeChange(index + 1, big)));
  const body = JSON.stringify({ query: FOLLOW, variables: { id: tenant.integrationId } });
  const socket = connect(edge.server.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(
    [
      'POST /graphql HTTP/1.1',
      'Host: x',
      'Accept: text/event-stream',
      'Content-Type: application/json',
      `X-API-Key: ${tenant.keys.agent}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
  await edge.feed.until(() => edge.feed.sessions[0]?.disposed === true);
  expect(edge.tally.streams.sse.slowConsumers).toBe(1);
  expect(edge.feed.subscriptions[0]?.pulled).toBeLessThan(500);
  socket.destroy();
});

it('ends with `complete` when the gateway stops', async () => {
  const edge = await openEdge(gateway);
  edge.feed.publish(fakePosition(0));
  const frames = framesOf(await ask(edge));
  await frames.next();
  const stopped = edge[Symbol.asyncDispose]();
  expect((await frames.next()).value).toBe('event: complete\ndata:');
  expect((await frames.next()).done).toBe(true);
  await stopped;
  expect(edge.tally.streams.sse).toMatchObject({ connections: 0, subscriptions: 0 });
});
