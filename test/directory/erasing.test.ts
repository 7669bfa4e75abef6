/** What is kept of people: nothing in the clear, nothing of who was erased, and what was deleted for a time. */
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AGENT_EMAIL } from '../../simulator/index.ts';
import { createId, type JsonObject } from '../../src/base/index.ts';
import {
  claimSyncRun,
  eraseUser,
  holdSyncRun,
  insertSyncRun,
  listMemberships,
  listRoleChanges,
  readUser,
  type SyncLease,
  storeMemberships,
  storeUsers,
} from '../../src/directory/index.ts';
import type { Tx } from '../../src/store/index.ts';
import { newestEvents } from '../service/house.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { createTestTenant, dataOf } from '../support/tenant.ts';
import { openSyncRig, type SyncRig } from './sync-rig.ts';

const ERASE = `mutation($id: ID!, $user: ID!, $keepAway: Boolean) {
  eraseDirectoryUser(integrationId: $id, zendeskId: $user, keepAway: $keepAway) { zendeskId auditEventId } }`;

/** `tx`, which does `work` after its first query: as if another transaction had come between two statements. */
function interrupted(tx: Tx, work: () => Promise<unknown>): Tx {
  const replaced = <T extends object>(target: T, name: keyof T, value: unknown): T =>
    new Proxy(target, {
      get(_target, asked) {
        if (asked === name) return value;
        const own: unknown = Reflect.get(target, asked);
        return typeof own === 'function' ? own.bind(target) : own;
      },
    });
  const executor = tx.getExecutor();
  let isFirst = true;
  const executeQuery = async (...query: Parameters<typeof executor.executeQuery>) => {
    const result = await executor.executeQuery(...query);
    if (isFirst) await work();
    isFirst = false;
    return result;
  };
  const spoilt = replaced(executor, 'executeQuery', executeQuery);
  return replaced(tx, 'getExecutor', () => spoilt);
}

