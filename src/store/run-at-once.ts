/**
 * A few statements in a transaction of their own and in one round trip: what sets the scope and the statements are sent
 * down PostgreSQL's extended protocol in one piece, which is one transaction up to its Sync. Where a part fails the
 * server skips those behind it and undoes those before, so that nothing ever runs outside the scope.
 *
 * Source: PostgreSQL documentation, "Pipelining" in "Message Flow".
 */
import pg from 'pg';
import type { MakeSteps, Statement, StatementAnswer, Step } from './statement.ts';

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
  /** Its connection, once it has one. */
  connected: TenantConnection | null;
  /** Whether it was given back. */
  isLeft: boolean;
}

const lanesOf = new WeakMap<pg.Pool, Map<string, Lane>>();

/**
 * Statements of one scope that are under way at the same time go down one connection, in the order of the calls and
 * none waiting in this process for the answer to the one before; where others wait for a connection, those that come
 * then line up behind them, and may overtake those that are still under way. The steps are made before this returns: with
 * the server setting the scope meanwhile, where the connection is there and nothing else is under way on it.
 */
export async function runAtOnce<Row>(
  pool: pg.Pool,
  { role, tenantId }: Scope,
  makeSteps: MakeSteps,
): Promise<StatementAnswer<Row>> {
  const lanes = lanesOf.get(pool) ?? new Map<string, Lane>();
  lanesOf.set(pool, lanes);
  const known = lanes.get(tenantId);
  const isOpen = known !== undefined && (!isContended(pool) || known.connected === null);
  // Before anything is held that would have to be given back.
  const made = isOpen && known.connected !== null ? null : makeSteps();
  const lane = isOpen ? known : createLane(connectAs(pool, role));
  lanes.set(tenantId, lane);
  lane.underWay += 1;
  let isDone = false;
  try {
    lane.connected ??= await lane.connection;
    const results = await send(lane.connected, {
      scope: [SCOPE, [role, tenantId]],
      makeSteps: made === null ? makeSteps : () => made,
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
    if (lane.underWay === 0) setImmediate(leaveIdle, lanes, tenantId, lane);
  }
}

/** Whether somebody waits for a connection that another has; whoever is about to get an idle one is counted, too. */
function isContended({ waitingCount, idleCount }: pg.Pool): boolean {
  return waitingCount > idleCount;
}

function createLane(connection: Promise<TenantConnection>): Lane {
  return { connection, underWay: 0, hasFailed: false, connected: null, isLeft: false };
}

/** Gives the connection of a lane back, unless it was taken up again since. */
function leaveIdle(lanes: Map<string, Lane>, tenantId: string, lane: Lane): void {
  if (lane.underWay > 0 || lane.isLeft) return;
  lane.isLeft = true;
  if (lanes.get(tenantId) === lane) lanes.delete(tenantId);
  lane.connected?.client.release(lane.hasFailed);
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
  readonly scope: Step;
  readonly makeSteps: MakeSteps;
  /** Whether nothing else is under way on the connection. */
  readonly isAlone: boolean;
}

/**
 * A scope and steps, as one transaction. All that is of any length of those that answer no rows is sent before the first
 * is executed: none holds locks while the next is on its way, and none fails before all are prepared.
 *
 * A unit that is alone is waited for by whoever asked for it, this process and the server working in turn. So the server is
 * given the scope before the steps are made; and it tells each answer when it has it, not all once they are committed,
 * so that this process reads them while the disk writes. Besides, a virtual machine halts a core that idles for some 200 us,
 * and what runs there next begins with cold caches and takes about twice as long. Where others are under way nothing
 * idles, and each piece by itself would only cost.
 */
export class MessageOfSteps extends pg.Query {
  readonly #unit: Unit;
  readonly #prepared: Set<string>;
  /** What kept the unit from being written. */
  #fault: { readonly reason: unknown } | null = null;

  /** `prepared` has the names that are prepared on the connection; those of the unit are added. */
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

  /** Sends all. Where a step cannot be made or written the connection ends, and the server undoes all. */
  override submit = (connection: pg.Connection): void => {
    const { stream } = connection;
    const { scope, makeSteps, isAlone } = this.#unit;
    stream.cork();
    try {
      this.#write(connection, [scope], 'scope');
      if (isAlone) {
        stream.uncork();
        stream.cork();
      }
      this.#write(connection, makeSteps(), 'step');
      connection.sync();
    } catch (reason) {
      this.#fault = { reason };
      stream.destroy();
    } finally {
      stream.uncork();
    }
  };

  #write(connection: pg.Connection, steps: readonly Step[], portals: string): void {
    const named = steps.map((step, at) => ({ step, portal: `${portals}_${at}` }));
    for (const [statement] of steps) this.#prepare(connection, statement);
    for (const { step, portal } of named) if (!step[0].hasRows) bind(connection, portal, step);
    for (const { step, portal } of named) {
      if (step[0].hasRows) {
        // It sees what was written before it was bound.
        bind(connection, portal, step);
        connection.describe({ type: 'P', name: portal }, true);
      }
      connection.execute({ portal }, true);
      if (this.#unit.isAlone) connection.flush();
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
