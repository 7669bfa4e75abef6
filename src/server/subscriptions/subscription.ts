import type { EventPlan } from './event-plan.ts';
import type { SubscriptionError } from './subscription-error.ts';

/** One subscriber's results as JSON text, pulled one at a time: nothing is read on for who does not ask. */
export class Subscription {
  readonly #plan: EventPlan;
  readonly #source: AsyncIterator<object>;
  readonly #ending: AbortController;
  readonly #tell: (error: unknown) => Promise<SubscriptionError>;

  /** `source` ends when `ending` is aborted; `tell` makes what is told of a failure. */
  constructor(
    plan: EventPlan,
    source: AsyncIterator<object>,
    ending: AbortController,
    tell: (error: unknown) => Promise<SubscriptionError>,
  ) {
    this.#plan = plan;
    this.#source = source;
    this.#ending = ending;
    this.#tell = tell;
  }

  /** The next result, `null` when it is over. Rejects with {@link SubscriptionError}, once and for all. */
  async next(): Promise<string | null> {
    if (this.#ending.signal.aborted) return null;
    try {
      const { done, value } = await this.#source.next();
      if (done !== true) return await this.#plan.textOf(value);
      this.end();
      return null;
    } catch (error) {
      if (this.#ending.signal.aborted) return null;
      this.end();
      throw await this.#tell(error);
    }
  }

  /** Ends it, also while {@link next} waits. */
  end(): void {
    this.#ending.abort();
  }
}
