/** The review of access, against a count of the same people by hand. */
import { beforeAll, expect, it } from 'vitest';
import { useHouse } from '../service/house.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { askAdmin, failureIn, type SeededPerson, seedDirectory } from './directory-rig.ts';
import { NAMES, samplePeople, UNUSED_CUSTOM_ROLE_ID } from './people.ts';

const PEOPLE = samplePeople(150, 42);
const PRESENT = PEOPLE.filter(({ status }) => status !== 'DELETED');
const STAFF = PRESENT.filter(({ role }) => role !== 'end-user');
const DAY = 86_400_000;

const REVIEW = `query($id: ID!, $days: Int) { accessReview(integrationId: $id, dormantAfterDays: $days) {
  integrationId reviewedAt syncedAt dormantAfterDays users endUsers staff admins agents lightAgents contributors
  suspendedStaff seatsUsed customRoles { customRole { zendeskId name } count suspended } findings { finding count } } }`;
const MEMBERS = `query($id: ID!, $days: Int, $finding: AccessFinding, $filter: DirectoryFilterInput, $after: String) {
  accessReview(integrationId: $id, dormantAfterDays: $days) { reviewedAt
    members(first: 20, after: $after, finding: $finding, filter: $filter) {
      totalCount pageInfo { hasNextPage endCursor } nodes { findings user { zendeskId takesSeat role } } } } }`;

const takesSeat = ({ roleType }: SeededPerson): boolean => roleType !== 1 && roleType !== 3;

/** What is found of one of the staff at a time. */
function findingsOf(one: SeededPerson, now: number, days: number): readonly string[] {
  const since = now - days * DAY;
  const seen = (one.lastSeenAt ?? one.createdAt)?.getTime() ?? Number.NEGATIVE_INFINITY;
  return [
    ...(one.status === 'ACTIVE' && seen < since ? ['DORMANT'] : []),
    ...(one.hasTwoFactor === false ? ['NO_TWO_FACTOR'] : []),
    ...(one.hasTwoFactor === null ? ['TWO_FACTOR_UNKNOWN'] : []),
    ...(one.status === 'SUSPENDED' && takesSeat(one) ? ['SUSPENDED_WITH_SEAT'] : []),
    ...(one.groupIds.length === 0 ? ['NO_GROUP'] : []),
  ];
}

