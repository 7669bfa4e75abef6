import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createId } from '../../src/base/index.ts';
import { DEFAULT_TENANT_ROLE, type Store, type Tx } from '../../src/store/index.ts';
import { describeOnBothDatabases, openTestStore, type TestStore } from '../support/store.ts';

const bytes = new Uint8Array(32);
const now = new Date(Date.UTC(2026, 0, 1));

/** How to put one row of a tenant into each table, in an order that satisfies the foreign keys. */
const inserts = {
  tenants: (tx: Tx, id: string) => tx.insertInto('tenants').values({ id, kind: 'CUSTOMER', name: 'Test' }),
  tenant_secrets: (tx: Tx, tenant_id: string) =>
    tx.insertInto('tenant_secrets').values({
      tenant_id,
      purpose: 'vault',
      version: 1,
      sealed: bytes,
      encrypted_data_key: bytes,
      kms_key_ref: 'local',
    }),
  signing_keys: (tx: Tx, tenant_id: string) =>
    tx.insertInto('signing_keys').values({
      id: createId('signingKey'),
      tenant_id,
      kid: 'kid',
      version: 1,
      public_key: bytes,
      status: 'ACTIVE',
      not_before: now,
    }),
  key_rotations: (tx: Tx, tenant_id: string) =>
    tx.insertInto('key_rotations').values({
      tenant_id,
      what: 'VAULT',
      from_refs: ['1'],
      to_ref: '2',
      total: 0,
      state: 'RUNNING',
      started_at: now,
    }),
  client_keys: (tx: Tx, tenant_id: string) => {
    const id = clientKeyOf(tenant_id);
    return tx.insertInto('client_keys').values({
      id,
      tenant_id,
      lineage_id: id,
      status: 'PENDING',
      kem_kid: id,
      sig_kid: id,
      kem_public_key: bytes,
      sig_public_key: bytes,
      registered_by: 'test',
      pending_until: now,
    });
  },
  login_tokens: (tx: Tx, tenant_id: string) =>
    tx
      .insertInto('login_tokens')
      .values({ tenant_id, client_key_id: clientKeyOf(tenant_id), jti: 'jti', expires_at: now }),
  api_keys: (tx: Tx, tenant_id: string) =>
    tx.insertInto('api_keys').values({
      id: createId('apiKey'),
      tenant_id,
      name: 'Test',
      secret_sha256: bytes,
      roles: ['AGENT'],
      created_by: 'test',
    }),
  credentials: (tx: Tx, tenant_id: string) =>
    tx
      .insertInto('credentials')
      .values({ id: credentialOf(tenant_id), tenant_id, type: 'api_key', version: 1 }),
  credential_secrets: (tx: Tx, tenant_id: string) =>
    tx.insertInto('credential_secrets').values({
      credential_id: credentialOf(tenant_id),
      tenant_id,
      version: 1,
      vault_key_version: 1,
      sealed: bytes,
      encrypted_data_key: bytes,
      kms_key_ref: 'local',
    }),
  access_tokens: (tx: Tx, tenant_id: string) =>
    tx
      .insertInto('access_tokens')
      .values({ credential_id: credentialOf(tenant_id), tenant_id, credential_version: 1 }),
  integrations: (tx: Tx, tenant_id: string) =>
    tx.insertInto('integrations').values({
      id: integrationOf(tenant_id),
      tenant_id,
      name: 'Test',
      system_type: 'ZENDESK',
      subdomain: 'test',
      status: 'ACTIVE',
    }),
  audit_events: (tx: Tx, tenant_id: string) =>
    tx.insertInto('audit_events').values({
      tenant_id,
      index: 0,
      id: createId('auditEvent'),
      leaf: bytes,
      leaf_hash: bytes,
      occurred_at: now,
      actor_id: 'test',
      phase: 'SINGLE',
      action: 'test',
    }),
  audit_heads: (tx: Tx, tenant_id: string) =>
    tx.insertInto('audit_heads').values({
      tenant_id,
      size: 0,
      frontier: new Uint8Array(0),
      root: bytes,
      mac: bytes,
      updated_at: now,
    }),
  audit_nodes: (tx: Tx, tenant_id: string) =>
    tx.insertInto('audit_nodes').values({ tenant_id, level: 3, index: 0, hash: bytes }),
  audit_exports: (tx: Tx, tenant_id: string) =>
    tx.insertInto('audit_exports').values({
      ...{ id: createId('run'), tenant_id, requested_by: 'test', state: 'CHECKING', epoch: 1 },
      ...{ range_from: 0, range_to: 0, checked_to: 0, size: 0, root: bytes, note: '' },
      ...{ created_at: now, expires_at: now },
    }),
  open_intents: (tx: Tx, tenant_id: string) =>
    tx.insertInto('open_intents').values({ intent_id: createId('auditEvent'), tenant_id, opened_at: now }),
  audit_checkpoints: (tx: Tx, tenant_id: string) =>
    tx.insertInto('audit_checkpoints').values({ tenant_id, epoch: 1, size: 1, root: bytes, note: 'note' }),
  audit_epochs: (tx: Tx, tenant_id: string) =>
    tx.insertInto('audit_epochs').values({ tenant_id, epoch: 2, first_index: 1 }),
  audit_alarms: (tx: Tx, tenant_id: string) =>
    tx.insertInto('audit_alarms').values({ tenant_id, epoch: 1, kind: 'HEAD_ALTERED' }),
  audit_displaced_events: (tx: Tx, tenant_id: string) =>
    tx.insertInto('audit_displaced_events').values({ tenant_id, epoch: 2, index: 1, event: '{}' }),
  audit_watches: (tx: Tx, tenant_id: string) => tx.insertInto('audit_watches').values({ tenant_id }),
  zendesk_budgets: (tx: Tx, tenant_id: string) =>
    tx
      .insertInto('zendesk_budgets')
      .values({ tenant_id, origin: 'https://test.zendesk.com', bucket: 'account', state: null }),
  ticket_feeds: (tx: Tx, tenant_id: string) =>
    tx
      .insertInto('ticket_feeds')
      .values({ ...feedOf(tenant_id), status: 'ENABLED', enabled_at: now, export_start: 0 }),
  feed_heads: (tx: Tx, tenant_id: string) => tx.insertInto('feed_heads').values(feedOf(tenant_id)),
  feed_tickets: (tx: Tx, tenant_id: string) =>
    tx.insertInto('feed_tickets').values({
      ...feedOf(tenant_id),
      ticket_id: 1,
      state: 'PRESENT',
      updated_at: now,
      snapshot_hash: 'hash',
    }),
  feed_dirty_tickets: (tx: Tx, tenant_id: string) =>
    tx.insertInto('feed_dirty_tickets').values({
      ...feedOf(tenant_id),
      ticket_id: 1,
      marked_at: now,
      by_webhook: true,
      by_export: false,
      not_before: now,
    }),
  feed_webhook_invocations: (tx: Tx, tenant_id: string) =>
    tx.insertInto('feed_webhook_invocations').values({
      ...feedOf(tenant_id),
      invocation_id: 'invocation',
      ticket_id: 1,
      event_type: 'ticket.created',
      received_at: now,
    }),
  feed_streams: (tx: Tx, tenant_id: string) =>
    tx.insertInto('feed_streams').values({
      ...feedOf(tenant_id),
      lineage_id: 'lineage',
      state: 'OPEN',
      sequence: 0,
      oldest: 0,
      opened_at: now,
      read_at: now,
    }),
  feed_entries: (tx: Tx, tenant_id: string) =>
    tx.insertInto('feed_entries').values({
      ...feedOf(tenant_id),
      lineage_id: 'lineage',
      recipient_key_id: 'key',
      sequence: 1,
      occurred_at: now,
      audit_event_id: 'event',
      envelope: '{}',
    }),
  feed_positions: (tx: Tx, tenant_id: string) =>
    tx.insertInto('feed_positions').values({
      ...feedOf(tenant_id),
      lineage_id: 'lineage',
      recipient_key_id: 'key',
      sequence: 0,
      issued_at: now,
      envelope: '{}',
    }),
  feed_shown_tickets: (tx: Tx, tenant_id: string) =>
    tx.insertInto('feed_shown_tickets').values({
      ...feedOf(tenant_id),
      lineage_id: 'lineage',
      ticket_id: 1,
    }),
  zendesk_authorizations: (tx: Tx, tenant_id: string) =>
    tx.insertInto('zendesk_authorizations').values({
      ...feedOf(tenant_id),
      ...{ id: createId('run'), requested_by: 'test', status: 'PENDING', scopes: [], secrets: bytes },
      ...{ state_hash: randomBytes(32), created_at: now, expires_at: now },
    }),
  directory_users: (tx: Tx, tenant_id: string) =>
    tx.insertInto('directory_users').values({
      ...{ ...feedOf(tenant_id), zendesk_id: 1, role: 'agent', role_since: now, status: 'ACTIVE' },
      ...{ first_seen_run: 'run', seen_run: 'run', changed_at: now },
    }),
  directory_role_changes: (tx: Tx, tenant_id: string) =>
    tx.insertInto('directory_role_changes').values({
      ...{ ...feedOf(tenant_id), zendesk_id: 1, seen_at: now, run_id: 'run' },
      ...{ from_role: 'agent', to_role: 'admin' },
    }),
  directory_groups: (tx: Tx, tenant_id: string) =>
    tx.insertInto('directory_groups').values(namedOf(tenant_id)),
  directory_organizations: (tx: Tx, tenant_id: string) =>
    tx.insertInto('directory_organizations').values(namedOf(tenant_id)),
  directory_custom_roles: (tx: Tx, tenant_id: string) =>
    tx.insertInto('directory_custom_roles').values(namedOf(tenant_id)),
  directory_memberships: (tx: Tx, tenant_id: string) =>
    tx.insertInto('directory_memberships').values({
      ...{ ...feedOf(tenant_id), zendesk_id: 1, user_id: 1, group_id: 1 },
      ...{ is_default: true, seen_run: 'run' },
    }),
  access_sync_states: (tx: Tx, tenant_id: string) =>
    tx.insertInto('access_sync_states').values(feedOf(tenant_id)),
  access_sync_schedules: (tx: Tx, tenant_id: string) =>
    tx.insertInto('access_sync_schedules').values({
      ...{ ...feedOf(tenant_id), cron: '0 * * * *', time_zone: 'UTC', created_by: 'test' },
      ...{ created_at: now, next_run_at: now },
    }),
  access_sync_runs: (tx: Tx, tenant_id: string) =>
    tx.insertInto('access_sync_runs').values({
      ...{
        ...feedOf(tenant_id),
        id: createId('run'),
        kind: 'FULL',
        trigger: 'REQUEST',
        requested_by: 'test',
      },
      ...{ state: 'QUEUED', phase: 'CUSTOM_ROLES', requested_at: now, not_before: now },
    }),
  provisioning_settings: (tx: Tx, tenant_id: string) =>
    tx.insertInto('provisioning_settings').values({ ...feedOf(tenant_id), updated_at: now }),
  provisioning_plans: (tx: Tx, tenant_id: string) =>
    tx.insertInto('provisioning_plans').values({
      ...feedOf(tenant_id),
      ...{ id: planOf(tenant_id), kind: 'SUSPEND_USER', state: 'READY', fingerprint: 'hash' },
      ...{ changes: 1, items: 1, warnings: [], created_by: 'test', created_at: now, expires_at: now },
    }),
  provisioning_items: (tx: Tx, tenant_id: string) =>
    tx.insertInto('provisioning_items').values({
      ...{ tenant_id, plan_id: planOf(tenant_id), position: 0, state: 'PENDING', sealed: bytes },
    }),
  provisioning_steps: (tx: Tx, tenant_id: string) =>
    tx.insertInto('provisioning_steps').values({
      ...{ tenant_id, plan_id: planOf(tenant_id), position: 0, step: 0, state: 'PENDING' },
    }),
} as const;
const TABLES = Object.keys(inserts) as (keyof typeof inserts)[];

