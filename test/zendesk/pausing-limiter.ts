import type { Clock } from '../../src/base/index.ts';
import { type RequestLimiter, ZendeskError } from '../../src/zendesk/index.ts';

/** A limiter without a budget, for tests of the client: it keeps the pauses of objects and of all else. */
export function createPausingLimiter(clock: Clock): RequestLimiter {
  const pauses = new Map<string, number>();
  return {
    async enter({ path, deadline, signal }) {
      signal.throwIfAborted();
      const pause = Math.max(pauses.get(path) ?? 0, pauses.get('') ?? 0) - clock.now();
      if (clock.now() + pause > deadline) {
        const retryAfter = Math.ceil(pause / 1000);
        throw new ZendeskError('BUDGET_EXHAUSTED', 'Paused.', { failure: 'RATE_LIMITED', retryAfter });
      }
      if (pause > 0) await clock.wait(pause, signal);
      return {
        leave({ pause: asked }) {
          if (asked === undefined) return;
          pauses.set(asked.scope === 'OBJECT' ? path : '', clock.now() + asked.milliseconds);
        },
      };
    },
  };
}