describeOnBothDatabases('the review of access', (database) => {
  const house = useHouse(database);
  beforeAll(async () => {
    const { gateway, tenant } = house();
    await gateway.graphql(
      'mutation($id: ID!) { updateIntegration(input: { id: $id, allowedOperations: ["sync_directory"] }) { integration { id } } }',
      { apiKey: tenant.keys.admin, variables: { id: tenant.integrationId } },
    );
    await seedDirectory(house(), tenant, PEOPLE, NAMES);
  });

  async function members(variables: object) {
    const found: { findings: readonly string[]; user: { zendeskId: string; takesSeat: boolean } }[] = [];
    let after: string | null = null;
    let total = 0;
    let now = 0;
    do {
      const { result } = await askAdmin(house(), MEMBERS, { ...variables, after });
      expect(result.errors).toBeUndefined();
      const { accessReview } = result.data;
      now = Date.parse(accessReview.reviewedAt);
      total = accessReview.members.totalCount;
      found.push(...accessReview.members.nodes);
      after = accessReview.members.pageInfo.hasNextPage ? accessReview.members.pageInfo.endCursor : null;
    } while (after !== null);
    return { found, total, now };
  }

  it.each([1, 90, 365])('counts what a hand counts, with %s days for the dormant', async (days) => {
    const { result } = await askAdmin(house(), REVIEW, { days });
    const { accessReview: review } = result.data;
    const now = Date.parse(review.reviewedAt);
    const count = (people: readonly SeededPerson[], is: (one: SeededPerson) => boolean) =>
      people.filter(is).length;
    expect(review).toMatchObject({
      integrationId: house().tenant.integrationId,
      syncedAt: null,
      dormantAfterDays: days,
      users: PRESENT.length,
      endUsers: PRESENT.length - STAFF.length,
      staff: STAFF.length,
      admins: count(STAFF, ({ role }) => role === 'admin'),
      agents: count(STAFF, ({ role }) => role === 'agent'),
      lightAgents: count(STAFF, ({ roleType }) => roleType === 1),
      contributors: count(STAFF, ({ roleType }) => roleType === 3),
      suspendedStaff: count(STAFF, ({ status }) => status === 'SUSPENDED'),
      seatsUsed: count(STAFF, takesSeat),
      customRoles: [...NAMES.customRoles].map(([id, name]) => ({
        customRole: { zendeskId: String(id), name },
        count: count(STAFF, ({ customRoleId }) => customRoleId === id),
        suspended: count(STAFF, ({ customRoleId, status }) => customRoleId === id && status === 'SUSPENDED'),
      })),
    });
    const findings = ['DORMANT', 'NO_TWO_FACTOR', 'TWO_FACTOR_UNKNOWN', 'SUSPENDED_WITH_SEAT', 'NO_GROUP'];
    expect(review.findings).toEqual(
      findings.map((finding) => ({
        finding,
        count: count(STAFF, (one) => findingsOf(one, now, days).includes(finding)),
      })),
    );
    for (const { count: found } of review.findings) expect(found).toBeGreaterThan(0);
    expect(review.customRoles.at(-1)).toMatchObject({
      customRole: { zendeskId: String(UNUSED_CUSTOM_ROLE_ID) },
      count: 0,
    });
  });

  it('lists all of the staff, each with what is found', async () => {
    const { found, total, now } = await members({ days: 90 });
    expect(total).toBe(STAFF.length);
    expect(found).toEqual(
      STAFF.map((one) => ({
        findings: findingsOf(one, now, 90),
        user: expect.objectContaining({ zendeskId: String(one.zendeskId), takesSeat: takesSeat(one) }),
      })),
    );
  });

  it.each([
    'DORMANT',
    'NO_TWO_FACTOR',
    'TWO_FACTOR_UNKNOWN',
    'SUSPENDED_WITH_SEAT',
    'NO_GROUP',
  ])('lists those of whom %s is true, as many as it counts', async (finding) => {
    const { found, total, now } = await members({ days: 90, finding });
    const expected = STAFF.filter((one) => findingsOf(one, now, 90).includes(finding));
    expect(found.map(({ user }) => user.zendeskId)).toEqual(
      expected.map(({ zendeskId }) => String(zendeskId)),
    );
    expect(total).toBe(expected.length);
  });

  it('narrows its list by any filter of the directory, and never to end users', async () => {
    const admins = await members({ filter: { role: ['ADMIN', 'END_USER'] } });
    expect(admins.found.map(({ user }) => user.zendeskId)).toEqual(
      STAFF.filter(({ role }) => role === 'admin').map(({ zendeskId }) => String(zendeskId)),
    );
    const light = await members({
      filter: { roleType: ['LIGHT_AGENT'], status: 'ACTIVE' },
      finding: 'NO_GROUP',
    });
    expect(light.total).toBe(
      STAFF.filter(
        ({ roleType, status, groupIds }) => roleType === 1 && status === 'ACTIVE' && groupIds.length === 0,
      ).length,
    );
  });

  it('takes 90 days where none are named, and refuses what are none', async () => {
    const { result } = await askAdmin(house(), REVIEW);
    expect(result.data.accessReview.dormantAfterDays).toBe(90);
    for (const days of [0, -1, 10_000]) {
      const refused = await askAdmin(house(), REVIEW, { days });
      expect(failureIn(refused.result)).toBe('VALIDATION_FAILED');
      expect(refused.result.errors[0].message).toContain('dormantAfterDays');
    }
  });

  it('is answered sealed or not at all, to an ADMIN of the tenant alone', async () => {
    const { gateway, tenant, other } = house();
    const { json } = await gateway.graphql(REVIEW, {
      apiKey: tenant.keys.admin,
      variables: { id: tenant.integrationId },
      headers: { 'x-sealdesk-key': tenant.keyFile.key_id },
    });
    expect(failureIn(json)).toBe('SEALED_RESPONSE_REQUIRED');
    for (const apiKey of [tenant.keys.agent, tenant.keys.dashboard, tenant.keys.auditor]) {
      const headers = apiKey === tenant.keys.auditor ? { 'x-sealdesk-key': tenant.keyFile.key_id } : {};
      const { result } = await askAdmin(house(), REVIEW, {}, { apiKey, headers });
      expect(failureIn(result)).toBe('FORBIDDEN');
    }
    expect(failureIn((await askAdmin(house(), REVIEW, { id: other.integrationId })).result)).toBe(
      'NOT_FOUND',
    );
  });
});
