/**
 * The writer of one tenant's log in this process. What arrives while a group is being written goes with the
 * next one, in the order of arrival, so that many callers share one commit; a caller alone waits for nobody.
 *
 * After a group the writer knows the head. As long as nobody else moves it, the next group is written without
 * reading or locking it: by a message that is conditional on that head. Where somebody has, the message
 * writes nothing, and groups lock the head first until it is found where it was left. A head that was known here
 * and is found set back stops the log.
 *
 * Where a whole group waits, it is sent behind such a message before that is answered, conditional on the head
 * that it leads to: the database goes from one to the other at once. If the first writes nothing, nor does the second.
 *
 * idle → (an append arrives) → one group under way ⇄ (a whole group waits) two → (done and nothing waits) → idle
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'kysely';
import { equalBytes, isSealdeskError, SealdeskError } from '../base/index.ts';
import { runSteps, type Store, type Tx } from '../store/index.ts';
import type { AuditEvent } from './audit-event.ts';
import { auditBroken, sha256 } from './audit-head.ts';
import { lockHead } from './locked-head.ts';
import { type OpenedHead, placeGroup } from './placed-group.ts';
import type { ReadyEvent } from './ready-event.ts';
import { intentNotOpen, logEndsElsewhere, writeGroup, writeGroupAtOnce } from './write-group.ts';

/** What must be so in the transaction of an entry; throws a failure of ours where it is not. */
export type Condition = (tx: Tx) => Promise<void>;

/** Events of one transaction, unless one caller brings more. */
const MAX_GROUP_EVENTS = 128;
/** Groups that are sent and not answered: one that the database works on, and one behind it. */
const MAX_GROUPS_UNDER_WAY = 2;
/** Conditions of one transaction: all keep what they looked at locked until its end. */
const MAX_GROUP_CONDITIONS = 64;
/** Events that wait at most, in the queue and beside it; beyond, appending is refused. */
const MAX_WAITING_EVENTS = 16_384;
/**
 * So long conditions wait for locks while others wait for them; before the database looks for a deadlock, after a
 * second by default. Each is then asked in a transaction beside the queue.
 */
const LOCK_TIMEOUT = '500ms';
const LOCK_NOT_AVAILABLE = '55P03';

export interface PendingAppend {
  readonly headKey: Uint8Array;
  readonly events: readonly ReadyEvent[];
  /** The intents that it closes, none twice. */
  readonly closing: readonly string[];
  readonly condition: Condition | null;
}

interface Waiting extends PendingAppend {
  readonly resolve: (events: readonly AuditEvent[]) => void;
  readonly reject: (reason: unknown) => void;
}

/** Told to the callers once the transaction is over. */
type Answers = Map<Waiting, readonly AuditEvent[] | Error>;

export class TenantWriter {
  readonly #store: Store;
  readonly #tenantId: string;
  #waiting: Waiting[] = [];
  #waitingEvents = 0;
  #eventsBeside = 0;
  #groupsUnderWay = 0;
  /** Settled when the group that was sent last is over. */
  #last: Promise<void> = Promise.resolve();
  /** The last head that this process saw committed. */
  #known: OpenedHead | null = null;
  /** The head that the message under way leads to, if it is conditional on one. */
  #next: OpenedHead | null = null;
  /** SHA-256 of the key of their MACs: of keys that are gone, or overwritten since, nothing else is kept. */
  #keyHash: Uint8Array | null = null;
  /** Whether it was found where it was left. */
  #isUnmoved = true;

  constructor(store: Store, tenantId: string) {
    this.#store = store;
    this.#tenantId = tenantId;
  }

  get isIdle(): boolean {
    return this.#groupsUnderWay === 0;
  }

  /** Forgets the head that was known: it may be another from now on. */
  forget(): void {
    this.#known = null;
    this.#next = null;
    this.#isUnmoved = true;
  }

