/**
 * An account on virtual time: a server that counts as the simulator does, processes that share its budget
 * by exchanges, calls that take their time on the way, and another consumer. What takes two minutes takes
 * milliseconds here, and every run is decided by its seed.
 */
import { createBucket, type WindowKind } from '../../../simulator/rate-limit.ts';
import type { Settlement } from '../../../src/zendesk/budget/bucket.ts';
import type { BudgetRows } from '../../../src/zendesk/budget/budget-ledger.ts';
import { ACCOUNT } from '../../../src/zendesk/budget/endpoint-class.ts';
import { type BudgetAsk, exchangeBudget } from '../../../src/zendesk/budget/exchange.ts';
import type { Lane } from '../../../src/zendesk/index.ts';

export interface Demand {
  readonly lane: Lane;
  /** Calls that each process starts a second; `Infinity`: as many as it gets. */
  readonly perSecond: number;
}

export interface SimulatedAccount {
  readonly seed: number;
  readonly window: WindowKind;
  readonly limit: number;
  readonly minutes: number;
  readonly processes: number;
  readonly demands: readonly Demand[];
  /** The other consumer's calls a minute, each at a random time. */
  readonly othersPerMinute: number;
  /** Milliseconds that a call takes: from, to. */
  readonly latency: readonly [number, number];
  /** Whether answers tell when the window ends. */
  readonly tellsReset: boolean;
  /** Milliseconds of the fixed window that are over at the start. */
  readonly phase: number;
}

export interface SimulatedRun {
  /** Our calls that the server took, by the minute they came in. */
  readonly taken: readonly number[];
  readonly refused: number;
  readonly others: { readonly taken: number; readonly refused: number };
  /** Milliseconds from wish to token, by lane. */
  readonly waits: Readonly<Record<Lane, readonly number[]>>;
}

const WINDOW = 60_000;
const MAX_UNDER_WAY = 32;
const SETTLE = 100;
const LEDGER = 4;

interface Process {
  readonly name: string;
  underWay: number;
  pending: { finished: number; readings: Reading[] };
  readonly wishes: Record<Lane, number[]>;
  readonly nextWish: number[];
  nextExchange: number;
  /** How often the next exchange was set; an earlier plan is void. */
  plans: number;
}

interface Reading {
  readonly remaining: number;
  readonly resetsAt: number | null;
  readonly grantedAt: number;
}

