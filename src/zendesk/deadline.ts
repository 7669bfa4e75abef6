import type { Clock } from '../base/index.ts';

/** A signal that aborts with the caller's own, or when the deadline passes on the injected clock. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** Whether it was the deadline, not the caller, that aborted. */
  readonly expired: () => boolean;
}

/** Longest time of a Node timer; a longer one would end at once. */
const MAX_WAIT = 2 ** 31 - 1;

/** Dispose it to stop its timer. `deadline` in milliseconds since 1970. */
export function openDeadline(clock: Clock, deadline: number, signal?: AbortSignal): Deadline {
  const timer = new AbortController();
  const passed = new AbortController();
  clock.wait(Math.min(Math.max(0, deadline - clock.now()), MAX_WAIT), timer.signal).then(
    () => passed.abort(new DOMException('The deadline passed.', 'TimeoutError')),
    () => undefined,
  );
  return {
    signal: signal === undefined ? passed.signal : AbortSignal.any([signal, passed.signal]),
    expired: () => passed.signal.aborted && signal?.aborted !== true,
    [Symbol.dispose]: () => timer.abort(),
  };
}
