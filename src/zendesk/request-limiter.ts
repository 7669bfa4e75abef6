/** What the client asks before each call, and tells after it: the port to the budget of the account. */
import type { Lane } from './lane.ts';
import type { RateLimitReading } from './rate-limit-reading.ts';

export interface LimitedRequest {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  readonly lane: Lane;
  /** For whom the call is made; calls without one count as one caller. */
  readonly caller: string | undefined;
  /** Milliseconds since 1970. */
  readonly deadline: number;
  readonly signal: AbortSignal;
}

export type PauseScope = 'ACCOUNT' | 'ENDPOINT' | 'OBJECT';

export interface RequestOutcome {
  /** Whether any of it may have reached Zendesk, and so counts. */
  readonly sent: boolean;
  /** What the answer told of the limits; `null` without an answer. */
  readonly reading: RateLimitReading | null;
  readonly pause?: { readonly scope: PauseScope; readonly milliseconds: number };
}

/** The right to make one call. `leave` must follow, once; a second time does nothing. */
export interface RequestSlot {
  leave(outcome: RequestOutcome): void;
}

export interface RequestLimiter {
  /**
   * Rejects with BUDGET_EXHAUSTED (`retryAfter`), with the signal's reason, or with what keeps the
   * budget from being counted, such as a database that does not answer.
   */
  enter(request: LimitedRequest): Promise<RequestSlot>;
}

/** `/api/v2/tickets/*` for every ticket: the endpoint that a path belongs to. */
export function endpointOf(path: string): string {
  return path.replace(/\.json$/, '').replaceAll(/\/\d+(?=\/|$)/g, '/*');
}
