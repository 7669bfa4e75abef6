/**
 * What a process and the ledger tell each other: the process what it used, returns and still wants, the
 * ledger what is granted. A pure function of what is stored, so that it can run inside the ledger's
 * transaction and be tested against simulated servers.
 */
import { LANES, type Lane } from '../lane.ts';
import { Bucket, type Settlement } from './bucket.ts';
import type { BucketState } from './bucket-state.ts';
import type { BudgetRows, BudgetUpdate } from './budget-ledger.ts';
import { ACCOUNT, specOf } from './endpoint-class.ts';
import {
  backgroundRoom,
  chargeLine,
  divideRoom,
  emptyLine,
  type LineState,
  noneWaiting,
  pauseLine,
  pruneLine,
  type Waiting,
  waitingElsewhere,
} from './line.ts';

/** Calls of one lane and endpoint class that could be made at once if there were tokens. */
export interface BudgetAsk extends Waiting {
  readonly lane: Lane;
  readonly endpointClass: string | null;
}

/** Tokens of one endpoint class for calls that are expected soon. */
export interface AheadAsk {
  readonly endpointClass: string | null;
  readonly calls: number;
}

export interface ExchangeRequest {
  /** Of the process, made at its start. */
  readonly process: string;
  readonly asks: readonly BudgetAsk[];
  /** Interactive tokens wanted ahead of need, where there is plenty; each class once. */
  readonly ahead: readonly AheadAsk[];
  /** By bucket; a call of a class is settled in the account's bucket and in that of its class. */
  readonly settled: ReadonlyMap<string, Settlement>;
  /** Buckets of which the process holds tokens. */
  readonly holding: readonly string[];
  readonly pauses: readonly { readonly key: string; readonly milliseconds: number }[];
}

export interface ExchangeAnswer {
  /** Tokens for each ask, in their order. */
  readonly granted: readonly number[];
  /** Tokens for each ask ahead, in their order. */
  readonly prefetched: readonly number[];
  /** Whether so much is left that nobody has to hurry to tell what was used. */
  readonly isAmple: boolean;
  /** On the ledger's clock. */
  readonly grantedAt: number;
  /** Milliseconds until each ask may be granted more at the earliest, where that is known; else 0. */
  readonly notBefore: readonly number[];
  /** Milliseconds until it is worth asking again for what was not granted. */
  readonly retryIn: number;
  /** Pauses of the account and its endpoints, in milliseconds from now. */
  readonly pauses: readonly { readonly key: string; readonly milliseconds: number }[];
}

interface StoredBucket {
  readonly version: 1;
  readonly at: number;
  readonly bucket: BucketState;
  readonly line?: LineState;
}

const LEAST_RETRY_MS = 20;
const MOST_RETRY_MS = 200;
/** Of what is beyond a quarter of the limit a process may take an eighth ahead of need. */
const PREFETCH_ABOVE = 0.25;
const PREFETCH_SHARE = 8;

/** The buckets that an exchange needs: the account's first. */
export function bucketsOf(request: ExchangeRequest): readonly string[] {
  const classes = [
    ...[...request.asks, ...request.ahead].flatMap(({ endpointClass }) => endpointClass ?? []),
    ...request.settled.keys(),
    ...request.holding,
  ];
  return [ACCOUNT, ...new Set(classes.filter((name) => name !== ACCOUNT).toSorted())];
}

/** Decides one exchange over the stored `rows`. `ledgerNow` is the ledger's clock. */
export function exchangeBudget(
  rows: BudgetRows,
  request: ExchangeRequest,
  ledgerNow: number,
  random: () => number,
): BudgetUpdate<ExchangeAnswer> {
  const account = readStored(rows[ACCOUNT]);
  // Every exchange has a time of its own: what is settled in one comes before what the next grants.
  const now = Math.max(Math.ceil(ledgerNow), (account?.at ?? 0) + 1);
  const buckets = new Map(
    bucketsOf(request).map((name) => [
      name,
      new Bucket(readStored(rows[name])?.bucket ?? null, specOf(name), name === ACCOUNT, now),
    ]),
  );
  let line = pruneLine(account?.line ?? emptyLine(), now);
  for (const { key, milliseconds } of request.pauses) {
    line = pauseLine(line, key, now + milliseconds, ACCOUNT);
  }
  for (const [name, settlement] of request.settled) buckets.get(name)?.settle(request.process, settlement);

  const decided = grantTokens(buckets, line, request, now, random);
  line = decided.line;
  // Marks the process as alive wherever it holds tokens.
  for (const name of request.holding) buckets.get(name)?.grant(request.process, 0);
  const pauses = Object.entries(line.pauses).map(([key, until]) => ({ key, milliseconds: until - now }));
  return {
    rows: Object.fromEntries(
      [...buckets].map(([name, { state }]): [string, StoredBucket] => [
        name,
        { version: 1, at: now, bucket: state, ...(name === ACCOUNT ? { line } : {}) },
      ]),
    ),
    answer: { ...decided.answer, grantedAt: now, pauses },
  };
}

