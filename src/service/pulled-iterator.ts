import type { SealdeskError } from '../base/index.ts';
import type { SessionIterator } from './session-iterator.ts';

type Step<Event> = IteratorResult<Event, undefined>;

/**
 * What a session follows, handed on one event at a time to one reader that asks for each.
 *
 * IDLE: nobody asks. ASKED: somebody does, and whoever knows of more calls {@link answer}. OVER: by its end, a
 * failure, or because nobody wants more; final.
 */
export abstract class PulledIterator<Event> implements SessionIterator<Event> {
  readonly #onOver: (() => void)[] = [];
  #asked: PromiseWithResolvers<Step<Event>> | null = null;
  #isOver = false;
  #failure: SealdeskError | null = null;

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step<Event>> {
    if (this.#asked !== null) throw new TypeError('"next" was called before the last one was answered');
    const step = this.#step();
    if (step !== null) return step;
    this.#asked = Promise.withResolvers();
    const { promise } = this.#asked;
    this.look();
    return promise;
  }

  async return(): Promise<Step<Event>> {
    this.end();
    return { done: true, value: undefined };
  }

  /** Ends it: for who asks now or next with `failure`, where there is one. */
  end(failure: SealdeskError | null = null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = failure;
    this.letGo();
    for (const told of this.#onOver.splice(0)) told();
    this.answer();
  }

  /** Calls `told` when it is over, at once where it is. */
  onceOver(told: () => void): void {
    if (this.#isOver) told();
    else this.#onOver.push(told);
  }

  /** The next event at hand, `undefined` where none is. */
  protected abstract take(): Event | undefined;

  /** Somebody asks and nothing is at hand. */
  protected abstract look(): void;

  /** It is over: gives up what it holds. */
  protected abstract letGo(): void;

  protected get isAsked(): boolean {
    return this.#asked !== null;
  }

  protected get isOver(): boolean {
    return this.#isOver;
  }

  /** Answers who asks, where that can be done. */
  protected answer(): void {
    const asked = this.#asked;
    const step = asked === null ? null : this.#step();
    if (asked === null || step === null) return;
    this.#asked = null;
    asked.resolve(step);
  }

  /** What can be answered at once, `null` where nothing can. */
  #step(): Promise<Step<Event>> | null {
    if (this.#isOver) {
      const failure = this.#failure;
      this.#failure = null;
      return failure === null ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(failure);
    }
    const value = this.take();
    return value === undefined ? null : Promise.resolve({ done: false, value });
  }
}
