import type { RateLimitReading } from './rate-limit-reading.ts';

/** What an operation cost so far and what Zendesk last said is left (`extensions.zendesk`). */
export interface ZendeskUsage {
  /** Requests that left the gateway, tries included. */
  readonly calls: number;
  readonly remaining: number | null;
  /** Milliseconds since 1970. */
  readonly resetsAt: number | null;
  /** Status of the last answer; `null` when none came. */
  readonly lastStatus: number | null;
}

/** Counts the calls of one operation, whether it succeeds or fails. */
export interface UsageMeter {
  record(reading: RateLimitReading | null, status: number | null): void;
  read(): ZendeskUsage;
}

export function createUsageMeter(): UsageMeter {
  let usage: ZendeskUsage = Object.freeze({ calls: 0, remaining: null, resetsAt: null, lastStatus: null });
  return Object.freeze({
    record(reading: RateLimitReading | null, status: number | null): void {
      usage = Object.freeze({
        calls: usage.calls + 1,
        remaining: reading?.remaining ?? usage.remaining,
        resetsAt: reading?.resetsAt ?? usage.resetsAt,
        lastStatus: status,
      });
    },
    read: () => usage,
  });
}
