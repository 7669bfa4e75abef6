/**
 * The one way to the database. All work for a tenant runs in {@link Store.withTenant}, as a role
 * that row-level security binds to that tenant; the few unscoped acts run in {@link Store.withSystem}
 * for a listed purpose. Inside a transaction the store itself refuses to be used: PGlite has one
 * connection and would wait for ever, PostgreSQL would do the work outside the transaction.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Transaction } from 'kysely';
import { isId, type Log, silentLog } from '../base/index.ts';
import { type Database, openDatabase, type StoreLocation } from './database.ts';
import { migrate } from './migrate.ts';
import type { OnNotification } from './notifications.ts';
import type { Scope } from './run-at-once.ts';
import type { StatementAnswer, Step } from './statement.ts';
import { SYSTEM_PURPOSES, type SystemPurpose } from './system-purpose.ts';
import type { Tables } from './tables.ts';
import { assertRoleName } from './tenant-role.ts';
import { translateUnavailable } from './unavailable.ts';

export const DEFAULT_TENANT_ROLE = 'sealdesk_tenant';

/** A transaction's handle. It is dead when the work that received it has settled. */
export type Tx = Transaction<Tables>;

export interface OpenStoreOptions {
  readonly location: StoreLocation;
  /** The database role of the tenants' work; see `SEALDESK_DB_ROLE`. */
  readonly tenantRole?: string;
  readonly log?: Log;
}

export interface Store extends AsyncDisposable {
  readonly kind: 'pglite' | 'postgres';
  /** The migrations that opening applied. */
  readonly applied: readonly string[];
  /** Runs `work` in a transaction that sees and writes rows of `tenantId` only. */
  withTenant<T>(tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * Runs steps, one after the other, in such a transaction of their own, in one round trip where the database
   * allows. Where one fails, nothing is done. Resolves to the answer of the last.
   */
  runAtOnce<Row>(tenantId: string, steps: readonly Step[]): Promise<StatementAnswer<Row>>;
  /** Runs `work` in a transaction that sees every tenant's rows, for one of {@link SYSTEM_PURPOSES}. */
  withSystem<T>(purpose: SystemPurpose, work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * Runs statements of the job queue, which has a schema of its own and knows ids only: the one thing here that is
   * neither a tenant's nor in a transaction. `text` is the queue's own.
   */
  executeForJobs(text: string, values?: readonly unknown[]): Promise<{ readonly rows: unknown[] }>;
  /** Hears of what `notify` told, in this process or another, until disposed. Hints only: see notifications.ts. */
  listen(onNotification: OnNotification): Promise<AsyncDisposable>;
}

/** Whether the code now running is inside a transaction of any store. */
const openTransaction = new AsyncLocalStorage<{ open: boolean }>();

/** Throws TypeError inside a transaction: what is about to happen would wait for the network or for itself. */
export function assertOutsideTransaction(what: string): void {
  if (openTransaction.getStore()?.open === true) {
    throw new TypeError(`"${what}" was used inside a transaction; only its "tx" is reachable there`);
  }
}

/** Opens the database, applies what migrations are missing, and returns the way to it. */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { location, tenantRole = DEFAULT_TENANT_ROLE, log = silentLog } = options;
  assertRoleName(tenantRole);
  await using resources = new AsyncDisposableStack();
  const database = resources.use(
    await openDatabase(location, (error) => log.warn('A database connection was lost', { error })),
  );
  const applied = await translating(() => migrate(database, tenantRole));
  return new OpenedStore(database, tenantRole, applied, log, resources.move());
}

class OpenedStore implements Store {
  readonly kind: 'pglite' | 'postgres';
  readonly applied: readonly string[];
  readonly #database: Database;
  readonly #tenantRole: string;
  readonly #log: Log;
  readonly #resources: AsyncDisposableStack;

  constructor(
    database: Database,
    tenantRole: string,
    applied: readonly string[],
    log: Log,
    resources: AsyncDisposableStack,
  ) {
    this.kind = database.kind;
    this.applied = applied;
    this.#database = database;
    this.#tenantRole = tenantRole;
    this.#log = log;
    this.#resources = resources;
  }

  async withTenant<T>(tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#transact('withTenant', this.#scopeOf(tenantId), work);
  }

  async runAtOnce<Row>(tenantId: string, steps: readonly Step[]): Promise<StatementAnswer<Row>> {
    const scope = this.#scopeOf(tenantId);
    assertOutsideTransaction('runAtOnce');
    return translating(() => this.#database.runAtOnce(scope, steps));
  }

  async withSystem<T>(purpose: SystemPurpose, work: (tx: Tx) => Promise<T>): Promise<T> {
    if (!Object.hasOwn(SYSTEM_PURPOSES, purpose)) throw new TypeError(`"purpose" is not listed: ${purpose}`);
    return this.#transact('withSystem', null, work);
  }

  async executeForJobs(text: string, values: readonly unknown[] = []): Promise<{ readonly rows: unknown[] }> {
    assertOutsideTransaction('executeForJobs');
    return translating(() => this.#database.executeForJobs(text, values));
  }

  async listen(onNotification: OnNotification): Promise<AsyncDisposable> {
    // PGlite tells in the midst of the transaction that notified; whoever hears of it stands outside.
    return this.#database.listen(AsyncLocalStorage.bind(onNotification), this.#log);
  }

  #scopeOf(tenantId: string): Scope {
    if (!isId('tenant', tenantId)) throw new TypeError('"tenantId" must be a tenant id');
    return { role: this.#tenantRole, tenantId };
  }

  async #transact<T>(what: string, scope: Scope | null, work: (tx: Tx) => Promise<T>): Promise<T> {
    assertOutsideTransaction(what);
    const context = { open: true };
    return translating(async () => {
      try {
        return await openTransaction.run(context, () => this.#database.transact(scope, work));
      } finally {
        context.open = false;
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

async function translating<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translateUnavailable(error);
  }
}
