/** The whole way from an appended change to a client, over both transports, and how rights that end are met there. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TicketFeedEvent } from '../../../src/service/index.ts';
import { type FeedDesk, openFeedDesk } from '../../feed/delivery/feed-desk.ts';
import { newestEvents } from '../../service/house.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { createTestApiKey, dataOf } from '../../support/tenant.ts';
import { type Edge, openEdge } from './edge.ts';
import type { TestSocket } from './test-socket.ts';

const FOLLOW = `subscription($id: ID!, $after: Cursor) { ticketChanges(integrationId: $id, after: $after) {
  type: __typename ... on TicketChange { cursor sequence occurredAt envelope }
  ... on FeedPosition { cursor sequence envelope } } }`;
const REVOKE_KEY = 'mutation($id: ID!) { revokeClientKey(keyId: $id) { clientKey { status } } }';
const REVOKE_API_KEY = 'mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }';

type Sent = Pick<TicketFeedEvent, 'cursor' | 'sequence' | 'envelope'> & { readonly type: string };

/** The desk's gateway behind a port. */
const listen = (desk: FeedDesk): Promise<Edge> =>
  openEdge(desk.gateway, { services: { openTicketSession: desk.gateway.services.openTicketSession } });

async function nextEvent(socket: TestSocket): Promise<Sent> {
  const { type, payload } = await socket.next();
  expect([type, payload]).toEqual(['next', expect.objectContaining({ data: expect.anything() })]);
  return payload.data.ticketChanges;
}

/** The events of a stream answer, each `next` parsed; `null` for `complete`. */
async function* eventsOf(response: Response): AsyncGenerator<ReturnType<typeof JSON.parse>, void> {
  let text = '';
  for await (const part of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const frame = text.slice(0, end);
      text = text.slice(end + 2);
      const data = /^event: next\ndata: (.*)$/.exec(frame)?.[1];
      if (data !== undefined) yield JSON.parse(data);
      else if (frame.startsWith('event: complete')) yield null;
    }
  }
}

function askStream(
  edge: Edge,
  apiKey: string,
  variables: Readonly<Record<string, unknown>>,
): Promise<Response> {
  return fetch(`${edge.url}/graphql`, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json', 'x-api-key': apiKey },
    body: JSON.stringify({ query: FOLLOW, variables }),
  });
}

