/**
 * All tails of a process: reads what was appended, once for all who follow a stream, when a notification hints at
 * it and every few seconds anyway; has positions sealed for streams that are quiet; notes which streams are read.
 *
 * The log is the truth. A tail that cannot be read stays as it is until the next look.
 */
import { touchClientKeys } from '../../access/index.ts';
import { type Clock, isSealdeskError, type Log } from '../../base/index.ts';
import { lockLog, MAX_ENTRY_PAGE, READ_TOUCH_MS, readEntries, touchStreams } from '../../feed/index.ts';
import type { Store } from '../../store/index.ts';
import type { PositionSealer, PositionTarget } from './position-sealer.ts';
import { type ChangeEvent, HELD_LIMITS, StreamTail } from './stream-tail.ts';

export interface TailTimes {
  /** Between two looks without a hint. */
  readonly pollMs: number;
  /** Without anything to tell, after which a position is told. */
  readonly positionMs: number;
}

export const DEFAULT_TAIL_TIMES: TailTimes = Object.freeze({ pollMs: 2_000, positionMs: 30_000 });

/** Readings of the log for subscribers that are behind, at once: they must not take all connections. */
const MAX_LOG_READS = 4;
const TICK_MS = 1_000;
/** Characters of envelopes that all tails together keep, but for the least that each has. */
const KEPT_CHARACTERS = { all: 128 * 2 ** 20, least: 2 ** 16 } as const;
/** Tails that are read at once, and entries of all of them. */
const READING = { tails: 64, entries: 512 } as const;

export interface StreamTailsDeps {
  readonly store: Store;
  readonly positions: PositionSealer;
  readonly clock: Clock;
  readonly log: Log;
  readonly times?: Partial<TailTimes>;
}

/** The tails of one feed. */
interface FeedTails {
  readonly tenantId: string;
  readonly integrationId: string;
  readonly tails: Map<string, StreamTail>;
  reading: Promise<void> | null;
  /** Whether something may have been appended since the reading under way began. */
  isStale: boolean;
  polledAt: number;
  touchedAt: number;
}

export class StreamTails implements AsyncDisposable {
  readonly #deps: StreamTailsDeps;
  readonly #times: TailTimes;
  readonly #feeds = new Map<string, FeedTails>();
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  #logReads = 0;
  #logQueue: (() => void)[] = [];
  #isFailing = false;

  constructor(deps: StreamTailsDeps) {
    this.#deps = deps;
    this.#times = { ...DEFAULT_TAIL_TIMES, ...deps.times };
    this.#running = this.#run();
  }

