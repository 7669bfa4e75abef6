/** Who gets in: API keys good and bad, the inbound rate, and how refusals are counted. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApiKeySecret } from '../../src/access/index.ts';
import { createId } from '../../src/base/index.ts';
import {
  codeOf,
  eventIdOf,
  type House,
  installationAuditor,
  newestEvents,
  openHouse,
  readEvent,
} from '../service/house.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { createTestApiKey } from '../support/tenant.ts';

const VIEWER = '{ viewer { tenant { id } } }';
const REVOKE = 'mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id revokedAt } } }';

describeOnBothDatabases('logging in with an API key', (database) => {
  let house: House;
  let auditor: string;
  beforeAll(async () => {
    house = await openHouse(database);
    auditor = await installationAuditor(house.gateway);
  });
  afterAll(() => house[Symbol.asyncDispose]());

  const STRANGERS: readonly (readonly [string, () => Readonly<Record<string, string>>])[] = [
    ['an empty key', () => ({ 'x-api-key': '' })],
    ['a malformed key', () => ({ 'x-api-key': 'hunter2' })],
    ['an unknown key', () => ({ 'x-api-key': createApiKeySecret(createId('apiKey')).text })],
    [
      'a known key with another secret',
      () => {
        const known = house.tenant.keys.admin;
        return { 'x-api-key': `${known.slice(0, -5)}${known.at(-5) === 'A' ? 'B' : 'A'}${known.slice(-4)}` };
      },
    ],
    ['a key cut short', () => ({ 'x-api-key': house.tenant.keys.admin.slice(0, -1) })],
    ['a key of absurd length', () => ({ 'x-api-key': house.tenant.keys.admin.padEnd(10_000, 'A') })],
    ['a bearer that is no key', () => ({ authorization: 'Bearer hunter2' })],
    ['another scheme with a good key', () => ({ authorization: `Basic ${house.tenant.keys.admin}` })],
    [
      'two different keys in the two headers',
      () => ({ 'x-api-key': house.tenant.keys.admin, authorization: `Bearer ${house.tenant.keys.agent}` }),
    ],
    [
      'the same header twice',
      () => ({ 'x-api-key': `${house.tenant.keys.admin}, ${house.tenant.keys.admin}` }),
    ],
  ];

  it.each(
    STRANGERS,
  )('answers %s with 401 and the one text, by GraphQL and REST alike', async (_what, headers) => {
    const graph = await house.gateway.graphql(VIEWER, { headers: headers() });
    const rest = await house.gateway.send('/api/v2/integrations', { headers: headers(), json: {} });
    expect([graph.status, rest.status]).toEqual([401, 401]);
    expect(graph.json.errors[0].message).toBe(rest.json.error.message);
    expect(graph.json.errors[0].message).toBe(
      'The API key is not valid. Send the whole key as it was shown when created.',
    );
    expect([codeOf(graph), codeOf(rest)]).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
    expect(graph.json).not.toHaveProperty('data');
    expect(JSON.stringify([graph.json, rest.json])).not.toContain('hunter2');
  });

  it('asks for a key where none was sent', async () => {
    const rest = await house.gateway.send('/api/v2/vault/seal', { json: {} });
    expect([rest.status, codeOf(rest)]).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('takes the key from either header, or the same one from both', async () => {
    const { admin } = house.tenant.keys;
    const bearer = { authorization: `bearer ${admin}` };
    for (const headers of [{ 'x-api-key': admin }, bearer, { ...bearer, 'x-api-key': admin }]) {
      const { json } = await house.gateway.graphql(VIEWER, { headers });
      expect(json.data.viewer.tenant.id).toBe(house.tenant.id);
    }
  });

  it('tells only the holder of the secret that a key was revoked or has expired', async () => {
    const { gateway, tenant, clock } = house;
    const revoked = await createTestApiKey(gateway, tenant.keys.admin, { roles: ['AGENT'] });
    const own = await gateway.graphql('{ viewer { apiKey { id } } }', { apiKey: revoked });
    await gateway.graphql(REVOKE, {
      apiKey: tenant.keys.admin,
      variables: { id: own.json.data.viewer.apiKey.id },
    });
    const expiring = await createTestApiKey(gateway, tenant.keys.admin, {
      roles: ['AGENT'],
      expiresAt: new Date(clock.now() + 30_000).toISOString(),
    });
    expect(codeOf(await gateway.graphql(VIEWER, { apiKey: expiring }))).toBeNull();
    clock.advance(31_000);

    const answers = [
      await gateway.graphql(VIEWER, { apiKey: revoked }),
      await gateway.graphql(VIEWER, { apiKey: expiring }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401]);
    expect(answers[0]?.json.errors[0].message).toMatch(/revoked/);
    expect(answers[1]?.json.errors[0].message).toMatch(/expired/);
    const guess = await gateway.graphql(VIEWER, { apiKey: `${revoked.slice(0, -5)}AAAAA` });
    expect(guess.json.errors[0].message).not.toMatch(/revoked/);
  });

  it('counts many bad logins of a minute in one event, and tells their number in the next', async () => {
    const { gateway, clock } = house;
    clock.advance(60_000);
    const first = await gateway.graphql(VIEWER, { apiKey: 'hunter2' });
    const named = new Set<string>();
    for (let attempt = 0; attempt < 24; attempt += 1) {
      named.add(eventIdOf(await gateway.graphql(VIEWER, { apiKey: `hunter${attempt}` })));
    }
    expect([...named]).toEqual([eventIdOf(first)]);
    clock.advance(60_000);
    const next = await gateway.graphql(VIEWER, { apiKey: 'hunter2' });
    expect(eventIdOf(next)).not.toBe(eventIdOf(first));
    const events = await newestEvents(gateway, auditor, 10);
    const refusals = events.filter(({ denialReason }) => denialReason === 'UNAUTHENTICATED').slice(-2);
    expect(refusals.map(({ id }) => id)).toEqual([eventIdOf(first), eventIdOf(next)]);
    expect(refusals[1]).toMatchObject({
      action: 'request.refuse',
      outcome: 'DENIED',
      count: 25,
      actor: { type: 'SYSTEM', id: 'anonymous' },
    });
    expect(JSON.stringify(events)).not.toContain('hunter');
  });

  it('counts what strangers try by GraphQL as well, valid documents or not', async () => {
    const { gateway, clock } = house;
    clock.advance(120_000);
    const ids = [VIEWER, VIEWER, VIEWER].map(async (document) => eventIdOf(await gateway.graphql(document)));
    expect(new Set(await Promise.all(ids)).size).toBe(1);
  });

  it('lets a key send its rate, then answers 429 with the time to wait, and records it once', async () => {
    const { gateway, tenant, clock } = house;
    const apiKey = await createTestApiKey(gateway, tenant.keys.admin, {
      roles: ['AGENT'],
      requestsPerMinute: 2,
    });
    expect(codeOf(await gateway.graphql(VIEWER, { apiKey }))).toBeNull();
    expect(codeOf(await gateway.graphql(VIEWER, { apiKey }))).toBeNull();
    const refused = [
      await gateway.graphql(VIEWER, { apiKey }),
      await gateway.send('/api/v2/proxy/outbound', { apiKey, json: {} }),
    ];
    for (const answer of refused) {
      expect([answer.status, codeOf(answer)]).toEqual([429, 'TOO_MANY_REQUESTS']);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    }
    expect(refused[0]?.json.errors[0].extensions.retryAfter).toBe(Number(refused[0]?.headers['retry-after']));
    expect(new Set(refused.map(eventIdOf)).size).toBe(1);
    const event = await readEvent(gateway, tenant.keys.auditor, eventIdOf(refused[0] as never));
    expect(event).toMatchObject({ outcome: 'DENIED', denialReason: 'TOO_MANY_REQUESTS' });
    clock.advance(31_000);
    expect(codeOf(await gateway.graphql(VIEWER, { apiKey }))).toBeNull();
  });

  it('limits callers without a key by their address', async () => {
    const { gateway, clock } = house;
    clock.advance(60_000);
    const answers = [];
    for (let sent = 0; sent < 61; sent += 1) answers.push(codeOf(await gateway.graphql('{ __typename }')));
    expect(answers.filter((code) => code === 'TOO_MANY_REQUESTS').length).toBeGreaterThanOrEqual(1);
    expect(answers.slice(0, 60).every((code) => code === null)).toBe(true);
  });
});
