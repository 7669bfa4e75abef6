/**
 * Syncing a directory of 100 000 users from a simulator whose limits are lifted, and looking users of it up by
 * their address: sealed, and by the same code in plaintext, in turn, each in a process and on a PostgreSQL database
 * of its own. The simulator is a process of its own too.
 */
import { type AskedProcess, openAskedProcess } from './asked-process.ts';
import { type BenchDatabase, execute, openBenchDatabase } from './database.ts';
import { firstLineOf, openProcess } from './gateway-process.ts';
import { median, quantile } from './statistics.ts';
import type { SyncAnswer, SyncMode, SyncQuestion } from './sync-process.ts';

const USERS = 100_000;
const UNLIMITED = 1_000_000;
const MIB = 2 ** 20;
const BARS = Object.freeze({ rate: 0.5, lookup: 1.5, memoryMib: 200, growth: 1.5 });
const ROUNDS = 2;
const LOOKUPS = Object.freeze({ count: 2_000, rounds: 5 });
const NODE_FLAGS = ['--expose-gc'];

interface Reading {
  readonly perSecond: number;
  /** Above idle, until half of the users were seen and in all. */
  readonly halfwayMib: number;
  readonly peakMib: number;
  readonly databaseMib: number;
  /** Milliseconds. */
  readonly lookup: { readonly p50: number; readonly p99: number };
}

interface Subject extends AsyncDisposable {
  readonly database: BenchDatabase;
  readonly process: AskedProcess<SyncQuestion, SyncAnswer>;
}

/** Whether the bars were met. */
export async function run(): Promise<boolean> {
  const options = {
    ...{ tickets: 10, people: { count: USERS } },
    // By name: of a limit that no answer tells, the gateway keeps to what the documentation says.
    endpointLimits: { 'incremental-exports': UNLIMITED },
  };
  const simulator = openProcess(['bench/simulator-process.ts', JSON.stringify(options)]);
  await using _simulator = simulator;
  const zendesk = await firstLineOf(simulator);
  const readings: Record<SyncMode, Reading[]> = { SEALED: [], PLAIN: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [mode, reading] of await measure(zendesk)) readings[mode].push(reading);
  }
  const [sealed, plain] = [bestOf(readings.SEALED), bestOf(readings.PLAIN)];
  console.log(`a directory of ${USERS} users`);
  report('sealed', sealed);
  report('plaintext', plain);
  const rate = sealed.perSecond / plain.perSecond;
  const lookup = sealed.lookup.p99 / plain.lookup.p99;
  // When the collector runs moves a peak by half; what grows with the count doubles it in each round.
  const growth = Math.min(...readings.SEALED.map(({ peakMib, halfwayMib }) => peakMib / halfwayMib));
  return [
    verdict(`sync ${rate.toFixed(2)} x plaintext`, `>= ${BARS.rate} x`, rate >= BARS.rate),
    verdict(`look-up ${lookup.toFixed(2)} x plaintext (p99)`, `<= ${BARS.lookup} x`, lookup <= BARS.lookup),
    verdict(
      `peak ${sealed.peakMib.toFixed(0)} MiB above idle`,
      `< ${BARS.memoryMib} MiB`,
      sealed.peakMib < BARS.memoryMib,
    ),
    verdict(`peak ${growth.toFixed(2)} x that of the first half`, `< ${BARS.growth} x`, growth < BARS.growth),
  ].every((isMet) => isMet);
}

/** Both ways once: synced one after the other, then looked up in turn, so that both meet the same machine. */
async function measure(zendesk: string): Promise<readonly (readonly [SyncMode, Reading])[]> {
  await using sealed = await openSubject('SEALED', zendesk);
  await using plain = await openSubject('PLAIN', zendesk);
  const subjects = [
    ['SEALED', sealed],
    ['PLAIN', plain],
  ] as const;
  const synced = new Map<SyncMode, SyncAnswer>();
  for (const [mode, { process }] of subjects) {
    synced.set(mode, await process.ask({ kind: 'SYNC', users: USERS }));
  }
  for (const [, { database }] of subjects) await execute(database.connectionString, 'VACUUM ANALYZE');
  const { emails } = await sealed.process.ask({ kind: 'SAMPLE', count: LOOKUPS.count });
  const taken: Record<SyncMode, { p50: number; p99: number }[]> = { SEALED: [], PLAIN: [] };
  for (let round = 0; round < LOOKUPS.rounds; round += 1) {
    for (const [mode, { process }] of subjects) {
      const { lookups } = await process.ask({ kind: 'LOOK_UP', emails });
      taken[mode].push({ p50: median(lookups), p99: quantile(lookups, 0.99) });
    }
  }
  return Promise.all(
    subjects.map(async ([mode, { database }]) => {
      const { users, seconds, idleBytes, halfwayPeakBytes, peakBytes } = synced.get(mode) as SyncAnswer;
      const lookup = {
        p50: median(taken[mode].map(({ p50 }) => p50)),
        p99: median(taken[mode].map(({ p99 }) => p99)),
      };
      const reading: Reading = {
        perSecond: users / seconds,
        halfwayMib: (halfwayPeakBytes - idleBytes) / MIB,
        peakMib: (peakBytes - idleBytes) / MIB,
        databaseMib: (await sizeOf(database)) / MIB,
        lookup,
      };
      return [mode, reading] as const;
    }),
  );
}

async function openSubject(mode: SyncMode, zendesk: string): Promise<Subject> {
  await using resources = new AsyncDisposableStack();
  const database = resources.use(await openBenchDatabase());
  const process = resources.use(
    openAskedProcess<SyncQuestion, SyncAnswer>([...NODE_FLAGS, 'bench/sync-process.ts']),
  );
  await process.ask({ kind: 'OPEN', mode, zendesk, databaseUrl: database.connectionString });
  const kept = resources.move();
  return { database, process, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Of the directory with its indexes, in bytes. */
async function sizeOf({ connectionString }: BenchDatabase): Promise<number> {
  const [row] = await execute(
    connectionString,
    `SELECT sum(pg_total_relation_size(oid))::float8 AS bytes FROM pg_class
     WHERE relkind = 'r' AND relname LIKE 'directory_%'`,
  );
  return Number(row?.['bytes']);
}

/** Of each measure the better round, except for memory: what is promised of it holds in each. */
function bestOf(readings: readonly Reading[]): Reading {
  const least = (of: (reading: Reading) => number): number => Math.min(...readings.map(of));
  return {
    perSecond: Math.max(...readings.map(({ perSecond }) => perSecond)),
    halfwayMib: Math.max(...readings.map(({ halfwayMib }) => halfwayMib)),
    peakMib: Math.max(...readings.map(({ peakMib }) => peakMib)),
    databaseMib: least(({ databaseMib }) => databaseMib),
    lookup: { p50: least(({ lookup }) => lookup.p50), p99: least(({ lookup }) => lookup.p99) },
  };
}

function report(name: string, { perSecond, halfwayMib, peakMib, databaseMib, lookup }: Reading): void {
  console.log(
    `  ${name.padEnd(10)} ${perSecond.toFixed(0)} users/s   peak ${peakMib.toFixed(0)} MiB above idle ` +
      `(first half ${halfwayMib.toFixed(0)})   ` +
      `${databaseMib.toFixed(0)} MiB on disk   look-up p50 ${lookup.p50.toFixed(2)} ms, p99 ${lookup.p99.toFixed(2)} ms`,
  );
}

function verdict(what: string, bar: string, isMet: boolean): boolean {
  console.log(`  ${what}   bar ${bar}: ${isMet ? 'met' : 'MISSED'}`);
  return isMet;
}
