/** The SDK without an API key: each request and each connection is signed by the client key itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ClientOptions,
  clientKeyFromFile,
  createClient,
  encodeKeyFile,
  type FeedState,
  type SealdeskClient,
  subscribeTicketChanges,
  type WelcomedKeyFile,
} from '../../src/client/index.ts';
import { TestSocket } from '../server/stream/test-socket.ts';
import { MovableClock } from '../service/house.ts';
import { mapKey, openLoginKey, signToken } from '../support/login.ts';
import { createTestApiKey, dataOf, openTestClientKey } from '../support/tenant.ts';
import { type LiveGateway, openLiveGateway } from './feed/live-gateway.ts';
import { TRANSPORTS, take } from './feed/rig.ts';

const TICKETS = 'query ($id: ID!) { integration(id: $id) { tickets(first: 2) { nodes { subject } } } }';
const REVOKE = 'mutation($id: ID!) { revokeClientKey(keyId: $id) { clientKey { status } } }';
const HOUR = 3_600_000;

const resources = new AsyncDisposableStack();
/** The gateway's; its feed keeps the database's time, as clients keep their own. */
const clock = new MovableClock();
let live: LiveGateway;
beforeAll(async () => {
  live = resources.use(await openLiveGateway({ clock }));
}, 120_000);
afterAll(() => resources.disposeAsync());

const openKey = (login: object = { roles: ['AGENT'] }): Promise<WelcomedKeyFile> =>
  openLoginKey(live.listening.gateway, live.tenant.keys.admin, login);

async function openClient(
  keyFile: WelcomedKeyFile,
  options: Partial<ClientOptions> = {},
): Promise<SealdeskClient> {
  const clientKey = await clientKeyFromFile(encodeKeyFile(keyFile));
  if (clientKey.state !== 'WELCOMED') throw new TypeError('The key of a test is welcomed');
  return createClient({ url: live.listening.url, clientKey, now: () => clock.now(), ...options });
}

describe('a client without an API key', () => {
  it('reads and writes what its key’s login was granted, each request by a token of its own', async () => {
    const { tenant } = live;
    const tokens: string[] = [];
    const client = await openClient(await openKey(), {
      fetch(input, init) {
        const headers = new Headers(init?.headers);
        expect(headers.has('x-api-key')).toBe(false);
        expect(String(input)).toBe(`${live.listening.url}/graphql`);
        tokens.push(headers.get('authorization') ?? '');
        return fetch(input, init);
      },
    });
    for (let time = 0; time < 2; time += 1) {
      const { data, errors, auditEventId } = await client.request<{
        integration: { tickets: { nodes: readonly object[] } };
      }>(TICKETS, { id: tenant.integrationId });
      expect(errors).toBeUndefined();
      expect(data?.integration.tickets.nodes).toHaveLength(2);
      expect(auditEventId).toMatch(/^aud_/);
    }
    expect(tokens.every((token) => /^Bearer [\w-]+\.[\w-]+\.[\w-]+$/.test(token))).toBe(true);
    expect(new Set(tokens).size).toBe(2);
  });

  it('is told by the gateway that its key may not log in', async () => {
    const { listening, tenant } = live;
    const { admin } = tenant.keys;
    const client = await openClient(await openTestClientKey(listening.gateway, admin, admin));
    const { errors } = await client.request(TICKETS, { id: tenant.integrationId });
    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining('mapClientKey'),
      extensions: { code: 'FORBIDDEN' },
    });
  });

  it('signs nothing where the request logs in by headers of its own, nor where it is told not to', async () => {
    const { listening, tenant } = live;
    const keyFile = await openKey();
    const seen: Headers[] = [];
    const noting: Pick<ClientOptions, 'fetch'> = {
      fetch(input, init) {
        seen.push(new Headers(init?.headers));
        return fetch(input, init);
      },
    };
    const body = JSON.stringify({ query: TICKETS, variables: { id: tenant.integrationId } });
    const apiKey = await createTestApiKey(listening.gateway, tenant.keys.admin, { roles: ['DASHBOARD'] });
    const client = await openClient(keyFile, noting);
    const answer = await client.fetch(`${listening.url}/graphql`, {
      ...{ method: 'POST', body },
      headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
    });
    expect((await answer.json()).errors).toBeUndefined();
    expect(seen[0]?.get('authorization')).toBe(`Bearer ${apiKey}`);
    const silent = await openClient(keyFile, { ...noting, login: 'NONE' });
    const { errors } = await silent.request(TICKETS, { id: tenant.integrationId });
    expect(errors?.[0]?.extensions?.['code']).toBe('UNAUTHENTICATED');
    expect(seen[1]?.has('authorization')).toBe(false);
  });
});

