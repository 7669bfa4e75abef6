import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createId, parseBase64Url } from '../../src/base/index.ts';
import {
  EnvelopeOpenError,
  GATEWAY_LIMITS,
  GatewayAnswerError,
  generateClientKey,
  SEALED_HEADERS,
  sealedFetch,
  type WelcomedClientKey,
} from '../../src/client/index.ts';
import { ENVELOPE_LIMITS } from '../../src/envelope/index.ts';
import { API_KEY } from './fake-gateway.ts';
import {
  createSealingGateway,
  PLAINTEXT,
  type SealingGateway,
  sealed,
  URL_OF_GATEWAY,
} from './sealing-gateway.ts';

const GRAPHQL = `${URL_OF_GATEWAY}/graphql`;
const OUTBOUND = `${URL_OF_GATEWAY}/api/v2/proxy/outbound`;
const BODY = '{"query":"{ ticket { subject } }"}';
const refusal = new EnvelopeOpenError();

let gateway: SealingGateway;
let other: SealingGateway;
let fetch: typeof globalThis.fetch;

beforeAll(async () => {
  gateway = await createSealingGateway();
  other = await createSealingGateway();
  fetch = sealedFetch(gateway.clientKey, { fetch: (input, init) => gateway.fetch(input, init) });
});

beforeEach(() => {
  gateway.answer = null;
  gateway.received.length = 0;
});

const post = (url = GRAPHQL, init: RequestInit = {}) => fetch(url, { method: 'POST', body: BODY, ...init });

