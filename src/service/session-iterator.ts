import type { SealdeskError } from '../base/index.ts';

/** What a session follows, of whatever kind: pulled by one reader, ended by whoever watches over its rights. */
export interface SessionIterator<Event> extends AsyncIterableIterator<Event, undefined> {
  /** Ends it: for who asks now or next with `failure`, where there is one. */
  end(failure?: SealdeskError | null): void;
  /** Calls `told` when it is over, at once where it is. */
  onceOver(told: () => void): void;
}