describe.each(TRANSPORTS)('a client without an API key over %s', (transport) => {
  it('follows what changes, and its login dies with its key', async () => {
    const { listening, tenant, createTicket } = live;
    const keyFile = await openKey({ roles: ['DASHBOARD'], allowedOperations: ['subscribe_tickets'] });
    const client = await openClient(keyFile);
    const { integrationId } = tenant;
    await using changes = subscribeTicketChanges({ client, integrationId, transport });
    await changes.ready();
    const id = createTicket('Signed');
    const [first] = await take(changes, 1);
    expect(first?.content).toMatchObject({ kind: 'CHANGED', ticket_id: id });
    const waiting = changes.next();
    const ended = expect(waiting).rejects.toMatchObject({ code: 'KEY_REVOKED' });
    dataOf(
      await listening.gateway.graphql(REVOKE, {
        apiKey: tenant.keys.admin,
        variables: { id: keyFile.key_id },
      }),
    );
    await ended;
  });

  it('is refused for good where its key may not log in', async () => {
    const { listening, tenant } = live;
    const { admin } = tenant.keys;
    const keyFile = await openTestClientKey(listening.gateway, admin, null);
    const refusal = async (): Promise<unknown> => {
      const { integrationId } = tenant;
      const client = await openClient(keyFile);
      const changes = subscribeTicketChanges({ client, integrationId, transport });
      return changes.next().then(
        () => null,
        (error: unknown) => Object(error).code,
      );
    };
    expect(await refusal()).toBe('CLIENT_KEY_NOT_MAPPED');
    dataOf(await mapKey(listening.gateway, admin, keyFile.key_id, null));
    expect(await refusal()).toBe('FORBIDDEN');
  });

  it('logs in anew when its connection is an hour old, and misses nothing', async () => {
    const { tenant, createTicket } = live;
    const client = await openClient(await openKey({ roles: ['DASHBOARD'] }));
    const { integrationId } = tenant;
    const states: FeedState['kind'][] = [];
    const { promise: again, resolve } = Promise.withResolvers<void>();
    await using changes = subscribeTicketChanges({
      ...{ client, integrationId, transport },
      random: () => 0,
      onState({ kind }) {
        states.push(kind);
        if (kind === 'CONNECTING' && states.length > 1) resolve();
      },
    });
    await changes.ready();
    const waiting = take(changes, 1);
    clock.advance(HOUR);
    await again;
    const id = createTicket('After an hour');
    expect((await waiting)[0]?.content).toMatchObject({ ticket_id: id });
    const moves = states.filter((kind) => kind !== 'FOLLOWING');
    expect(moves).toEqual(['CONNECTING', 'WAITING', 'CONNECTING']);
  });
});

describe('a WebSocket', () => {
  const tokenOf = (keyFile: WelcomedKeyFile): Promise<string> =>
    signToken(keyFile, { now: clock.now(), claims: { htm: 'GET', body_sha256: undefined } });
  const init = (payload: object) => ({ type: 'connection_init', payload });

  it('is logged in by a token of connection_init or of the upgrade, once', async () => {
    const { socketUrl } = live.listening;
    const token = await tokenOf(await openKey());
    await using socket = await TestSocket.open(socketUrl);
    socket.send(init({ token }));
    expect(await socket.next()).toEqual({ type: 'connection_ack' });
    await using again = await TestSocket.open(socketUrl);
    again.send(init({ token }));
    expect(await again.closed).toMatchObject({ code: 4401, reason: expect.stringMatching(/^TOKEN_REUSED /) });
    const authorization = `Bearer ${await tokenOf(await openKey())}`;
    await using upgraded = await TestSocket.open(socketUrl, { headers: { authorization } });
    upgraded.send(init({}));
    expect(await upgraded.next()).toEqual({ type: 'connection_ack' });
  });

  it.each<readonly [string, (keyFile: WelcomedKeyFile) => Promise<object>]>([
    ['is meant for a POST', async (keyFile) => ({ token: await signToken(keyFile, { now: clock.now() }) })],
    ['is no text', async () => ({ token: { a: 1 } })],
    ['is empty', async () => ({ token: '' })],
    [
      'comes with an API key',
      async (keyFile) => ({ token: await tokenOf(keyFile), apiKey: live.tenant.keys.agent }),
    ],
  ])('is closed with 4401 where the token %s', async (_what, payload) => {
    await using socket = await TestSocket.open(live.listening.socketUrl);
    socket.send(init(await payload(await openKey())));
    expect(await socket.closed).toMatchObject({
      code: 4401,
      reason: expect.stringMatching(/^UNAUTHENTICATED /),
    });
  });

  it('that a client key opened closes after an hour with a code that says so, and one of an API key goes on', async () => {
    const { socketUrl } = live.listening;
    await using signed = await TestSocket.open(socketUrl);
    signed.send(init({ token: await tokenOf(await openKey()) }));
    await signed.next();
    await using keyed = await TestSocket.open(socketUrl);
    keyed.send(init({ apiKey: live.tenant.keys.agent }));
    await keyed.next();
    clock.advance(HOUR);
    expect(await signed.closed).toEqual({
      code: 4440,
      reason: 'The login is as old as it may become. Connect again with a new token.',
    });
    expect(keyed.ws.readyState).toBe(keyed.ws.OPEN);
  });
});
