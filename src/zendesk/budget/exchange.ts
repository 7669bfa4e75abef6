/**
 * What a process and the ledger tell each other: the process what it used, returns and still wants, the
 * ledger what is granted. A pure function of what is stored, so that it can run inside the ledger's
 * transaction and be tested against simulated servers.
 */
import { LANES, type Lane } from '../lane.ts';
import { BIN_MS, Bucket, type Settlement } from './bucket.ts';
import type { BucketState } from './bucket-state.ts';
import type { BudgetRows, BudgetUpdate } from './budget-ledger.ts';
import { ACCOUNT, specOf } from './endpoint-class.ts';
import { CALLERS_BIN_MS, type CallerCalls, type CallerReport, FairUse, noteCallers } from './fair-use.ts';
import {
  addWaiting,
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
import { shiftedBucket, shiftedLine } from './shifted-times.ts';

/** Calls of one lane and endpoint class that could be made at once if there were tokens. */
export interface BudgetAsk extends Waiting {
  readonly lane: Lane;
  readonly endpointClass: string | null;
  /** Whose they are, those with most calls by name; together perhaps more than `calls`. */
  readonly byCaller: readonly CallerCalls[];
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
  /** What became of the callers' calls since the process last spoke. */
  readonly callers: readonly CallerReport[];
}

export interface ExchangeAnswer {
  /** Tokens for each ask, in their order. */
  readonly granted: readonly number[];
  /** Of the granted those that no caller of {@link above} may use. */
  readonly reserved: readonly number[];
  /** Whether of each ask that was not granted in full only callers above their share go without. */
  readonly heldBack: readonly boolean[];
  /** Callers that have used up their share of the window, where there are several. */
  readonly above: readonly string[];
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

/** A clock that is so far behind what was stored was set back; exchanges in one moment hurry ahead less. */
const MOST_AHEAD_MS = 5_000;
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
  const account = readStored(rows[ACCOUNT], ledgerNow);
  // Every exchange has a time of its own: what is settled in one comes before what the next grants.
  const now = Math.max(Math.ceil(ledgerNow), (account?.at ?? 0) + 1);
  const buckets = new Map(
    bucketsOf(request).map((name) => [
      name,
      new Bucket(readStored(rows[name], ledgerNow)?.bucket ?? null, specOf(name), name === ACCOUNT, now),
    ]),
  );
  let line = pruneLine(account?.line ?? emptyLine(), now);
  for (const { key, milliseconds } of request.pauses) {
    line = pauseLine(line, key, now + milliseconds, ACCOUNT);
  }
  for (const [name, settlement] of request.settled) buckets.get(name)?.settle(request.process, settlement);
  const { windowMs } = bucketOf(buckets, ACCOUNT);
  line = { ...line, callers: noteCallers(line.callers ?? {}, request.callers, windowMs, now) };

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
  const fair = new FairUse(before.callers ?? {}, askingCallers(asks), account, now);
  const fairParts = asks.map(({ lane, calls, byCaller }) => {
    const { below, above, callersAbove } = fair.split(lane === 'BACKGROUND' ? [] : byCaller);
    return { below: Math.min(calls, below), above: Math.min(calls, above), callersAbove };
  });
  const elsewhere = waitingElsewhere(before, process, 'lanes');
  const aboveElsewhere = waitingElsewhere(before, process, 'above');
  const isContended = fairParts.some(({ above }) => above > 0) || countOf(aboveElsewhere) > 0;
  const background = backgroundRoom(before, room, account, now);
  const granted = asks.map(() => 0);
  const total = { INTERACTIVE: 0, MUTATION: 0, BACKGROUND: 0 };
  const waitingHere = (parts: readonly number[], callersOf: (index: number) => number) => {
    const here = noneWaiting();
    for (const [index, ask] of asks.entries()) {
      const calls = Math.min(parts[index] ?? 0, roomOf(ask));
      if (calls >= 1) addWaiting(here, ask.lane, calls, callersOf(index));
    }
    return here;
  };
  const give = (shares: Readonly<Record<Lane, number>>, parts: readonly number[]): readonly number[] => {
    const given = asks.map(() => 0);
    for (const lane of LANES) {
      let left = shares[lane];
      let progress = true;
      while (left > 0 && progress) {
        progress = false;
        for (const [index, ask] of asks.entries()) {
          const has = given[index] ?? 0;
          const all = granted[index] ?? 0;
          if (ask.lane !== lane || left < 1 || has >= (parts[index] ?? 0) || all >= ask.calls) continue;
          if (roomOf(ask) < 1) continue;
          given[index] = has + 1;
          granted[index] = all + 1;
          left -= 1;
          total[lane] += 1;
          account.grant(process, 1);
          if (ask.endpointClass !== null) bucketOf(buckets, ask.endpointClass).grant(process, 1);
          progress = true;
        }
      }
    }
    return given;
  };
  let reserved: readonly number[] = asks.map(() => 0);
  if (isContended) {
    // Callers below their share first; then, beyond what is kept for these, the others and the background.
    const below = fairParts.map((part) => part.below);
    const first = waitingHere(below, (index) =>
      Math.max(1, (asks[index]?.callers ?? 0) - (fairParts[index]?.callersAbove ?? 0)),
    );
    reserved = give(divideRoom(room, 0, first, elsewhere, random), below);
    const taken = total.INTERACTIVE + total.MUTATION;
    const kept = Math.max(fair.reserve - taken, elsewhere.INTERACTIVE.calls + elsewhere.MUTATION.calls);
    const left = Math.floor(Math.min(room, Math.max(room, account.unreadRoom) - kept) - taken);
    const beyond = asks.map(({ lane, calls }, index) =>
      lane === 'BACKGROUND' ? calls : (fairParts[index]?.above ?? 0),
    );
    const second = waitingHere(beyond, (index) =>
      asks[index]?.lane === 'BACKGROUND'
        ? (asks[index]?.callers ?? 0)
        : (fairParts[index]?.callersAbove ?? 0),
    );
    const rivals = { ...aboveElsewhere, BACKGROUND: elsewhere.BACKGROUND };
    give(divideRoom(Math.max(0, left), background, second, rivals, random), beyond);
  } else {
    const all = asks.map(({ calls }) => calls);
    const here = waitingHere(all, (index) => asks[index]?.callers ?? 0);
    give(divideRoom(room, background, here, elsewhere, random), all);
  }
  const used = total.INTERACTIVE + total.MUTATION + total.BACKGROUND;
  const idle =
    countOf(elsewhere) + countOf(aboveElsewhere) === 0 &&
    asks.every((ask, index) => (granted[index] ?? 0) >= ask.calls || roomOf(ask) < 1);
  const spare =
    limit === null || !idle ? 0 : room - used - Math.max(fair.reserve, Math.ceil(limit * PREFETCH_ABOVE));
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
  const above = noneWaiting();
  const belowWaiting = asks.map(({ lane, calls }, index) => {
    const waiting = calls - (granted[index] ?? 0);
    const isMixed = isContended && lane !== 'BACKGROUND';
    const below = (fairParts[index]?.below ?? 0) - (reserved[index] ?? 0);
    return isMixed ? Math.min(waiting, Math.max(0, below)) : waiting;
  });
  const notBefore = asks.map((ask, index) => {
    const waiting = ask.calls - (granted[index] ?? 0);
    if (waiting === 0) return 0;
    if (pausedFor > 0) return pausedFor;
    const own = ask.endpointClass === null ? account : bucketOf(buckets, ask.endpointClass);
    const full = own.room < 1 ? own : account.room < 1 ? account : null;
    // Who waits for the room of a class only must not hold up those who do not need it.
    if (own === account || own.room >= 1) {
      const below = belowWaiting[index] ?? 0;
      const callersAbove = below < waiting ? (fairParts[index]?.callersAbove ?? 0) : 0;
      if (below > 0) addWaiting(lanes, ask.lane, below, Math.max(1, ask.callers - callersAbove));
      if (below < waiting) addWaiting(above, ask.lane, waiting - below, callersAbove);
    }
    return Math.max(0, (full?.nextRoomAt ?? now) - now);
  });
  const isWaiting = countOf(lanes) + countOf(above) > 0;
  const known = notBefore.filter(
    (time, index) => time > 0 && (granted[index] ?? 0) < (asks[index]?.calls ?? 0),
  );
  const { [process]: _, ...others } = charged.waiting;
  return {
    line: {
      ...charged,
      waiting: isWaiting ? { ...others, [process]: { seenAt: now, lanes, above } } : others,
    },
    answer: {
      granted,
      reserved,
      heldBack: asks.map(({ calls }, index) => (granted[index] ?? 0) < calls && belowWaiting[index] === 0),
      above: fair.above,
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

function askingCallers(asks: readonly BudgetAsk[]): readonly string[] {
  return asks
    .filter(({ lane }) => lane !== 'BACKGROUND')
    .flatMap(({ byCaller }) => byCaller.flatMap(({ caller }) => caller ?? []));
}

function countOf(waiting: Readonly<Record<Lane, Waiting>>): number {
  return LANES.reduce((sum, lane) => sum + waiting[lane].calls, 0);
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

/**
 * Our own record, or `null` for none or one that another version of the gateway wrote. One from the
 * future, the ledger's clock having been set back, is brought to the present.
 */
function readStored(row: unknown, ledgerNow: number): StoredBucket | null {
  const isOurs = typeof row === 'object' && row !== null && 'version' in row && row.version === 1;
  if (!isOurs) return null;
  const stored = structuredClone(row as StoredBucket);
  const ahead = Math.ceil(stored.at - ledgerNow);
  if (ahead <= MOST_AHEAD_MS) return stored;
  return {
    version: 1,
    at: stored.at - ahead,
    bucket: shiftedBucket(stored.bucket, ahead, BIN_MS),
    ...(stored.line === undefined ? {} : { line: shiftedLine(stored.line, ahead, CALLERS_BIN_MS) }),
  };
}