  append(pending: PendingAppend): Promise<readonly AuditEvent[]> {
    const waiting = this.#waitingEvents + this.#eventsBeside;
    if (waiting + pending.events.length > MAX_WAITING_EVENTS) {
      throw new SealdeskError(
        'AUDIT_UNAVAILABLE',
        'More waits to be recorded than the audit log takes. Try again later.',
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<readonly AuditEvent[]>();
    this.#waiting.push({ ...pending, resolve, reject });
    this.#waitingEvents += pending.events.length;
    this.#send();
    return promise;
  }

  /** Sends what waits, if it is time. */
  #send(): void {
    while (this.#groupsUnderWay < MAX_GROUPS_UNDER_WAY && this.#waiting.length > 0) {
      const isFirst = this.#groupsUnderWay === 0;
      if (!isFirst && (this.#next === null || this.#waitingEvents < MAX_GROUP_EVENTS)) return;
      const group = this.#nextGroup();
      if (!isFirst && this.#headFor(group) === null) return;
      this.#waiting = this.#waiting.slice(group.length);
      this.#waitingEvents -= group.reduce((sum, { events }) => sum + events.length, 0);
      this.#groupsUnderWay += 1;
      this.#last = this.#run(group, this.#last);
    }
  }

  async #run(group: readonly Waiting[], before: Promise<void>): Promise<void> {
    const tell = await this.#write(group, before);
    await before;
    tell();
    // Those who were just told may have more: it goes together.
    if (group.length > 1) await nextTurn();
    this.#groupsUnderWay -= 1;
    this.#send();
  }

  /** The longest beginning of the queue that goes into one transaction. */
  #nextGroup(): readonly Waiting[] {
    const [first] = this.#waiting;
    const closing = new Set<string>();
    let events = 0;
    let conditions = 0;
    let taken = 0;
    for (const waiting of this.#waiting) {
      events += waiting.events.length;
      conditions += waiting.condition === null ? 0 : 1;
      const isTooMuch = events > MAX_GROUP_EVENTS || conditions > MAX_GROUP_CONDITIONS;
      const isOfOther = first !== undefined && !equalBytes(first.headKey, waiting.headKey);
      // Who closes an intent second is told so by the log, once the first is in it.
      if (taken > 0 && (isTooMuch || isOfOther || waiting.closing.some((id) => closing.has(id)))) break;
      for (const id of waiting.closing) closing.add(id);
      taken += 1;
    }
    return this.#waiting.slice(0, taken);
  }

  /**
   * Writes the group. Resolves to what tells its callers, but for those who are served beside the queue. `before`
   * settles when the group before it is over: only what is sent on the head that this leads to does not wait for it.
   * `null` where it is over and others may have been sent since, who go on only when this is over.
   */
  async #write(group: readonly Waiting[], before: Promise<void> | null): Promise<() => void> {
    try {
      const answers = await this.#commit(group, before);
      return () => tellAll(answers);
    } catch (error) {
      await before;
      // What keeps the log from being written is the same for all; anything else may be the fault of one.
      const isOfAll = isSealdeskError(error, 'AUDIT_UNAVAILABLE');
      const isOfOne = group.length > 1 && !isOfAll;
      for (const waiting of group) {
        if (waiting.condition !== null && (isOfOne || isLockTimeout(error))) void this.#writeBeside(waiting);
        else if (isOfOne) (await this.#write([waiting], null))();
        else waiting.reject(error);
      }
      return () => undefined;
    }
  }

  /** Writes for one whose condition may wait for long, while the queue goes on. */
  async #writeBeside(waiting: Waiting): Promise<void> {
    const answers: Answers = new Map();
    this.#eventsBeside += waiting.events.length;
    try {
      await this.#writeInTransaction([waiting], answers, { isPatient: true });
      tellAll(answers);
    } catch (error) {
      waiting.reject(error);
    } finally {
      this.#eventsBeside -= waiting.events.length;
    }
  }

  /** Rejects where nothing was written and nobody was told why. */
  async #commit(group: readonly Waiting[], before: Promise<void> | null): Promise<Answers> {
    const answers: Answers = new Map();
    const head = this.#headFor(group);
    if (head === null) {
      await before;
      await this.#writeInTransaction(group, answers);
      return answers;
    }
    const rest = await this.#writeAtOnce(head, group, answers, before);
    if (rest.length > 0) {
      await before;
      this.#isUnmoved = false;
      await this.#writeInTransaction(rest, answers);
    }
    return answers;
  }

