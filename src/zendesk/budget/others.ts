/**
 * How much of an account other consumers use, judged by what our own answers tell. Both judgements are
 * lower bounds of the truth: the count of values of `remaining` that none of our calls was told (exact
 * while no room grows, so in fixed windows), and the fill of the window beyond our own calls (exact in
 * sliding windows).
 */
import type { OthersState } from './bucket-state.ts';

/** Readings of calls that were settled together. */
export interface ReadingBatch {
  readonly count: number;
  readonly least: number;
  readonly greatest: number;
}

export interface Surroundings {
  readonly now: number;
  readonly limit: number;
  readonly windowMs: number;
  /** Our calls in the window, those under way included. */
  readonly held: number;
  /** Tokens granted and not settled. */
  readonly out: number;
  /** Whether room was seen to grow since the batch before. */
  readonly rose: boolean;
}

const SAMPLE_MS = 5_000;
/** A sample is taken even while many calls are under way, whose readings are missing. */
const LATE_SAMPLE_MS = 20_000;
const SMOOTHING_MS = 20_000;
const FORGETTING_MS = 120_000;
/** The share of the limit below which others may have found nothing left. */
const STARVED = 0.02;

/** The estimate after one more batch. */
export function observeOthers(
  others: OthersState,
  batch: ReadingBatch,
  { now, limit, windowMs, held, out, rose }: Surroundings,
): OthersState {
  const level = Math.max(0, limit - batch.least - held);
  const { span } = others;
  if (span === null || rose) {
    const begun = { greatest: batch.greatest, least: batch.least, ours: batch.count, sampledAt: now };
    return { ...others, level, span: { ...begun, unexplained: unexplained(begun) } };
  }
  const grown = {
    greatest: Math.max(span.greatest, batch.greatest),
    least: Math.min(span.least, batch.least),
    ours: span.ours + batch.count,
    sampledAt: span.sampledAt,
    unexplained: span.unexplained,
  };
  const elapsed = now - span.sampledAt;
  const quiet = out <= Math.max(2, limit / 100);
  if (elapsed < SAMPLE_MS || (!quiet && elapsed < LATE_SAMPLE_MS)) return { ...others, level, span: grown };
  const seen = unexplained(grown);
  const sample = ((seen - span.unexplained) * 1000) / elapsed;
  const known = others.measuredAt > 0 && now - others.measuredAt < windowMs * 5;
  // Who finds nothing left makes no calls, and wants them all the same.
  const starved = known && batch.least < limit * STARVED && sample < others.rate;
  const weight = starved ? 0 : known ? 1 - Math.exp(-elapsed / SMOOTHING_MS) : 1;
  return {
    rate: others.rate + weight * (sample - others.rate),
    measuredAt: now,
    level,
    span: { ...grown, sampledAt: now, unexplained: seen },
  };
}

/** Calls a second that others are expected to make; 0 where it is less than one a window. */
export function expectedRate(others: OthersState, windowMs: number, readAt: number, now: number): number {
  const fade = (since: number): number => Math.exp(-Math.max(0, now - since) / FORGETTING_MS);
  const rate = Math.max(
    others.rate * fade(others.measuredAt),
    ((others.level * 1000) / windowMs) * fade(readAt),
  );
  return rate * windowMs < 1000 ? 0 : rate;
}

function unexplained(span: { greatest: number; least: number; ours: number }): number {
  return span.greatest - span.least - (span.ours - 1);
}
