/**
 * The wish to stop, from SIGTERM or SIGINT. The first signal asks; a second one ends the process at
 * once, with the exit code that a shell gives for that signal.
 */
import { constants } from 'node:os';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
type StopSignal = (typeof SIGNALS)[number];

export interface StopRequest extends Disposable {
  /** Resolves with the first signal. */
  readonly received: Promise<StopSignal>;
}

/** Listens from now until disposed. */
export function openStopRequest(): StopRequest {
  const { promise, resolve } = Promise.withResolvers<StopSignal>();
  let isAsked = false;
  const onSignal = (signal: StopSignal): void => {
    if (isAsked) process.exit(128 + constants.signals[signal]);
    isAsked = true;
    resolve(signal);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    received: promise,
    [Symbol.dispose]() {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}
