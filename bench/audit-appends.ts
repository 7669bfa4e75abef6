/**
 * Appends a second, by callers who each wait for one append before the next: to the audit log, and as plain rows of
 * the same size, an INSERT for each in a transaction of its own over as many connections. All are sampled in turn, so
 * that a slower moment of the machine meets all, and in each order equally often, since what one leaves the server to do
 * costs the next. The median of the rounds' ratios counts.
 *
 * Several sittings, each with a database and connections of its own: on a machine of few cores a connection's server
 * process mostly stays on the core where it began, that of the callers or another, and the same work then takes
 * another time. They differ more than the rounds of one, so there are many short ones. Before the first, a lone caller
 * warms up each: V8 compiles what runs often, and with many callers that is all of a plain insert but little of the
 * log's code, most of which runs once for a group.
 *
 * The plain table has the same columns and the same indexes, since it would have to answer the same questions; and, as
 * a second measure that no bar is set on, its primary key alone.
 */
import { randomBytes, randomInt } from 'node:crypto';
import pg from 'pg';
import { type NewAuditEvent, recordAuditEvents } from '../src/audit/index.ts';
import { createId, createUuid } from '../src/base/index.ts';
import { type BenchLog, openBenchLog } from './audit-log.ts';
import { execute } from './database.ts';
import { median } from './statistics.ts';

export const CALLERS = Object.freeze([1, 16, 256] as const);
/** The orders of three contenders. */
const ORDERS = [
  [0, 1, 2],
  [2, 1, 0],
  [1, 2, 0],
  [0, 2, 1],
  [2, 0, 1],
  [1, 0, 2],
] as const;
const SITTINGS = 16;
/** Of a lone caller, before anything counts: a process that has served for some seconds has done more. */
const WARM_UP_CALLS = 20_000;
const ROUND_MS = 300;
/** As many as the store has. */
const POOL_SIZE = 10;

/** Appends a second. */
interface Round {
  readonly log: number;
  readonly plain: number;
  readonly bare: number;
}

/** Medians of the rounds. */
export interface AppendRates extends Round {
  readonly callers: number;
  /** Medians of the rounds' ratios: to plain rows with the same indexes, and with their primary key only. */
  readonly ratio: number;
  readonly bareRatio: number;
  /** Microseconds that a caller waits longer for an append than for a plain row; the ratio is the disk's, too. */
  readonly excessUs: number;
  /** The ratio of each sitting by itself. */
  readonly sittings: readonly number[];
}

type Act = () => Promise<unknown>;
/** Of the log, of plain rows, and of those with a primary key only. */
type Contenders = readonly [log: Act, plain: Act, bare: Act];

export async function measureAppends(): Promise<readonly AppendRates[]> {
  await withContenders(async (contenders) => {
    for (const act of contenders) for (let call = 0; call < WARM_UP_CALLS; call += 1) await act();
  });
  const sittings: (readonly (readonly Round[])[])[] = [];
  for (let sitting = 0; sitting < SITTINGS; sitting += 1) sittings.push(await withContenders(sit));
  return CALLERS.map((callers, at) =>
    summarize(
      callers,
      sittings.map((rounds) => rounds[at] ?? []),
    ),
  );
}

/** Runs `use` on a database and connections of its own. */
async function withContenders<Result>(use: (contenders: Contenders) => Promise<Result>): Promise<Result> {
  await using log = await openBenchLog();
  await execute(log.connectionString, 'CREATE TABLE plain_events (LIKE audit_events INCLUDING INDEXES)');
  await execute(
    log.connectionString,
    'CREATE TABLE bare_events (LIKE audit_events, PRIMARY KEY (tenant_id, index))',
  );
  const pool = new pg.Pool({ connectionString: log.connectionString, max: POOL_SIZE });
  // The server may still be ending a connection of it when the database is dropped.
  pool.on('error', () => {});
  try {
    return await use([
      createAppend(log),
      createInsert(log, pool, 'plain_events'),
      createInsert(log, pool, 'bare_events'),
    ]);
  } finally {
    await pool.end();
  }
}