describeOnBothDatabases('The change feed at the edge', (kind) => {
  let desk: FeedDesk;
  let edge: Edge;
  beforeAll(async () => {
    desk = await openFeedDesk(kind);
    edge = await listen(desk);
  });
  afterAll(async () => {
    await edge?.[Symbol.asyncDispose]();
    await desk?.[Symbol.asyncDispose]();
  });

  it('is the same over both transports, and goes on over either from a cursor of the other', async () => {
    const { tenant } = desk;
    const id = tenant.integrationId;
    await using socket = await edge.login(tenant.keys.dashboard);
    socket.subscribe('a', FOLLOW, { id });
    const stream = eventsOf(await askStream(edge, tenant.keys.agent, { id }));
    const position = await nextEvent(socket);
    expect(position).toMatchObject({ type: 'FeedPosition', sequence: 0 });
    expect((await stream.next()).value.data.ticketChanges).toMatchObject({
      type: 'FeedPosition',
      sequence: 0,
    });

    await desk.append(11, 12, 13);
    const overSocket = [await nextEvent(socket), await nextEvent(socket), await nextEvent(socket)];
    const overStream = [];
    for (let count = 0; count < 3; count += 1) {
      overStream.push((await stream.next()).value.data.ticketChanges);
    }
    expect(overStream).toEqual(overSocket);
    const opened = await Promise.all(overSocket.map(({ envelope }) => tenant.open(envelope)));
    expect(opened.map(({ value }) => value)).toMatchObject([
      { kind: 'CHANGED', ticket_id: 11 },
      { kind: 'CHANGED', ticket_id: 12 },
      { kind: 'CHANGED', ticket_id: 13 },
    ]);

    socket.subscribe('b', FOLLOW, { id, after: overSocket[1]?.cursor });
    expect(await nextEvent(socket)).toMatchObject({
      type: 'FeedPosition',
      cursor: overSocket[1]?.cursor,
      sequence: 3,
    });
    expect(await nextEvent(socket)).toEqual(overSocket[2]);
    await stream.return();
  });

  it('tells what is wrong with a cursor, and records the refusal', async () => {
    const { gateway, tenant } = desk;
    const id = tenant.integrationId;
    await using socket = await edge.login(tenant.keys.dashboard);
    socket.subscribe('a', FOLLOW, { id, after: 'hunter2' });
    const { type, payload } = await socket.next();
    expect(type).toBe('error');
    expect(payload).toMatchObject([
      { extensions: { code: 'VALIDATION_FAILED', fields: [{ path: 'after' }] } },
    ]);
    const refused = await askStream(edge, tenant.keys.dashboard, { id, after: 'hunter2' });
    expect(refused.status).toBe(400);
    const { extensions } = await refused.json();
    const events = await newestEvents(gateway, tenant.keys.auditor, 10);
    const ids = events
      .filter(({ denialReason }) => denialReason === 'VALIDATION_FAILED')
      .map((event) => event.id);
    expect(ids).toContain(extensions.auditEventId);
    expect(ids).toContain(payload[0].extensions.auditEventId);
    expect(JSON.stringify(payload)).not.toContain('hunter2');
  });

  it('is closed to callers without a client key, since nothing leaves in the clear', async () => {
    const { gateway, tenant } = desk;
    const apiKey = await createTestApiKey(gateway, tenant.keys.admin, {
      roles: ['DASHBOARD'],
      delivery: 'PLAINTEXT',
    });
    await using socket = await edge.connect();
    socket.send({ type: 'connection_init', payload: { apiKey } });
    expect(await socket.closed).toMatchObject({
      code: 4403,
      reason: expect.stringMatching(/^SEALED_RESPONSE_REQUIRED /),
    });
    await using named = await edge.connect();
    named.send({ type: 'connection_init', payload: { apiKey, clientKey: tenant.keyFile.key_id } });
    expect(await named.next()).toEqual({ type: 'connection_ack' });
  });

  it('ends for an API key that is revoked with 4401', async () => {
    const { gateway, tenant } = desk;
    const apiKey = await createTestApiKey(gateway, tenant.keys.admin, {
      roles: ['DASHBOARD'],
      clientKeyId: tenant.keyFile.key_id,
    });
    const viewer = await gateway.graphql('{ viewer { apiKey { id } } }', { apiKey });
    await using socket = await edge.login(apiKey);
    socket.subscribe('a', FOLLOW, { id: tenant.integrationId });
    await nextEvent(socket);
    dataOf(
      await gateway.graphql(REVOKE_API_KEY, {
        apiKey: tenant.keys.admin,
        variables: { id: viewer.json.data.viewer.apiKey.id },
      }),
    );
    expect(await socket.closed).toMatchObject({
      code: 4401,
      reason: expect.stringMatching(/^UNAUTHENTICATED /),
    });
  });

  it('ends for a client key that is revoked: a socket with 4403, a stream with its errors', async () => {
    const { gateway, tenant } = desk;
    const id = tenant.integrationId;
    await using socket = await edge.login(tenant.keys.dashboard);
    socket.subscribe('a', FOLLOW, { id });
    await nextEvent(socket);
    const stream = eventsOf(await askStream(edge, tenant.keys.agent, { id }));
    await stream.next();
    dataOf(
      await gateway.graphql(REVOKE_KEY, {
        apiKey: tenant.keys.admin,
        variables: { id: tenant.keyFile.key_id },
      }),
    );
    expect(await socket.closed).toMatchObject({ code: 4403, reason: expect.stringMatching(/^KEY_REVOKED /) });
    expect((await stream.next()).value).toMatchObject({ errors: [{ extensions: { code: 'KEY_REVOKED' } }] });
    expect((await stream.next()).value).toBeNull();
    expect((await stream.next()).done).toBe(true);
    await using again = await edge.connect();
    again.send({ type: 'connection_init', payload: { apiKey: tenant.keys.dashboard } });
    expect(await again.closed).toMatchObject({ code: 4403 });
  });
});
