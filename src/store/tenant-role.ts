/**
 * The database role under which all work for one tenant runs, and what it may do. It owns nothing
 * and is not a superuser, so row-level security binds it. Roles belong to the whole cluster: several
 * databases and twenty processes may create it at once.
 */
import { type Kysely, sql } from 'kysely';
import type { Tables } from './tables.ts';

const GRANTS = {
  tenants: 'SELECT, UPDATE (kms_key_ref)',
  tenant_secrets: 'SELECT, INSERT, UPDATE (sealed, encrypted_data_key, kms_key_ref), DELETE',
  signing_keys: 'SELECT, INSERT, UPDATE (status, not_after)',
  key_rotations: 'SELECT, INSERT, UPDATE',
  client_keys: 'SELECT, INSERT, UPDATE, DELETE',
  login_tokens: 'SELECT, INSERT, DELETE',
  api_keys: 'SELECT, INSERT, UPDATE',
  credentials: 'SELECT, INSERT, UPDATE, DELETE',
  credential_secrets: 'SELECT, INSERT, UPDATE, DELETE',
  access_tokens: 'SELECT, INSERT, UPDATE, DELETE',
  integrations: 'SELECT, INSERT, UPDATE, DELETE',
  audit_events: 'SELECT, INSERT',
  audit_heads: 'SELECT, UPDATE (size, frontier, root, mac, updated_at, followed_until)',
  audit_nodes: 'SELECT, INSERT',
  audit_exports: 'SELECT, INSERT, UPDATE, DELETE',
  open_intents: 'SELECT, INSERT, DELETE',
  audit_checkpoints: 'SELECT, INSERT',
  audit_epochs: 'SELECT',
  audit_alarms: 'SELECT, INSERT',
  audit_displaced_events: 'SELECT',
  audit_watches: 'SELECT, INSERT, UPDATE',
  zendesk_budgets: 'SELECT, INSERT, UPDATE, DELETE',
  ticket_feeds: 'SELECT, INSERT, UPDATE, DELETE',
  feed_heads: 'SELECT, INSERT, UPDATE, DELETE',
  feed_tickets: 'SELECT, INSERT, UPDATE, DELETE',
  feed_dirty_tickets: 'SELECT, INSERT, UPDATE, DELETE',
  feed_webhook_invocations: 'SELECT, INSERT, UPDATE, DELETE',
  feed_streams: 'SELECT, INSERT, UPDATE, DELETE',
  feed_entries: 'SELECT, INSERT, DELETE',
  feed_positions: 'SELECT, INSERT, UPDATE, DELETE',
  feed_shown_tickets: 'SELECT, INSERT, DELETE',
  zendesk_authorizations: 'SELECT, INSERT, UPDATE, DELETE',
  directory_users: 'SELECT, INSERT, UPDATE, DELETE',
  directory_role_changes: 'SELECT, INSERT, DELETE',
  directory_groups: 'SELECT, INSERT, UPDATE, DELETE',
  directory_organizations: 'SELECT, INSERT, UPDATE, DELETE',
  directory_custom_roles: 'SELECT, INSERT, UPDATE, DELETE',
  directory_memberships: 'SELECT, INSERT, UPDATE, DELETE',
  access_sync_states: 'SELECT, INSERT, UPDATE, DELETE',
  access_sync_schedules: 'SELECT, INSERT, UPDATE, DELETE',
  access_sync_runs: 'SELECT, INSERT, UPDATE, DELETE',
  provisioning_settings: 'SELECT, INSERT, UPDATE',
  provisioning_plans: 'SELECT, INSERT, UPDATE, DELETE',
  provisioning_items: 'SELECT, INSERT, UPDATE',
  provisioning_steps: 'SELECT, INSERT, UPDATE',
} as const satisfies Record<keyof Tables, string>;

const ROLE_NAME = /^[a-z_][a-z0-9_]{0,62}$/;
/** SQLSTATEs of losing a race for a row of the cluster's catalogue. */
const RACE_STATES: ReadonlySet<unknown> = new Set(['23505', '42710', 'XX000']);
const MAX_RACES = 20;
const INSUFFICIENT_PRIVILEGE = '42501';

