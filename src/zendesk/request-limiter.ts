/**
 * The limiter of one Zendesk account in one process: a first-come queue with a bounded number of
 * calls under way, and pauses where Zendesk asked for one. All clients of the account share it.
 *
 * A call is *waiting* from `enter` until its turn, *under way* until `leave`. A pause holds the whole
 * account, one endpoint, or one object of an endpoint (Zendesk counts updates per ticket), so that a
 * busy ticket does not stop the account. A waiter whose pause outlasts its deadline is refused at
 * once, an aborted one leaves the queue.
 *
 * It promises nothing across processes and does not count requests ahead of Zendesk.
 */
import type { Clock } from '../base/index.ts';
import type { Lane } from './lane.ts';
import type { RateLimitReading } from './rate-limit-reading.ts';
import { ZendeskError } from './zendesk-error.ts';

export interface LimitedRequest {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  readonly lane: Lane;
  /** For whom the call is made; calls without one count as one caller. */
  readonly caller: string | undefined;
  /** Milliseconds since 1970. */
  readonly deadline: number;
  readonly signal: AbortSignal;
}

export type PauseScope = 'ACCOUNT' | 'ENDPOINT' | 'OBJECT';

export interface RequestOutcome {
  /** What the answer told of the limits; `null` without an answer. */
  readonly reading: RateLimitReading | null;
  readonly pause?: { readonly scope: PauseScope; readonly milliseconds: number };
}

/** The right to make one call. `leave` must follow, once; a second time does nothing. */
export interface RequestSlot {
  leave(outcome: RequestOutcome): void;
}

/** What the client asks before each call; a budget shared by all processes may stand behind it. */
export interface RequestLimiter {
  /** Rejects with UPSTREAM_RATE_LIMITED (`retryAfter`), or with the signal's reason. */
  enter(request: LimitedRequest): Promise<RequestSlot>;
}

export interface RequestLimiterOptions {
  readonly clock: Clock;
  /** Calls under way at once; default 32. */
  readonly maxUnderWay?: number;
  /** Calls waiting; default 1 000. */
  readonly maxWaiting?: number;
}

interface Waiter {
  readonly request: LimitedRequest;
  readonly admit: () => void;
  readonly refuse: (reason: unknown) => void;
}

const MAX_PAUSES = 1000;

class AccountLimiter implements RequestLimiter {
  readonly #clock: Clock;
  readonly #maxUnderWay: number;
  readonly #maxWaiting: number;
  readonly #pauses = new Map<string, number>();
  #waiters: Waiter[] = [];
  #underWay = 0;
  #timer: AbortController | null = null;

  constructor(options: RequestLimiterOptions) {
    this.#clock = options.clock;
    this.#maxUnderWay = options.maxUnderWay ?? 32;
    this.#maxWaiting = options.maxWaiting ?? 1000;
  }

