/** The directory as an admin reads it by GraphQL over HTTP. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { openSession } from '../proxy/graph/graph-rig.ts';
import { newestEvents, useHouse } from '../service/house.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { createTestApiKey, openTestClientKey } from '../support/tenant.ts';
import { askAdmin, failureIn, seedDirectory } from './directory-rig.ts';
import { type Filter, filters, NAMES, passes, samplePeople, UNKNOWN_GROUP_ID } from './people.ts';

const PEOPLE = samplePeople(60, 7);
const PRESENT = PEOPLE.filter(({ status }) => status !== 'DELETED');
const PAGE = `query($id: ID!, $filter: DirectoryFilterInput, $first: Int, $after: String, $last: Int, $before: String) {
  directory(integrationId: $id, filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { zendeskId } } } }`;
const ids = (filter: Filter = {}): readonly string[] =>
  PEOPLE.filter((one) => passes(filter, one)).map(({ zendeskId }) => String(zendeskId));

describeOnBothDatabases('the directory', (database) => {
  const house = useHouse(database);
  beforeAll(async () => {
    await allow(['sync_directory', 'get_ticket']);
    await seedDirectory(house(), house().tenant, PEOPLE, NAMES);
  });

  async function allow(allowedOperations: readonly string[]): Promise<void> {
    const { gateway, tenant } = house();
    await gateway.graphql(
      'mutation($id: ID!, $names: [String!]!) { updateIntegration(input: { id: $id, allowedOperations: $names }) { integration { id } } }',
      { apiKey: tenant.keys.admin, variables: { id: tenant.integrationId, names: allowedOperations } },
    );
  }

  /** All pages, in the order in which they are walked, and the count that the first tells. */
  async function walk(filter: Filter, size: number, isBackwards: boolean) {
    const pages: (readonly string[])[] = [];
    let cursor: string | null = null;
    let total: number | null = null;
    do {
      const variables = isBackwards
        ? { filter, last: size, before: cursor }
        : { filter, first: size, after: cursor };
      const { result } = await askAdmin(house(), PAGE, variables);
      expect(result.errors).toBeUndefined();
      const { edges, pageInfo, totalCount } = result.data.directory;
      total ??= totalCount;
      pages.push(edges.map(({ node }: { node: { zendeskId: string } }) => node.zendeskId));
      expect(pageInfo.startCursor).toBe(edges[0]?.cursor ?? null);
      expect(pageInfo.endCursor).toBe(edges.at(-1)?.cursor ?? null);
      const goesOn = isBackwards ? pageInfo.hasPreviousPage : pageInfo.hasNextPage;
      cursor = goesOn ? (isBackwards ? pageInfo.startCursor : pageInfo.endCursor) : null;
    } while (cursor !== null);
    return { pages, total };
  }

  it('answers by any filter, in pages of any size and either direction, exactly who passes', async () => {
    await fc.assert(
      fc.asyncProperty(
        filters,
        fc.constantFrom(7, 20, 100),
        fc.boolean(),
        async (filter, size, isBackwards) => {
          const { pages, total } = await walk(filter, size, isBackwards);
          const expected = ids(filter);
          expect((isBackwards ? pages.toReversed() : pages).flat()).toEqual(expected);
          expect(total).toBe(expected.length);
          for (const page of pages.slice(0, -1)) expect(page).toHaveLength(size);
        },
      ),
      { numRuns: 24, seed: 11 },
    );
  });

  it('finds a person by the address in any case, and by the own reference', async () => {
    const somebody = PRESENT.find(({ email }) => email !== null);
    for (const email of [
      somebody?.email,
      somebody?.email?.toUpperCase(),
      ` ${somebody?.email?.toLowerCase()} `,
    ]) {
      const { result } = await askAdmin(house(), PAGE, { filter: { email } });
      expect(result.data.directory.edges.map((edge: { node: object }) => edge.node)).toEqual([
        { zendeskId: String(somebody?.zendeskId) },
      ]);
    }
    const partly = await askAdmin(house(), PAGE, { filter: { email: 'person' } });
    expect(partly.result.data.directory.totalCount).toBe(0);
  });

  it('tells of a person what the sync saw, with the names of what the person belongs to', async () => {
    const { result } = await askAdmin(
      house(),
      `query($id: ID!) { directory(integrationId: $id, first: 100) { syncedAt nodes {
        zendeskId userId name email phone externalId role roleType roleSince isRoleSinceExact status lastSeenAt
        twoFactor organization { zendeskId name } customRole { zendeskId name } groups { zendeskId name } changedAt } } }`,
    );
    const { nodes, syncedAt } = result.data.directory;
    expect(syncedAt).toBeNull();
    const ROLES = { 'end-user': 'END_USER', agent: 'AGENT', admin: 'ADMIN' };
    const TYPES = ['CUSTOM_AGENT', 'LIGHT_AGENT', 'CHAT_AGENT', 'CONTRIBUTOR', 'ADMIN', 'BILLING_ADMIN'];
    const named = (names: ReadonlyMap<number, string>, id: number | null) =>
      id === null ? null : { zendeskId: String(id), name: names.get(id) ?? null };
    expect(nodes).toEqual(
      PRESENT.map((one) => ({
        zendeskId: String(one.zendeskId),
        userId: `${house().tenant.integrationId}:user:${one.zendeskId}`,
        ...{ name: one.name, email: one.email, phone: null, externalId: one.externalId },
        role: ROLES[one.role],
        roleType: one.roleType === null ? null : TYPES[one.roleType],
        ...{ roleSince: '2023-11-14T22:13:20.000Z', isRoleSinceExact: true, status: one.status },
        lastSeenAt: one.lastSeenAt?.toISOString() ?? null,
        twoFactor: one.hasTwoFactor === null ? 'UNKNOWN' : one.hasTwoFactor ? 'ON' : 'OFF',
        organization: named(NAMES.organizations, one.organizationId),
        customRole: named(NAMES.customRoles, one.customRoleId),
        groups: one.groupIds.toSorted((a, b) => a - b).map((id) => named(NAMES.groups, id)),
        changedAt: one.changedAt.toISOString(),
      })),
    );
    expect(PRESENT.some(({ groupIds }) => groupIds.includes(UNKNOWN_GROUP_ID))).toBe(true);
  });

  it('asks Zendesk for nothing, and needs no credential, but an integration that is on', async () => {
    const { gateway, tenant } = house();
    const before = gateway.simulator.requests.total;
    await askAdmin(house(), PAGE);
    const { json } = await gateway.graphql(
      `mutation { createIntegration(input: { systemType: ZENDESK, config: { subdomain: "umbrella" },
        allowedOperations: ["sync_directory"] }) { integration { id } } }`,
      { apiKey: tenant.keys.admin },
    );
    const { id } = json.data.createIntegration.integration;
    const without = await askAdmin(house(), PAGE, { id });
    expect(without.result.data.directory).toMatchObject({ totalCount: 0, edges: [] });
    expect(gateway.simulator.requests.total).toBe(before);
    await gateway.graphql(
      'mutation($id: ID!) { updateIntegration(input: { id: $id, enabled: false }) { integration { id } } }',
      { apiKey: tenant.keys.admin, variables: { id } },
    );
    expect(failureIn((await askAdmin(house(), PAGE, { id })).result)).toBe('CONFLICT');
  });

  it('does not leave where the right to it was taken back before the answer did', async () => {
    const { gateway, tenant } = house();
    const { session } = await openSession(house(), { apiKey: tenant.keys.admin });
    const directory = await session.directory(tenant.integrationId);
    await directory.read({ kind: 'TYPE', type: 'directory' }, async () => null);
    const ask = () => gateway.store.withTenant(tenant.id, (tx) => session.assertStillAllowed(tx));
    await ask();
    await allow(['get_ticket']);
    await expect(ask()).rejects.toMatchObject({ code: 'OPERATION_NOT_ALLOWED' });
    await allow(['sync_directory', 'get_ticket']);
  });

  it('answers sealed or not at all', async () => {
    const { gateway, tenant } = house();
    const variables = { id: tenant.integrationId };
    const { json } = await gateway.graphql(PAGE, {
      ...{ apiKey: tenant.keys.admin, variables },
      headers: { 'x-sealdesk-key': tenant.keyFile.key_id },
    });
    expect(failureIn(json)).toBe('SEALED_RESPONSE_REQUIRED');
    expect(json.data?.directory ?? null).toBeNull();
    const withoutKey = await askAdmin(house(), PAGE, {}, { headers: {} });
    expect(failureIn(withoutKey.result)).toBe('SEALED_RESPONSE_REQUIRED');
    const sealed = await askAdmin(
      house(),
      `query($id: ID!) { directory(integrationId: $id) { nodes { name } } }`,
    );
    expect(sealed.header?.purpose).toBe('graphql.result');
    expect(JSON.stringify(sealed.json)).not.toContain('Person');
  });

  it('is of nobody but an ADMIN whom the policy lets through', async () => {
    const { gateway, tenant } = house();
    for (const apiKey of [tenant.keys.agent, tenant.keys.dashboard]) {
      const { result } = await askAdmin(house(), PAGE, {}, { apiKey, headers: {} });
      expect(failureIn(result)).toBe('FORBIDDEN');
    }
    const auditor = await askAdmin(house(), PAGE, {}, { apiKey: tenant.keys.auditor });
    expect(failureIn(auditor.result)).toBe('FORBIDDEN');
    const narrower = await createTestApiKey(gateway, tenant.keys.admin, {
      roles: ['ADMIN', 'AGENT'],
      allowedOperations: ['get_ticket'],
      clientKeyId: tenant.keyFile.key_id,
    });
    const narrowed = await askAdmin(house(), PAGE, {}, { apiKey: narrower, headers: {} });
    expect(failureIn(narrowed.result)).toBe('OPERATION_NOT_ALLOWED');
    await allow(['get_ticket']);
    const { result } = await askAdmin(house(), PAGE);
    expect(failureIn(result)).toBe('OPERATION_NOT_ALLOWED');
    await allow(['sync_directory', 'get_ticket']);
    expect(failureIn((await askAdmin(house(), PAGE)).result)).toBeNull();
  });

  it('is closed to a restricted client key, whoever asks for it', async () => {
    const { gateway, tenant } = house();
    const restricted = await openTestClientKey(gateway, tenant.keys.admin, tenant.keys.admin, {
      integrationId: tenant.integrationId,
      organizationId: '21',
    });
    const { json } = await askAdmin(house(), PAGE, {}, { headers: { 'x-sealdesk-key': restricted.key_id } })
      // Sealed to the other key, it is nothing that the tenant's opens.
      .catch(() => ({ json: null }));
    expect(json === null || failureIn(json) === 'OPERATION_NOT_ALLOWED').toBe(true);
    const [event] = (await newestEvents(gateway, tenant.keys.auditor, 3)).filter(
      ({ action }) => action === 'directory.read',
    );
    expect(event).toMatchObject({ outcome: 'DENIED', denialReason: 'OPERATION_NOT_ALLOWED' });
  });

  it('of another tenant is not there, nor is one that nobody has', async () => {
    const { other } = house();
    for (const id of [other.integrationId, 'int_00000000000000000000000000', 'x']) {
      const { result } = await askAdmin(house(), PAGE, { id });
      expect([id, failureIn(result)]).toEqual([id, 'NOT_FOUND']);
      expect(result.data?.directory ?? null).toBeNull();
    }
  });

  it.each([
    ['a reversed time', { lastSeenAfter: '2026-02-01T00:00:00Z', lastSeenBefore: '2026-01-01T00:00:00Z' }],
    ['an empty list', { role: [] }],
    ['a value that is only answered', { role: ['OTHER'] }],
    ['a type that is only answered', { roleType: ['OTHER'] }],
    ['a group that is no number', { groupId: 'x' }],
    [
      'an organization of another integration',
      { organizationId: 'int_00000000000000000000000000:organization:1' },
    ],
    ['an address that is too long', { email: 'a'.repeat(321) }],
    ['an address of several lines', { email: 'a\nb' }],
  ])('refuses %s, and names the field without its value', async (_what, filter) => {
    const { result } = await askAdmin(house(), PAGE, { filter });
    expect(failureIn(result)).toBe('VALIDATION_FAILED');
    expect(result.errors[0].message).toContain(Object.keys(filter).at(-1));
  });

  it.each([
    'x',
    Buffer.from('x').toString('base64url'),
    Buffer.from('9'.repeat(19)).toString('base64url'),
  ])('refuses %s as a cursor', async (after) => {
    const { result } = await askAdmin(house(), PAGE, { after });
    expect(failureIn(result)).toBe('VALIDATION_FAILED');
  });

  it('leaves an entry of its own in the log, with a look-up by its keyed hash', async () => {
    const { gateway, tenant } = house();
    await askAdmin(house(), PAGE);
    await askAdmin(
      house(),
      `query($id: ID!, $filter: DirectoryFilterInput) { directory(integrationId: $id, filter: $filter) {
        totalCount syncedAt nodes { groups { name } organization { name } } } }`,
      { filter: { email: PRESENT.find(({ email }) => email !== null)?.email } },
    );
    const events = (await newestEvents(gateway, tenant.keys.auditor, 10)).filter(
      ({ action }) => action === 'directory.read',
    );
    expect(events.slice(-2)).toMatchObject([
      {
        operation: 'sync_directory',
        integrationId: tenant.integrationId,
        resource: 'directory',
        outcome: 'SUCCEEDED',
      },
      {
        operation: 'sync_directory',
        resource: expect.stringMatching(/^query:[\w-]{43}$/),
        outcome: 'SUCCEEDED',
      },
    ]);
  });

  describe('when a person is deleted', () => {
    it('does not show the person from that moment on, in no list and by no look-up', async () => {
      const { gateway, tenant } = house();
      const gone = PRESENT.find(({ email }) => email !== null);
      const was = await askAdmin(house(), PAGE, { filter: { email: gone?.email } });
      expect(was.result.data.directory.totalCount).toBe(1);
      await gateway.store.withTenant(tenant.id, (tx) =>
        tx
          .updateTable('directory_users')
          .set({ status: 'DELETED', deleted_at: new Date() })
          .where('integration_id', '=', tenant.integrationId)
          .where('zendesk_id', '=', gone?.zendeskId ?? 0)
          .execute(),
      );
      const { result } = await askAdmin(house(), PAGE, { filter: { email: gone?.email } });
      expect(result.data.directory).toMatchObject({ totalCount: 0, edges: [] });
      const { pages, total } = await walk({}, 100, false);
      expect(pages.flat()).not.toContain(String(gone?.zendeskId));
      expect(total).toBe(PRESENT.length - 1);
    });
  });
});
