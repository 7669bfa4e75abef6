/** Looks at a PostgreSQL without changing it: version, tenants' role, connections, client keys. */
import pg from 'pg';
import { z } from 'zod';
import type { Config } from '../../config.ts';
import { roleSetupSql } from '../../store/index.ts';
import { describeFailure } from '../describe-failure.ts';
import { alarmFinding } from './audit-check.ts';
import { clientKeyFindings } from './client-key-findings.ts';
import { checkConnections } from './connection-findings.ts';
import { type Finding, note, ok, wrong } from './finding.ts';
import { checkServerKeys } from './server-keys-check.ts';

const OLDEST_VERSION = 150_000;
const TIMEOUT_MS = 5_000;
const UNDEFINED_TABLE = '42P01';
const UNDEFINED_COLUMN = '42703';

/** Of pg-boss, which makes it with the first access sync (docs/access-sync.md). */
const QUEUE_SCHEMA = 'pgboss';

const State = z.object({
  version: z.string(),
  number: z.number(),
  login: z.string(),
  /** Whether the login may create roles. */
  creates: z.boolean(),
  exists: z.boolean(),
  /** Whether the login may take the role. */
  may: z.boolean(),
  /** Whether the role bypasses row-level security. */
  free: z.boolean(),
  /** Whether the login may make the tables of the job queue. */
  queues: z.boolean(),
  /** The SQL that lets it. */
  grant: z.string(),
});
type State = z.infer<typeof State>;

const STATE_SQL = `
  SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
    me.rolname::text AS login, me.rolsuper OR me.rolcreaterole AS creates, r.oid IS NOT NULL AS exists,
    coalesce(r.rolsuper OR r.rolbypassrls, false) AS free,
    coalesce(has_schema_privilege(to_regnamespace('${QUEUE_SCHEMA}')::oid, 'CREATE'),
      has_database_privilege(current_database(), 'CREATE')) AS queues,
    format('GRANT CREATE ON DATABASE %I TO %I;', current_database(), me.rolname) AS grant,
    r.oid IS NOT NULL AND (me.rolsuper OR pg_has_role(me.oid, r.oid,
      CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)) AS may
  FROM pg_roles me LEFT JOIN pg_roles r ON r.rolname = $1 WHERE me.rolname = current_user`;

export async function checkPostgres(
  connectionString: string,
  config: Config,
  defaultKeyRef: string | null,
): Promise<Finding[]> {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
    application_name: 'sealdesk doctor',
  });
  // A loss is told by the query under way; the event beside it would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    const state = State.parse((await client.query(STATE_SQL, [config.dbRole])).rows[0]);
    return [
      versionFinding(state),
      roleFinding(state, config.dbRole),
      ...queueFindings(state),
      ...(await lookAtConnections(client)),
      ...(await checkAlarms(client)),
      ...(await checkClientKeys(client)),
      ...(await checkKeys(client, defaultKeyRef)),
    ];
  } catch (error) {
    return [wrong(`Database: ${reasonOf(error)}`)];
  } finally {
    await client.end().catch(() => undefined);
  }
}

function versionFinding({ version, number }: State): Finding {
  return number >= OLDEST_VERSION
    ? ok(`Database: PostgreSQL ${version} answers`)
    : wrong(`Database: PostgreSQL ${version} is too old; version 15 or newer is needed.`);
}

function roleFinding(state: State, role: string): Finding {
  const { login, exists, may, creates, free } = state;
  if (free) {
    return wrong(
      `Database role ${role} bypasses row-level security. Have an administrator run: ALTER ROLE ${role} NOSUPERUSER NOBYPASSRLS;`,
    );
  }
  if (may) return ok(`Database role ${role} is bound by row-level security, and ${login} may take it`);
  if (!exists && creates) return ok(`Database role ${role} is made at the first start`);
  return wrong(
    `Database role ${role}: the login ${login} may not ${exists ? 'take' : 'create'} it. Have an administrator run: ${roleSetupSql(role, login, exists)}`,
  );
}

function queueFindings({ queues, login, grant }: State): readonly Finding[] {
  if (queues) return [];
  return [
    note(
      `Access sync: ${login} may not make the job queue (schema ${QUEUE_SCHEMA}), so that runs stay QUEUED. Have an administrator run: ${grant}`,
    ),
  ];
}

async function lookAtConnections(client: pg.Client): Promise<readonly Finding[]> {
  try {
    return await checkConnections(async (statement) => (await client.query(statement)).rows, Date.now());
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    switch (error.code) {
      case UNDEFINED_TABLE:
        return [note('Database: it has no tables yet; they are made at the first start.')];
      case UNDEFINED_COLUMN:
        return [
          note('Connections: the database is of an older version; they are told after the next start.'),
        ];
      default:
        return [note('Connections: this login may not read them.')];
    }
  }
}

const Alarms = z.array(z.object({ tenantId: z.string(), kind: z.string() }));

/** Nothing where there are no tables yet, or this login may not read them: that is told already. */
async function checkAlarms(client: pg.Client): Promise<Finding[]> {
  try {
    const { rows } = await client.query(`
      SELECT a.tenant_id AS "tenantId", a.kind FROM audit_alarms a
      WHERE a.epoch >= coalesce((SELECT max(e.epoch) FROM audit_epochs e WHERE e.tenant_id = a.tenant_id), 1)
      ORDER BY a.raised_at LIMIT 1000`);
    return [alarmFinding(Alarms.parse(rows))];
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return [];
  }
}

const CLIENT_KEYS_SQL = `
  SELECT count(*)::int AS active,
    count(*) FILTER (WHERE expires_at <= now() + interval '30 days')::int AS "endingSoon",
    count(*) FILTER (WHERE mapped_at < now() - interval '90 days'
      AND (last_used_at IS NULL OR last_used_at < now() - interval '90 days'))::int AS unused
  FROM client_keys WHERE status = 'ACTIVE' AND (expires_at IS NULL OR expires_at > now())`;
const ClientKeyRow = z.object({ active: z.number(), endingSoon: z.number(), unused: z.number() });

async function checkClientKeys(client: pg.Client): Promise<readonly Finding[]> {
  try {
    const { rows } = await client.query(CLIENT_KEYS_SQL);
    return clientKeyFindings(ClientKeyRow.parse(rows[0]));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    // Before the first start, or the first of this version, which the finding about credentials tells.
    return [];
  }
}

/** Tables of an older version, or rights that are missing, were told of before. */
async function checkKeys(client: pg.Client, defaultKeyRef: string | null): Promise<Finding[]> {
  try {
    return await checkServerKeys(async (statement) => (await client.query(statement)).rows, defaultKeyRef);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return error.code === UNDEFINED_TABLE
      ? []
      : [note('Server keys: this login may not read how they stand.')];
  }
}

/** Never the connection string, which holds the password. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && 'severity' in error) return describeFailure(error).text;
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  return `it cannot be reached${code}. Check DATABASE_URL.`;
}
