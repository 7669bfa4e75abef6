/**
 * The request budget of one Zendesk account under four gateway processes on one PostgreSQL database, in
 * real time against a simulator that counts 700 requests a minute. Each scenario runs for ten seconds
 * and then two whole windows, which are measured. The second consumer makes its calls at random times
 * and does not hold back. The database server is that of the tests (SEALDESK_TEST_DATABASE_URL).
 */
import { ADMIN_EMAIL, AGENT_EMAIL, DEFAULT_API_TOKEN } from '../simulator/index.ts';
import { createId, systemClock } from '../src/base/index.ts';
import { openStore } from '../src/store/index.ts';
import { basicAuthorization } from '../src/zendesk/index.ts';
import type { FinishedCall, Load, ProcessPlan, ProcessReport } from './budget-process.ts';
import { openBenchDatabase } from './database.ts';
import { firstLineOf, openProcess } from './gateway-process.ts';
import { quantile } from './statistics.ts';

const BARS = Object.freeze({ used: 0.95, addedWait: 50 });
const LIMIT = 700;
const PROCESSES = 4;
const OTHERS_PER_MINUTE = 200;
const MINUTE = 60_000;
const LEAD = 10_000;
const BASELINE = 25_000;

interface Scenario {
  readonly name: string;
  readonly window: 'fixed' | 'sliding';
  readonly othersPerMinute: number;
  /** By one process; `from` is milliseconds after the start. */
  readonly loads: readonly Load[];
  /** Milliseconds after the start from which on the budget is to be used up. */
  readonly loadedFrom: number;
}

/** Three to five times the budget, in all lanes. */
const OVERLOAD: readonly Load[] = [
  { lane: 'INTERACTIVE', perSecond: 6, deadline: 5_000, from: 0 },
  { lane: 'MUTATION', perSecond: 4, deadline: 10_000, from: 0 },
  { lane: 'BACKGROUND', perSecond: null, deadline: 60_000, from: 0 },
];
const BACKGROUND_JOB: readonly Load[] = [
  { lane: 'INTERACTIVE', perSecond: 1, deadline: 10_000, from: 0 },
  { lane: 'BACKGROUND', perSecond: null, deadline: 300_000, from: BASELINE },
];

const SCENARIOS: readonly Scenario[] = [
  ...(['fixed', 'sliding'] as const).flatMap((window) =>
    [0, OTHERS_PER_MINUTE].map((othersPerMinute) => ({
      name: `overload, ${window} window, ${othersPerMinute === 0 ? 'alone' : `beside ${othersPerMinute}/min of others`}`,
      window,
      othersPerMinute,
      loads: OVERLOAD,
      loadedFrom: LEAD,
    })),
  ),
  {
    name: 'a background job that wants everything, beside interactive calls, fixed window',
    window: 'fixed',
    othersPerMinute: 0,
    loads: BACKGROUND_JOB,
    loadedFrom: BASELINE + LEAD,
  },
];

export async function run(): Promise<boolean> {
  await using database = await openBenchDatabase();
  let met = true;
  for (const scenario of SCENARIOS) met = (await runScenario(scenario, database.connectionString)) && met;
  return met;
}

async function runScenario(scenario: Scenario, connectionString: string): Promise<boolean> {
  await using resources = new AsyncDisposableStack();
  const simulator = resources.use(
    openProcess(['simulator/main.ts', '--port', '0', '--tickets', '300', '--window', scenario.window]),
  );
  const origin = /http:\S+/.exec(await firstLineOf(simulator))?.[0] ?? '';
  const tenantId = await createTenant(connectionString);
  // The measured time begins with a window of the simulator, whose fixed ones are those of the clock.
  const startAt = nextMinute(Date.now() + scenario.loadedFrom + 3_000) - scenario.loadedFrom;
  const measuredFrom = startAt + scenario.loadedFrom;
  const until = measuredFrom + 2 * MINUTE;
  const plan: ProcessPlan = {
    connectionString,
    tenantId,
    origin,
    email: ADMIN_EMAIL,
    token: DEFAULT_API_TOKEN,
    loads: scenario.loads.map((load) => ({ ...load, from: startAt + load.from })),
    until,
  };
  const reporting = Array.from({ length: PROCESSES }, () => runProcess(plan));
  const consuming = consume(origin, scenario.othersPerMinute, startAt, until);
  const reports = await Promise.all(reporting);
  const others = (await consuming).filter(({ at }) => at >= measuredFrom);
  return report(scenario, reports, others, measuredFrom);
}