/** Throws TypeError unless `role` is a plain lower-case identifier of at most 63 characters. */
export function assertRoleName(role: string): void {
  if (!ROLE_NAME.test(role))
    throw new TypeError(`"role" must match ${ROLE_NAME}, got ${JSON.stringify(role)}`);
}

/**
 * The statements that a database administrator runs where the gateway's own `login` may not create
 * roles; only the grant where the role `exists` already.
 */
export function roleSetupSql(role: string, login: string, exists = false): string {
  assertRoleName(role);
  const create = `CREATE ROLE ${role} NOLOGIN NOSUPERUSER NOBYPASSRLS; `;
  return `${exists ? '' : create}GRANT ${role} TO "${login.replaceAll('"', '""')}";`;
}

/** Creates the role where it is missing, lets the current login take it, and grants what the tables need. */
export async function ensureTenantRole(db: Kysely<Tables>, role: string): Promise<void> {
  assertRoleName(role);
  await repeatOnRace(() => createRole(db, role));
  await assertRoleIsBound(db, role);
  const schema = (await sql<{ schema: string }>`SELECT quote_ident(current_schema()) AS schema`.execute(db))
    .rows[0];
  await sql.raw(`GRANT USAGE ON SCHEMA ${schema?.schema ?? 'public'} TO ${role}`).execute(db);
  for (const [table, privileges] of Object.entries(GRANTS)) {
    await sql.raw(`GRANT ${privileges} ON ${table} TO ${role}`).execute(db);
  }
}

async function createRole(db: Kysely<Tables>, role: string): Promise<void> {
  const { login, exists, may } = await readRoleState(db, role);
  if (may) return;
  try {
    if (!exists) await sql.raw(`CREATE ROLE ${role} NOLOGIN NOSUPERUSER NOBYPASSRLS`).execute(db);
    // From version 16 on creating a role grants it to its creator to administer, not to take.
    if (!(await readRoleState(db, role)).may) await sql.raw(`GRANT ${role} TO CURRENT_USER`).execute(db);
  } catch (error) {
    if (sqlStateOf(error) !== INSUFFICIENT_PRIVILEGE) throw error;
    throw new Error(
      `The database login "${login}" may not ${exists ? 'take' : 'create'} the role "${role}", under which the tenants' ` +
        `work runs. Have a database administrator run: ${roleSetupSql(role, login, exists)}`,
      { cause: error },
    );
  }
}

interface RoleState {
  /** The name that this process logged in with. */
  readonly login: string;
  readonly exists: boolean;
  /** Whether the login may SET ROLE to it. */
  readonly may: boolean;
}

/** From version 16 on membership alone does not permit SET ROLE; the privilege to ask for is called SET there. */
async function readRoleState(db: Kysely<Tables>, role: string): Promise<RoleState> {
  const { rows } = await sql<RoleState>`
    SELECT current_user::text AS login, r.oid IS NOT NULL AS exists,
      r.oid IS NOT NULL AND (me.rolsuper OR pg_has_role(me.oid, r.oid,
        CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)) AS may
    FROM pg_roles me LEFT JOIN pg_roles r ON r.rolname = ${role}
    WHERE me.rolname = current_user`.execute(db);
  const [state] = rows;
  if (state === undefined) throw new Error('The database login has no row in pg_roles');
  return state;
}

/** A role that bypasses row-level security would void the boundary between tenants, so start refuses it. */
async function assertRoleIsBound(db: Kysely<Tables>, role: string): Promise<void> {
  const { rows } = await sql<{ free: boolean }>`
    SELECT rolsuper OR rolbypassrls AS free FROM pg_roles WHERE rolname = ${role}`.execute(db);
  if (rows[0]?.free !== false) {
    throw new Error(
      `The database role "${role}" bypasses row-level security; name another in SEALDESK_DB_ROLE, or have a ` +
        `database administrator run: ALTER ROLE ${role} NOSUPERUSER NOBYPASSRLS;`,
    );
  }
}

async function repeatOnRace(attempt: () => Promise<void>): Promise<void> {
  for (let races = 0; ; races += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!RACE_STATES.has(sqlStateOf(error)) || races >= MAX_RACES) throw error;
    }
  }
}

function sqlStateOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
