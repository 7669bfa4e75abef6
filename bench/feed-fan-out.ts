/**
 * CPU of a server for each delivered change, and memory for each idle subscription: the gateway first, then the
 * plain server with the very changes that the gateway had delivered, at the same moments.
 */

import { cursorNow, makeChanges, type Pace, readChanges } from './feed-changes.ts';
import type { FeedRig } from './feed-rig.ts';
import type { FeedSubscription } from './feed-subscriber.ts';
import type { PlainChange } from './plain-feed-process.ts';
import { type ProcessReading, readAtRest } from './process-reading.ts';

/** Subscribers of one key, and how fast tickets change for them: as fast as a small machine delivers to so many. */
export const FAN_OUTS: readonly (Pace & { readonly subscribers: number })[] = [
  { subscribers: 1_000, perSecond: 10, seconds: 8 },
  { subscribers: 100, perSecond: 30, seconds: 5 },
  { subscribers: 1, perSecond: 30, seconds: 5 },
];
const MOST = 1_000;
const WARM_UP: Pace = { perSecond: 10, seconds: 2 };

export interface DeliveredChanges {
  readonly subscribers: number;
  readonly changes: readonly PlainChange[];
  readonly cpuSeconds: number;
  /** Envelopes made for the feed meanwhile, and positions among them that were told. */
  readonly sealed: number;
  readonly positions: number;
}

export interface FanOut {
  /** In the order of {@link FAN_OUTS}. */
  readonly delivered: readonly DeliveredChanges[];
  /** For each of 1 000 idle subscriptions, on top of 1 000 others. */
  readonly residentBytes: number;
  readonly liveBytes: number;
}

export interface FanOuts {
  readonly sealed: FanOut;
  readonly plain: FanOut;
}

/** A server under measurement. */
interface Side {
  /** Of the first thousand subscribers, and of as many more. */
  readonly subscription: FeedSubscription;
  readonly another: FeedSubscription;
  readonly tellsPosition: boolean;
  /** At rest, with nothing to deliver. */
  readonly rest: () => Promise<ProcessReading>;
  /** Resolves when all subscribers have all changes. */
  readonly deliver: (index: number | null) => Promise<DeliveredChanges>;
}

export async function measureFanOut(rig: FeedRig): Promise<FanOuts> {
  const { agentKey, dashboardKey } = rig.gateway.tenant;
  const plainSubscription = await rig.plainSubscription();
  const warmUp: { changes: readonly PlainChange[] } = { changes: [] };
  const sealed = await measureSide(rig, {
    subscription: rig.sealedSubscription(null, agentKey),
    another: rig.sealedSubscription(null, dashboardKey),
    tellsPosition: true,
    rest: () => readAtRest(rig.gateway.child, rig.readGateway),
    async deliver(index) {
      const delivered = await deliverSealed(rig, paceOf(index));
      if (index === null) warmUp.changes = delivered.changes;
      return delivered;
    },
  });
  const plain = await measureSide(rig, {
    subscription: plainSubscription,
    another: plainSubscription,
    tellsPosition: false,
    rest: () => readAtRest(rig.plain.child, async () => (await rig.plain.ask({ kind: 'READ' })).reading),
    deliver: (index) => deliverPlain(rig, (index === null ? warmUp : sealed.delivered[index])?.changes ?? []),
  });
  return { sealed, plain };
}

function paceOf(index: number | null): Pace {
  return (index === null ? null : FAN_OUTS[index]) ?? WARM_UP;
}

/**
 * What a server needs besides to let a thousand in, and keeps for the next ones, is not theirs: so memory is that of
 * a second thousand. It is measured before anything was delivered, whose buffers would be counted otherwise.
 */
async function measureSide(rig: FeedRig, side: Side): Promise<FanOut> {
  const { subscribers } = rig;
  const { subscription, another, tellsPosition } = side;
  const open = { kind: 'OPEN', count: MOST, tellsPosition } as const;
  await subscribers.ask({ ...open, subscription });
  const fewer = await side.rest();
  await subscribers.ask({ ...open, subscription: another });
  const idle = await side.rest();
  await subscribers.ask({ kind: 'KEEP', count: MOST });
  await side.deliver(null);
  const delivered: DeliveredChanges[] = [];
  for (const [index, { subscribers: count }] of FAN_OUTS.entries()) {
    await subscribers.ask({ kind: 'KEEP', count });
    delivered.push(await side.deliver(index));
  }
  await subscribers.ask({ kind: 'KEEP', count: 0 });
  return {
    delivered,
    residentBytes: (idle.residentBytes - fewer.residentBytes) / MOST,
    liveBytes: (idle.liveBytes - fewer.liveBytes) / MOST,
  };
}

async function deliverSealed(rig: FeedRig, pace: Pace): Promise<DeliveredChanges> {
  const { subscribers, readGateway } = rig;
  const cursor = await cursorNow(rig);
  const told = (await subscribers.ask({ kind: 'AWAIT', changes: 0 })).positions;
  const before = await readGateway();
  const count = await makeChanges(rig, pace);
  const { open, positions } = await subscribers.ask({ kind: 'AWAIT', changes: count });
  const after = await readGateway();
  const changes = await readChanges(rig, cursor, count);
  const first = changes[0]?.occurredAt.getTime() ?? 0;
  return {
    subscribers: open,
    changes: changes.map(({ sequence, occurredAt, content }) => ({
      sequence,
      occurredAt: occurredAt.toISOString(),
      change: content,
      at: occurredAt.getTime() - first,
    })),
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    sealed: after.sealed - before.sealed,
    positions: positions - told,
  };
}

async function deliverPlain(
  { plain, subscribers }: FeedRig,
  changes: readonly PlainChange[],
): Promise<DeliveredChanges> {
  const before = (await plain.ask({ kind: 'READ' })).reading;
  await plain.ask({ kind: 'PUSH', changes });
  const { open } = await subscribers.ask({ kind: 'AWAIT', changes: changes.length });
  const after = (await plain.ask({ kind: 'READ' })).reading;
  const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
  return { subscribers: open, changes, cpuSeconds, sealed: 0, positions: 0 };
}
