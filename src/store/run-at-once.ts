/**
 * One statement in a transaction of its own and in one round trip: what sets the scope and the statement are sent in
 * one message of PostgreSQL's extended protocol, which is one transaction up to its Sync. Where the first part
 * fails the server skips the second, so that nothing ever runs outside the scope.
 *
 * Source: PostgreSQL documentation, "Pipelining" in "Message Flow".
 */
import pg from 'pg';
import type { Statement, StatementAnswer, StatementValue } from './statement.ts';

/** The role and the tenant of a transaction. */
export interface Scope {
  readonly role: string;
  readonly tenantId: string;
}

interface Part extends Statement {
  readonly values: readonly StatementValue[];
}

/** In the message of the failure of a statement on a connection that is not of the role. */
export const NOT_OF_ROLE = ' is not the role of tenants';

/**
 * The tenant is set, and since it is not NULL then, no row tells of it: there is nothing to describe and to read. On a
 * connection that lost its role, as behind a pooler that hands it to others, the statement fails.
 */
const SCOPE: Statement = Object.freeze({
  name: 'scope',
  text: `SELECT WHERE CASE WHEN current_user = $1::name THEN set_config('sealdesk.tenant_id', $2, true) IS NULL
    ELSE (current_user || '${NOT_OF_ROLE}')::boolean END`,
  hasRows: false,
});

/**
 * What a connection is for its whole life: of the role, so that each transaction need set its tenant only, and without
 * planning a statement for its values, which its plan does not depend on here.
 */
const SESSION = `SELECT set_config('role', $1, false), set_config('plan_cache_mode', 'force_generic_plan', false)`;

/** The role that a connection has taken. */
const roleOf = new WeakMap<pg.ClientBase, string>();

/** The names that are prepared on each connection, or are about to be, by this way of sending. */
const preparedOn = new WeakMap<pg.ClientBase, Set<string>>();

/** A connection that statements of one scope are under way on. */
interface Lane {
  readonly client: Promise<pg.PoolClient>;
  underWay: number;
  /** Whether a statement failed: nobody knows then what is prepared, and whether the connection is of the role still. */
  hasFailed: boolean;
  isConnected: boolean;
  /** Whether its connection was given back. */
  isLeft: boolean;
}

const lanesOf = new WeakMap<pg.Pool, Map<string, Lane>>();

/**
 * Statements of one scope that are under way at the same time go down one connection, in the order of the calls and
 * none waiting in this process for the answer to the one before; where others wait for a connection, those that come
 * then line up behind them, and may overtake those that are still under way.
 */
export async function runAtOnce<Row>(
  pool: pg.Pool,
  { role, tenantId }: Scope,
  statement: Statement,
  values: readonly StatementValue[],
): Promise<StatementAnswer<Row>> {
  const lanes = lanesOf.get(pool) ?? new Map<string, Lane>();
  lanesOf.set(pool, lanes);
  const key = `${role} ${tenantId}`;
  const known = lanes.get(key);
  const isOpen = known !== undefined && (!isContended(pool) || !known.isConnected);
  const lane = isOpen ? known : createLane(connectAs(pool, role));
  lanes.set(key, lane);
  lane.underWay += 1;
  let client: pg.PoolClient | null = null;
  let isDone = false;
  try {
    client = await lane.client;
    lane.isConnected = true;
    const prepared = preparedOn.get(client) ?? new Set<string>();
    preparedOn.set(client, prepared);
    const parts = [
      { ...SCOPE, values: [role, tenantId] },
      { ...statement, values },
    ];
    const results = await send(client, parts, prepared);
    isDone = true;
    const result = results.at(-1);
    return { rows: result?.rows ?? [], count: result?.rowCount ?? 0 };
  } finally {
    lane.hasFailed ||= !isDone;
    lane.underWay -= 1;
    if (lane.hasFailed && lanes.get(key) === lane) lanes.delete(key);
    // Whoever was waiting for the answer may have more for the same connection at once.
    if (lane.underWay === 0) setImmediate(leaveIdle, lanes, key, lane, client);
  }
}

/** Whether somebody waits for a connection that another has; whoever is about to get an idle one is counted, too. */
function isContended({ waitingCount, idleCount }: pg.Pool): boolean {
  return waitingCount > idleCount;
}

function createLane(client: Promise<pg.PoolClient>): Lane {
  return { client, underWay: 0, hasFailed: false, isConnected: false, isLeft: false };
}

/** Gives the connection of a lane back, unless it was taken up again since. */
function leaveIdle(lanes: Map<string, Lane>, key: string, lane: Lane, client: pg.PoolClient | null): void {
  if (lane.underWay > 0 || lane.isLeft) return;
  lane.isLeft = true;
  if (lanes.get(key) === lane) lanes.delete(key);
  client?.release(lane.hasFailed);
}

async function connectAs(pool: pg.Pool, role: string): Promise<pg.PoolClient> {
  const client = await pool.connect();
  if (roleOf.get(client) === role) return client;
  try {
    await client.query(SESSION, [role]);
  } catch (error) {
    client.release(true);
    throw error;
  }
  roleOf.set(client, role);
  return client;
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
      for (const { name, text, hasRows, values } of this.#parts) {
        const statement = `${name}_at_once`;
        if (!this.#prepared.has(name)) connection.parse({ name: statement, text, types: [] }, true);
        this.#prepared.add(name);
        connection.bind({ portal: '', statement, values: [...values] }, true);
        if (hasRows) connection.describe({ type: 'P', name: '' }, true);
        connection.execute({ portal: '' }, true);
      }
      connection.sync();
    } finally {
      connection.stream.uncork();
    }
  };
}