async function createTenant(connectionString: string): Promise<string> {
  await using store = await openStore({ location: { kind: 'postgres', connectionString } });
  const id = createId('tenant');
  await store.withSystem('tenant-administration', (tx) =>
    tx.insertInto('tenants').values({ id, kind: 'CUSTOMER', name: 'Benchmark' }).execute(),
  );
  return id;
}

function nextMinute(time: number): number {
  return Math.ceil(time / MINUTE) * MINUTE;
}

async function runProcess(plan: ProcessPlan): Promise<ProcessReport> {
  await using running = openProcess(['bench/budget-process.ts', JSON.stringify(plan)]);
  let text = '';
  for await (const chunk of running.child.stdout ?? []) text += String(chunk);
  return JSON.parse(text);
}

interface OtherCall {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly status: number;
}

/** The second consumer: calls at random times (a Poisson process), each made whatever came of the last. */
async function consume(
  origin: string,
  perMinute: number,
  from: number,
  until: number,
): Promise<readonly OtherCall[]> {
  if (perMinute === 0) return [];
  const headers = { authorization: basicAuthorization(AGENT_EMAIL, DEFAULT_API_TOKEN) };
  const calls: Promise<OtherCall>[] = [];
  const call = async (): Promise<OtherCall> => {
    const at = Date.now();
    const answer = await fetch(`${origin}/api/v2/users/me.json`, { headers });
    await answer.arrayBuffer();
    return { at, status: answer.status };
  };
  for (let due = from; due < until; due += (-Math.log(1 - Math.random()) * MINUTE) / perMinute) {
    await systemClock.wait(Math.max(0, due - Date.now()));
    calls.push(call());
  }
  return Promise.all(calls);
}

function report(
  scenario: Scenario,
  reports: readonly ProcessReport[],
  others: readonly OtherCall[],
  measuredFrom: number,
): boolean {
  const all = reports.flatMap(({ done }) => done);
  const measured = all.filter(({ endedAt }) => endedAt >= measuredFrom);
  const limited = reports.reduce((sum, one) => sum + one.limited.length, 0);
  const left = 2 * LIMIT - others.length;
  const used = measured.length / left;
  const lanes = ['INTERACTIVE', 'MUTATION', 'BACKGROUND'].map(
    (lane) => `${lane.toLowerCase()} ${measured.filter((call) => call.lane === lane).length}`,
  );
  console.log(`\n${scenario.name}`);
  console.log(`  calls in two minutes   ${measured.length} of ${left} left: ${lanes.join(', ')}`);
  console.log(`  budget used            ${percent(used)} (bar ${percent(BARS.used)})`);
  console.log(`  our 429s               ${limited} (bar 0)`);
  if (others.length > 0) {
    const refused = others.filter(({ status }) => status === 429).length;
    console.log(`  the other consumer     ${others.length} calls, ${refused} refused`);
  }
  console.log(`  by process             ${reports.map(({ done }) => done.length).join(', ')}`);
  console.log(`  not served             ${JSON.stringify(failures(reports))}`);
  const waits = scenario.loads === BACKGROUND_JOB ? reportWaits(scenario, all, measuredFrom) : true;
  return used >= BARS.used && limited === 0 && waits;
}

/** Interactive calls beside the job against those before it. */
function reportWaits(scenario: Scenario, all: readonly FinishedCall[], measuredFrom: number): boolean {
  const interactive = all.filter(({ lane }) => lane === 'INTERACTIVE');
  const jobFrom = measuredFrom - scenario.loadedFrom + BASELINE;
  const idle = interactive.filter(({ endedAt }) => endedAt < jobFrom).map(({ took }) => took);
  const loaded = interactive.filter(({ endedAt }) => endedAt >= measuredFrom).map(({ took }) => took);
  const added = quantile(loaded, 0.95) - quantile(idle, 0.95);
  for (const [name, times] of [
    ['before the job', idle],
    ['beside the job', loaded],
  ] as const) {
    const figures = [0.5, 0.95, 0.99].map(
      (share) => `p${share * 100} ${quantile(times, share).toFixed(1)} ms`,
    );
    console.log(`  interactive ${name}  ${figures.join(', ')} (${times.length} calls)`);
  }
  console.log(`  added to p95           ${added.toFixed(1)} ms (bar ${BARS.addedWait} ms)`);
  return added <= BARS.addedWait;
}

function failures(reports: readonly ProcessReport[]): Readonly<Record<string, number>> {
  const sum: Record<string, number> = {};
  for (const { failed } of reports) {
    for (const [code, count] of Object.entries(failed)) sum[code] = (sum[code] ?? 0) + count;
  }
  return sum;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