/** Numbers 0 ≤ x < 1 from a seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function runAccount(options: SimulatedAccount): SimulatedRun {
  const random = seededRandom(options.seed);
  const start = 1_000 * WINDOW + options.phase;
  const end = start + options.minutes * WINDOW;
  const server = createBucket(options.window, options.limit, WINDOW);
  const events: { at: number; act: () => void }[] = [];
  const schedule = (at: number, act: () => void): void => {
    let low = 0;
    let high = events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((events[middle]?.at ?? 0) > at) low = middle + 1;
      else high = middle;
    }
    events.splice(low, 0, { at, act });
  };
  const taken = Array.from({ length: options.minutes }, () => 0);
  const others = { taken: 0, refused: 0 };
  const waits: Record<Lane, number[]> = { INTERACTIVE: [], MUTATION: [], BACKGROUND: [] };
  let refused = 0;
  let rows: BudgetRows = {};
  let now = start;

  const consume = (): void => {
    if (server.take(now)) others.taken += 1;
    else others.refused += 1;
    schedule(now - (Math.log(1 - random()) * WINDOW) / options.othersPerMinute, consume);
  };
  if (options.othersPerMinute > 0) consume();

  const call = (process: Process, grantedAt: number): void => {
    const [least, most] = options.latency;
    const latency = least + random() * (most - least);
    process.underWay += 1;
    schedule(now + latency * random(), () => {
      const minute = Math.floor((now - start) / WINDOW);
      if (!server.take(now)) refused += 1;
      else if (minute < taken.length) taken[minute] = (taken[minute] ?? 0) + 1;
      const { remaining, resets } = server.state(now);
      const resetsAt = options.tellsReset ? now + latency + resets * 1000 : null;
      schedule(now + latency, () => {
        process.underWay -= 1;
        process.pending.finished += 1;
        process.pending.readings.push({ remaining, resetsAt, grantedAt });
        if (process.nextExchange > now + SETTLE) plan(process, now + SETTLE);
      });
    });
  };

  const plan = (process: Process, at: number): void => {
    process.nextExchange = at;
    process.plans += 1;
    const plan = process.plans;
    schedule(at, () => {
      if (process.plans === plan) exchange(process);
    });
  };

  const exchange = (process: Process): void => {
    for (const [index, { lane, perSecond }] of options.demands.entries()) {
      const wishes = process.wishes[lane];
      while ((process.nextWish[index] ?? 0) <= now) {
        wishes.push(process.nextWish[index] ?? 0);
        process.nextWish[index] = (process.nextWish[index] ?? 0) + 1000 / perSecond;
      }
      if (perSecond === Infinity) while (wishes.length < MAX_UNDER_WAY) wishes.push(now);
    }
    const room = MAX_UNDER_WAY - process.underWay;
    const asks: BudgetAsk[] = Object.entries(process.wishes)
      .map(([lane, wishes]) => ({
        lane: lane as Lane,
        endpointClass: null,
        calls: Math.min(room, wishes.length),
        callers: 1,
        byCaller: [{ caller: 'caller', calls: Math.min(room, wishes.length) }],
      }))
      .filter(({ calls }) => calls > 0);
    const { finished, readings } = process.pending;
    process.pending = { finished: 0, readings: [] };
    const settled = new Map<string, Settlement>();
    if (finished > 0) settled.set(ACCOUNT, settlementOf(finished, readings, options.limit, now));
    const request = {
      process: process.name,
      asks,
      ahead: [],
      settled,
      holding: [ACCOUNT],
      pauses: [],
      callers: [],
    };
    const update = exchangeBudget(rows, request, now, random);
    rows = JSON.parse(JSON.stringify(update.rows));
    const { granted, grantedAt, retryIn } = update.answer;
    schedule(now + LEDGER, () => {
      for (const [index, ask] of asks.entries()) {
        for (const wish of process.wishes[ask.lane].splice(0, granted[index] ?? 0)) {
          waits[ask.lane].push(now - wish);
          call(process, grantedAt);
        }
      }
      const denied = asks.some(({ calls }, index) => (granted[index] ?? 0) < calls);
      const wish = Math.min(...process.nextWish.filter((time) => time > now));
      plan(
        process,
        Math.min(denied ? now + retryIn * (0.75 + random() / 2) : now + SETTLE, Math.max(wish, now)),
      );
    });
  };

  for (let index = 0; index < options.processes; index += 1) {
    plan(
      {
        name: `process ${index}`,
        underWay: 0,
        pending: { finished: 0, readings: [] },
        wishes: { INTERACTIVE: [], MUTATION: [], BACKGROUND: [] },
        nextWish: options.demands.map(({ perSecond }) =>
          perSecond === Infinity ? Infinity : start + (random() * 1000) / perSecond,
        ),
        nextExchange: 0,
        plans: 0,
      },
      start + index * 7,
    );
  }
  for (let event = events.pop(); event !== undefined && event.at < end; event = events.pop()) {
    now = event.at;
    event.act();
  }
  return { taken, refused, others, waits };
}

function settlementOf(
  finished: number,
  readings: readonly Reading[],
  limit: number,
  now: number,
): Settlement {
  const newest = readings.reduce((one, other) => (other.grantedAt >= one.grantedAt ? other : one));
  const remaining = readings.map((reading) => reading.remaining);
  return {
    finished,
    returned: 0,
    readings: {
      count: readings.length,
      least: Math.min(...remaining),
      greatest: Math.max(...remaining),
      limit,
      resetsIn: newest.resetsAt === null ? null : Math.max(0, newest.resetsAt - now),
      newestGrant: newest.grantedAt,
    },
  };
}
