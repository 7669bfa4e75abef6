/**
 * One step of a plan, from wherever it stands to its end. A step is *PENDING* until its intent is written, then *SENT*
 * until its outcome is. Found SENT, or after a try whose outcome is unknown, Zendesk is looked at first: what is done
 * is not done again. Tickets are handed over some at a time; in between the step is PENDING. A step that fails ends the
 * person's part of the plan; one that could succeed later is tried three times, and then interrupts the plan.
 */
import { type Clock, type ErrorCode, isSealdeskError, type JsonObject, type Log } from '../../base/index.ts';
import { type Person, type PlanStep, STEP_OPERATIONS, type StoredStep } from '../../provisioning/index.ts';
import {
  findOperation,
  type OperationName,
  type PeopleSource,
  type RunOperation,
} from '../../proxy/index.ts';
import { handoverOf, payloadOf } from './step-call.ts';
import { findStep } from './step-check.ts';
import { codeOf, judgeStepFailure } from './step-failure.ts';
import {
  type BegunStep,
  type OpenStep,
  PlanStopped,
  type StepEnding,
  type StepPlace,
  type StepRecord,
} from './step-record.ts';

const MAX_TRIES = 3;
/** Tickets handed over under one intent. */
const TICKETS_AT_ONCE = 20;
/** Intents of one handing over: others may give the person more tickets meanwhile. */
const MAX_WALKS = 500;

/** The plan cannot go on; the code says why. */
export class PlanInterrupted extends Error {
  override readonly name = 'PlanInterrupted';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, cause: unknown) {
    super('The plan cannot go on', { cause });
    this.code = code;
  }
}

export interface StepRunDeps {
  readonly record: StepRecord;
  readonly source: PeopleSource;
  readonly run: RunOperation;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly pauseMs: number;
  /** Moves the end of the own claim on. Rejects with PlanLost and PlanStopped. */
  readonly keep: () => Promise<void>;
}

export interface StepTask {
  readonly step: PlanStep;
  readonly stored: StoredStep;
  /** Zendesk's id of the person, `null` for who is not there yet. */
  readonly userId: number | null;
  /** Whether time may have passed since Zendesk was looked at. */
  readonly isTakenUp: boolean;
}

export type StepResult =
  | { readonly kind: 'ENDED'; readonly userId: number | null }
  | { readonly kind: 'FAILED'; readonly failure: ErrorCode };

/** Rejects with PlanInterrupted, PlanLost, PlanStopped, and with the signal's reason between two tries. */
export async function runStep(deps: StepRunDeps, task: StepTask): Promise<StepResult> {
  return new StepRun(deps, task).run();
}

class StepRun {
  readonly #deps: StepRunDeps;
  readonly #task: StepTask;
  readonly #place: StepPlace;
  readonly #what: Pick<OpenStep, 'operation' | 'resource'>;
  readonly #handed = new Set<number>();
  readonly #refused = new Set<number>();
  #count: number;
  #wasSent: boolean;

  constructor(deps: StepRunDeps, task: StepTask) {
    const { stored, step, userId } = task;
    this.#deps = deps;
    this.#task = task;
    this.#place = { position: stored.position, step: stored.step };
    const operation: OperationName = STEP_OPERATIONS[step.kind];
    this.#what = { operation, resource: userId === null ? 'user' : `user:${userId}` };
    this.#count = stored.count;
    this.#wasSent = stored.state === 'SENT';
  }

