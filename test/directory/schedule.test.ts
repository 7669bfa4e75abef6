/** Schedules: which are taken, and that they lead to runs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId, SealdeskError } from '../../src/base/index.ts';
import {
  advanceSyncRun,
  claimSyncRun,
  findUnattendedRuns,
  insertSyncRun,
  putSyncSchedule,
  releaseSyncRun,
  type SyncLease,
} from '../../src/directory/index.ts';
import { runDueSchedules } from '../../src/service/access-sync/run-due-schedules.ts';
import { nextRunAfter, parseSchedule } from '../../src/service/access-sync/schedule.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { createTestTenant, dataOf, type TestTenant } from '../support/tenant.ts';
import { openSyncRig, type SyncRig } from './sync-rig.ts';

const NOW = Date.UTC(2026, 2, 28, 12);

describe('A schedule', () => {
  it.each([
    ['30 2 * * *', 'Europe/Berlin', '2026-03-29T01:30:00.000Z'],
    ['  0   9-17/4 * * MON-FRI ', 'UTC', '2026-03-30T09:00:00.000Z'],
    ['*/15 * * * *', 'America/New_York', '2026-03-28T12:15:00.000Z'],
    ['0 0 29 2 *', 'UTC', '2028-02-29T00:00:00.000Z'],
  ])('of %s in %s is due next at %s', (cron, timeZone, next) => {
    const schedule = parseSchedule({ cron, timeZone }, NOW);
    expect(schedule.cron).not.toMatch(/^\s|\s\s/);
    expect(nextRunAfter(schedule, NOW).toISOString()).toBe(next);
  });

  it.each([
    ['', 'UTC', 'cron'],
    ['* * * *', 'UTC', 'cron'],
    ['0 2 * * * *', 'UTC', 'cron'],
    ['60 2 * * *', 'UTC', 'cron'],
    ['@daily', 'UTC', 'cron'],
    ['H 2 * * *', 'UTC', 'cron'],
    ['0 2 * * FOO', 'UTC', 'cron'],
    ['*/5 * * * *', 'UTC', 'cron'],
    ['0,5 3 1 1 *', 'UTC', 'cron'],
    ['0,50 0,23 * * *', 'UTC', 'cron'],
    ['0,50 3,4,13 * * 6', 'UTC', 'cron'],
    ['0 0 30 2 *', 'UTC', 'cron'],
    ['0 0 * 2 2#5', 'UTC', 'cron'],
    ['0 0 * * 5#1', 'UTC', 'cron'],
    ['0 2 * * *; DROP TABLE tenants', 'UTC', 'cron'],
    ['0 2 * * *', 'Mars/Olympus', 'timeZone'],
    ['0 2 * * *', '+02:00', 'timeZone'],
    ['0 2 * * *', '', 'timeZone'],
  ])('is not made of %o in %o', (cron, timeZone, path) => {
    expect(() => parseSchedule({ cron, timeZone }, NOW)).toThrow(
      expect.objectContaining({
        code: 'VALIDATION_FAILED',
        details: expect.objectContaining({ fields: [expect.objectContaining({ path })] }),
      }),
    );
  });

  it('that comes seldom takes no longer to read than others', () => {
    const before = process.cpuUsage();
    for (let count = 0; count < 30; count += 1) {
      expect(nextRunAfter(parseSchedule({ cron: '0 0 29 2 *', timeZone: 'UTC' }, NOW), NOW)).toBeInstanceOf(
        Date,
      );
    }
    // In microseconds.
    expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
  });
});

const SET = `mutation($id: ID!, $cron: String!, $timeZone: String) {
  setAccessSyncSchedule(integrationId: $id, cron: $cron, timeZone: $timeZone) {
    schedule { cron timeZone nextRunAt createdBy } auditEventId } }`;
const REMOVE = `mutation($id: ID!) { removeAccessSyncSchedule(integrationId: $id) { integrationId } }`;