  enter(request: LimitedRequest): Promise<RequestSlot> {
    if (request.signal.aborted) return Promise.reject(request.signal.reason);
    if (this.#waiters.length >= this.#maxWaiting) return Promise.reject(refusal(1));
    const { promise, resolve, reject } = Promise.withResolvers<RequestSlot>();
    const onAbort = (): void => {
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
      reject(request.signal.reason);
    };
    const settled = (): void => request.signal.removeEventListener('abort', onAbort);
    const waiter: Waiter = {
      request,
      admit: () => {
        settled();
        resolve(this.#slot(request));
      },
      refuse: (reason) => {
        settled();
        reject(reason);
      },
    };
    request.signal.addEventListener('abort', onAbort, { once: true });
    this.#waiters.push(waiter);
    this.#pump();
    return promise;
  }

  #slot(request: LimitedRequest): RequestSlot {
    let left = false;
    return Object.freeze({
      leave: ({ pause }: RequestOutcome): void => {
        if (left) return;
        left = true;
        this.#underWay -= 1;
        if (pause !== undefined) this.#pause(keyOf(pause.scope, request), pause.milliseconds);
        this.#pump();
      },
    });
  }

  #pause(key: string, milliseconds: number): void {
    const now = this.#clock.now();
    const until = Math.max(this.#pauses.get(key) ?? 0, now + milliseconds);
    for (const [other, end] of this.#pauses) {
      if (end <= now) this.#pauses.delete(other);
    }
    // A flood of pauses becomes one of the whole account: bounded, and on the safe side.
    this.#pauses.set(this.#pauses.size < MAX_PAUSES ? key : keyOf('ACCOUNT'), until);
  }

  /** Admits, refuses or keeps every waiter in order, then sets the one timer for the next pause to end. */
  #pump(): void {
    const now = this.#clock.now();
    let nextEnd = Number.POSITIVE_INFINITY;
    this.#waiters = this.#waiters.filter((waiter) => {
      const end = this.#pausedUntil(waiter.request);
      if (end > waiter.request.deadline) {
        waiter.refuse(refusal(Math.ceil((end - now) / 1000)));
        return false;
      }
      if (end > now) nextEnd = Math.min(nextEnd, end);
      if (end > now || this.#underWay >= this.#maxUnderWay) return true;
      this.#underWay += 1;
      waiter.admit();
      return false;
    });
    this.#timer?.abort();
    this.#timer = nextEnd === Number.POSITIVE_INFINITY ? null : this.#startTimer(nextEnd - now);
  }

  #startTimer(milliseconds: number): AbortController {
    const timer = new AbortController();
    this.#clock.wait(milliseconds, timer.signal).then(
      () => this.#pump(),
      () => undefined,
    );
    return timer;
  }

  #pausedUntil(request: LimitedRequest): number {
    const now = this.#clock.now();
    const ends = (['ACCOUNT', 'ENDPOINT', 'OBJECT'] as const).map((scope) =>
      this.#pauses.get(keyOf(scope, request)),
    );
    return Math.max(now, ...ends.map((end) => end ?? 0));
  }
}

/** A limiter for one account; keep one per origin. */
export function createRequestLimiter(options: RequestLimiterOptions): RequestLimiter {
  return new AccountLimiter(options);
}

/** Limiters by name (who asks, and of which account), so that all clients of one name share one. */
export interface AccountLimiters {
  of(name: string): RequestLimiter;
}

const MAX_ACCOUNTS = 10_000;

/** Holds at most 10 000 accounts; the one asked for longest ago gives way (its pauses are forgotten). */
export function createAccountLimiters(options: RequestLimiterOptions): AccountLimiters {
  const limiters = new Map<string, RequestLimiter>();
  return Object.freeze({
    of(name: string): RequestLimiter {
      const limiter = limiters.get(name) ?? createRequestLimiter(options);
      limiters.delete(name);
      limiters.set(name, limiter);
      const oldest = limiters.keys().next().value;
      if (limiters.size > MAX_ACCOUNTS && oldest !== undefined) limiters.delete(oldest);
      return limiter;
    },
  });
}

/** `/api/v2/tickets/*` for every ticket: the endpoint that a path belongs to. */
export function endpointOf(path: string): string {
  return path.replace(/\.json$/, '').replaceAll(/\/\d+(?=\/|$)/g, '/*');
}

function keyOf(scope: 'ACCOUNT'): string;
function keyOf(scope: PauseScope, request: LimitedRequest): string;
function keyOf(scope: PauseScope, request?: LimitedRequest): string {
  if (scope === 'ACCOUNT' || request === undefined) return 'account';
  const { method, path } = request;
  return scope === 'ENDPOINT'
    ? `endpoint ${method} ${endpointOf(path)}`
    : `object ${method} ${path.replace(/\.json$/, '')}`;
}

function refusal(retryAfter: number): ZendeskError {
  return new ZendeskError(
    'UPSTREAM_RATE_LIMITED',
    `Zendesk's rate limit for this account is used up. Try again in ${retryAfter} seconds.`,
    { failure: 'RATE_LIMITED', retryAfter },
  );
}
