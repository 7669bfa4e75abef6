/**
 * The budget of one account as one process sees it.
 *
 * A call is *waiting* from `enter` until it has a token and a place among the calls under way, *under
 * way* until `leave`. Tokens come from the ledger, by one exchange at a time: at once when somebody
 * waits for whom the ledger was not asked lately, a tenth of a second after a call ended at the latest
 * (a second where there is plenty), so that its end and what its answer told are known to all, and now
 * and then while calls are long.
 * What nobody used goes back. A waiter is refused when its deadline passes, or at once when it is known
 * to pass before there can be a token; an aborted one leaves the queue.
 */
import type { Clock, Log } from '../../base/index.ts';
import type { LimitedRequest, RequestLimiter, RequestOutcome, RequestSlot } from '../request-limiter.ts';
import type { ZendeskError } from '../zendesk-error.ts';
import { exhausted } from './budget-exhausted.ts';
import type { BudgetAccount, BudgetLedger } from './budget-ledger.ts';
import { CallerTally, digestOf } from './caller-tally.ts';
import { endpointClassOf } from './endpoint-class.ts';
import { type AheadAsk, type BudgetAsk, bucketsOf, type ExchangeAnswer, exchangeBudget } from './exchange.ts';
import { Pauses, pauseKey, pauseKeysOf } from './pauses.ts';
import { Purse, toSettlements } from './purse.ts';
import { RecentRate } from './recent-rate.ts';
import { keyOf, type Waiter, WaitingQueue } from './waiting-queue.ts';

export interface BudgetLimiterOptions {
  readonly account: BudgetAccount;
  readonly ledger: BudgetLedger;
  /** Names this process in the ledger. */
  readonly process: string;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** Calls under way at once; a quarter of them is never the background's. */
  readonly maxUnderWay: number;
  readonly maxWaiting: number;
}

const SETTLE_MS = 100;
/** Where there is plenty, so that the ledger is not spoken to for every few calls. */
const AMPLE_SETTLE_MS = 1_000;
const FAILED_SETTLE_MS = 1_000;
const HEARTBEAT_MS = 20_000;
const MAX_PREFETCH = 16;
/** Interactive calls of so many seconds are fetched ahead. */
const PREFETCH_SECONDS = 0.5;
/** Tokens that took longer to come are given back: by then the ledger may take this process for dead. */
const MAX_EXCHANGE_MS = 30_000;

/** What the ledger said of a lane and class that got less than it asked for; times on our own clock. */
interface Denial {
  readonly askAgainAt: number;
  /** No token before; 0 where that is not known. */
  readonly notBefore: number;
  /** Whether only callers above their share go without. */
  readonly heldBack: boolean;
}

export class BudgetLimiter implements RequestLimiter, AsyncDisposable {
  readonly #options: BudgetLimiterOptions;
  readonly #queue = new WaitingQueue();
  readonly #pauses = new Pauses();
  readonly #purse = new Purse();
  readonly #denials = new Map<string, Denial>();
  readonly #tally = new CallerTally();
  /** Callers that have used up their share, as the ledger said last. */
  #above: ReadonlySet<string> = new Set();
  /** By endpoint class, of which there are few. */
  readonly #interactive = new Map<string | null, RecentRate>();
  #isAmple = false;
  #sharedPauses: { readonly key: string; readonly until: number }[] = [];
  #underWay = 0;
  #backgroundUnderWay = 0;
  #settleAt = Infinity;
  #heardAt = 0;
  #exchanging: Promise<void> | null = null;
  #timer: AbortController | null = null;
  #isPumpDue = false;
  #closed = false;

  constructor(options: BudgetLimiterOptions) {
    this.#options = options;
  }

