/** How fast a subscriber that was away gets what it missed, from the log. */
import { parseFeedCursor } from '../src/base/index.ts';
import { execute } from './database.ts';
import { cursorNow } from './feed-changes.ts';
import type { FeedRig } from './feed-rig.ts';

export const REPLAYED = 25_000;
const ROUNDS = 3;

export interface Replay {
  /** Of the fastest reading: what else the machine does slows the others. */
  readonly changesPerSecond: number;
  /** CPU of the gateway for each change, in microseconds. */
  readonly cpuMicroseconds: number;
}

/** Some readings of the same entries, one after the other, each by one subscriber. */
export async function measureReplay(rig: FeedRig): Promise<Replay> {
  const { databaseUrl, gateway, subscribers, readGateway } = rig;
  const cursor = await cursorNow(rig);
  await fillLog(databaseUrl, cursor);
  const rates: number[] = [];
  const before = await readGateway();
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    const subscription = rig.sealedSubscription(cursor, gateway.tenant.agentKey);
    await subscribers.ask({ kind: 'OPEN', count: 1, tellsPosition: true, subscription });
    await subscribers.ask({ kind: 'AWAIT', changes: REPLAYED });
    rates.push((REPLAYED / (performance.now() - start)) * 1_000);
    await subscribers.ask({ kind: 'KEEP', count: 0 });
  }
  const { cpuSeconds } = await readGateway();
  return {
    changesPerSecond: Math.max(...rates),
    cpuMicroseconds: ((cpuSeconds - before.cpuSeconds) / (REPLAYED * ROUNDS)) * 1e6,
  };
}

/**
 * Continues a stream with entries copied from those that it has, in turn. They are of the true size; what they sign
 * does not fit their place, which nobody looks at.
 */
async function fillLog(databaseUrl: string, cursor: string): Promise<void> {
  const place = parseFeedCursor(cursor);
  if (place === null) throw new TypeError('"cursor" must be a cursor of a feed');
  const values = [...place.stream.split('/'), REPLAYED];
  await execute(
    databaseUrl,
    `INSERT INTO feed_entries
       (tenant_id, integration_id, lineage_id, recipient_key_id, sequence, occurred_at, audit_event_id, envelope)
     SELECT e.tenant_id, e.integration_id, e.lineage_id, e.recipient_key_id, s.sequence + n, now(),
       e.audit_event_id, e.envelope
     FROM generate_series(1, $3::bigint) n
     JOIN feed_streams s ON s.integration_id = $1 AND s.lineage_id = $2
     JOIN (
       SELECT *, row_number() OVER (ORDER BY sequence) - 1 AS nth, count(*) OVER () AS many
       FROM feed_entries WHERE integration_id = $1 AND lineage_id = $2
     ) e ON e.nth = n % e.many`,
    values,
  );
  await execute(
    databaseUrl,
    `UPDATE feed_streams SET sequence = sequence + $3, bytes = (
       SELECT sum(octet_length(envelope)) FROM feed_entries WHERE integration_id = $1 AND lineage_id = $2
     ) WHERE integration_id = $1 AND lineage_id = $2`,
    values,
  );
  await execute(databaseUrl, 'ANALYZE feed_entries');
}