  /** The head that the group can be written on without looking; `null` where it has to look. */
  #headFor(group: readonly Waiting[]): OpenedHead | null {
    return group.every(({ condition }) => condition === null) ? this.#unmovedHead(group) : null;
  }

  #unmovedHead([first]: readonly Waiting[]): OpenedHead | null {
    const known = this.#isUnmoved ? (this.#next ?? this.#known) : null;
    return known !== null && first !== undefined && this.#isKeyOfKnown(first.headKey) ? known : null;
  }

  /** Resolves to those who are not answered, because the head was moved or because others among them were in the way. */
  async #writeAtOnce(
    head: OpenedHead,
    group: readonly Waiting[],
    answers: Answers,
    before: Promise<void> | null,
  ): Promise<readonly Waiting[]> {
    const placed = this.#place(head, group);
    const { after, events } = placed;
    if (before !== null) this.#next = after;
    try {
      const judgement = await writeGroupAtOnce(
        (steps) => this.#store.runAtOnce(this.#tenantId, steps),
        placed,
      );
      if (judgement.kind === 'WRITTEN') {
        this.#learn(after);
        if (this.#next === after) this.#next = null;
        answerWritten(group, events, answers);
        return [];
      }
      this.#next = null;
      return judgement.kind === 'HEAD_MOVED' ? group : withoutClosed(group, judgement.open, answers);
    } catch (error) {
      this.#next = null;
      throw error;
    }
  }

  async #writeInTransaction(
    group: readonly Waiting[],
    answers: Answers,
    { isPatient = false }: { readonly isPatient?: boolean } = {},
  ): Promise<void> {
    const after = await this.#store.withTenant(this.#tenantId, async (tx) => {
      let rest = await askConditions(tx, group, answers, isPatient ? null : LOCK_TIMEOUT);
      let head = this.#unmovedHead(rest);
      let isLocked = false;
      while (rest.length > 0) {
        if (head === null) {
          head = await this.#lockHead(tx, rest);
          isLocked = true;
        }
        const placed = this.#place(head, rest);
        const judgement = await writeGroup((steps) => runSteps(tx, steps), placed);
        if (judgement.kind === 'WRITTEN') {
          answerWritten(rest, placed.events, answers);
          return placed.after;
        }
        if (judgement.kind === 'INTENTS_CLOSED') {
          rest = withoutClosed(rest, judgement.open, answers);
          continue;
        }
        if (isLocked) throw logEndsElsewhere();
        head = null;
      }
      return null;
    });
    const [first] = group;
    if (after === null || first === undefined) return;
    this.#learn(after);
    this.#keyHash = sha256(first.headKey);
  }

  /** What was committed beside the queue may be told after what was committed later. */
  #learn(after: OpenedHead): void {
    if (after.stored.size > (this.#known?.stored.size ?? -1)) this.#known = after;
  }

  #isKeyOfKnown(headKey: Uint8Array): boolean {
    return this.#keyHash !== null && equalBytes(sha256(headKey), this.#keyHash);
  }

  #place(head: OpenedHead, group: readonly Waiting[]) {
    const headKey = group[0]?.headKey ?? new Uint8Array(0);
    const events = group.flatMap(({ events: own }) => own);
    return placeGroup(headKey, this.#tenantId, head, events);
  }

  async #lockHead(tx: Tx, [first]: readonly Waiting[]): Promise<OpenedHead> {
    const head = await lockHead(tx, this.#tenantId, first?.headKey ?? new Uint8Array(0));
    const known = this.#known?.stored;
    this.#isUnmoved = known === undefined || head.stored.size === known.size;
    if (known !== undefined && head.stored.size <= known.size) {
      const isSame = head.stored.size === known.size && equalBytes(head.stored.root, known.root);
      if (!isSame) throw auditBroken('The audit log was set back behind what this process has written.');
    }
    return head;
  }
}

/** Those of `group` whose conditions hold; the others are answered what theirs threw. */
async function askConditions(
  tx: Tx,
  group: readonly Waiting[],
  answers: Answers,
  lockTimeout: string | null,
): Promise<readonly Waiting[]> {
  const conditions = group.filter(({ condition }) => condition !== null);
  if (conditions.length === 0) return group;
  const limit =
    lockTimeout === null
      ? undefined
      : sql`SELECT set_config('lock_timeout', ${lockTimeout}, true)`.execute(tx);
  const asked = await Promise.allSettled([limit, ...conditions.map(({ condition }) => condition?.(tx))]);
  for (const [place, answer] of asked.entries()) {
    if (answer.status === 'fulfilled') continue;
    const waiting = conditions[place - 1];
    // Not a refusal but a failure, after which the transaction may be of no use to the others.
    if (waiting === undefined || !isSealdeskError(answer.reason)) throw answer.reason;
    answers.set(waiting, answer.reason);
  }
  return group.filter((waiting) => !answers.has(waiting));
}

/** Those of `group` whose intents are all open; the others are answered CONFLICT. */
function withoutClosed(
  group: readonly Waiting[],
  open: ReadonlySet<string>,
  answers: Answers,
): readonly Waiting[] {
  const isOpen = ({ closing }: Waiting): boolean => closing.every((id) => open.has(id));
  for (const waiting of group) if (!isOpen(waiting)) answers.set(waiting, intentNotOpen());
  return group.filter(isOpen);
}

function answerWritten(group: readonly Waiting[], events: readonly AuditEvent[], answers: Answers): void {
  let from = 0;
  for (const waiting of group) {
    answers.set(waiting, events.slice(from, from + waiting.events.length));
    from += waiting.events.length;
  }
}

function tellAll(answers: Answers): void {
  for (const [waiting, answer] of answers) {
    if (answer instanceof Error) waiting.reject(answer);
    else waiting.resolve(answer);
  }
}

function isLockTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === LOCK_NOT_AVAILABLE;
}