  async run(): Promise<StepResult> {
    const { step, stored } = this.#task;
    let isToBeLookedAt = this.#task.isTakenUp || this.#wasSent;
    let last: unknown = null;
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      if (tries > 1) await this.#pause(tries);
      try {
        if (isToBeLookedAt) {
          const found = await this.#look(tries === 1 ? stored : null);
          if (found !== null) return found;
        }
        return step.kind === 'REASSIGN_TICKETS' ? await this.#handOver(step) : await this.#send(step);
      } catch (error) {
        if (!(error instanceof TryAgain)) throw error;
        last = error.cause;
        isToBeLookedAt ||= error.isUnknown;
        this.#wasSent ||= error.isUnknown;
      }
    }
    throw new PlanInterrupted(codeOf(last), last);
  }

  /** What Zendesk holds of the step; `null` where it is to be sent. */
  async #look(stored: StoredStep | null): Promise<StepResult | null> {
    const { record } = this.#deps;
    const { step } = this.#task;
    const person = await this.#reading(() => this.#readPerson());
    const finding = findStep(step, person, this.#wasSent);
    const pending = stored?.state === 'SENT' ? stored : null;
    switch (finding) {
      case 'DONE': {
        const made = step.kind === 'CREATE_USER' && person !== null ? { zendeskId: person.id } : {};
        const ending: StepEnding = { state: 'DONE', outcome: 'APPLIED', ...made };
        if (pending !== null) await record.settle(pending, this.#what, ending);
        else await record.note(this.#place, this.#wasSent ? 'DONE' : 'ALREADY', made.zendeskId);
        return { kind: 'ENDED', userId: person?.id ?? null };
      }
      case 'TO_DO': {
        // Of sessions and of tickets nothing tells whether the last try did its part.
        const isTold = step.kind !== 'END_SESSIONS' && step.kind !== 'REASSIGN_TICKETS';
        const ending: StepEnding = { state: 'SENT', outcome: isTold ? 'FAILED' : 'UNKNOWN' };
        if (pending !== null) await record.settle(pending, this.#what, ending);
        return null;
      }
      case 'MOVED': {
        const ending: StepEnding = { state: 'FAILED', outcome: 'UNKNOWN', failure: 'PLAN_STALE' };
        if (pending !== null) await record.settle(pending, this.#what, ending);
        else await record.note(this.#place, 'FAILED', null, 'PLAN_STALE');
        return { kind: 'FAILED', failure: 'PLAN_STALE' };
      }
      default:
        return finding satisfies never;
    }
  }

  async #readPerson(): Promise<Person | null> {
    const { source } = this.#deps;
    const { step, userId } = this.#task;
    const needs = { groups: true, openTickets: false };
    if (step.kind === 'CREATE_USER') {
      const { email } = step.wish;
      return (await source.byAddresses([email], needs)).get(email) ?? null;
    }
    return userId === null ? null : ((await source.byIds([userId], needs)).get(userId) ?? null);
  }

  async #send(step: Exclude<PlanStep, { kind: 'REASSIGN_TICKETS' }>): Promise<StepResult> {
    const { userId } = this.#task;
    const open = await this.#open();
    let result: JsonObject;
    try {
      result = await this.#run(payloadOf(step, userId), open);
    } catch (error) {
      return this.#closeFailed(open, error);
    }
    const made = step.kind === 'CREATE_USER' ? idOf(result['user']) : null;
    await this.#deps.record.close(open, {
      state: 'DONE',
      outcome: 'SUCCEEDED',
      ...(made === null ? {} : { zendeskId: made }),
    });
    return { kind: 'ENDED', userId: made ?? userId };
  }

  /**
   * Some tickets under one intent, until none is left; those that Zendesk refuses are left, and fail the step. Rejects
   * with PlanInterrupted where some may be left that Zendesk does not show.
   */
  async #handOver(step: Extract<PlanStep, { kind: 'REASSIGN_TICKETS' }>): Promise<StepResult> {
    const { record, source } = this.#deps;
    const { userId } = this.#task;
    if (userId === null) throw new TypeError('"task.userId" must name whose tickets are handed over');
    for (let walks = 0; walks < MAX_WALKS; walks += 1) {
      const seen = this.#handed.union(this.#refused);
      const { ids, isMore } = await this.#reading(() => source.openTickets(userId, seen));
      if (ids.length > 0) {
        const ended = await this.#handOverSome(step, ids.slice(0, TICKETS_AT_ONCE));
        if (ended !== null) return ended;
        continue;
      }
      if (isMore) break;
      if (this.#refused.size > 0) {
        await record.note(this.#place, 'FAILED', null, 'UPSTREAM_REJECTED');
        return { kind: 'FAILED', failure: 'UPSTREAM_REJECTED' };
      }
      await record.note(this.#place, 'DONE');
      return { kind: 'ENDED', userId };
    }
    throw new PlanInterrupted('UPSTREAM_UNAVAILABLE', null);
  }

  /** `null` where it may go on with others. Stops between two tickets where the plan is to stop. */
  async #handOverSome(
    step: Extract<PlanStep, { kind: 'REASSIGN_TICKETS' }>,
    ids: readonly number[],
  ): Promise<StepResult | null> {
    const { record } = this.#deps;
    const open = await this.#open(ids.length);
    const refusedBefore = this.#refused.size;
    let tried = 0;
    let stopped: PlanStopped | null = null;
    for (const id of ids) {
      tried += 1;
      try {
        await this.#run(handoverOf(step, id), open);
        this.#handed.add(id);
        this.#count += 1;
      } catch (error) {
        if (judgeStepFailure(error) !== 'FAILED')
          return this.#closeFailed({ ...open, count: tried }, error, this.#count);
        this.#refused.add(id);
      }
      stopped = await this.#stopWanted();
      if (stopped !== null) break;
    }
    const outcome = this.#refused.size - refusedBefore < tried ? 'SUCCEEDED' : 'FAILED';
    await record.close({ ...open, count: tried }, { state: 'PENDING', outcome, count: this.#count });
    if (stopped !== null) throw stopped;
    return null;
  }

  async #stopWanted(): Promise<PlanStopped | null> {
    try {
      await this.#deps.keep();
      return null;
    } catch (error) {
      if (error instanceof PlanStopped) return error;
      throw error;
    }
  }

  /** Rejects with PlanInterrupted where the rights were taken back, with PlanLost and with PlanStopped. */
  async #open(count?: number): Promise<BegunStep> {
    await this.#deps.keep();
    try {
      const what = count === undefined ? this.#what : { ...this.#what, count };
      return await this.#deps.record.open(this.#place, what);
    } catch (error) {
      throw isSealdeskError(error) ? new PlanInterrupted(error.code, error) : error;
    }
  }

  #run(payload: JsonObject, { breakGlassIds }: BegunStep): Promise<JsonObject> {
    const operation = findOperation(this.#what.operation);
    if (operation === null) throw new TypeError('"operation" must be one of the catalogue');
    return this.#deps.run(operation, payload, breakGlassIds);
  }

  /** Writes down how a try ended; throws where it may be tried again, or where the plan cannot go on. */
  async #closeFailed(open: OpenStep, error: unknown, count?: number): Promise<StepResult> {
    const { record, log } = this.#deps;
    const failure = codeOf(error);
    if (failure === 'INTERNAL') {
      log.error('A step of a provisioning plan failed inside the gateway', {
        error: error instanceof Error ? error : undefined,
      });
    }
    const upstreamStatus = isSealdeskError(error) ? (error.details.upstreamStatus ?? null) : null;
    const told = { failure, upstreamStatus, ...(count === undefined ? {} : { count }) };
    const verdict = judgeStepFailure(error);
    switch (verdict) {
      case 'FAILED':
        // The address may be refused because an earlier try did make the person, whom no search finds so soon.
        if (this.#wasSent && this.#task.step.kind === 'CREATE_USER') {
          await record.close(open, { state: 'SENT', outcome: 'FAILED', ...told });
          throw new TryAgain(error, true);
        }
        await record.close(open, { state: 'FAILED', outcome: 'FAILED', ...told });
        return { kind: 'FAILED', failure };
      case 'UNKNOWN':
        await record.close(open, { state: 'SENT', outcome: 'UNKNOWN', ...told });
        throw new TryAgain(error, true);
      case 'AGAIN':
        await record.close(open, { state: 'PENDING', outcome: 'FAILED', ...told });
        throw new TryAgain(error, false);
      case 'INTERRUPTED':
        await record.close(open, { state: 'PENDING', outcome: 'FAILED', ...told });
        throw new PlanInterrupted(failure, error);
      default:
        return verdict satisfies never;
    }
  }

  /** A read that fails is tried again with the step. */
  async #reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      this.#deps.signal.throwIfAborted();
      const verdict = judgeStepFailure(error);
      throw verdict === 'AGAIN' ? new TryAgain(error, false) : new PlanInterrupted(codeOf(error), error);
    }
  }

  async #pause(tries: number): Promise<void> {
    const { clock, pauseMs, signal, keep } = this.#deps;
    await clock.wait(pauseMs * 2 ** (tries - 2), signal);
    await keep();
  }
}

class TryAgain extends Error {
  override readonly name = 'TryAgain';
  readonly isUnknown: boolean;

  constructor(cause: unknown, isUnknown: boolean) {
    super('The step is tried again', { cause });
    this.isUnknown = isUnknown;
  }
}

function idOf(user: unknown): number | null {
  const id = typeof user === 'object' && user !== null && 'id' in user ? user.id : null;
  return typeof id === 'number' ? id : null;
}
