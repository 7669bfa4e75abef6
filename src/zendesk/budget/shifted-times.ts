/**
 * What is stored, as it were had the ledger's clock always run as it does now. A clock that is set back
 * (a failover, a correction) would else leave times in the future, and stop the account until they come.
 */
import type { BucketState, ReadingState } from './bucket-state.ts';
import type { LineState } from './line.ts';

/** `by` milliseconds earlier. `binMs`: the length of a bin of the log, in which a call counts rather too long. */
export function shiftedBucket(state: BucketState, by: number, binMs: number): BucketState {
  const { reading, others } = state;
  const bins = Math.floor(by / binMs);
  return {
    ...state,
    log: state.log.map(([bin, calls]) => [bin - bins, calls]),
    holders: Object.fromEntries(
      Object.entries(state.holders).map(([name, { out, seenAt }]) => [name, { out, seenAt: seenAt - by }]),
    ),
    grantedAt: state.grantedAt - by,
    blind: { ...state.blind, at: state.blind.at - by },
    reading: reading === null ? null : shiftedReading(reading, by),
    others: {
      ...others,
      measuredAt: others.measuredAt - by,
      span: others.span === null ? null : { ...others.span, sampledAt: others.span.sampledAt - by },
    },
  };
}

function shiftedReading(reading: ReadingState, by: number): ReadingState {
  return {
    ...reading,
    at: reading.at - by,
    metAt: reading.metAt - by,
    newestGrant: reading.newestGrant - by,
    batches: reading.batches.map(({ at, least }) => ({ at: at - by, least })),
    resetsAt: reading.resetsAt === null ? null : reading.resetsAt - by,
  };
}

/** `by` milliseconds earlier. */
export function shiftedLine(line: LineState, by: number, callersBinMs: number): LineState {
  const bins = Math.floor(by / callersBinMs);
  return {
    waiting: Object.fromEntries(
      Object.entries(line.waiting).map(([name, one]) => [name, { ...one, seenAt: one.seenAt - by }]),
    ),
    demand: { ...line.demand, at: line.demand.at - by },
    pace: { ...line.pace, at: line.pace.at - by },
    pauses: Object.fromEntries(Object.entries(line.pauses).map(([key, until]) => [key, until - by])),
    callers: Object.fromEntries(
      Object.entries(line.callers ?? {}).map(([name, use]) => [
        name,
        {
          ...use,
          used: use.used.map(([bin, calls]): [number, number] => [bin - bins, calls]),
          at: use.at - by,
          since: use.since - by,
        },
      ]),
    ),
  };
}