  enter(request: LimitedRequest): Promise<RequestSlot> {
    if (this.#closed) return Promise.reject(new TypeError('"limiter" was used after it was disposed'));
    if (request.signal.aborted) return Promise.reject(request.signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<RequestSlot>();
    const { clock } = this.#options;
    const endpointClass = endpointClassOf(request.method, request.path);
    const caller = digestOf(request.caller);
    if (request.lane !== 'BACKGROUND') this.#tally.want(caller, clock.now());
    if (this.#queue.size >= this.#options.maxWaiting) {
      const crowding = this.#queue.crowding(caller);
      if (crowding === null) return Promise.reject(exhausted(1000));
      this.#queue.remove(crowding);
      crowding.refuse(exhausted(1000));
    }
    const onAbort = (): void => {
      this.#queue.remove(waiter);
      // The caller's own timer for the same deadline may be first.
      reject(clock.now() >= request.deadline ? this.#refusalOf(waiter) : request.signal.reason);
    };
    const settled = (): void => request.signal.removeEventListener('abort', onAbort);
    const waiter: Waiter = {
      request,
      caller,
      endpointClass,
      pauseKeys: pauseKeysOf(request),
      enteredAt: clock.now(),
      admit: (grantedAt) => {
        settled();
        resolve(this.#slot(request, endpointClass, grantedAt));
      },
      refuse: (reason) => {
        settled();
        reject(reason);
      },
    };
    request.signal.addEventListener('abort', onAbort, { once: true });
    this.#queue.add(waiter);
    this.#pumpSoon();
    return promise;
  }

  #slot(request: LimitedRequest, endpointClass: string | null, grantedAt: number): RequestSlot {
    let left = false;
    return Object.freeze({
      leave: (outcome: RequestOutcome): void => {
        if (left) return;
        left = true;
        this.#underWay -= 1;
        if (request.lane === 'BACKGROUND') this.#backgroundUnderWay -= 1;
        if (outcome.sent) this.#purse.finish(endpointClass, grantedAt, outcome.reading);
        else this.#purse.putBack(endpointClass);
        if (outcome.pause !== undefined) this.#pause(request, outcome.pause);
        this.#pump();
      },
    });
  }

  #pause(request: LimitedRequest, { scope, milliseconds }: NonNullable<RequestOutcome['pause']>): void {
    const now = this.#options.clock.now();
    const key = pauseKey(scope, request);
    this.#pauses.add(key, now + milliseconds, now);
    if (scope === 'OBJECT') return;
    this.#sharedPauses.push({ key, until: now + milliseconds });
    this.#settleAt = now;
  }

  /** Once for all who enter in one turn of the event loop. */
  #pumpSoon(): void {
    if (this.#isPumpDue) return;
    this.#isPumpDue = true;
    setImmediate(() => {
      this.#isPumpDue = false;
      this.#pump();
    });
  }

  /** Refuses, admits, and then asks the ledger or sets the one timer for the next thing to happen. */
  #pump(): void {
    const now = this.#options.clock.now();
    for (const waiter of this.#queue.all()) {
      if (this.#freeAt(waiter) <= waiter.request.deadline && waiter.request.deadline > now) continue;
      this.#queue.remove(waiter);
      waiter.refuse(this.#refusalOf(waiter));
    }
    this.#admit(now);
    this.#purse.giveUp(now);
    if (this.#purse.hasPending) {
      this.#settleAt = Math.min(this.#settleAt, now + (this.#isAmple ? AMPLE_SETTLE_MS : SETTLE_MS));
    }
    this.#timer?.abort();
    this.#timer = null;
    if (this.#closed) return;
    const next = this.#exchanging === null ? this.#nextTime(now) : Infinity;
    if (next <= now) this.#exchanging = this.#exchange();
    // However long the ledger takes, nobody waits beyond the deadline.
    const wakeAt = this.#exchanging === null ? next : this.#nextDeadline();
    if (wakeAt < Infinity) this.#timer = this.#startTimer(wakeAt - now);
  }

  /** Lets in who has a token of its own lane, then who can use what another lane has left. */
  #admit(now: number): void {
    for (const isAbove of this.#above.size > 0 ? [false, true] : [false]) {
      const ready = (waiter: Waiter): boolean =>
        this.#above.has(waiter.caller) === isAbove && this.#isReady(waiter, now);
      for (const any of [false, true]) {
        for (const { lane, endpointClass } of this.#queue.groups(ready)) {
          while (
            this.#mayStart(lane === 'BACKGROUND') &&
            this.#purse.has(lane, endpointClass, any, isAbove)
          ) {
            const waiter = this.#queue.take(lane, endpointClass, ready);
            if (waiter === null) break;
            this.#start(waiter, now);
            waiter.admit(this.#purse.take(lane, endpointClass, any, isAbove));
          }
        }
      }
    }
  }

  #start({ request: { lane }, caller, endpointClass }: Waiter, now: number): void {
    this.#underWay += 1;
    if (lane === 'BACKGROUND') this.#backgroundUnderWay += 1;
    else this.#tally.use(caller, now);
    if (lane === 'INTERACTIVE') this.#noteInteractive(endpointClass, now);
  }

  #noteInteractive(endpointClass: string | null, now: number): void {
    const rate = this.#interactive.get(endpointClass) ?? new RecentRate();
    this.#interactive.set(endpointClass, rate);
    rate.add(now);
  }

  /** Interactive calls to come, as far as no tokens for them are in hand. */
  #ahead(now: number): readonly AheadAsk[] {
    if (this.#closed) return [];
    return [...this.#interactive].flatMap(([endpointClass, rate]) => {
      const wanted = Math.min(MAX_PREFETCH, Math.floor(rate.at(now) * PREFETCH_SECONDS));
      const calls = wanted - this.#purse.countOf('INTERACTIVE', endpointClass);
      return calls < 1 ? [] : [{ endpointClass, calls }];
    });
  }

  #mayStart(isBackground: boolean): boolean {
    return this.#capacity(isBackground) > 0;
  }

