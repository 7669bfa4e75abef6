/** The two databases behind one Kysely: PGlite (embedded, one process) and PostgreSQL ≥ 15 (many processes). */
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { Kysely, PGliteDialect, sql, type Transaction } from 'kysely';
import pg from 'pg';
import type { Log } from '../base/index.ts';
import { openFolderLock } from './folder-lock.ts';
import { listenOnPGlite, listenOnPostgres, type OnNotification } from './notifications.ts';
import { runAtOnce, type Scope } from './run-at-once.ts';
import { runSteps, type StatementAnswer, StatementClient, type Step } from './statement.ts';
import type { Tables } from './tables.ts';
import { nextScope, ScopedPostgresDialect } from './transactions.ts';

const BIGINT_OID = 20;
const POOL_SIZE = 10;
/** Connections that are of the tenants' role for their whole life. */
const TENANT_POOL_SIZE = 5;
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/** Of silence before the other side is probed; ten probes a second apart follow. */
const KEEP_ALIVE_MS = 10_000;
/** A process that stands still in a transaction holds its locks for so long, that of a log among them. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000;

export type StoreLocation =
  /** Embedded, kept in `folder`; `url` is where this process answers, told to a second one. */
  | { readonly kind: 'pglite'; readonly folder: string; readonly url: string }
  /** Embedded, in memory: gone with the process. */
  | { readonly kind: 'memory' }
  | { readonly kind: 'postgres'; readonly connectionString: string };

export interface Database extends AsyncDisposable {
  readonly kind: 'pglite' | 'postgres';
  readonly db: Kysely<Tables>;
  /** Runs `work` in a transaction in `scope`, if there is one. */
  transact<T>(scope: Scope | null, work: (tx: Transaction<Tables>) => Promise<T>): Promise<T>;
  /** Runs steps in a transaction of their own. Resolves to the answer of the last. */
  runAtOnce<Row>(scope: Scope, steps: readonly Step[]): Promise<StatementAnswer<Row>>;
  /** Runs statements of the job queue as they are, outside any transaction of the store's. */
  executeForJobs(text: string, values: readonly unknown[]): Promise<{ readonly rows: unknown[] }>;
  /** Hears of what other processes commit, until disposed. */
  listen(onNotification: OnNotification, log: Log): Promise<AsyncDisposable>;
}

/** Opens the database at `location`. `onIdleError` hears of connections lost while nobody used them. */
export async function openDatabase(
  location: StoreLocation,
  onIdleError: (error: Error) => void,
): Promise<Database> {
  switch (location.kind) {
    case 'memory':
      return openPGlite(undefined);
    case 'pglite': {
      await using resources = new AsyncDisposableStack();
      resources.use(await openFolderLock(location.folder, location.url));
      const database = resources.use(await openPGlite(join(location.folder, 'pgdata')));
      const kept = resources.move();
      return { ...database, [Symbol.asyncDispose]: () => kept.disposeAsync() };
    }
    case 'postgres':
      return openPostgres(location.connectionString, onIdleError);
    default:
      return location satisfies never;
  }
}

async function openPGlite(dataDir: string | undefined): Promise<Database> {
  const parsers = { [BIGINT_OID]: parseSafeInteger };
  const pglite = await PGlite.create({ ...(dataDir === undefined ? {} : { dataDir }), parsers });
  const db = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite }) });
  const transact: Database['transact'] = (scope, work) =>
    db.transaction().execute(async (tx) => {
      if (scope !== null) await sql.raw(scopeText(scope)).execute(tx);
      return work(tx);
    });
  return {
    kind: 'pglite',
    db,
    transact,
    runAtOnce: (scope, steps) => transact(scope, (tx) => runSteps(tx, steps)),
    executeForJobs: (text, values) => executeOnPGlite(pglite, text, values),
    listen: (onNotification) => listenOnPGlite(pglite, onNotification),
    [Symbol.asyncDispose]: () => db.destroy(),
  };
}

function openPostgres(connectionString: string, onIdleError: (error: Error) => void): Database {
  const types = new pg.TypeOverrides();
  types.setTypeParser(BIGINT_OID, parseSafeInteger);
  const createPool = (max: number): pg.Pool => {
    const pool = new pg.Pool({
      Client: StatementClient,
      connectionString,
      types,
      max,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
      // A server that is gone without a word is noticed by this alone: nothing would ever answer a query under way.
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      application_name: 'sealdesk',
    });
    pool.on('error', onIdleError);
    // A connection in use tells its loss by the failing query; the event beside it would end the process.
    pool.on('connect', (client) => client.on('error', () => {}));
    return pool;
  };
  const pool = createPool(POOL_SIZE);
  const tenantPool = createPool(TENANT_POOL_SIZE);
  const db = new Kysely<Tables>({ dialect: new ScopedPostgresDialect({ pool }) });
  return {
    kind: 'postgres',
    db,
    transact: (scope, work) =>
      nextScope.run(scope === null ? null : scopeText(scope), () => db.transaction().execute(work)),
    runAtOnce: (scope, steps) => runAtOnce(tenantPool, scope, steps),
    async executeForJobs(text, values) {
      // Several statements in one text have a result each, whatever the types say.
      const results: unknown = await pool.query(text, values.length === 0 ? undefined : [...values]);
      return { rows: [results].flat().flatMap((result) => (result as pg.QueryResult).rows) };
    },
    listen: async (onNotification, log) => listenOnPostgres(connectionString, onNotification, log),
    async [Symbol.asyncDispose]() {
      await Promise.all([db.destroy(), tenantPool.end()]);
    },
  };
}

/** PGlite takes several statements in one text only where none has a parameter. It waits for a transaction under way. */
async function executeOnPGlite(
  pglite: PGlite,
  text: string,
  values: readonly unknown[],
): Promise<{ readonly rows: unknown[] }> {
  if (values.length > 0) return pglite.query(text, [...values]);
  try {
    return { rows: (await pglite.exec(text)).flatMap(({ rows }) => rows) };
  } catch (error) {
    // A text that began a transaction and failed has left it open on the one connection.
    await pglite.exec('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** The statement that sets the scope; neither value holds quotation marks. */
function scopeText({ role, tenantId }: Scope): string {
  return `SELECT set_config('role', '${role}', true), set_config('sealdesk.tenant_id', '${tenantId}', true)`;
}

function parseSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError('A bigint column holds a value beyond 2^53 - 1');
  return value;
}