function grantTokens(
  buckets: ReadonlyMap<string, Bucket>,
  before: LineState,
  request: ExchangeRequest,
  now: number,
  random: () => number,
): { readonly line: LineState; readonly answer: Omit<ExchangeAnswer, 'grantedAt' | 'pauses'> } {
  const { process, asks } = request;
  const account = bucketOf(buckets, ACCOUNT);
  const { limit } = account;
  const pausedFor = Math.max(0, (before.pauses[ACCOUNT] ?? 0) - now);
  const room = pausedFor > 0 ? 0 : account.room;
  const roomOf = ({ endpointClass }: BudgetAsk): number =>
    endpointClass === null ? Infinity : bucketOf(buckets, endpointClass).room;
  const here = noneWaiting();
  for (const ask of asks) {
    const calls = Math.min(ask.calls, roomOf(ask));
    if (calls < 1) continue;
    here[ask.lane] = { calls: here[ask.lane].calls + calls, callers: here[ask.lane].callers + ask.callers };
  }
  const elsewhere = waitingElsewhere(before, process);
  const shares = divideRoom(room, backgroundRoom(before, room, account, now), here, elsewhere, random);
  const granted = asks.map(() => 0);
  const total = { INTERACTIVE: 0, MUTATION: 0, BACKGROUND: 0 };
  for (const lane of LANES) {
    let progress = true;
    while (total[lane] < shares[lane] && progress) {
      progress = false;
      for (const [index, ask] of asks.entries()) {
        const has = granted[index] ?? 0;
        if (ask.lane !== lane || total[lane] >= shares[lane] || has >= ask.calls || roomOf(ask) < 1) continue;
        granted[index] = has + 1;
        total[lane] += 1;
        account.grant(process, 1);
        if (ask.endpointClass !== null) bucketOf(buckets, ask.endpointClass).grant(process, 1);
        progress = true;
      }
    }
  }
  const used = total.INTERACTIVE + total.MUTATION + total.BACKGROUND;
  const idle = LANES.every((lane) => elsewhere[lane].calls === 0 && here[lane].calls <= total[lane]);
  const spare = limit === null || !idle ? 0 : room - used - Math.ceil(limit * PREFETCH_ABOVE);
  let left = Math.max(0, Math.floor(spare / PREFETCH_SHARE));
  const prefetched = request.ahead.map(({ endpointClass, calls }) => {
    const own = endpointClass === null ? null : bucketOf(buckets, endpointClass);
    const ofClass = own === null ? Infinity : spareOf(own);
    const count = Math.max(0, Math.min(calls, left, ofClass));
    left -= count;
    account.grant(process, count);
    own?.grant(process, count);
    return count;
  });

  const charged = chargeLine(before, total, account, now);
  const lanes = noneWaiting();
  const notBefore = asks.map((ask, index) => {
    const waiting = ask.calls - (granted[index] ?? 0);
    if (waiting === 0) return 0;
    if (pausedFor > 0) return pausedFor;
    const own = ask.endpointClass === null ? account : bucketOf(buckets, ask.endpointClass);
    const full = own.room < 1 ? own : account.room < 1 ? account : null;
    // Who waits for the room of a class only must not hold up those who do not need it.
    if (own === account || own.room >= 1) {
      lanes[ask.lane] = {
        calls: lanes[ask.lane].calls + waiting,
        callers: lanes[ask.lane].callers + ask.callers,
      };
    }
    return Math.max(0, (full?.nextRoomAt ?? now) - now);
  });
  const isWaiting = LANES.some((lane) => lanes[lane].calls > 0);
  const known = notBefore.filter(
    (time, index) => time > 0 && (granted[index] ?? 0) < (asks[index]?.calls ?? 0),
  );
  const { [process]: _, ...others } = charged.waiting;
  return {
    line: { ...charged, waiting: isWaiting ? { ...others, [process]: { seenAt: now, lanes } } : others },
    answer: {
      granted,
      prefetched,
      isAmple: spare > 0,
      notBefore,
      retryIn:
        pausedFor > 0
          ? pausedFor
          : Math.min(MOST_RETRY_MS, Math.max(LEAST_RETRY_MS, Math.min(MOST_RETRY_MS, ...known))),
    },
  };
}

/** Tokens of a class that a process may take ahead of need. */
function spareOf({ limit, room }: Bucket): number {
  return limit === null ? 0 : Math.floor((room - Math.ceil(limit * PREFETCH_ABOVE)) / PREFETCH_SHARE);
}

function bucketOf(buckets: ReadonlyMap<string, Bucket>, name: string): Bucket {
  const bucket = buckets.get(name);
  if (bucket === undefined) throw new TypeError(`"buckets" must have "${name}"`);
  return bucket;
}

/** Our own record, or `null` for none or one that another version of the gateway wrote. */
function readStored(row: unknown): StoredBucket | null {
  const isOurs = typeof row === 'object' && row !== null && 'version' in row && row.version === 1;
  return isOurs ? structuredClone(row as StoredBucket) : null;
}
