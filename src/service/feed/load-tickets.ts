/**
 * The loader of a held feed: takes marked tickets, a hundred at a time, asks Zendesk for them, and appends the
 * versions that are new. A ticket is in one load at a time, so of two answers the later one is the newer. What
 * fails stays marked.
 */
import {
  countAppended,
  decodeHint,
  type EventHint,
  hintLocation,
  type KnownTicket,
  LeaseLostError,
  type PendingInvocations,
  postponeMarks,
  putVersions,
  readDueMarks,
  readPending,
  readVersions,
  removeMarks,
  settleInvocations,
  type TicketMark,
} from '../../feed/index.ts';
import { isTooLarge, MAX_LOADED_TICKETS } from '../../proxy/index.ts';
import type { Tx } from '../../store/index.ts';
import { MAX_APPENDED_CHANGES, type NewTicketChange } from './append-changes.ts';
import type { FeedWork } from './feed-work.ts';
import { type Found, judgeTicket, quiet, type Verdict } from './judge-tickets.ts';
import type { Slots } from './slots.ts';

const MAX_UNDER_WAY = 2;
/** Of the time before a ticket is asked for again. */
const MAX_DOUBLINGS = 10;

/** Marks that were taken, with all that was known before Zendesk was asked. */
interface Batch {
  readonly marks: readonly TicketMark[];
  readonly known: ReadonlyMap<number, KnownTicket>;
  readonly pending: ReadonlyMap<number, PendingInvocations>;
}

interface Append extends NewTicketChange {
  readonly verdict: Verdict;
}

interface Rest {
  readonly since: number;
  readonly milliseconds: number;
}

/** Loads until `signal` is aborted. Rejects with {@link LeaseLostError}, and with what nobody foresaw. */
export async function runLoader(work: FeedWork, slots: Slots, signal: AbortSignal): Promise<void> {
  await new TicketLoader(work, slots, signal).run();
}

class TicketLoader {
  readonly #work: FeedWork;
  readonly #slots: Slots;
  readonly #signal: AbortSignal;
  /** Ids that are being loaded. */
  readonly #busy = new Set<number>();
  readonly #underWay = new Set<Promise<void>>();
  #failures = 0;
  /** Until when nothing is loaded. */
  #rest: Rest | null = null;
  #lost: LeaseLostError | null = null;

