/** What each answer that is not a success becomes, and that nothing secret or of the customer is in it. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { ErrorCode, FieldIssue } from '../../src/base/index.ts';
import { upstreamOf, ZendeskError } from '../../src/zendesk/index.ts';
import { CREATE, failureOf, openRig, READ, SECRET } from './rig.ts';
import { answer } from './scripted-server.ts';

const CUSTOMER = 'Jane Doe <jane@customer.test>';

interface Case {
  readonly title: string;
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly code: ErrorCode;
  readonly token?: string;
  readonly fields?: readonly FieldIssue[];
}

const refused = 'was refused by Zendesk';

const CASES: readonly Case[] = [
  {
    title: 'error and description',
    status: 404,
    body: { error: 'RecordNotFound', description: CUSTOMER },
    code: 'NOT_FOUND',
    token: 'RecordNotFound',
  },
  {
    title: 'a missing feature',
    status: 404,
    body: { error: 'InvalidEndpoint', description: CUSTOMER },
    code: 'NOT_FOUND',
    token: 'InvalidEndpoint',
  },
  { title: 'an empty 404', status: 404, body: '', code: 'NOT_FOUND' },
  {
    title: 'an unknown subdomain',
    status: 404,
    body: { error: { title: 'No help desk at x.zendesk.com', message: CUSTOMER } },
    code: 'UPSTREAM_UNAVAILABLE',
  },
  {
    title: 'title and message',
    status: 403,
    body: { error: { title: 'Forbidden', message: CUSTOMER } },
    code: 'UPSTREAM_FORBIDDEN',
    token: 'Forbidden',
  },
  { title: 'an HTML 403', status: 403, body: `<html>${CUSTOMER}</html>`, code: 'UPSTREAM_FORBIDDEN' },
  {
    title: 'a list of errors',
    status: 400,
    body: { errors: [{ code: 'InvalidPaginationDepth', title: CUSTOMER, detail: CUSTOMER }] },
    code: 'UPSTREAM_REJECTED',
    token: 'InvalidPaginationDepth',
  },
  {
    title: 'a sentence for an error',
    status: 401,
    body: { error: "Couldn't authenticate you" },
    code: 'UPSTREAM_UNAUTHENTICATED',
  },
  {
    title: 'an OAuth error',
    status: 401,
    body: { error: 'invalid_token', error_description: CUSTOMER },
    code: 'UPSTREAM_UNAUTHENTICATED',
    token: 'invalid_token',
  },
  {
    title: 'refused fields',
    status: 422,
    body: {
      error: 'RecordInvalid',
      description: CUSTOMER,
      details: {
        base: [
          {
            description: CUSTOMER,
            error: 'BlankValue',
            ticket_field_id: 21414565,
            ticket_field_type: 'FieldDescription',
          },
        ],
        requester: [{ description: CUSTOMER }],
        email: [{ description: CUSTOMER, error: 'DuplicateValue' }],
        [CUSTOMER]: [{ description: CUSTOMER, error: CUSTOMER }],
        status: CUSTOMER,
      },
    },
    code: 'UPSTREAM_REJECTED',
    token: 'RecordInvalid',
    fields: [
      { path: 'base.ticket_fields.21414565', message: refused, token: 'BlankValue' },
      { path: 'requester', message: refused },
      { path: 'email', message: refused, token: 'DuplicateValue' },
      { path: 'unnamed', message: refused },
      { path: 'status', message: refused },
    ],
  },
  {
    title: 'a safe update that came late',
    status: 409,
    body: { error: 'UpdateConflict', description: CUSTOMER },
    code: 'CONFLICT',
    token: 'UpdateConflict',
  },
  {
    title: 'an idempotency key with other content',
    status: 400,
    body: { error: 'IdempotentRequestError', description: CUSTOMER },
    code: 'CONFLICT',
    token: 'IdempotentRequestError',
  },
  { title: 'too large', status: 413, body: CUSTOMER, code: 'UPSTREAM_REJECTED' },
  { title: 'missing headers', status: 415, body: '', code: 'UPSTREAM_REJECTED' },
  { title: 'malformed', status: 400, body: CUSTOMER, code: 'UPSTREAM_REJECTED' },
  {
    title: 'a redirect',
    status: 302,
    body: '',
    headers: { location: 'http://127.0.0.1:9/' },
    code: 'UPSTREAM_UNAVAILABLE',
  },
  {
    title: 'the edge',
    status: 429,
    body: { status: '429', title: 'Automated response', detail: CUSTOMER },
    headers: { 'retry-after': '900' },
    code: 'UPSTREAM_RATE_LIMITED',
  },
  {
    title: 'text on 429',
    status: 429,
    body: CUSTOMER,
    headers: { 'retry-after': '900' },
    code: 'UPSTREAM_RATE_LIMITED',
  },
  {
    title: 'maintenance',
    status: 503,
    body: `<html>${CUSTOMER}`,
    headers: { 'retry-after': '900' },
    code: 'UPSTREAM_RATE_LIMITED',
  },
  { title: 'a failure', status: 500, body: `<html>${CUSTOMER}`, code: 'UPSTREAM_UNAVAILABLE' },
  { title: 'a gateway time-out', status: 504, body: '', code: 'UPSTREAM_UNAVAILABLE' },
  {
    title: 'HTML in place of JSON',
    status: 200,
    body: `<html>${CUSTOMER}</html>`,
    code: 'UPSTREAM_UNAVAILABLE',
  },
  {
    title: 'half a body',
    status: 200,
    body: `{"ticket":{"subject":"${CUSTOMER}`,
    code: 'UPSTREAM_UNAVAILABLE',
  },
  { title: 'no body', status: 200, body: '', code: 'UPSTREAM_UNAVAILABLE' },
  { title: 'a bare string', status: 200, body: JSON.stringify(CUSTOMER), code: 'UPSTREAM_UNAVAILABLE' },
  { title: 'a list', status: 200, body: [CUSTOMER], code: 'UPSTREAM_UNAVAILABLE' },
  {
    title: 'absurd nesting',
    status: 200,
    body: `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    code: 'UPSTREAM_UNAVAILABLE',
  },
];

describe('an answer that is not a success', () => {
  it.each(CASES)('of the kind "$title" ($status) becomes $code', async ({
    status,
    body,
    headers,
    code,
    token,
    fields,
  }) => {
    await using rig = await openRig((_request, response) =>
      answer(response, status, body as string, headers),
    );
    const error = await failureOf(rig.client.request(READ));
    expect(error.code).toBe(code);
    expect(error.details.upstreamStatus).toBe(status);
    expect(error.details.upstreamError).toBe(token);
    expect(error.details.fields).toEqual(fields);
    expect(error.details.mutation).toBeUndefined();
  });

  it.each(CASES)('of the kind "$title" ($status) keeps its words out of text, JSON and inspection', async ({
    status,
    body,
    headers,
  }) => {
    await using rig = await openRig((_request, response) =>
      answer(response, status, body as string, headers),
    );
    const error = await failureOf(rig.client.request(CREATE));
    const seen = [
      JSON.stringify(error),
      inspect(error, { depth: 20, showHidden: true }),
      String(error),
      error.stack,
    ].join();
    expect(seen).not.toContain('Jane');
    expect(seen).not.toContain(SECRET);
    expect(seen).not.toContain('drips');
  });

  it('keeps its words for the caller, also under another code and after details were added', async () => {
    const body = { error: 'RecordInvalid', description: CUSTOMER, access_token: 'x' };
    await using rig = await openRig((_request, response) => answer(response, 422, body));
    const error = (await failureOf(rig.client.request(CREATE))).with({ intentId: 'aud_1' });
    expect(upstreamOf(error)).toEqual({
      status: 422,
      body: { error: 'RecordInvalid', description: CUSTOMER },
      truncated: false,
    });
    expect(error).toBeInstanceOf(ZendeskError);
    expect(error.details).toMatchObject({ intentId: 'aud_1', mutation: 'NOT_SENT', upstreamStatus: 422 });
    expect(upstreamOf(new Error('another'))).toBeNull();
  });

  it('is kept up to a bound only', async () => {
    await using rig = await openRig((_request, response) => answer(response, 400, 'x'.repeat(1_000_000)));
    const upstream = upstreamOf(await failureOf(rig.client.request(READ)));
    expect(upstream?.truncated).toBe(true);
    expect(String(upstream?.body).length).toBe(64 * 1024);
  });
});

describe('a redirect', () => {
  it.each([
    301, 302, 303, 307, 308,
  ])('with %i is not followed, and nothing is sent to where it points', async (status) => {
    await using other = await openRig((_request, response) => answer(response, 200, { ticket: { id: 1 } }));
    await using rig = await openRig((_request, response) =>
      answer(response, status, '', { location: `${other.server.origin}/api/v2/tickets/1.json` }),
    );
    const read = await failureOf(rig.client.request(READ));
    const change = await failureOf(rig.client.request(CREATE));
    expect(read).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', failure: 'REDIRECTED' });
    expect(change.details.mutation).toBe('NOT_SENT');
    expect(other.server.received).toEqual([]);
    expect(JSON.stringify(read)).not.toContain(other.server.origin);
  });
});

describe('a refused change', () => {
  it.each([
    400, 401, 403, 404, 409, 413, 415, 422, 429,
  ])('with %i says that nothing was changed', async (status) => {
    await using rig = await openRig((_request, response) =>
      answer(response, status, { error: 'Some' }, { 'retry-after': '900' }),
    );
    const error = await failureOf(rig.client.request(CREATE));
    expect(error.details.mutation).toBe('NOT_SENT');
    expect(rig.server.received).toHaveLength(1);
  });
});
