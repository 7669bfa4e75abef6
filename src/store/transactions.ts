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
} from 'kysely';

/** The statement that sets the scope of the transaction about to begin, `null` for none. */
export const nextScope = new AsyncLocalStorage<string | null>();

/**
 * Of a transaction without a scope: the role that the connection began with, whatever a pooler did with it since. In
 * another's role it would see nothing, and not know.
 */
const LOGIN_SCOPE = 'SET LOCAL "role" TO DEFAULT';

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
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    const scope = nextScope.getStore() ?? LOGIN_SCOPE;
    try {
      await connection.executeQuery(CompiledQuery.raw(`BEGIN; ${scope}`));
    } catch (error) {
      // Where the scope is refused the transaction has begun all the same, and would stay with the connection.
      await connection.executeQuery(CompiledQuery.raw('ROLLBACK')).catch(() => undefined);
      throw error;
    }
  }
}
