/**
 * Who waits for an account's budget, over all processes: how the room there is gets divided between
 * lanes and processes, how fast the background lane may go, and which pauses Zendesk asked for.
 * Plain JSON, kept with the account's bucket; times in milliseconds of the ledger's clock.
 */
import { LANES, type Lane } from '../lane.ts';
import type { Bucket } from './bucket.ts';
import type { CallersState } from './fair-use.ts';

/** Calls waiting for a token, and for how many callers. */
export interface Waiting {
  readonly calls: number;
  readonly callers: number;
}

export interface LineState {
  /** What each process had still waiting when it last spoke; `above`: of callers above their share. */
  waiting: Record<string, { seenAt: number; lanes: Record<Lane, Waiting>; above?: Record<Lane, Waiting> }>;
  callers?: CallersState;
  /** Interactive calls and changes granted, fading: over {@link DEMAND_MS} times their rate. */
  demand: { level: number; at: number };
  /** Tokens of the background's pace. */
  pace: { tokens: number; at: number };
  /** When each pause ends: of the account (`account`) or an endpoint (`endpoint GET /api/v2/tickets`). */
  pauses: Record<string, number>;
}

/** A process that waits asks anew far more often. */
const WAITING_FOR_MS = 2_000;
const DEMAND_MS = 10_000;
/** How many seconds of interactive demand the background leaves. */
const RESERVE_SECONDS = 3;
const LEAST_RESERVE = 0.02;
const GREATEST_RESERVE = 0.25;
/** The background's pace in shares of an even one, somewhat above it so that it can catch up. */
const PACE = 1.1;
const PACE_BURST_SECONDS = 2;
const LEAST_PACE = 0.05;
/** Of four tokens one is a change's, where both interactive calls and changes wait. */
const MUTATION_SHARE = 0.25;
const MAX_PAUSES = 100;

export function emptyLine(): LineState {
  return { waiting: {}, demand: { level: 0, at: 0 }, pace: { tokens: 1, at: 0 }, pauses: {} };
}

export function noneWaiting(): Record<Lane, Waiting> {
  return Object.fromEntries(LANES.map((lane) => [lane, { calls: 0, callers: 0 }])) as Record<Lane, Waiting>;
}

/** What is over by `now` taken out. */
export function pruneLine(line: LineState, now: number): LineState {
  const alive = Object.entries(line.waiting).filter(([, { seenAt }]) => now - seenAt <= WAITING_FOR_MS);
  const pauses = Object.entries(line.pauses).filter(([, until]) => until > now);
  return { ...line, waiting: Object.fromEntries(alive), pauses: Object.fromEntries(pauses) };
}

/** What waits in the other processes, of callers above their share or of all others. */
export function waitingElsewhere(
  line: LineState,
  process: string,
  part: 'lanes' | 'above',
): Record<Lane, Waiting> {
  const sum = noneWaiting();
  for (const [other, waiting] of Object.entries(line.waiting)) {
    if (other === process) continue;
    const lanes = waiting[part] ?? noneWaiting();
    for (const lane of LANES) addWaiting(sum, lane, lanes[lane].calls, lanes[lane].callers);
  }
  return sum;
}

export function addWaiting(sum: Record<Lane, Waiting>, lane: Lane, calls: number, callers: number): void {
  sum[lane] = { calls: sum[lane].calls + calls, callers: sum[lane].callers + callers };
}

/**
 * Tokens for each lane of one process: interactive calls before the background, a quarter for changes
 * where both wait, and in proportion to the callers waiting here and elsewhere. A broken share is
 * granted with its probability, so that over time it comes out even.
 */
export function divideRoom(
  room: number,
  background: number,
  here: Record<Lane, Waiting>,
  elsewhere: Record<Lane, Waiting>,
  random: () => number,
): Record<Lane, number> {
  const calls = (lane: Lane): number => here[lane].calls + elsewhere[lane].calls;
  const interactive = calls('INTERACTIVE');
  const changes = Math.min(calls('MUTATION'), Math.max(room * MUTATION_SHARE, room - interactive));
  const portion = (lane: Lane, share: number): number => {
    const mine = here[lane];
    if (mine.calls === 0) return 0;
    if (share >= calls(lane)) return mine.calls;
    const byCallers = (share * mine.callers) / (mine.callers + elsewhere[lane].callers);
    return Math.min(mine.calls, Math.floor(Math.max(byCallers, share - elsewhere[lane].calls) + random()));
  };
  const forChanges = portion('MUTATION', changes);
  const forInteractive = Math.min(
    portion('INTERACTIVE', Math.min(interactive, room - changes)),
    room - forChanges,
  );
  const left = room - forInteractive - forChanges;
  const othersFirst = interactive + calls('MUTATION') > forInteractive + forChanges;
  const share = othersFirst ? 0 : Math.max(0, Math.min(left, background));
  return { INTERACTIVE: forInteractive, MUTATION: forChanges, BACKGROUND: portion('BACKGROUND', share) };
}

/**
 * What the background may take of `room` by its pace and the reserve for interactive calls. It may
 * fetch a fresh reading when only readings stand against it: else nothing would tell of new room.
 */
export function backgroundRoom(
  line: LineState,
  room: number,
  { limit, windowMs, unreadRoom }: Pick<Bucket, 'limit' | 'windowMs' | 'unreadRoom'>,
  now: number,
): number {
  if (limit === null) return Math.min(room, 1);
  const perSecond = demandAt(line, now) / (DEMAND_MS / 1000);
  const reserve = Math.min(
    Math.max(LEAST_RESERVE * limit, RESERVE_SECONDS * perSecond),
    GREATEST_RESERVE * limit,
  );
  const tokens = paceAt(line, limit, windowMs, now);
  const left = Math.max(room, Math.min(unreadRoom, Math.floor(reserve) + 1)) - Math.floor(reserve);
  return Math.floor(Math.min(tokens, left));
}

/** The line after grants of `granted` tokens. */
export function chargeLine(
  line: LineState,
  granted: Record<Lane, number>,
  { limit, windowMs }: Pick<Bucket, 'limit' | 'windowMs'>,
  now: number,
): LineState {
  const urgent = granted.INTERACTIVE + granted.MUTATION;
  const tokens = limit === null ? line.pace.tokens : paceAt(line, limit, windowMs, now);
  return {
    ...line,
    demand: { level: demandAt(line, now) + urgent, at: now },
    pace: { tokens: Math.max(0, tokens - granted.BACKGROUND), at: now },
  };
}

/** The line with a pause; a flood of pauses becomes one of the account, which is on the safe side. */
export function pauseLine(line: LineState, key: string, until: number, account: string): LineState {
  const isNew = line.pauses[key] === undefined;
  const name = isNew && Object.keys(line.pauses).length >= MAX_PAUSES ? account : key;
  return { ...line, pauses: { ...line.pauses, [name]: Math.max(line.pauses[name] ?? 0, until) } };
}

function demandAt({ demand }: LineState, now: number): number {
  return demand.level * Math.exp(-Math.max(0, now - demand.at) / DEMAND_MS);
}

/** The pace is what interactive calls leave of an even use of the limit, or else the reserve would not last. */
function paceAt(line: LineState, limit: number, windowMs: number, now: number): number {
  const { pace } = line;
  const even = limit / windowMs;
  const perMs = PACE * Math.max(even * LEAST_PACE, even - demandAt(line, now) / DEMAND_MS);
  const most = Math.max(1, perMs * 1000 * PACE_BURST_SECONDS);
  return Math.min(most, pace.tokens + Math.max(0, now - pace.at) * perMs);
}
