/**
 * A few statements in a transaction of their own and in one round trip: what sets the scope and the statements are sent
 * down PostgreSQL's extended protocol in one piece, which is one transaction up to its Sync. Where a part fails the
 * server skips those behind it and undoes those before, so that nothing ever runs outside the scope.
 *
 * Source: PostgreSQL documentation, "Pipelining" in "Message Flow".
 */
import pg from 'pg';
import type { Statement, StatementAnswer, Step } from './statement.ts';

/** The role and the tenant of a transaction. */
export interface Scope {
  readonly role: string;
  readonly tenantId: string;
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

/** A connection that has taken the role. */
interface TenantConnection {
  readonly client: pg.PoolClient;
  /** The names that are prepared there, or are about to be. */
  readonly prepared: Set<string>;
}

/** Of those of a pool, which is used with one role only: with another SCOPE would fail. */
const connectionOf = new WeakMap<pg.PoolClient, TenantConnection>();

/** A connection that statements of one scope are under way on. */
interface Lane {
  readonly connection: Promise<TenantConnection>;
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
  steps: readonly Step[],
): Promise<StatementAnswer<Row>> {
  const lanes = lanesOf.get(pool) ?? new Map<string, Lane>();
  lanesOf.set(pool, lanes);
  const known = lanes.get(tenantId);
  const isOpen = known !== undefined && (!isContended(pool) || !known.isConnected);
  const lane = isOpen ? known : createLane(connectAs(pool, role));
  lanes.set(tenantId, lane);
  lane.underWay += 1;
  let connection: TenantConnection | null = null;
  let isDone = false;
  try {
    connection = await lane.connection;
    lane.isConnected = true;
    const results = await send(connection, {
      steps: [[SCOPE, [role, tenantId]], ...steps],
      isAlone: lane.underWay === 1,
    });
    isDone = true;
    const result = results.at(-1);
    return { rows: result?.rows ?? [], count: result?.rowCount ?? 0 };
  } finally {
    lane.hasFailed ||= !isDone;
    lane.underWay -= 1;
    if (lane.hasFailed && lanes.get(tenantId) === lane) lanes.delete(tenantId);
    // Whoever was waiting for the answer may have more for the same connection at once.
    if (lane.underWay === 0) setImmediate(leaveIdle, lanes, tenantId, lane, connection);
  }
}

/** Whether somebody waits for a connection that another has; whoever is about to get an idle one is counted, too. */
function isContended({ waitingCount, idleCount }: pg.Pool): boolean {
  return waitingCount > idleCount;
}

function createLane(connection: Promise<TenantConnection>): Lane {
  return { connection, underWay: 0, hasFailed: false, isConnected: false, isLeft: false };
}

/** Gives the connection of a lane back, unless it was taken up again since. */
function leaveIdle(
  lanes: Map<string, Lane>,
  tenantId: string,
  lane: Lane,
  connection: TenantConnection | null,
): void {
  if (lane.underWay > 0 || lane.isLeft) return;
  lane.isLeft = true;
  if (lanes.get(tenantId) === lane) lanes.delete(tenantId);
  connection?.client.release(lane.hasFailed);
}

async function connectAs(pool: pg.Pool, role: string): Promise<TenantConnection> {
  const client = await pool.connect();
  const known = connectionOf.get(client);
  if (known !== undefined) return known;
  try {
    await client.query(SESSION, [role]);
  } catch (error) {
    client.release(true);
    throw error;
  }
  const connection = { client, prepared: new Set<string>() };
  connectionOf.set(client, connection);
  return connection;
}

function send({ client, prepared }: TenantConnection, unit: Unit): Promise<readonly pg.QueryResult[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly pg.QueryResult[]>();
  client.query(
    new MessageOfSteps(unit, prepared, (fault, results) => {
      if (fault !== null) reject(fault.reason);
      else resolve(Array.isArray(results) ? results : [results]);
    }),
  );
  return promise;
}

/** What is sent as one transaction. */
interface Unit {
  readonly steps: readonly Step[];
  /** Whether nothing else is under way on the connection. */
  readonly isAlone: boolean;
}

/**
 * Steps of one transaction. All that is of any length of those that answer no rows is sent before the first is
 * executed: none holds locks while the next is on its way, and none fails before all are prepared.
 *
 * Where nothing else is under way the server tells each answer when it has it, and not all once they are committed: this
 * process reads them while the disk writes. Besides, a virtual machine halts a core that idles for some 200 us, and what
 * runs there next begins with cold caches and takes about twice as long; who is woken in between does not idle so long.
 * Where others are under way nothing idles, and each answer by itself would only cost. The last answer of all is that the
 * transaction is committed, and nobody is told before.
 */
export class MessageOfSteps extends pg.Query {
  readonly #unit: Unit;
  readonly #prepared: Set<string>;
  /** What kept the steps from being written. */
  #fault: { readonly reason: unknown } | null = null;

  /** `prepared` holds the names that are prepared on the connection; those of the steps are added. */
  constructor(
    unit: Unit,
    prepared: Set<string>,
    callback: (
      fault: { readonly reason: unknown } | null,
      results: pg.QueryResult | pg.QueryResult[],
    ) => void,
  ) {
    super('', [], ((error: unknown, results: pg.QueryResult) =>
      callback(this.#fault ?? (error ? { reason: error } : null), results)) as never);
    this.#unit = unit;
    this.#prepared = prepared;
  }

  /** Sends all in one piece. Where a step cannot be written the connection ends, and the server undoes all. */
  override submit = (connection: pg.Connection): void => {
    const { stream } = connection;
    stream.cork();
    try {
      this.#write(connection);
      connection.sync();
    } catch (reason) {
      this.#fault = { reason };
      stream.destroy();
    } finally {
      stream.uncork();
    }
  };

  #write(connection: pg.Connection): void {
    const { steps, isAlone } = this.#unit;
    const numbered = steps.map((step, at) => ({ step, portal: `step_${at}` }));
    for (const [statement] of steps) this.#prepare(connection, statement);
    for (const { step, portal } of numbered) if (!step[0].hasRows) bind(connection, portal, step);
    for (const { step, portal } of numbered) {
      if (step[0].hasRows) {
        // It sees what was written before it was bound.
        bind(connection, portal, step);
        connection.describe({ type: 'P', name: portal }, true);
      }
      connection.execute({ portal }, true);
      if (isAlone) connection.flush();
    }
  }

  #prepare(connection: pg.Connection, { name, text }: Statement): void {
    if (this.#prepared.has(name)) return;
    connection.parse({ name: preparedNameOf(name), text, types: [] }, true);
    this.#prepared.add(name);
  }
}

function bind(connection: pg.Connection, portal: string, [{ name }, values]: Step): void {
  connection.bind({ portal, statement: preparedNameOf(name), values: [...values] }, true);
}

function preparedNameOf(name: string): string {
  return `${name}_at_once`;
}