  constructor(work: FeedWork, slots: Slots, signal: AbortSignal) {
    this.#work = work;
    this.#slots = slots;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { clock, times, marked } = this.#work;
    try {
      while (!this.#signal.aborted) {
        if (this.#lost !== null) throw this.#lost;
        await this.#work.mayWork(this.#signal);
        if (this.#rest !== null) await this.#takeRest(this.#rest);
        else if (this.#underWay.size >= MAX_UNDER_WAY) await Promise.race(this.#underWay);
        else if (!(await this.#begin())) {
          await marked.wait(clock, times.poll, this.#signal);
          await clock.wait(times.gather, this.#signal).catch(() => undefined);
        }
      }
    } finally {
      await Promise.all(this.#underWay);
    }
  }

  /** Takes a batch and lets it be loaded; `false` where nothing is due. */
  async #begin(): Promise<boolean> {
    const { times } = this.#work;
    let batch: Batch | null;
    try {
      batch = await this.#take();
    } catch (error) {
      await this.#fail(error);
      return true;
    }
    if (batch === null) return false;
    this.#restFor(times.spacing);
    const ids = batch.marks.map(({ ticketId }) => ticketId);
    for (const id of ids) this.#busy.add(id);
    const loading = this.#slots
      .use(this.#work.key.tenantId, () => this.#load(batch), this.#signal)
      .then(
        () => this.#succeed(),
        (error: unknown) => this.#fail(error),
      )
      .catch((error: unknown) => {
        if (!(error instanceof LeaseLostError)) throw error;
        this.#lost = error;
      })
      .finally(() => {
        for (const id of ids) this.#busy.delete(id);
        this.#underWay.delete(loading);
        this.#work.marked.wake();
      });
    this.#underWay.add(loading);
    return true;
  }

  async #succeed(): Promise<void> {
    this.#failures = 0;
    await this.#work.noteFault('load', null).catch((error: unknown) => {
      if (error instanceof LeaseLostError) throw error;
    });
  }

  async #fail(error: unknown): Promise<void> {
    if (this.#signal.aborted && !(error instanceof LeaseLostError)) return;
    this.#restFor(this.#work.backOff(this.#failures, error));
    this.#failures += 1;
    await this.#work.noteFailure('load', error);
  }

  /** Nothing is loaded for `milliseconds`, or for as long as was chosen before where that is longer. */
  #restFor(milliseconds: number): void {
    const now = this.#work.clock.now();
    if (this.#rest !== null && remainderOf(this.#rest, now) > milliseconds) return;
    this.#rest = { since: now, milliseconds };
  }

  async #takeRest(rest: Rest): Promise<void> {
    const { clock } = this.#work;
    await clock.wait(remainderOf(rest, clock.now()), this.#signal).catch(() => undefined);
    if (this.#rest === rest) this.#rest = null;
  }

  /** Marks first, then what webhooks told: what is read was told before the load, whatever comes in between. */
  async #take(): Promise<Batch | null> {
    const { integrationId } = this.#work.key;
    const busy = [...this.#busy];
    return this.#work.read(async (tx) => {
      const marks = await readDueMarks(tx, integrationId, { limit: MAX_LOADED_TICKETS, busy });
      if (marks.length === 0) return null;
      const ids = marks.map(({ ticketId }) => ticketId);
      const pending = await readPending(tx, integrationId, ids);
      return { marks, pending, known: await readVersions(tx, integrationId, ids) };
    });
  }

  async #load(batch: Batch): Promise<void> {
    const { source } = this.#work;
    const ids = batch.marks.map(({ ticketId }) => ticketId);
    const records = await source.loadMany(ids, this.#signal);
    const hints = await this.#openHints(batch);
    const hash = await this.#work.hasher();
    const verdicts: Verdict[] = [];
    let failure: unknown = null;
    for (const [index, mark] of batch.marks.entries()) {
      const known = batch.known.get(mark.ticketId) ?? null;
      const record = records[index] ?? null;
      try {
        if (record instanceof Error) throw record;
        const found: Found = record === null ? await this.#lookFor(mark, known) : { kind: 'SHOWN', record };
        const told = hints.get(mark.ticketId) ?? [];
        verdicts.push(judgeTicket({ mark, known, found, hints: told }, hash));
      } catch (error) {
        // A ticket larger than the gateway reads holds up no other.
        if (isTooLarge(error)) verdicts.push(this.#tooLarge(mark));
        else failure ??= error;
      }
    }
    await this.#write(batch, verdicts);
    if (failure !== null) throw failure;
  }

  #tooLarge(mark: TicketMark): Verdict {
    const { integrationId } = this.#work.key;
    const { ticketId } = mark;
    this.#work.log.warn('A ticket is larger than the gateway reads', { integrationId, ticketId });
    return quiet(mark, null, true);
  }

  /** A ticket that is known and not among those shown is asked for by itself, before it is said to be gone. */
  async #lookFor(mark: TicketMark, known: KnownTicket | null): Promise<Found> {
    if (mark.gone !== null || known?.state !== 'PRESENT') return { kind: 'MISSING' };
    const record = await this.#work.source.find(mark.ticketId, this.#signal);
    return record === null ? { kind: 'NOT_THERE' } : { kind: 'SHOWN', record };
  }

  async #openHints({ pending }: Batch): Promise<ReadonlyMap<number, readonly EventHint[]>> {
    const { integrationId } = this.#work.key;
    if (pending.size === 0) return new Map();
    const open = await this.#work.hintOpener();
    return new Map(
      [...pending].map(([ticketId, { invocations, isCut }]) => {
        const hints = invocations.flatMap(({ invocationId, hint }) =>
          hint === null ? [] : decodeHint(open(hintLocation(integrationId, invocationId), hint)),
        );
        // What was before the first of them is not known.
        return [ticketId, isCut ? hints.map((hint) => ({ ...hint, previous: {} })) : hints];
      }),
    );
  }

  async #write(batch: Batch, verdicts: readonly Verdict[]): Promise<void> {
    const appends = verdicts
      .flatMap((verdict): Append[] => {
        const { content, scope } = verdict;
        return content === null ? [] : [{ content, scope, verdict }];
      })
      .toSorted((a, b) => timeOf(a.verdict) - timeOf(b.verdict));
    const quiet = verdicts.filter(({ content }) => content === null);
    if (quiet.length > 0) await this.#work.write((tx) => this.#settle(tx, batch, quiet));
    for (let begin = 0; begin < appends.length; begin += MAX_APPENDED_CHANGES) {
      const group = appends.slice(begin, begin + MAX_APPENDED_CHANGES);
      await this.#work.append(group, async (tx, part) => {
        await this.#settle(
          tx,
          batch,
          part.map(({ verdict }) => verdict),
        );
        const repaired = part.filter(({ verdict: { mark } }) => mark.byExport && !mark.byWebhook).length;
        await countAppended(tx, this.#work.key.integrationId, { appended: part.length, repaired });
      });
    }
  }

  /** Notes what became of marks; under the lock of the log. */
  async #settle(tx: Tx, { pending }: Batch, verdicts: readonly Verdict[]): Promise<void> {
    const { key, times } = this.#work;
    const { integrationId } = key;
    await putVersions(
      tx,
      key,
      verdicts.flatMap(({ version }) => version ?? []),
    );
    const done = verdicts.filter(({ again }) => !again);
    await removeMarks(
      tx,
      integrationId,
      done.map(({ mark }) => mark),
    );
    await settleInvocations(
      tx,
      integrationId,
      done.flatMap(({ mark }) => pending.get(mark.ticketId) ?? []),
    );
    const again = Map.groupBy(
      verdicts.filter((verdict) => verdict.again),
      ({ mark }) => mark.tries,
    );
    for (const [tries, late] of again) {
      await postponeMarks(
        tx,
        integrationId,
        late.map(({ mark }) => mark),
        times.retry * 2 ** Math.min(tries, MAX_DOUBLINGS),
      );
    }
  }
}

/** What is left of it; a clock that was set back does not make it longer. */
function remainderOf({ since, milliseconds }: Rest, now: number): number {
  return Math.min(milliseconds, Math.max(0, since + milliseconds - now));
}

function timeOf({ version }: Verdict): number {
  return version?.updatedAt.getTime() ?? 0;
}