describe('a request by sealedFetch', () => {
  it('is answered by an ordinary Response with the plaintext', async () => {
    const response = await post();
    expect(response).toBeInstanceOf(Response);
    expect([response.status, response.ok]).toEqual([200, true]);
    expect(response.headers.get('content-type')).toBe('application/graphql-response+json');
    expect(response.headers.get(SEALED_HEADERS.auditEventId)).toMatch(/^aud_/);
    expect(response.headers.get(SEALED_HEADERS.transcript)).toMatch(/^[\w-]{43}$/);
    expect(await response.text()).toBe(PLAINTEXT);
  });

  it('says that it wants a sealed answer, to whom, and in answer to what', async () => {
    const own = sealedFetch(gateway.clientKey, { fetch: gateway.fetch, apiKey: API_KEY });
    const headers = { 'content-type': 'application/json', 'x-request-id': 'mine', 'x-sealdesk-nonce': 'x' };
    await own(GRAPHQL, { method: 'POST', body: BODY, headers });
    await own(GRAPHQL, { method: 'POST', body: BODY });
    const [first, second] = gateway.received;
    expect(first?.headers.get('accept')).toContain('application/vnd.sealdesk.envelope+json');
    expect(first?.headers.get('x-sealdesk-key')).toBe(gateway.clientKey.keyId);
    expect(first?.headers.get('x-api-key')).toBe(API_KEY);
    expect(first?.headers.get('x-request-id')).toBe('mine');
    expect(first?.headers.get('content-type')).toBe('application/json');
    expect(first?.redirect).toBe('error');
    const nonces = [first, second].map((request) => request?.headers.get('x-sealdesk-nonce') ?? '');
    expect(nonces.map((nonce) => parseBase64Url(nonce)?.length)).toEqual([32, 32]);
    expect(nonces[0]).not.toBe(nonces[1]);
  });

  it('sends no API key that it was not given', async () => {
    await post();
    expect(gateway.received[0]?.headers.has('x-api-key')).toBe(false);
  });

  const bytes = new TextEncoder().encode(BODY);
  it.each<[string, () => [string | URL | Request, RequestInit?]]>([
    ['text', () => [GRAPHQL, { method: 'POST', body: BODY }]],
    ['bytes, to a URL', () => [new URL(GRAPHQL), { method: 'POST', body: bytes }]],
    ['a Request', () => [new Request(GRAPHQL, { method: 'POST', body: BODY })]],
    [
      'a Request, its body replaced',
      () => [new Request(GRAPHQL, { method: 'POST', body: 'x' }), { body: BODY }],
    ],
    ['a Blob', () => [GRAPHQL, { method: 'POST', body: new Blob([bytes]) }]],
    ['nothing', () => [GRAPHQL, { method: 'POST' }]],
  ])('binds the exact body when that is %s', async (name, createInput) => {
    const response = await fetch(...createInput());
    expect(await response.text()).toBe(PLAINTEXT);
    expect(new TextDecoder().decode(gateway.received[0]?.body)).toBe(name === 'nothing' ? '' : BODY);
  });

  it.each([
    ['application/json', 'application/json'],
    ['application/json; charset=utf-8', 'application/json'],
    ['application/graphql-response+json, application/json;q=0.9', 'application/graphql-response+json'],
    ['*/*', 'application/graphql-response+json'],
  ])('accepting %s gets a Response of type %s', async (accept, type) => {
    const response = await post(GRAPHQL, { headers: { accept } });
    expect(response.headers.get('content-type')).toBe(type);
  });

  it('over REST is answered with the type that was sealed, also where the envelope comes as plain JSON', async () => {
    gateway.answer = async (received) => Response.json(await gateway.seal(received, '{"ticket":1}'));
    const response = await post(OUTBOUND);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({ ticket: 1 });
  });

  it('shows a sealed failure with its status and how long to wait', async () => {
    gateway.answer = async (received) =>
      sealed(await gateway.seal(received, '{"errors":[{"message":"No."}]}'), 429, { 'retry-after': '7' });
    const response = await post();
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '7']);
    expect(await response.json()).toEqual({ errors: [{ message: 'No.' }] });
    gateway.answer = async (received) =>
      sealed(await gateway.seal(received, '{"success":false}', { purpose: 'proxy.error' }), 422);
    expect((await post(OUTBOUND)).status).toBe(422);
  });

  it('reaches a gateway behind a prefix, which is asked and answers without it', async () => {
    const own = sealedFetch(gateway.clientKey, { fetch: gateway.fetch, url: `${URL_OF_GATEWAY}/base` });
    expect((await own(`${URL_OF_GATEWAY}/base/graphql`, { method: 'POST', body: BODY })).ok).toBe(true);
    expect(gateway.received[0]?.claims.request_target).toBe('POST /graphql');
    await expect(own(GRAPHQL, { method: 'POST' })).rejects.toThrow(TypeError);
  });

  it.each<[string, string, RequestInit]>([
    ['GET', GRAPHQL, { method: 'GET' }],
    ['PUT', GRAPHQL, { method: 'PUT', body: BODY }],
    ['another route', `${URL_OF_GATEWAY}/api/v2/vault/seal`, { method: 'POST', body: BODY }],
    ['a longer path', `${GRAPHQL}/`, { method: 'POST', body: BODY }],
    ['another origin', 'https://elsewhere.example/graphql', { method: 'POST', body: BODY }],
    ['another scheme', 'http://sealdesk.example/graphql', { method: 'POST', body: BODY }],
    ['a packed body', GRAPHQL, { method: 'POST', body: BODY, headers: { 'content-encoding': 'gzip' } }],
  ])('is not sent at all for %s', async (_name, url, init) => {
    await expect(fetch(url, init)).rejects.toThrow(TypeError);
    expect(gateway.received).toHaveLength(0);
  });

  it('is not sent over clear http to another machine unless that is allowed', async () => {
    const url = 'http://10.0.0.7:4000';
    const send = (insecureHttp: boolean) =>
      sealedFetch(gateway.clientKey, { fetch: gateway.fetch, url, insecureHttp })(`${url}/graphql`, {
        method: 'POST',
        body: BODY,
      });
    await expect(send(false)).rejects.toThrow(/10\.0\.0\.7.*clear/);
    expect(gateway.received).toHaveLength(0);
    expect((await send(true)).ok).toBe(true);
  });

  it('needs a key that a gateway has welcomed', async () => {
    const fresh = (await generateClientKey()) as unknown as WelcomedClientKey;
    expect(() => sealedFetch(fresh, { url: URL_OF_GATEWAY })).toThrow(TypeError);
  });

  it('stops when its signal is aborted, before and while it waits', async () => {
    await expect(post(GRAPHQL, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
    const controller = new AbortController();
    gateway.answer = async (received) => {
      controller.abort(new Error('enough'));
      return sealed(await gateway.seal(received, PLAINTEXT));
    };
    await expect(post(GRAPHQL, { signal: controller.signal })).rejects.toThrow('enough');
  });
});