  /** Places among the calls under way. */
  #capacity(isBackground: boolean): number {
    const { maxUnderWay } = this.#options;
    const free = maxUnderWay - this.#underWay;
    return isBackground ? Math.min(free, Math.ceil((maxUnderWay * 3) / 4) - this.#backgroundUnderWay) : free;
  }

  #isReady(waiter: Waiter, now: number): boolean {
    return this.#pauses.endFor(waiter.pauseKeys) <= now;
  }

  /** No call of the waiter before this time, by what is known; 0 where nothing is. */
  #freeAt({ request, caller, endpointClass, pauseKeys }: Waiter): number {
    const pause = this.#pauses.endFor(pauseKeys);
    // A token in hand overrules what the ledger said before.
    if (this.#purse.has(request.lane, endpointClass, true, this.#above.has(caller))) return pause;
    return Math.max(pause, this.#denials.get(keyOf(request.lane, endpointClass))?.notBefore ?? 0);
  }

  #refusalOf(waiter: Waiter): ZendeskError {
    return exhausted(this.#freeAt(waiter) - this.#options.clock.now());
  }

  /** When the ledger has to be spoken to, or somebody to be refused or admitted, at the earliest. */
  #nextTime(now: number): number {
    if (this.#asks(now).some((ask) => this.#mayAsk(ask, now))) return now;
    const heartbeat = this.#purse.holding.length > 0 ? this.#heardAt + HEARTBEAT_MS : Infinity;
    let next = Math.min(this.#settleAt, heartbeat, this.#purse.nextReturn);
    for (const waiter of this.#queue.all()) {
      const { request, endpointClass, pauseKeys } = waiter;
      const pause = this.#pauses.endFor(pauseKeys);
      next = Math.min(next, request.deadline, pause > now ? pause : Infinity);
      const denial = this.#denials.get(keyOf(request.lane, endpointClass));
      if (denial !== undefined && denial.askAgainAt > now) next = Math.min(next, denial.askAgainAt);
    }
    return next;
  }

  #nextDeadline(): number {
    return this.#queue.all().reduce((next, { request }) => Math.min(next, request.deadline), Infinity);
  }

  #startTimer(milliseconds: number): AbortController {
    const timer = new AbortController();
    this.#options.clock.wait(milliseconds, timer.signal).then(
      () => this.#pump(),
      () => undefined,
    );
    return timer;
  }

  #mayAsk({ lane, endpointClass, byCaller }: BudgetAsk, now: number): boolean {
    const denial = this.#denials.get(keyOf(lane, endpointClass));
    if (denial === undefined || denial.askAgainAt <= now) return true;
    return denial.heldBack && byCaller.some(({ caller }) => caller !== null && !this.#above.has(caller));
  }

  /** What to ask the ledger for: who is ready and has a place to go to, in all lanes, so that it can weigh them. */
  #asks(now: number): readonly BudgetAsk[] {
    const asks: BudgetAsk[] = [];
    let urgent = 0;
    for (const group of this.#queue.groups((waiter) => this.#isReady(waiter, now))) {
      const isBackground = group.lane === 'BACKGROUND';
      const inHand = this.#purse.size + (isBackground ? urgent : 0);
      const calls = Math.min(group.calls, this.#capacity(isBackground) - inHand);
      if (calls < 1) continue;
      if (!isBackground) urgent += calls;
      asks.push({ ...group, calls });
    }
    return asks;
  }

  async #exchange(): Promise<void> {
    // Whoever enters in this turn of the event loop is asked for together.
    await Promise.resolve();
    const { account, ledger, process, clock, random, log } = this.#options;
    const startedAt = clock.now();
    const asks = this.#asks(startedAt);
    const taken = this.#purse.takePending();
    const sharedPauses = this.#sharedPauses;
    this.#sharedPauses = [];
    this.#settleAt = Infinity;
    const ahead = this.#ahead(startedAt);
    const callers = this.#tally.take(startedAt);
    const request = {
      process,
      asks,
      ahead,
      settled: toSettlements(taken, startedAt),
      holding: this.#purse.holding,
      pauses: sharedPauses.map(({ key, until }) => ({ key, milliseconds: Math.max(0, until - startedAt) })),
      callers,
    };
    try {
      const answer = await ledger.update(account, bucketsOf(request), (rows, now) =>
        exchangeBudget(rows, request, now, random),
      );
      this.#purse.settled(taken);
      this.#apply(asks, ahead, answer, startedAt);
    } catch (error) {
      this.#purse.restore(taken);
      this.#tally.restore(callers, startedAt);
      this.#sharedPauses.push(...sharedPauses);
      this.#settleAt = clock.now() + FAILED_SETTLE_MS;
      log.warn('The budget of a Zendesk account could not be settled', {
        tenantId: account.tenantId,
        error: error instanceof Error ? error : undefined,
      });
      for (const waiter of this.#queue.all()) {
        this.#queue.remove(waiter);
        waiter.refuse(error);
      }
    } finally {
      this.#exchanging = null;
      this.#heardAt = clock.now();
    }
    this.#pump();
  }

  #apply(
    asks: readonly BudgetAsk[],
    ahead: readonly AheadAsk[],
    answer: ExchangeAnswer,
    startedAt: number,
  ): void {
    const now = this.#options.clock.now();
    const { grantedAt } = answer;
    for (const { key, milliseconds } of answer.pauses) this.#pauses.add(key, now + milliseconds, now);
    // Processes that were denied together should not come back together.
    const askAgainAt = now + answer.retryIn * (0.75 + this.#options.random() / 2);
    this.#isAmple = answer.isAmple;
    this.#above = new Set(answer.above);
    for (const [index, { endpointClass }] of ahead.entries()) {
      this.#purse.add(answer.prefetched[index] ?? 0, 'INTERACTIVE', endpointClass, grantedAt, now);
    }
    for (const [index, { lane, endpointClass, calls }] of asks.entries()) {
      const granted = answer.granted[index] ?? 0;
      this.#purse.add(granted, lane, endpointClass, grantedAt, now, answer.reserved[index] ?? 0);
      const notBefore = answer.notBefore[index] ?? 0;
      if (granted >= calls) this.#denials.delete(keyOf(lane, endpointClass));
      else {
        this.#denials.set(keyOf(lane, endpointClass), {
          askAgainAt,
          notBefore: notBefore > 0 ? now + notBefore : 0,
          heldBack: answer.heldBack[index] ?? false,
        });
      }
    }
    // At once, before anything else can take the places that were asked for.
    if (now - startedAt <= MAX_EXCHANGE_MS) this.#admit(now);
    else this.#purse.giveUp(Infinity);
  }

  /** Refuses who waits and gives back what is in hand; calls under way may still leave. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.abort();
    await this.#exchanging;
    for (const waiter of this.#queue.all()) {
      this.#queue.remove(waiter);
      waiter.refuse(new TypeError('"limiter" was disposed while a call waited'));
    }
    this.#purse.giveUp(Infinity);
    if (this.#purse.hasPending) await this.#exchange();
  }
}
