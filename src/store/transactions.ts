/**
 * How a transaction begins on PostgreSQL: its scope (role and tenant) is set in the message that begins it, so that
 * it costs one round trip less.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresDriver,
  type TransactionSettings,
} from 'kysely';

/** The statement that sets the scope of the transaction about to begin, `null` for none. */
export const nextScope = new AsyncLocalStorage<string | null>();

/** {@link PostgresDialect}, whose transactions begin in the scope of {@link nextScope}. */
export class ScopedPostgresDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;

  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): Driver {
    return new ScopedPostgresDriver(this.#config);
  }
}

class ScopedPostgresDriver extends PostgresDriver {
  override async beginTransaction(
    connection: DatabaseConnection,
    settings: TransactionSettings,
  ): Promise<void> {
    const scope = nextScope.getStore() ?? null;
    if (scope === null) return super.beginTransaction(connection, settings);
    try {
      await connection.executeQuery(CompiledQuery.raw(`BEGIN; ${scope}`));
    } catch (error) {
      // Where the scope is refused the transaction has begun all the same, and would stay with the connection.
      await connection.executeQuery(CompiledQuery.raw('ROLLBACK')).catch(() => undefined);
      throw error;
    }
  }
}
