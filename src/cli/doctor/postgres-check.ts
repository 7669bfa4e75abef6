/** Looks at a PostgreSQL without changing it: version, tenants' role, API tokens. */
import pg from 'pg';
import { z } from 'zod';
import type { Config } from '../../config.ts';
import { roleSetupSql } from '../../store/index.ts';
import { describeFailure } from '../describe-failure.ts';
import { apiTokenFinding } from './api-token-finding.ts';
import { type Finding, note, ok, wrong } from './finding.ts';

const OLDEST_VERSION = 150_000;
const TIMEOUT_MS = 5_000;
const UNDEFINED_TABLE = '42P01';

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
});
type State = z.infer<typeof State>;

const STATE_SQL = `
  SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
    me.rolname::text AS login, me.rolsuper OR me.rolcreaterole AS creates, r.oid IS NOT NULL AS exists,
    coalesce(r.rolsuper OR r.rolbypassrls, false) AS free,
    r.oid IS NOT NULL AND (me.rolsuper OR pg_has_role(me.oid, r.oid,
      CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)) AS may
  FROM pg_roles me LEFT JOIN pg_roles r ON r.rolname = $1 WHERE me.rolname = current_user`;

export async function checkPostgres(connectionString: string, config: Config): Promise<Finding[]> {
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
    return [versionFinding(state), roleFinding(state, config.dbRole), await checkApiTokens(client)];
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

async function checkApiTokens(client: pg.Client): Promise<Finding> {
  try {
    const { rows } = await client.query(
      "SELECT count(*)::int AS count FROM credentials WHERE type = 'basic_auth'",
    );
    return apiTokenFinding(z.object({ count: z.number() }).parse(rows[0]).count, Date.now());
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return error.code === UNDEFINED_TABLE
      ? note('Database: it has no tables yet; they are made at the first start.')
      : note('Credentials: this login may not read them.');
  }
}

/** Never the connection string, which holds the password. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && 'severity' in error) return describeFailure(error).text;
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  return `it cannot be reached${code}. Check DATABASE_URL.`;
}
