import { describe, expect, it } from 'vitest';
import { openStopRequest, type StopRequest } from '../../src/cli/stop-request.ts';

interface Watched {
  readonly stop: StopRequest;
  readonly exits: readonly number[];
  /** Sends the signal `at` milliseconds of the process's clock. */
  send(signal: 'SIGTERM' | 'SIGINT', at: number): void;
}

function watchStop(): Watched {
  const exits: number[] = [];
  let time = 0;
  const stop = openStopRequest({ now: () => time, exit: (code) => void exits.push(code) });
  return {
    stop,
    exits,
    send(signal, at) {
      time = at;
      process.emit(signal, signal);
    },
  };
}

describe('a request to stop', () => {
  it('takes the same signal within a second as the echo of the first, as one to a group arrives twice', async () => {
    const { stop, exits, send } = watchStop();
    using _ = stop;
    send('SIGTERM', 5_000);
    send('SIGTERM', 5_001);
    send('SIGTERM', 5_999);
    expect(await stop.received).toBe('SIGTERM');
    expect(exits).toEqual([]);
  });

  it('ends the process at the same signal a second later', () => {
    const { stop, exits, send } = watchStop();
    using _ = stop;
    send('SIGTERM', 5_000);
    send('SIGTERM', 6_000);
    expect(exits).toEqual([143]);
  });

  it('ends the process at another signal without delay', () => {
    const { stop, exits, send } = watchStop();
    using _ = stop;
    send('SIGTERM', 5_000);
    send('SIGINT', 5_000);
    expect(exits).toEqual([130]);
  });

  it('listens no more once it is disposed', () => {
    const { stop, exits } = watchStop();
    const listeners = (): number => process.listenerCount('SIGTERM') + process.listenerCount('SIGINT');
    const before = listeners();
    stop[Symbol.dispose]();
    expect(listeners()).toBe(before - 2);
    expect(exits).toEqual([]);
  });
});
