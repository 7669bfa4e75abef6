/**
 * The database role under which all work for one tenant runs, and what it may do. It owns nothing
 * and is not a superuser, so row-level security binds it. Roles belong to the whole cluster: several
 * databases and twenty processes may create it at once.
 */
import { type Kysely, sql } from 'kysely';
import type { Tables } from './tables.ts';

const GRANTS = {
  tenants: 'SELECT',
  tenant_secrets: 'SELECT',
  signing_keys: 'SELECT',
  client_keys: 'SELECT, INSERT, UPDATE, DELETE',
  api_keys: 'SELECT, INSERT, UPDATE',
  credentials: 'SELECT, INSERT, UPDATE, DELETE',
  credential_secrets: 'SELECT, INSERT, UPDATE, DELETE',
  access_tokens: 'SELECT, INSERT, UPDATE, DELETE',
  integrations: 'SELECT, INSERT, UPDATE, DELETE',
  audit_events: 'SELECT, INSERT',
  audit_heads: 'SELECT, INSERT, UPDATE',
  open_intents: 'SELECT, INSERT, DELETE',
} as const satisfies Record<keyof Tables, string>;

const ROLE_NAME = /^[a-z_][a-z0-9_]{0,62}$/;
/** SQLSTATEs of losing a race for a row of the cluster's catalogue. */
const RACE_STATES: ReadonlySet<unknown> = new Set(['23505', '42710', 'XX000']);
const MAX_RACES = 20;

/** Throws TypeError unless `role` is a plain lower-case identifier of at most 63 characters. */
export function assertRoleName(role: string): void {
  if (!ROLE_NAME.test(role))
    throw new TypeError(`"role" must match ${ROLE_NAME}, got ${JSON.stringify(role)}`);
}

/** The statements that a database administrator runs where the gateway's own login may not create roles. */
export function roleSetupSql(role: string): string {
  assertRoleName(role);
  return `CREATE ROLE ${role} NOLOGIN NOSUPERUSER NOBYPASSRLS; GRANT ${role} TO CURRENT_USER;`;
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
  const { rows } = await sql`SELECT 1 FROM pg_roles WHERE rolname = ${role}`.execute(db);
  if (rows.length === 0) {
    await sql.raw(`CREATE ROLE ${role} NOLOGIN NOSUPERUSER NOBYPASSRLS`).execute(db);
  }
  if (!(await mayTakeRole(db, role))) await sql.raw(`GRANT ${role} TO CURRENT_USER`).execute(db);
}

/** Taking the role is the test that holds on every version, superuser or not. */
async function mayTakeRole(db: Kysely<Tables>, role: string): Promise<boolean> {
  const { rows } = await sql<{ may: boolean }>`
    SELECT rolsuper OR pg_has_role(current_user, ${role}, 'MEMBER') AS may
    FROM pg_roles WHERE rolname = current_user`.execute(db);
  return rows[0]?.may === true;
}

/** A role that bypasses row-level security would void the boundary between tenants, so start refuses it. */
async function assertRoleIsBound(db: Kysely<Tables>, role: string): Promise<void> {
  const { rows } = await sql<{ free: boolean }>`
    SELECT rolsuper OR rolbypassrls AS free FROM pg_roles WHERE rolname = ${role}`.execute(db);
  if (rows[0]?.free !== false) {
    throw new Error(
      `The database role "${role}" bypasses row-level security; use one created by: ${roleSetupSql(role)}`,
    );
  }
}

async function repeatOnRace(attempt: () => Promise<void>): Promise<void> {
  for (let races = 0; ; races += 1) {
    try {
      return await attempt();
    } catch (error) {
      const state = error instanceof Error && 'code' in error ? error.code : undefined;
      if (!RACE_STATES.has(state) || races >= MAX_RACES) throw error;
    }
  }
}