  /** The tail of a stream, made where there is none; `place` is where the stream is said to end. */
  open(target: PositionTarget, place: number): StreamTail {
    const { clock } = this.#deps;
    const { tenantId, integrationId } = target;
    const now = clock.now();
    const feed = this.#feeds.get(integrationId) ?? {
      ...{ tenantId, integrationId, tails: new Map(), reading: null, isStale: false },
      ...{ polledAt: now, touchedAt: now },
    };
    this.#feeds.set(integrationId, feed);
    const made = new StreamTail(target, place, now);
    const tail = feed.tails.get(made.name) ?? made;
    feed.tails.set(tail.name, tail);
    return tail;
  }

  /** To be called when a reader has left: a tail without readers is dropped. */
  release(tail: StreamTail): void {
    if (tail.readers > 0) return;
    const feed = this.#feeds.get(tail.target.integrationId);
    if (feed?.tails.get(tail.name) !== tail) return;
    feed.tails.delete(tail.name);
    if (feed.tails.size === 0) this.#feeds.delete(feed.integrationId);
  }

  /** Something may have been appended to this feed, or, `null`, to any. */
  hint(integrationId: string | null): void {
    const feeds = integrationId === null ? this.#feeds.values() : [this.#feeds.get(integrationId)];
    for (const feed of feeds) if (feed !== undefined) void this.#refresh(feed);
  }

  /**
   * What comes after `place` in the log: some of it, nothing where there is nothing, or where it `isWanted` no more
   * when its turn comes. Rejects with AUDIT_UNAVAILABLE.
   */
  async readLog(tail: StreamTail, place: number, isWanted: () => boolean): Promise<readonly ChangeEvent[]> {
    const { tenantId, lineageId, recipientKeyId } = tail.target;
    if (this.#logReads >= MAX_LOG_READS) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#logQueue.push(resolve);
      await promise;
    } else {
      this.#logReads += 1;
    }
    try {
      if (!isWanted()) return [];
      const found = await this.#deps.store.withTenant(tenantId, (tx) =>
        readEntries(tx, tail.target, [{ lineageId, recipientKeyId, after: place }], HELD_LIMITS.entries),
      );
      return tail.eventsOf(found.get(tail.name) ?? []);
    } finally {
      const next = this.#logQueue.shift();
      if (next === undefined) this.#logReads -= 1;
      else next();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#running;
    await Promise.all([...this.#feeds.values()].map(({ reading }) => reading));
  }

  async #run(): Promise<void> {
    const { clock } = this.#deps;
    while (!this.#stopped.signal.aborted) {
      await clock.wait(Math.min(TICK_MS, this.#times.pollMs), this.#stopped.signal).catch(() => undefined);
      if (this.#stopped.signal.aborted) return;
      const now = clock.now();
      for (const feed of this.#feeds.values()) {
        if (now - feed.polledAt >= this.#times.pollMs) void this.#refresh(feed);
        for (const tail of feed.tails.values()) {
          if (tail.isAwaited && now - tail.lastEventAt >= this.#times.positionMs)
            void this.#announce(feed, tail);
        }
        if (now - feed.touchedAt >= READ_TOUCH_MS) void this.#touch(feed, now);
      }
    }
  }

  /** Joins the reading under way, which is then followed by another. Never rejects. */
  #refresh(feed: FeedTails): Promise<void> {
    feed.isStale = true;
    feed.reading ??= this.#readAll(feed).finally(() => {
      feed.reading = null;
    });
    return feed.reading;
  }

  async #readAll(feed: FeedTails): Promise<void> {
    const { clock } = this.#deps;
    while (feed.isStale && !this.#stopped.signal.aborted) {
      feed.isStale = false;
      feed.polledAt = clock.now();
      const all = [...feed.tails.values()];
      try {
        for (let start = 0; start < all.length; start += READING.tails) {
          await this.#readSome(feed, all.slice(start, start + READING.tails));
        }
        this.#isFailing = false;
      } catch (error) {
        this.#noteFailure('The log of a change feed could not be read', error);
        return;
      }
    }
  }

  async #readSome(feed: FeedTails, tails: readonly StreamTail[]): Promise<void> {
    const { store, clock } = this.#deps;
    const places = tails.map(({ target: { lineageId, recipientKeyId }, newest }) => ({
      ...{ lineageId, recipientKeyId, after: newest },
    }));
    const limit = Math.min(MAX_ENTRY_PAGE, Math.floor(READING.entries / tails.length));
    const found = await store.withTenant(feed.tenantId, (tx) => readEntries(tx, feed, places, limit));
    const share = Math.max(KEPT_CHARACTERS.least, KEPT_CHARACTERS.all / this.#tailCount());
    for (const tail of tails) {
      const entries = found.get(tail.name) ?? [];
      tail.push(entries, clock.now(), share);
      if (entries.length >= limit) feed.isStale = true;
    }
  }

  #tailCount(): number {
    let count = 0;
    for (const { tails } of this.#feeds.values()) count += tails.size;
    return Math.max(1, count);
  }

  async #announce(feed: FeedTails, tail: StreamTail): Promise<void> {
    const { positions, clock } = this.#deps;
    tail.noteActivity(clock.now());
    try {
      const position = await positions.seal(tail.target, this.#times.positionMs);
      if (position.sequence > tail.newest) await this.#refresh(feed);
      tail.announce(position, clock.now());
    } catch (error) {
      // A key that has just ended; its subscribers are told by who watches over that.
      if (isSealdeskError(error, 'KEY_REVOKED')) return;
      this.#noteFailure('The position of a change feed could not be sealed', error);
    }
  }

  async #touch(feed: FeedTails, now: number): Promise<void> {
    feed.touchedAt = now;
    const targets = [...feed.tails.values()].map(({ target }) => target);
    const lineageIds = [...new Set(targets.map(({ lineageId }) => lineageId))];
    const keyIds = targets.map(({ recipientKeyId }) => recipientKeyId);
    await this.#deps.store
      .withTenant(feed.tenantId, async (tx) => {
        await lockLog(tx, feed.tenantId, feed.integrationId);
        await touchStreams(tx, feed, lineageIds, new Date(now));
        await touchClientKeys(tx, feed.tenantId, keyIds, now);
      })
      .catch((error: unknown) => this.#noteFailure('That a change feed is read could not be noted', error));
  }

  /** Said once, until it works again. */
  #noteFailure(message: string, error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#deps.log.warn(message, { error: error instanceof Error ? error : undefined });
  }
}
