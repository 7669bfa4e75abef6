/** Relay connections: forward, backward, filtered, and with bounds that are no cursors. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeBase64Url, encodeUtf8 } from '../../src/base/index.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { createTestApiKey, openTestClientKey } from '../support/tenant.ts';
import { codeOf, EVENT_FIELDS, type EventView, type House, openHouse } from './house.ts';

interface Page {
  readonly edges: readonly { readonly cursor: string; readonly node: { readonly id: string } }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

const FIELDS = ['apiKeys', 'clientKeys', 'credentials', 'integrations', 'auditEvents'] as const;
type Field = (typeof FIELDS)[number];
const ROWS = 5;

describeOnBothDatabases('a connection', (database) => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse(database);
    const { gateway, tenant } = house;
    const { admin } = tenant.keys;
    for (let row = 1; row < ROWS; row += 1) {
      await createTestApiKey(gateway, admin, { roles: ['AGENT'] });
      await openTestClientKey(gateway, admin, null);
      await gateway.send('/api/v2/vault/seal', {
        apiKey: admin,
        json: { credential_type: 'api_key', secret: { api_key: 'x' } },
      });
      await gateway.send('/api/v2/integrations', {
        apiKey: admin,
        json: { system_type: 'ZENDESK', config: { subdomain: `a${row}` } },
      });
    }
  });
  afterAll(() => house[Symbol.asyncDispose]());

  const keyFor = (field: Field) => house.tenant.keys[field === 'auditEvents' ? 'auditor' : 'admin'];
  const request = (field: Field, args: string) =>
    house.gateway.graphql(
      `{ ${field}${args === '' ? '' : `(${args})`} { edges { cursor node { id } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
      { apiKey: keyFor(field) },
    );
  /** Of the audit log only what stood at the beginning, since reading it makes it longer. */
  async function page(field: Field, args: string): Promise<Page> {
    const answer = await request(field, args);
    expect(codeOf(answer)).toBeNull();
    return answer.json.data[field];
  }
  const idsOf = ({ edges }: Page) => edges.map(({ node }) => node.id);

  it.each(FIELDS)('of %s reads the same forward in pages as at once', async (field) => {
    const all = await page(field, 'first: 10');
    expect(all.edges.length).toBeGreaterThanOrEqual(ROWS);
    expect(all.pageInfo.hasPreviousPage).toBe(false);
    const seen: string[] = [];
    let after: string | null = null;
    while (seen.length < all.edges.length) {
      const part: Page = await page(field, `first: 2${after === null ? '' : `, after: "${after}"`}`);
      expect(part.pageInfo.startCursor).toBe(part.edges[0]?.cursor);
      expect(part.pageInfo.endCursor).toBe(part.edges.at(-1)?.cursor);
      expect(part.pageInfo.hasPreviousPage).toBe(after !== null);
      seen.push(...idsOf(part));
      after = part.pageInfo.endCursor;
      if (!part.pageInfo.hasNextPage) break;
    }
    expect(seen.slice(0, all.edges.length)).toEqual(idsOf(all));
    expect(new Set(seen).size).toBe(seen.length);
  });

  it.each(FIELDS)('of %s reads the same backward, each page in the order of the whole', async (field) => {
    const all = await page(field, 'first: 6');
    const end = all.edges.at(-1)?.cursor;
    const last = await page(field, `last: 2, before: "${end}"`);
    expect(idsOf(last)).toEqual(idsOf(all).slice(-3, -1));
    expect(last.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
    const rest = await page(field, `last: 100, before: "${last.pageInfo.startCursor}"`);
    expect(idsOf(rest)).toEqual(idsOf(all).slice(0, -3));
    expect(rest.pageInfo.hasPreviousPage).toBe(false);
    const between = await page(field, `first: 100, after: "${all.edges[0]?.cursor}", before: "${end}"`);
    expect(idsOf(between)).toEqual(idsOf(all).slice(1, -1));
  });

  it.each(FIELDS)('of %s ends with an empty page, not with a failure', async (field) => {
    const [first] = (await page(field, 'first: 1')).edges;
    const empty = await page(field, `last: 5, before: "${first?.cursor}"`);
    expect(empty.edges).toEqual([]);
    expect(empty.pageInfo).toMatchObject({ startCursor: null, endCursor: null, hasPreviousPage: false });
  });

  const cursor = (text: string) => encodeBase64Url(encodeUtf8(text));
  it.each([
    ['first: 0'],
    ['first: -1'],
    ['first: 101'],
    ['last: 0'],
    ['last: 101'],
    ['first: 2147483647'],
    ['first: 1, last: 1'],
    ['after: ""'],
    ['after: "!"'],
    ['before: "a=="'],
    [`after: "${cursor('\0')}"`],
    [`after: "${cursor("x' OR 1=1")}"`],
    [`after: "${cursor('x'.repeat(65))}"`],
    [`after: "${'A'.repeat(300)}"`],
    [`after: "${encodeBase64Url(Uint8Array.of(0xff))}"`],
  ])('takes no (%s)', async (args) => {
    for (const field of FIELDS) {
      const answer = await request(field, args);
      expect([field, answer.status, codeOf(answer)]).toEqual([field, 400, 'VALIDATION_FAILED']);
    }
  });

  it('of the log takes no cursor of another connection', async () => {
    const [other] = (await page('integrations', 'first: 1')).edges;
    expect(codeOf(await request('auditEvents', `after: "${other?.cursor}"`))).toBe('VALIDATION_FAILED');
  });

  it('of tenants is in order for the operator', async () => {
    const { gateway, tenant, other } = house;
    const { json } = await gateway.graphql('{ tenants(first: 100) { edges { node { id } } } }', {
      apiKey: gateway.operatorKey,
    });
    const ids = json.data.tenants.edges.map(({ node }: Page['edges'][number]) => node.id);
    expect(ids).toEqual(ids.toSorted());
    expect(ids).toEqual(expect.arrayContaining([tenant.id, other.id]));
  });

  it('of the log can be filtered by each member, alone and together', async () => {
    const { gateway, tenant, clock } = house;
    const start = new Date(clock.now()).toISOString();
    await tenant.proxy('search', { query: 'type:ticket' });
    await tenant.proxy('create_ticket', { subject: 'x', comment: { body: 'y', public: false } });
    await tenant.proxy('no_such_operation', {});
    const log = async (filter: Readonly<Record<string, unknown>>): Promise<readonly EventView[]> => {
      const answer = await gateway.graphql(
        `query($filter: AuditEventFilter) { auditEvents(first: 100, filter: $filter) { edges { node { ${EVENT_FIELDS} } } } }`,
        { apiKey: tenant.keys.auditor, variables: { filter: { from: start, ...filter } } },
      );
      expect(codeOf(answer)).toBeNull();
      return answer.json.data.auditEvents.edges.map(({ node }: { readonly node: EventView }) => node);
    };
    const all = await log({});
    const call = all.find(({ operation }) => operation === 'create_ticket') as EventView;
    const middle = all[Math.floor(all.length / 2)] as EventView;
    const filters: readonly (readonly [Readonly<Record<string, unknown>>, (event: EventView) => boolean])[] =
      [
        [{ actorId: call.actor.id }, ({ actor }) => actor.id === call.actor.id],
        [{ action: 'zendesk.call' }, ({ action }) => action === 'zendesk.call'],
        [{ operation: 'search' }, ({ operation }) => operation === 'search'],
        [{ outcome: 'DENIED' }, ({ outcome }) => outcome === 'DENIED'],
        [
          { integrationId: tenant.integrationId },
          ({ integrationId }) => integrationId === tenant.integrationId,
        ],
        [{ phase: 'INTENT' }, ({ phase }) => phase === 'INTENT'],
        [
          { phase: 'OUTCOME', operation: 'create_ticket' },
          ({ phase, operation }) => phase === 'OUTCOME' && operation === 'create_ticket',
        ],
        [{ to: middle.occurredAt }, ({ occurredAt }) => occurredAt < middle.occurredAt],
        [
          { from: all[0]?.occurredAt, to: middle.occurredAt },
          ({ occurredAt }) => occurredAt < middle.occurredAt,
        ],
      ];
    for (const [filter, fits] of filters) {
      const found = (await log(filter)).filter(({ index }) => index <= (all.at(-1)?.index ?? 0));
      const wanted = all.filter(fits);
      expect(wanted.length, JSON.stringify(filter)).toBeGreaterThan(0);
      expect(
        found.map(({ id }) => id),
        JSON.stringify(filter),
      ).toEqual(wanted.map(({ id }) => id));
    }
    const from = (await log({ from: middle.occurredAt })).map(({ id }) => id);
    expect(from[0]).toBe(all.find(({ occurredAt }) => occurredAt >= middle.occurredAt)?.id);
    expect(await log({ operation: 'nothing_of_this' })).toEqual([]);
  });

  it.each([
    ['actorId', '\0'],
    ['action', "x' OR 1=1"],
    ['operation', 'x'.repeat(65)],
    ['integrationId', 'int_x'],
    ['from', '0000-01-01T00:00:00Z'],
    ['to', '9999-12-31T23:59:59-23:59'],
    ['from', '2026-11-21'],
    ['outcome', 'NOTHING'],
    ['phase', 'single'],
  ])('of the log takes no filter of %s by %j', async (member, value) => {
    const answer = await house.gateway.graphql(
      'query($filter: AuditEventFilter) { auditEvents(filter: $filter) { edges { cursor } } }',
      { apiKey: house.tenant.keys.auditor, variables: { filter: { [member]: value } } },
    );
    expect([answer.status, codeOf(answer)]).toEqual([400, 'VALIDATION_FAILED']);
  });
});
