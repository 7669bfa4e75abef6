/** Requests made to cost the gateway more than they cost their sender. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutValues } from '../../src/server/index.ts';
import { codeOf, type House, openHouse } from '../service/house.ts';

const CONFIRM =
  'mutation($input: ConfirmClientKeyInput!) { confirmClientKey(input: $input) { clientKey { id } } }';
const CREATE_KEY = 'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }';

describe('a request that would cost too much', () => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse('pglite');
  });
  afterAll(() => house[Symbol.asyncDispose]());

  it('is refused unread where a caller without a key sends more than it could need', async () => {
    const answer = await house.gateway.graphql(CONFIRM, {
      variables: { input: { keyId: 'x'.repeat(9_000) } },
    });
    expect([answer.status, codeOf(answer)]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  });

  it.each([
    ['a document of 40 000 characters', `{ viewer { tenant { id } } } #${'x'.repeat(40_000)}`, undefined],
    [
      '80 000 unknown members',
      CREATE_KEY,
      { input: Object.fromEntries(Array.from({ length: 80_000 }, (_, at) => [`k${at}`, 1])) },
    ],
    [
      'a list of 40 000 values',
      CREATE_KEY,
      { input: { roles: Array.from({ length: 40_000 }, () => 'AGENT') } },
    ],
    [
      'variables 40 levels deep',
      CREATE_KEY,
      Array.from({ length: 40 }).reduce<object>((inner) => ({ inner }), {}),
    ],
  ])('is refused as too complex: %s', async (_what, query, variables) => {
    const answer = await house.gateway.graphql(query, { apiKey: house.tenant.keys.admin, variables });
    expect([answer.status, codeOf(answer)]).toEqual([400, 'QUERY_TOO_COMPLEX']);
  });

  it('is told off in bounded time, whatever names the caller gave its members', () => {
    const message = `Variable "$i" got invalid value { keyId: "x", mac: { "${'; Value "'.repeat(200_000)}": 1 } } at "i.mac"; String cannot represent a non string value: { "${'; Value "'.repeat(200_000)}": 1 }`;
    const startedAt = performance.now();
    expect(withoutValues(message).length).toBeLessThan(1_000);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it('of guessed keys is limited by the address that sends them', async () => {
    const guess = (ip: string) =>
      house.gateway.send('/graphql', {
        apiKey: 'sd_live_guess',
        json: { query: '{ viewer { tenant { id } } }' },
        ip,
      });
    const codes: (string | null)[] = [];
    for (let tries = 0; tries < 61; tries += 1) codes.push(codeOf(await guess('2001:db8::1')));
    expect(codes.slice(0, 60)).toEqual(Array.from({ length: 60 }, () => 'UNAUTHENTICATED'));
    expect(codes.at(-1)).toBe('TOO_MANY_REQUESTS');
    const last = await guess('2001:db8::1');
    expect(last.json.errors[0].message).toContain('An address without a valid key may send 60 requests');
    // One line has a whole network of addresses.
    expect(codeOf(await guess('2001:db8::2'))).toBe('TOO_MANY_REQUESTS');
    expect(codeOf(await guess('2001:db8:1::1'))).toBe('UNAUTHENTICATED');
    const own = await house.gateway.graphql('{ viewer { tenant { id } } }', {
      apiKey: house.tenant.keys.agent,
    });
    expect(own.status).toBe(200);
  });

  it('by many operations in one document counts each of them', async () => {
    const { gateway, tenant } = house;
    const created = await gateway.graphql(CREATE_KEY, {
      apiKey: tenant.keys.admin,
      variables: {
        input: { name: 'slow', roles: ['AGENT'], clientKeyId: tenant.keyFile.key_id, requestsPerMinute: 3 },
      },
    });
    const operations = Array.from(
      { length: 4 },
      (_, at) =>
        `a${at}: proxyOutbound(input: {integrationId: "${tenant.integrationId}", operation: "get_ticket", payload: {ticket_id: 5, max_comments: 0}}) { auditEventId }`,
    );
    const answer = await gateway.graphql(`mutation { ${operations.join(' ')} }`, {
      apiKey: created.json.data.createApiKey.secret,
    });
    const codes = answer.json.errors.map((error: { extensions: { code: string } }) => error.extensions.code);
    expect(codes).toEqual(['TOO_MANY_REQUESTS', 'TOO_MANY_REQUESTS']);
  });

  it('by a narrowed ADMIN key makes no key that may run more', async () => {
    const { gateway, tenant } = house;
    const narrow = await gateway.graphql(CREATE_KEY, {
      apiKey: tenant.keys.admin,
      variables: { input: { name: 'narrow', roles: ['ADMIN'], allowedOperations: ['search'] } },
    });
    const apiKey: string = narrow.json.data.createApiKey.secret;
    const create = (allowedOperations?: readonly string[]) =>
      gateway.graphql(CREATE_KEY, {
        apiKey,
        variables: { input: { name: 'child', roles: ['AGENT'], allowedOperations } },
      });
    expect(codeOf(await create())).toBe('VALIDATION_FAILED');
    expect(codeOf(await create(['search', 'get_ticket']))).toBe('VALIDATION_FAILED');
    expect((await create(['search'])).status).toBe(200);
  });
});