describeOnBothDatabases('What is kept of people', (database) => {
  let rig: SyncRig;
  beforeAll(async () => {
    rig = await openSyncRig({ database, simulator: { people: { count: 120, varied: true } } });
    rig.startWorker();
    await rig.sync();
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  const simulated = () => rig.gateway.simulator.users;
  const erase = (user: number, keepAway?: boolean, id = rig.key.integrationId) =>
    rig.ask(ERASE, { id, user, keepAway });
  const tables = () =>
    rig.gateway.store.withSystem('health', async (tx) => {
      const { rows } = await sql<{ schema: string; name: string }>`
        SELECT table_schema AS schema, table_name AS name FROM information_schema.tables
        WHERE table_type = 'BASE TABLE' AND (table_schema = 'pgboss' OR table_name LIKE 'directory_%'
          OR table_name LIKE 'access_sync_%')`.execute(tx);
      const texts: string[] = [];
      for (const { schema, name } of rows) {
        const { rows: found } = await sql<{ text: string }>`
          SELECT t::text AS text FROM ${sql.table(`${schema}.${name}`)} t`.execute(tx);
        texts.push(...found.map(({ text }) => text));
      }
      return { count: rows.length, text: texts.join('\n') };
    });
  /** As `bytea` is written. */
  const hexOf = (text: string) => Buffer.from(text).toString('hex');

  it('is in no column in the clear, by name, address, telephone number or the name of a group', async () => {
    const { count, text } = await tables();
    expect(count).toBeGreaterThan(9);
    expect(text).toContain(rig.key.integrationId);
    const people = (await rig.users()).flatMap(({ name, email, phone, externalId }) => [
      name,
      email,
      phone,
      externalId,
    ]);
    const words = [...people, 'Support'].filter((word): word is string => word !== null && word.length > 3);
    expect(words.length).toBeGreaterThan(200);
    const told = words.filter(
      (word) => text.includes(word) || text.includes(hexOf(word)) || text.includes(hexOf(word.toLowerCase())),
    );
    expect(told).toEqual([]);
  });

  it('is, of an erased user, the id alone, and no sync brings the user back', async () => {
    const id = simulated().byEmail(AGENT_EMAIL)?.id ?? 0;
    const answer = dataOf(await erase(id))['eraseDirectoryUser'] as never as { auditEventId: string };
    const rows = await rig.gateway.store.withTenant(rig.tenant.id, async (tx) => {
      const [row] = await tx.selectFrom('directory_users').selectAll().where('zendesk_id', '=', id).execute();
      const memberships = await tx
        .selectFrom('directory_memberships')
        .selectAll()
        .where('user_id', '=', id)
        .execute();
      return { row, memberships };
    });
    expect(rows.memberships).toEqual([]);
    expect(rows.row).toMatchObject({
      ...{
        sealed: null,
        digest: null,
        email_index: null,
        external_id_index: null,
        role: '',
        status: 'DELETED',
      },
      ...{
        custom_role_id: null,
        organization_id: null,
        last_seen_at: null,
        created_at: null,
        updated_at: null,
      },
    });
    const [event] = await newestEvents(rig.gateway, rig.tenant.keys.auditor, 1);
    expect(event).toMatchObject({ action: 'mutation.eraseDirectoryUser', outcome: 'SUCCEEDED' });
    expect(answer.auditEventId).toMatch(/^aud_/);
    const run = await rig.sync(true);
    expect(run).toMatchObject({ state: 'SUCCEEDED', added: 0 });
    expect((await rig.users()).map(({ zendeskId }) => zendeskId)).not.toContain(id);
    const memberships = await rig.gateway.store.withTenant(rig.tenant.id, (tx) =>
      tx.selectFrom('directory_memberships').selectAll().where('user_id', '=', id).execute(),
    );
    expect(memberships).toEqual([]);
  });

  it('is nothing of a user whose id is forgotten too, whom the next full sync brings anew', async () => {
    const id = simulated().byEmail(AGENT_EMAIL)?.id ?? 0;
    dataOf(await erase(id, false));
    expect(await rig.sync(true)).toMatchObject({ state: 'SUCCEEDED', added: 1 });
    expect((await rig.users()).find(({ zendeskId }) => zendeskId === id)).toMatchObject({
      email: AGENT_EMAIL,
    });
  });

  it('is erased for an admin of the tenant only, and where it is known', async () => {
    const id = simulated().byEmail(AGENT_EMAIL)?.id ?? 0;
    const other = await createTestTenant(rig.gateway, { name: 'Globex', subdomain: 'globex' });
    const codes = await Promise.all([
      erase(987_654_321),
      erase(-1),
      rig.ask(ERASE, { id: rig.key.integrationId, user: id }, other.keys.admin),
      rig.ask(ERASE, { id: other.integrationId, user: id }, other.keys.admin),
      rig.ask(ERASE, { id: rig.key.integrationId, user: id }, rig.tenant.keys.agent),
    ]);
    expect(codes.map(({ json }) => json.errors?.[0]?.extensions.code)).toEqual([
      ...['NOT_FOUND', 'VALIDATION_FAILED', 'NOT_FOUND', 'NOT_FOUND', 'FORBIDDEN'],
    ]);
    expect((await rig.users()).map(({ zendeskId }) => zendeskId)).toContain(id);
  });

  it('is removed from the disk once it was deleted for as long as it is kept, an erased id alone excepted', async () => {
    const [first, second] = await rig.users({ roles: ['end-user'] });
    if (first === undefined || second === undefined) throw new Error('The directory has no end users');
    dataOf(await erase(first.zendeskId));
    simulated().delete(second.zendeskId);
    expect(await rig.sync(true)).toMatchObject({ removed: 1 });
    const ids = () =>
      rig.gateway.store.withTenant(rig.tenant.id, async (tx) => {
        const rows = await tx
          .selectFrom('directory_users')
          .select('zendesk_id')
          .where('deleted_at', 'is not', null)
          .execute();
        return rows.map((row) => row.zendesk_id).toSorted();
      });
    expect(await ids()).toEqual([first.zendeskId, second.zendeskId].toSorted());
    await using _sweeping = rig.startWorker({ retentionMs: 0, times: { sweep: 50 } });
    await expect.poll(ids, { timeout: 10_000 }).toEqual([first.zendeskId]);
  });

  it.each([
    true,
    false,
  ])('is no change of role of a user who is erased while a page is stored, whether kept away or not (%s)', async (isKeptAway) => {
    const { key } = rig;
    const [user] = await rig.users({ roles: ['end-user'] });
    const zendeskId = user?.zendeskId ?? 0;
    const now = new Date();
    const record = { ...simulated().current(zendeskId), role: 'agent', updated_at: now.toISOString() };
    const read = readUser(record as JsonObject);
    if (read === null) throw new Error('The simulator shows no such user');
    const keys = await rig.gateway.deps.keyring.keysOf(rig.tenant.id);
    const changes = await rig.gateway.store.withTenant(rig.tenant.id, async (tx) => {
      const page = { keys, key, runId: createId('run', now.getTime()), now, isFull: false };
      const erase = () => eraseUser(tx, { key, zendeskId, isKeptAway, now });
      await storeUsers(interrupted(tx, erase), page, [read]);
      return listRoleChanges(tx, key, [zendeskId]);
    });
    expect(changes).toEqual([]);
  });

  // PGlite has one connection: nothing comes between there.
  if (database === 'postgres')
    it('is no membership that a page brings while its user is erased', async () => {
      const { store } = rig.gateway;
      const { key } = rig;
      const { tenantId } = key;
      const [user] = await rig.users({ roles: ['end-user'] });
      const userId = user?.zendeskId ?? 0;
      const now = new Date();
      const run = { ...key, id: createId('run', now.getTime()), requestedBy: 'key_x', now };
      const lease = await store.withTenant(tenantId, async (tx) => {
        await insertSyncRun(tx, { ...run, kind: 'FULL', trigger: 'REQUEST' });
        const claim = { tenantId, runId: run.id, holder: 'test', lifetimeMs: 600_000, now };
        return (await claimSyncRun(tx, claim)) as SyncLease;
      });
      const isKept = async () => {
        const { rows } = await store.withSystem('health', (tx) =>
          sql`SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
          AND wait_event_type = 'Lock'`.execute(tx),
        );
        return rows.length > 0;
      };
      const [stored, looked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const storing = store.withTenant(tenantId, async (tx) => {
        await holdSyncRun(tx, lease);
        const membership = { zendeskId: 987_654, userId, groupId: 1, isDefault: false };
        await storeMemberships(tx, { key, runId: run.id }, [membership]);
        stored.resolve();
        await looked.promise;
      });
      await Promise.race([stored.promise, storing]);
      const erasing = erase(userId);
      await Promise.race([erasing, expect.poll(isKept, { timeout: 10_000 }).toBe(true)]);
      looked.resolve();
      await storing;
      dataOf(await erasing);
      expect(await store.withTenant(tenantId, (tx) => listMemberships(tx, key, [userId]))).toEqual([]);
    });
});
