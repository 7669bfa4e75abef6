/**
 * The wish to stop, from SIGTERM or SIGINT. The first signal asks. The same signal within
 * {@link ECHO_MS} of it is its echo: one sent to a whole process group, as systemd does, reaches this
 * process directly and once more through the start-up program. Any other signal ends the process at
 * once, with the exit code that a shell gives for it.
 */
import { constants } from 'node:os';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
type StopSignal = (typeof SIGNALS)[number];

const ECHO_MS = 1_000;

export interface StopRequest extends Disposable {
  /** Resolves with the first signal. */
  readonly received: Promise<StopSignal>;
}

export interface StopRequestOptions {
  /** Milliseconds of a clock that nobody sets; that of the process by default. */
  readonly now?: () => number;
  /** Ends the process with an exit code. */
  readonly exit?: (code: number) => void;
}

/** Listens from now until disposed. */
export function openStopRequest(options: StopRequestOptions = {}): StopRequest {
  const { now = () => performance.now(), exit = (code) => process.exit(code) } = options;
  const { promise, resolve } = Promise.withResolvers<StopSignal>();
  let first: { readonly signal: StopSignal; readonly at: number } | null = null;
  const onSignal = (signal: StopSignal): void => {
    if (first === null) {
      first = { signal, at: now() };
      resolve(signal);
    } else if (signal !== first.signal || now() - first.at >= ECHO_MS) {
      exit(128 + constants.signals[signal]);
    }
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    received: promise,
    [Symbol.dispose]() {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}
