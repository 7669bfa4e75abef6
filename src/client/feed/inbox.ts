/**
 * Results that came and were not asked for yet. They are taken off the connection at once, since a WebSocket can't
 * be told to wait, and since a position that lay unread somewhere on the way would look old. They are kept up to a
 * bound; at the bound the inbox ends, and the rest is asked for again from the place that was reached.
 */
import type { ReceivedResult } from './feed-connection.ts';
import { ConnectionPaused } from './feed-failure.ts';

export const INBOX_LIMITS = Object.freeze({
  results: 1_024,
  /** Characters, of which one result may have more. */
  characters: 16 * 1024 * 1024,
});

interface Kept extends ReceivedResult {
  readonly characters: number;
}

export class Inbox {
  readonly #kept: Kept[] = [];
  #characters = 0;
  #end: Error | null = null;
  #waiting: PromiseWithResolvers<ReceivedResult> | null = null;

  /** Whether there is room for more; without it, `result` was not taken and the inbox has ended. */
  put(result: unknown, characters: number, at: number): boolean {
    if (this.#end !== null) return false;
    if (this.#waiting !== null) {
      this.#waiting.resolve({ result, at });
      this.#waiting = null;
      return true;
    }
    const isFull =
      this.#kept.length >= INBOX_LIMITS.results ||
      (this.#kept.length > 0 && this.#characters + characters > INBOX_LIMITS.characters);
    if (isFull) {
      this.end(new ConnectionPaused());
      return false;
    }
    this.#kept.push({ result, at, characters });
    this.#characters += characters;
    return true;
  }

  /** Nothing comes any more, because of `reason`; the first reason counts. */
  end(reason: Error): void {
    if (this.#end !== null) return;
    this.#end = reason;
    this.#waiting?.reject(reason);
    this.#waiting = null;
  }

  /** The oldest result, as soon as there is one; rejects with the reason of the end once all were taken. */
  receive(): Promise<ReceivedResult> {
    const next = this.#kept.shift();
    if (next !== undefined) {
      this.#characters -= next.characters;
      return Promise.resolve({ result: next.result, at: next.at });
    }
    if (this.#end !== null) return Promise.reject(this.#end);
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }
}