describe('an answer is refused', () => {
  it('when it was swapped with that of another request under way', async () => {
    const waiting = new Map<string, (response: Response) => void>();
    const { promise: both, resolve: arrived } = Promise.withResolvers<void>();
    const envelopes: string[] = [];
    gateway.answer = async (received) => {
      const body = new TextDecoder().decode(received.body);
      envelopes.push(JSON.stringify(await gateway.seal(received, `{"data":"${body}"}`)));
      const { promise, resolve } = Promise.withResolvers<Response>();
      waiting.set(body, resolve);
      if (waiting.size === 2) arrived();
      return promise;
    };
    const answers = Promise.allSettled([post(GRAPHQL, { body: 'a' }), post(GRAPHQL, { body: 'b' })]);
    await both;
    const [first, second] = [...waiting.values()];
    first?.(sealed(envelopes[1]));
    second?.(sealed(envelopes[0]));
    for (const answer of await answers) expect(answer).toMatchObject({ status: 'rejected', reason: refusal });
  });

  it('when it is a replay of the same request', async () => {
    let first: string | undefined;
    gateway.answer = async (received) => {
      first ??= JSON.stringify(await gateway.seal(received, PLAINTEXT));
      return sealed(first);
    };
    expect((await post()).ok).toBe(true);
    await expect(post()).rejects.toStrictEqual(refusal);
  });

  it.each([
    ['another nonce', { client_nonce: 'AAAAAAAAAAAAAAAAAAAAAA' }],
    ['no nonce', { client_nonce: undefined }],
    ['another body', { request_sha256: 'A'.repeat(43) }],
    ['no body', { request_sha256: undefined }],
    ['another route', { request_target: 'POST /api/v2/proxy/outbound' }],
    ['no route', { request_target: undefined }],
    ['another purpose', { purpose: 'proxy.result' }],
    ['an entry of the feed', { purpose: 'export.part' }],
    ['another tenant', { tenant_id: createId('tenant') }],
    ['another key', { recipient_key_id: createId('clientKey') }],
  ] as const)('that speaks of %s', async (_name, change) => {
    gateway.answer = async (received) => {
      const claims = Object.entries({ ...received.claims, ...change }).filter(
        ([, value]) => value !== undefined,
      );
      return sealed(await gateway.fake.seal(PLAINTEXT, Object.fromEntries(claims)));
    };
    await expect(post()).rejects.toStrictEqual(refusal);
  });

  it('when it is sealed to another key', async () => {
    gateway.answer = async (received) => sealed(await other.seal(received, PLAINTEXT));
    await expect(post()).rejects.toStrictEqual(refusal);
  });

  it('when any byte of it is changed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 127 }), async (place, mask) => {
        gateway.answer = async (received) => {
          const text = new TextEncoder().encode(JSON.stringify(await gateway.seal(received, PLAINTEXT)));
          text[place % text.length] = (text[place % text.length] as number) ^ mask;
          return new Response(text, {
            headers: { 'content-type': 'application/vnd.sealdesk.envelope+json' },
          });
        };
        const error = await post().catch((reason: unknown) => reason);
        // What is no JSON any more has nothing to do with an envelope.
        expect(error instanceof EnvelopeOpenError || error instanceof GatewayAnswerError).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('when its status says success and what is sealed a failure, or the other way round', async () => {
    gateway.answer = async (received) =>
      sealed(await gateway.seal(received, '{}', { purpose: 'proxy.error' }), 200);
    await expect(post(OUTBOUND)).rejects.toStrictEqual(refusal);
    // Of a graph, too, nobody can make a success look like a failure.
    gateway.answer = async (received) => sealed(await gateway.seal(received, PLAINTEXT), 503);
    await expect(post()).rejects.toEqual(refusal);
    gateway.answer = async (received) => sealed(await gateway.seal(received, '{}'), 422);
    await expect(post(OUTBOUND)).rejects.toStrictEqual(refusal);
  });

  it('when it says that it is sealed and is not', async () => {
    gateway.answer = async () => sealed({ errors: [{ message: 'No.' }] }, 400);
    await expect(post()).rejects.toStrictEqual(refusal);
  });

  it('when it is longer than any envelope, without being read to its end', async () => {
    const MEBIBYTE = new Uint8Array(1024 * 1024).fill(0x20);
    let pulled = 0;
    let cancelled = false;
    gateway.answer = async () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            pulled += MEBIBYTE.length;
            controller.enqueue(MEBIBYTE);
          },
          cancel() {
            cancelled = true;
          },
        }),
      );
    await expect(post()).rejects.toThrow(GatewayAnswerError);
    expect(cancelled).toBe(true);
    expect(pulled).toBeLessThan(ENVELOPE_LIMITS.maxText + 4 * MEBIBYTE.length);
  });
});

