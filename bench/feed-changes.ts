/** Making tickets change, and reading what came of it. */
import { subscribeTicketChanges, type TicketChange } from '../src/client/index.ts';
import type { FeedRig } from './feed-rig.ts';
import { controlSimulator } from './simulator-control.ts';

const LOOK_MS = 200;

export interface Pace {
  readonly perSecond: number;
  readonly seconds: number;
}

/** Has tickets change at a pace; resolves with how many changes are in the log when all are. */
export async function makeChanges(rig: FeedRig, { perSecond, seconds }: Pace): Promise<number> {
  const { zendesk, readLog } = rig;
  await untilNothingWaits(rig);
  const before = (await readLog()).appended;
  await controlSimulator(zendesk, 'POST', 'activity', { perMinute: perSecond * 60 });
  await pause(seconds * 1_000);
  await controlSimulator(zendesk, 'DELETE', 'activity');
  await controlSimulator(zendesk, 'POST', 'webhooks/settle', {});
  await untilNothingWaits(rig);
  return (await readLog()).appended - before;
}

async function untilNothingWaits({ readLog }: FeedRig): Promise<void> {
  while ((await readLog()).waiting !== 0) await pause(LOOK_MS);
}

/** The cursor of the end of the stream. */
export async function cursorNow({ client, gateway }: FeedRig): Promise<string> {
  await using changes = subscribeTicketChanges({ client, integrationId: gateway.tenant.integrationId });
  return await changes.ready();
}

/** The next `count` changes after `cursor`, verified and opened. */
export async function readChanges(rig: FeedRig, cursor: string, count: number): Promise<TicketChange[]> {
  const { client, gateway } = rig;
  const read: TicketChange[] = [];
  if (count === 0) return read;
  await using changes = subscribeTicketChanges({
    ...{ client, integrationId: gateway.tenant.integrationId, after: cursor },
  });
  for await (const change of changes) {
    read.push(change);
    if (read.length === count) break;
  }
  return read;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