function integrationOf(tenantId: string): string {
  return tenantId.replace('ten_', 'int_');
}

function feedOf(tenant_id: string): { readonly tenant_id: string; readonly integration_id: string } {
  return { tenant_id, integration_id: integrationOf(tenant_id) };
}

function namedOf(tenant_id: string) {
  return { ...feedOf(tenant_id), zendesk_id: 1, seen_run: 'run', changed_at: now };
}

function planOf(tenantId: string): string {
  return tenantId.replace('ten_', 'pln_');
}

function clientKeyOf(tenantId: string): string {
  return tenantId.replace('ten_', 'key_');
}

function credentialOf(tenantId: string): string {
  return tenantId.replace('ten_', 'cred_');
}

async function fill(store: Store): Promise<string> {
  const tenantId = createId('tenant');
  await store.withSystem('tenant-administration', async (tx) => {
    for (const table of TABLES) await inserts[table](tx, tenantId).execute();
  });
  return tenantId;
}

describeOnBothDatabases('The boundary of a tenant', (kind) => {
  let opened: TestStore;
  let own: string;
  let foreign: string;
  beforeAll(async () => {
    opened = await openTestStore(kind);
    own = await fill(opened.store);
    foreign = await fill(opened.store);
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  const asOwn = <T>(work: (tx: Tx) => Promise<T>) => opened.store.withTenant(own, work);
  const tenantsIn = async (tx: Tx, table: string) =>
    (await sql<{ tenant_id: string }>`SELECT tenant_id FROM ${sql.table(table)}`.execute(tx)).rows.map(
      (row) => row.tenant_id,
    );

  test('stands around every table that has a tenant_id, and every table has one', async () => {
    const { rows } = await opened.store.withSystem('health', (tx) =>
      sql<{ name: string; secured: boolean; qual: string | null; check: string | null; has_tenant: boolean }>`
        SELECT c.relname AS name, c.relrowsecurity AS secured, p.qual, p.with_check AS check,
          EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id') AS has_tenant
        FROM pg_class c LEFT JOIN pg_policies p ON p.schemaname = 'public' AND p.tablename = c.relname
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
          AND c.relname NOT LIKE 'kysely_%'`.execute(tx),
    );
    expect(rows.map((row) => row.name).toSorted()).toEqual(TABLES.toSorted());
    for (const row of rows) {
      expect(row, row.name).toMatchObject({ secured: true, has_tenant: true });
      expect(row.qual, row.name).toContain(`tenant_id = current_setting('sealdesk.tenant_id'`);
      expect(row.check, row.name).toBe(row.qual);
    }
  });

  test.each(TABLES)('shows only its own rows of %s to a query that forgot its where', async (table) => {
    expect(await asOwn((tx) => tenantsIn(tx, table))).toEqual([own]);
    const all = await opened.store.withSystem('health', (tx) => tenantsIn(tx, table));
    expect(all.toSorted()).toEqual([own, foreign].toSorted());
  });

  test.each(TABLES)('refuses a foreign row to %s', async (table) => {
    const third = createId('tenant');
    await opened.store.withSystem('tenant-administration', (tx) =>
      tx.insertInto('tenants').values({ id: third, kind: 'CUSTOMER', name: 'Third' }).execute(),
    );
    const target = table === 'tenants' ? createId('tenant') : third;
    await expect(asOwn((tx) => inserts[table](tx, target).execute())).rejects.toMatchObject({
      code: '42501',
    });
    await opened.store.withSystem('tenant-administration', (tx) =>
      tx.deleteFrom('tenants').where('id', '=', third).execute(),
    );
  });

  test.each(TABLES)('lets nobody change, move or remove a foreign row of %s', async (table) => {
    for (const statement of [
      sql`UPDATE ${sql.table(table)} SET tenant_id = tenant_id WHERE tenant_id = ${foreign}`,
      sql`DELETE FROM ${sql.table(table)} WHERE tenant_id = ${foreign}`,
    ]) {
      const affected = await asOwn((tx) => statement.execute(tx)).then(
        (result) => result.numAffectedRows,
        (error: unknown) => {
          // The generated column of `tenants` cannot be set at all (428C9).
          expect(error).toMatchObject({ code: expect.stringMatching(/^(42501|428C9)$/) });
          return 0n;
        },
      );
      expect(affected).toBe(0n);
    }
    const move = asOwn((tx) => sql`UPDATE ${sql.table(table)} SET tenant_id = ${foreign}`.execute(tx));
    await expect(move).rejects.toMatchObject({ code: expect.stringMatching(/^(42501|428C9)$/) });
  });

  test.each(TABLES)('shows nothing of %s to the role without a tenant', async (table) => {
    const seen = await opened.store.withSystem('health', async (tx) => {
      await sql`SELECT set_config('role', ${DEFAULT_TENANT_ROLE}, true)`.execute(tx);
      return tenantsIn(tx, table);
    });
    expect(seen).toEqual([]);
  });

  test('binds a role that is no superuser, bypasses nothing, cannot log in and owns no table', async () => {
    const { rows } = await asOwn((tx) =>
      sql`SELECT rolname, rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, rolcreatedb,
          (SELECT count(*) FROM pg_class WHERE relowner = pg_roles.oid) AS owned
        FROM pg_roles WHERE rolname = current_user`.execute(tx),
    );
    expect(rows).toEqual([
      {
        rolname: DEFAULT_TENANT_ROLE,
        rolsuper: false,
        rolbypassrls: false,
        rolcanlogin: false,
        rolcreaterole: false,
        rolcreatedb: false,
        owned: 0,
      },
    ]);
  });

  test('ends with the transaction, committed or not', async () => {
    const state = () =>
      opened.store.withSystem('health', async (tx) => {
        const { rows } = await sql<{ role: string; tenant: string | null }>`
          SELECT current_user::text AS role, current_setting('sealdesk.tenant_id', true) AS tenant`.execute(
          tx,
        );
        return rows[0];
      });
    for (const work of [
      asOwn(async () => null),
      asOwn(() => Promise.reject(new Error('undone'))).catch(() => null),
    ]) {
      await work;
      const after = await state();
      expect(after?.role).not.toBe(DEFAULT_TENANT_ROLE);
      expect(after?.tenant ?? '').toBe('');
    }
  });

  test('cannot be drawn around anything but a tenant id', async () => {
    for (const wrong of ['', 'ten_1', createId('apiKey'), `${own}'`]) {
      await expect(opened.store.withTenant(wrong, async () => null)).rejects.toThrow(TypeError);
    }
  });

  test('leaves the audit log of its own tenant unchangeable', async () => {
    for (const statement of [
      `UPDATE audit_events SET action = 'x'`,
      'DELETE FROM audit_events',
      'TRUNCATE audit_events',
      'DELETE FROM audit_heads',
      'ALTER TABLE audit_events DISABLE TRIGGER ALL',
      'ALTER TABLE audit_events DISABLE ROW LEVEL SECURITY',
      'DROP TRIGGER audit_events_append_only ON audit_events',
    ]) {
      await expect(
        asOwn((tx) => sql.raw(statement).execute(tx)),
        statement,
      ).rejects.toMatchObject({ code: '42501' });
    }
  });
});