/** The rounds of each number of callers: one in each order. */
async function sit(contenders: Contenders): Promise<readonly (readonly Round[])[]> {
  for (const act of contenders) await rateOf(act, Math.max(...CALLERS));
  const rounds: (readonly Round[])[] = [];
  for (const callers of CALLERS) rounds.push(await holdRounds(contenders, callers));
  return rounds;
}

async function holdRounds(contenders: Contenders, callers: number): Promise<readonly Round[]> {
  const rounds: Round[] = [];
  for (const order of ORDERS) {
    const rates = [0, 0, 0];
    for (const at of order) rates[at] = await rateOf(contenders[at], callers);
    const [log = 0, plain = 0, bare = 0] = rates;
    rounds.push({ log, plain, bare });
  }
  return rounds;
}

function summarize(callers: number, sittings: readonly (readonly Round[])[]): AppendRates {
  const rounds = sittings.flat();
  const ratioOf = (held: readonly Round[]) => median(held.map(({ log, plain }) => log / plain));
  return {
    callers,
    log: median(rounds.map(({ log }) => log)),
    plain: median(rounds.map(({ plain }) => plain)),
    bare: median(rounds.map(({ bare }) => bare)),
    ratio: ratioOf(rounds),
    bareRatio: median(rounds.map(({ log, bare }) => log / bare)),
    excessUs: median(rounds.map(({ log, plain }) => callers * 1_000_000 * (1 / log - 1 / plain))),
    sittings: sittings.map(ratioOf),
  };
}

async function rateOf(act: Act, callers: number): Promise<number> {
  const start = performance.now();
  let done = 0;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() - start < ROUND_MS) {
        await act();
        done += 1;
      }
    }),
  );
  return (done * 1_000) / (performance.now() - start);
}

function createAppend({ store, tenantId, headKey }: BenchLog): Act {
  return () => recordAuditEvents(store, { tenantId, headKey, events: [createEvent()] });
}

/** The same event as a row by itself; its index is not in the order of anything. */
function createInsert({ tenantId }: BenchLog, pool: pg.Pool, table: string): Act {
  const text = `INSERT INTO ${table} (tenant_id, index, id, leaf, leaf_hash, occurred_at, actor_id, phase, action,
    outcome, integration_id, operation, resource, request_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`;
  const hash = new Uint8Array(32);
  let index = 0;
  return () => {
    const event = createEvent();
    const leaf = Buffer.from(JSON.stringify({ ...event, tenantId, index }));
    const values = [
      ...[tenantId, index, event.id, leaf, hash, event.occurredAt, event.actor.id, event.phase, event.action],
      ...[event.outcome, event.integrationId, event.operation, event.resource, event.requestId],
    ];
    index += 1;
    return pool.query({ name: table, text, values });
  };
}

const actorId = createId('apiKey');
const integrationId = createId('integration');
const keyId = createId('clientKey');
/** What differs from call to call, made beforehand: it is the callers' work. */
const CALLS = Array.from({ length: 4_096 }, () => ({
  resource: `ticket:${randomInt(1_000_000)}`,
  requestSha256: randomBytes(32).toString('base64url'),
  durationMs: randomInt(1_000),
  envelopes: [{ keyId, sha256: randomBytes(32).toString('base64url') }],
}));
let calls = 0;

/** What a sealed read leaves: all members that it usually has. */
function createEvent(): Extract<NewAuditEvent, { phase: 'SINGLE' }> {
  calls += 1;
  return {
    id: createId('auditEvent'),
    occurredAt: new Date().toISOString(),
    actor: { type: 'API_KEY', id: actorId },
    phase: 'SINGLE',
    action: 'zendesk.call',
    outcome: 'SUCCEEDED',
    integrationId,
    operation: 'get_ticket',
    requestId: createUuid(),
    ip: '192.0.2.1',
    ...(CALLS[calls % CALLS.length] as (typeof CALLS)[number]),
  };
}