describeOnBothDatabases('The schedule of an integration', (database) => {
  let rig: SyncRig;
  let other: TestTenant;
  beforeAll(async () => {
    rig = await openSyncRig({ database, simulator: { people: { count: 60 } } });
    other = await createTestTenant(rig.gateway, { name: 'Globex', subdomain: 'globex' });
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  const set = (cron: string, timeZone?: string, id = rig.key.integrationId) =>
    rig.ask(SET, { id, cron, timeZone });
  const codeOf = ({ json }: Awaited<ReturnType<typeof set>>) => json.errors?.[0]?.extensions.code ?? null;

  it('is set, told with its next run, and removed again', async () => {
    const { schedule } = dataOf(await set('0 3 * * 1', 'Europe/Berlin'))[
      'setAccessSyncSchedule'
    ] as never as {
      schedule: { nextRunAt: string };
    };
    expect(schedule).toMatchObject({ cron: '0 3 * * 1', timeZone: 'Europe/Berlin' });
    const told = dataOf(
      await rig.ask(
        'query($id: ID!) { integration(id: $id) { accessSync { nextRunAt schedule { cron } } } }',
        {
          id: rig.key.integrationId,
        },
      ),
    );
    expect(told['integration']).toEqual({
      accessSync: { nextRunAt: schedule.nextRunAt, schedule: { cron: '0 3 * * 1' } },
    });
    expect(codeOf(await rig.ask(REMOVE, { id: rig.key.integrationId }))).toBeNull();
    expect(codeOf(await rig.ask(REMOVE, { id: rig.key.integrationId }))).toBe('CONFLICT');
  });

  it('is refused with the field at fault, and without the operation in the policy', async () => {
    const refused = await set('every morning');
    expect(refused.json.errors[0].extensions).toMatchObject({
      code: 'VALIDATION_FAILED',
      fields: [{ path: 'cron' }],
    });
    expect(JSON.stringify(refused.json)).not.toContain('every morning');
    expect(codeOf(await rig.ask(SET, { id: other.integrationId, cron: '0 3 * * *' }, other.keys.admin))).toBe(
      'OPERATION_NOT_ALLOWED',
    );
    expect(codeOf(await set('0 3 * * *', 'UTC', other.integrationId))).toBe('NOT_FOUND');
  });

  it('is not looked at for whom it is not to be set by, and not dozens of times in one document', async () => {
    expect(codeOf(await set('every morning', 'UTC', other.integrationId))).toBe('NOT_FOUND');
    const fields = Array.from(
      { length: 21 },
      (_, index) => `f${index}: setAccessSyncSchedule(integrationId: $id, cron: "x") { auditEventId }`,
    );
    const document = `mutation($id: ID!) { ${fields.join(' ')} }`;
    expect(codeOf(await rig.ask(document, { id: rig.key.integrationId }))).toBe('QUERY_TOO_COMPLEX');
  });

  it('leads to a run when it is due, once, and to the next time', async () => {
    await using _worker = rig.startWorker();
    dataOf(await set('0 3 * * *'));
    const { store } = rig.gateway;
    const past = new Date(Date.now() - 86_400_000);
    await store.withTenant(rig.tenant.id, (tx) =>
      tx.updateTable('access_sync_schedules').set({ next_run_at: past }).execute(),
    );
    const runIds = async () =>
      store.withTenant(rig.tenant.id, async (tx) => {
        const rows = await tx
          .selectFrom('access_sync_runs')
          .select('id')
          .where('trigger', '=', 'SCHEDULE')
          .execute();
        return rows.map((row) => row.id);
      });
    await expect.poll(runIds, { timeout: 10_000 }).toHaveLength(1);
    const [id = ''] = await runIds();
    expect(await rig.follow(id)).toMatchObject({ state: 'SUCCEEDED', trigger: 'SCHEDULE', kind: 'FULL' });
    expect(await runIds()).toHaveLength(1);
    const [row] = await store.withTenant(rig.tenant.id, (tx) =>
      tx.selectFrom('access_sync_schedules').select('next_run_at').execute(),
    );
    expect(row?.next_run_at.getTime()).toBeGreaterThan(Date.now());
  });

  /** As many further integrations of `tenant`. */
  const integrate = async (tenant: TestTenant, count: number): Promise<readonly string[]> => {
    const ids: string[] = [];
    while (ids.length < count) {
      const answer = await rig.ask(
        'mutation($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } } }',
        {
          input: {
            ...{ systemType: 'ZENDESK', config: { subdomain: 'acme' }, credentialId: tenant.credentialId },
            allowedOperations: ['sync_directory'],
          },
        },
        tenant.keys.admin,
      );
      ids.push(
        (dataOf(answer)['createIntegration'] as never as { integration: { id: string } }).integration.id,
      );
    }
    return ids;
  };

  it('is put off where it fails, and keeps those of other tenants waiting no longer than that', async () => {
    const { deps, store } = rig.gateway;
    const now = Date.now();
    const put = (tenantId: string, integrationIds: readonly string[], nextRunAt: Date) =>
      store.withTenant(tenantId, async (tx) => {
        for (const integrationId of integrationIds) {
          const schedule = { cron: '0 3 * * *', timeZone: 'UTC', createdBy: 'key_x', createdAt: nextRunAt };
          await putSyncSchedule(tx, { ...schedule, tenantId, integrationId, nextRunAt });
        }
      });
    // As many as are looked at at once, and due for longer.
    const failing = [rig.key.integrationId, ...(await integrate(rig.tenant, 19))];
    await put(rig.tenant.id, failing, new Date(now - 86_400_000));
    await put(other.id, [other.integrationId], new Date(now - 60_000));
    const keyring = {
      keysOf: async (tenantId: string) => {
        if (tenantId === rig.tenant.id) throw new SealdeskError('KMS_UNAVAILABLE', 'Not now.');
        return deps.keyring.keysOf(tenantId);
      },
    } as typeof deps.keyring;
    await runDueSchedules({ ...deps, keyring });
    await runDueSchedules({ ...deps, keyring });
    const readAll = (tenantId: string) =>
      store.withTenant(tenantId, async (tx) => ({
        runs: await tx.selectFrom('access_sync_runs').select('id').where('state', '=', 'QUEUED').execute(),
        due: await tx.selectFrom('access_sync_schedules').select('next_run_at').execute(),
      }));
    expect((await readAll(other.id)).runs).toHaveLength(1);
    const { runs, due } = await readAll(rig.tenant.id);
    expect(runs).toEqual([]);
    expect(due).toHaveLength(20);
    for (const { next_run_at: at } of due) {
      expect(at.getTime() - now).toBeGreaterThanOrEqual(5 * 60_000);
      expect(at.getTime() - now).toBeLessThan(6 * 60_000);
    }
  });

  it('leads to runs that take turns: two of a tenant at once, and whoever waited longest first', async () => {
    const { store } = rig.gateway;
    const asked = Date.now() - 60_000;
    const insert = (tenantId: string, integrationIds: readonly string[], since: number) =>
      store.withTenant(tenantId, async (tx) => {
        await tx.deleteFrom('access_sync_runs').execute();
        const runs = [];
        for (const [index, integrationId] of integrationIds.entries()) {
          const now = new Date(since + index * 1_000);
          const run = { kind: 'FULL', trigger: 'SCHEDULE', requestedBy: 'key_x', now } as const;
          const id = createId('run', now.getTime());
          runs.push((await insertSyncRun(tx, { ...run, id, tenantId, integrationId }))?.id ?? '');
        }
        return runs;
      });
    const [one = '', two = '', three = ''] = await insert(
      rig.tenant.id,
      await integrate(rig.tenant, 4),
      asked,
    );
    const [theirs = ''] = await insert(other.id, [other.integrationId], asked + 30_000);
    const waiting = async () => {
      const found = await store.withSystem('access-syncs', (tx) => findUnattendedRuns(tx, 20));
      return found.map(({ runId }) => runId);
    };
    const claim = (runId: string) =>
      store.withTenant(rig.tenant.id, async (tx) => {
        const key = { runId, tenantId: rig.tenant.id, holder: 'test' };
        return (await claimSyncRun(tx, { ...key, lifetimeMs: 600_000, now: new Date() })) as SyncLease;
      });
    expect(await waiting()).toEqual([one, two, theirs]);
    const lease = await claim(one);
    expect(await waiting()).toEqual([two, theirs]);
    await claim(two);
    expect(await waiting()).toEqual([theirs]);
    await store.withTenant(rig.tenant.id, async (tx) => {
      await advanceSyncRun(tx, lease, { now: new Date() });
      await releaseSyncRun(tx, lease);
    });
    expect(await waiting()).toEqual([three, theirs]);
  });
});
