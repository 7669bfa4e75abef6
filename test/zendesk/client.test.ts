import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createZendeskClient, openZendeskTransport } from '../../src/zendesk/index.ts';
import { CREATE, CREATE_ONCE, failureOf, openRig, READ, SECRET } from './rig.ts';
import { answer } from './scripted-server.ts';

describe('a call', () => {
  it('carries credential, accept and JSON headers, and its query encoded', async () => {
    await using rig = await openRig((_request, response) => answer(response, 201, { ticket: { id: 5 } }));
    await rig.client.request({
      ...CREATE_ONCE,
      query: { 'page[size]': 2, 'role[]': ['a', 'b'], q: 'a b&c=d+e', none: undefined },
    });
    const [request] = rig.server.received;
    expect(request?.url).toBe(
      '/api/v2/tickets.json?page%5Bsize%5D=2&role%5B%5D=a&role%5B%5D=b&q=a%20b%26c%3Dd%2Be',
    );
    expect(request?.headers).toMatchObject({
      authorization: `Bearer ${SECRET}`,
      accept: 'application/json',
      'content-type': 'application/json',
      'idempotency-key': 'key-1',
    });
    expect(JSON.parse(request?.body ?? '')).toEqual(CREATE.body);
  });

  it('gives back body, limits and what became of the idempotency key', async () => {
    await using rig = await openRig((_request, response) =>
      answer(
        response,
        201,
        { ticket: { id: 5 } },
        { 'x-idempotency-lookup': 'hit', 'X-Rate-Limit-Remaining': '3' },
      ),
    );
    const response = await rig.client.request(CREATE_ONCE);
    expect(response).toMatchObject({
      status: 201,
      body: { ticket: { id: 5 } },
      idempotencyLookup: 'hit',
      calls: 1,
      rateLimit: { remaining: 3 },
    });
  });

  it('reads a gzip body, and 204 as no body', async () => {
    await using rig = await openRig((request, response) => {
      if (request.method === 'DELETE') {
        response.writeHead(204).end();
        return;
      }
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end(gzipSync(JSON.stringify({ ticket: { subject: 'é' } })));
    });
    expect((await rig.client.request(READ)).body).toEqual({ ticket: { subject: 'é' } });
    const removed = await rig.client.request({
      method: 'DELETE',
      path: '/api/v2/tickets/1.json',
      mutation: true,
    });
    expect(removed.body).toBeNull();
  });

  it('gives up a gzip body that inflates beyond the limit', async () => {
    await using rig = await openRig(
      (_request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' });
        response.end(gzipSync(JSON.stringify({ text: 'x'.repeat(1_000_000) })));
      },
      { transportOptions: { maxResponseBytes: 100_000 } },
    );
    expect(await failureOf(rig.client.request(READ))).toMatchObject({ failure: 'OVERSIZE' });
  });

  it('leaves secrets out of what it gives back, at any depth', async () => {
    await using rig = await openRig((_request, response) =>
      answer(response, 200, {
        user: { id: 1, authenticity_token: 'a', deep: [{ access_token: 'b', name: 'n' }] },
      }),
    );
    const { body } = await rig.client.request(READ);
    expect(body).toEqual({ user: { id: 1, deep: [{ name: 'n' }] } });
  });

  it('reuses connections for calls that follow each other', async () => {
    const ports = new Set<number | undefined>();
    await using rig = await openRig((_request, response) => {
      ports.add(response.socket?.remotePort);
      answer(response, 200, {});
    });
    for (let index = 0; index < 20; index += 1) await rig.client.request(READ);
    expect(ports.size).toBeLessThan(3);
  });

  it.each([
    '',
    '/',
    '//evil.test/api/v2/x',
    'http://evil.test/api/v2/x',
    '/api/v2/../../x',
    '/api/v2//x',
    '/api/v2/tickets?x=1',
    '/api/v2/tickets/1#x',
    '/api/v2/tick ets',
    '/api/v2/tickets\\1',
    '/api/v2/%2e%2e/x',
    '/api/v2@evil.test',
    '/oauth/tokens',
  ])('to the path %j is misuse, and nothing is sent', async (path) => {
    await using rig = await openRig((_request, response) => answer(response, 200, {}));
    await expect(rig.client.request({ ...READ, path })).rejects.toThrow(TypeError);
    expect(rig.server.received).toEqual([]);
  });

  it('far from its deadline is not ended by a timer that overflows', async () => {
    await using rig = await openRig((_request, response) => answer(response, 200, {}));
    await rig.client.request({ ...READ, deadline: Number.MAX_SAFE_INTEGER });
    expect(Math.max(...rig.clock.waits)).toBeLessThan(2 ** 31);
  });

  it('writes neither credential nor customer text to the log', async () => {
    const lines: unknown[] = [];
    const write = (message: string, fields?: object): void => {
      lines.push(message, fields);
    };
    await using rig = await openRig(
      (_request, response, index) =>
        answer(
          response,
          index === 0 ? 500 : 200,
          { description: 'Jane Doe' },
          { 'x-zendesk-api-warn': 'Jane Doe' },
        ),
      { log: { debug: write, info: write, warn: write, error: write } },
    );
    await rig.client.request({ ...CREATE_ONCE, query: { query: 'Jane Doe' } });
    expect(lines).toContain('Zendesk call is tried again');
    expect(lines).toContain('Zendesk ignored part of a request');
    expect(JSON.stringify(lines)).not.toMatch(new RegExp(`Jane|drips|key-1|${SECRET}`));
  });

  it('leaves no timer behind', async () => {
    await using rig = await openRig((_request, response) => answer(response, 200, {}));
    await rig.client.request(READ);
    expect(rig.clock.pending).toBe(0);
  });
});

describe('a client', () => {
  it.each([
    'acme.zendesk.com',
    'https://acme.zendesk.com/',
    'https://acme.zendesk.com/api',
    'https://u:p@acme.zendesk.com',
  ])('refuses %j for an origin', async (origin) => {
    await using rig = await openRig((_request, response) => answer(response, 200, {}));
    await using transport = openZendeskTransport();
    const { clock } = rig;
    expect(() =>
      createZendeskClient({
        origin,
        transport,
        clock,
        limiter: { enter: async () => ({ leave: () => undefined }) },
        authorize: async () => ({ authorization: 'x' }),
        log: { debug() {}, info() {}, warn() {}, error() {} },
      }),
    ).toThrow(TypeError);
  });
});

describe('a transport', () => {
  it('can be disposed twice and refuses use afterwards', async () => {
    await using rig = await openRig((_request, response) => answer(response, 200, {}));
    const transport = openZendeskTransport();
    await transport[Symbol.asyncDispose]();
    await transport[Symbol.asyncDispose]();
    const sent = transport.send({
      origin: rig.server.origin,
      method: 'GET',
      path: '/',
      headers: {},
      signal: new AbortController().signal,
    });
    await expect(sent).rejects.toMatchObject({ sent: false });
  });
});