describe('an answer in the clear', () => {
  const answerWith = (value: unknown, status = 400): void => {
    gateway.answer = async () => Response.json(value, { status });
  };

  it('is passed on as far as it tells of a failure', async () => {
    const error = {
      message: 'No.',
      path: ['a'],
      locations: [{ line: 1, column: 1 }],
      extensions: { code: 'X' },
    };
    answerWith(
      { data: null, errors: [{ ...error, ticket: 1 }], extensions: { requestId: 'r' }, ticket: 1 },
      403,
    );
    const response = await post();
    expect(response.status).toBe(403);
    expect(response.headers.get(SEALED_HEADERS.auditEventId)).toBeNull();
    expect(await response.json()).toEqual({ errors: [error], extensions: { requestId: 'r' } });
  });

  it('keeps members of a failure in their own form only', async () => {
    const extensions = {
      ...{ code: 'VALIDATION_FAILED', retryable: false, retryAfter: 3, subject: 'int_1' },
      fields: [{ path: 'input.subject', message: 'is required' }],
    };
    const error = { message: 'No.', extensions };
    const told = {
      ...extensions,
      ...{ ticket: { subject: 'forged' }, mutation: { forged: true }, auditEventId: ['forged'] },
    };
    answerWith(
      { errors: [{ ...error, path: [{ forged: 1 }], extensions: told }], extensions: { a: { b: 1 } } },
      400,
    );
    expect(await (await post()).json()).toEqual({ errors: [error] });
    answerWith(
      { errors: [{ message: 'No.', extensions: { fields: [{ path: 'a', message: 'b', ticket: 1 }] } }] },
      400,
    );
    expect(await (await post()).json()).toEqual({ errors: [{ message: 'No.' }] });
  });

  it('over REST too', async () => {
    const failure = {
      success: false,
      error: { code: 'FORBIDDEN', message: 'No.', details: { retryable: false } },
      meta: { request_id: 'r', audit_event_id: null },
    };
    answerWith({ ...failure, error: { ...failure.error, ticket: 1 }, ticket: 1 }, 403);
    expect(await (await post(OUTBOUND)).json()).toEqual(failure);
  });

  it.each<[string, string, unknown, number]>([
    ['data', GRAPHQL, { data: { ticket: 1 } }, 200],
    ['data beside errors', GRAPHQL, { data: { ticket: 1 }, errors: [{ message: 'No.' }] }, 200],
    ['data that is empty', GRAPHQL, { data: {}, errors: [{ message: 'No.' }] }, 200],
    ['a list', GRAPHQL, [{ data: { ticket: 1 } }], 200],
    ['a ticket over REST', OUTBOUND, { success: true, data: { ticket: 1 } }, 200],
    ['a ticket in a failure', OUTBOUND, { success: false, data: 1, error: { code: 'X', message: '' } }, 400],
    ['a ticket alone', OUTBOUND, { ticket: 1 }, 200],
  ])('with %s is refused and says why', async (_name, url, value, status) => {
    answerWith(value, status);
    await expect(post(url)).rejects.toThrow(/data in the clear/);
  });

  it.each<[string, string, () => Response]>([
    ['nothing', GRAPHQL, () => Response.json({})],
    ['no error', GRAPHQL, () => Response.json({ errors: [] })],
    ['errors that are no list', GRAPHQL, () => Response.json({ errors: 'all' })],
    ['an error without a message', GRAPHQL, () => Response.json({ errors: [{}] })],
    ['a failure without a code', OUTBOUND, () => Response.json({ success: false, error: {} })],
    ['a page', GRAPHQL, () => new Response('<html>', { status: 502 })],
    ['no body', GRAPHQL, () => new Response(null, { status: 204 })],
    ['a redirect', GRAPHQL, () => new Response('{}', { status: 307, headers: { location: '/' } })],
    [
      'an endless failure',
      GRAPHQL,
      () => Response.json({ errors: [{ message: ' '.repeat(GATEWAY_LIMITS.maxAnswer) }] }),
    ],
  ])('with %s is no answer', async (_name, url, answer) => {
    gateway.answer = async () => answer();
    await expect(post(url)).rejects.toThrow(GatewayAnswerError);
  });
});
