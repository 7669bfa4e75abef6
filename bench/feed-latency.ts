/** From the webhook of a change to the change opened by a client. */
import { subscribeTicketChanges, type TicketChange } from '../src/client/index.ts';
import { makeChanges, type Pace } from './feed-changes.ts';
import type { FeedRig } from './feed-rig.ts';

/** Changes before it warm up and do not count. */
const WARM_UP: Pace = { perSecond: 50, seconds: 2 };
export const LATENCY_PACE: Pace = { perSecond: 50, seconds: 10 };

/**
 * Milliseconds, one for each version that a webhook told of: from the first webhook of it to the first opened
 * change that holds it or a later one. Zendesk tells versions of a ticket apart by the second; a webhook that comes
 * after its version was opened, which another webhook had led to, is not counted.
 */
export async function measureLatency(rig: FeedRig): Promise<readonly number[]> {
  const { client, gateway, relay } = rig;
  await makeChanges(rig, WARM_UP);
  const waiting = new Map<number, Map<number, number>>();
  const shown = new Map<number, number>();
  const times: number[] = [];
  relay.onWebhook = (body) => {
    const { ticketId, version } = readWebhook(body);
    if (version <= (shown.get(ticketId) ?? 0)) return;
    const versions = waiting.get(ticketId) ?? new Map<number, number>();
    waiting.set(ticketId, versions);
    if (!versions.has(version)) versions.set(version, performance.now());
  };
  const note = ({ content }: TicketChange): void => {
    if (content.kind !== 'CHANGED') return;
    const now = performance.now();
    const version = Date.parse(content.ticket.updated_at);
    shown.set(content.ticket_id, version);
    const versions = waiting.get(content.ticket_id);
    for (const [told, at] of versions ?? []) {
      if (told > version) continue;
      times.push(now - at);
      versions?.delete(told);
    }
  };
  await using changes = subscribeTicketChanges({ client, integrationId: gateway.tenant.integrationId });
  await changes.ready();
  const making = makeChanges(rig, LATENCY_PACE);
  let count = Number.POSITIVE_INFINITY;
  let taken = 0;
  const opening = (async () => {
    for await (const change of changes) {
      note(change);
      taken += 1;
      if (taken >= count) return;
    }
  })();
  count = await making;
  if (taken < count) await opening;
  relay.onWebhook = null;
  return times;
}

function readWebhook(body: string): { readonly ticketId: number; readonly version: number } {
  const { detail } = JSON.parse(body);
  return { ticketId: Number(detail.id), version: Date.parse(detail.updated_at) };
}
