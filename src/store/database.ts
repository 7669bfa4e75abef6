/** The two databases behind one Kysely: PGlite (embedded, one process) and PostgreSQL ≥ 15 (many processes). */
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { Kysely, PGliteDialect, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Log } from '../base/index.ts';
import { openFolderLock } from './folder-lock.ts';
import { listenOnPGlite, listenOnPostgres, type OnNotification } from './notifications.ts';
import type { Tables } from './tables.ts';

const BIGINT_OID = 20;
const POOL_SIZE = 10;
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
  return {
    kind: 'pglite',
    db,
    listen: (onNotification) => listenOnPGlite(pglite, onNotification),
    [Symbol.asyncDispose]: () => db.destroy(),
  };
}

function openPostgres(connectionString: string, onIdleError: (error: Error) => void): Database {
  const types = new pg.TypeOverrides();
  types.setTypeParser(BIGINT_OID, parseSafeInteger);
  const pool = new pg.Pool({
    connectionString,
    types,
    max: POOL_SIZE,
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
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return {
    kind: 'postgres',
    db,
    listen: async (onNotification, log) => listenOnPostgres(connectionString, onNotification, log),
    [Symbol.asyncDispose]: () => db.destroy(),
  };
}

function parseSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError('A bigint column holds a value beyond 2^53 - 1');
  return value;
}
