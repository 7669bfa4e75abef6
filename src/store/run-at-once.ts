/**
 * One statement in a transaction of its own and in one round trip: what sets the scope and the statement are sent in
 * one message of PostgreSQL's extended protocol, which is one transaction up to its Sync. Where the first part
 * fails the server skips the second, so that nothing ever runs outside the scope.
 *
 * Source: PostgreSQL documentation, "Pipelining" in "Message Flow".
 */
import pg from 'pg';
import type { Statement, StatementValue } from './statement.ts';

/** The role and the tenant of a transaction. */
export interface Scope {
  readonly role: string;
  readonly tenantId: string;
}

interface Part extends Statement {
  readonly values: readonly StatementValue[];
}

/**
 * Each setting is made, and since none is NULL then, no row tells of it: there is nothing to describe and to read. The
 * plan of a statement does not depend on its values here, and planning would cost more than running it.
 */
const SCOPE: Statement = Object.freeze({
  name: 'scope',
  text: `SELECT WHERE set_config('role', $1, true) IS NULL OR set_config('sealdesk.tenant_id', $2, true) IS NULL
    OR set_config('plan_cache_mode', 'force_generic_plan', true) IS NULL`,
});

/** The names that are prepared on each connection, or are about to be, by this way of sending. */
const preparedOn = new WeakMap<pg.ClientBase, Set<string>>();

/** A connection that statements of one scope are under way on. */
interface Lane {
  readonly client: Promise<pg.PoolClient>;
  underWay: number;
  /** Whether a statement failed that was the first of its name here: nobody knows then what is prepared. */
  isUnclear: boolean;
}

const lanesOf = new WeakMap<pg.Pool, Map<string, Lane>>();

/**
 * Statements of one scope that are under way at the same time go down one connection, in the order of the calls and
 * none waiting in this process for the answer to the one before.
 */
export async function runAtOnce<Row>(
  pool: pg.Pool,
  { role, tenantId }: Scope,
  statement: Statement,
  values: readonly StatementValue[],
): Promise<readonly Row[]> {
  const lanes = lanesOf.get(pool) ?? new Map<string, Lane>();
  lanesOf.set(pool, lanes);
  const key = `${role} ${tenantId}`;
  const lane = lanes.get(key) ?? { client: pool.connect(), underWay: 0, isUnclear: false };
  lanes.set(key, lane);
  lane.underWay += 1;
  let client: pg.PoolClient | null = null;
  let isFirst = false;
  let isDone = false;
  try {
    client = await lane.client;
    const prepared = preparedOn.get(client) ?? new Set<string>();
    preparedOn.set(client, prepared);
    const parts = [
      { ...SCOPE, values: [role, tenantId] },
      { ...statement, values },
    ];
    isFirst = parts.some(({ name }) => !prepared.has(name));
    const results = await send(client, parts, prepared);
    isDone = true;
    return (results.at(-1)?.rows ?? []) as readonly Row[];
  } finally {
    lane.isUnclear ||= isFirst && !isDone;
    lane.underWay -= 1;
    if ((lane.underWay === 0 || lane.isUnclear) && lanes.get(key) === lane) lanes.delete(key);
    if (lane.underWay === 0) client?.release(lane.isUnclear);
  }
}

function send(
  client: pg.PoolClient,
  parts: readonly Part[],
  prepared: Set<string>,
): Promise<readonly pg.QueryResult[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly pg.QueryResult[]>();
  client.query(
    new MessageOfParts(parts, prepared, (error, results) => {
      if (error) reject(error);
      else resolve(Array.isArray(results) ? results : [results]);
    }),
  );
  return promise;
}

class MessageOfParts extends pg.Query {
  readonly #parts: readonly Part[];
  readonly #prepared: Set<string>;

  constructor(
    parts: readonly Part[],
    prepared: Set<string>,
    callback: (error: Error | undefined, results: pg.QueryResult | pg.QueryResult[]) => void,
  ) {
    super({ text: '' }, [], callback as never);
    this.#parts = parts;
    this.#prepared = prepared;
  }

  override submit = (connection: pg.Connection): void => {
    connection.stream.cork();
    try {
      for (const { name, text, values } of this.#parts) {
        const statement = `${name}_at_once`;
        if (!this.#prepared.has(name)) connection.parse({ name: statement, text, types: [] }, true);
        this.#prepared.add(name);
        connection.bind({ portal: '', statement, values: [...values] }, true);
        if (name !== SCOPE.name) connection.describe({ type: 'P', name: '' }, true);
        connection.execute({ portal: '' }, true);
      }
      connection.sync();
    } finally {
      connection.stream.uncork();
    }
  };
}
