import { Counter, Gauge, type Registry } from 'prom-client';
import type { ConnectionReading } from '../service/index.ts';

/** Renewals of tokens by this process since it began, by how they ended. */
export type RenewalCounts = Readonly<Record<string, number>>;

/** Sets the metrics of the connections to Zendesk; `null` where nothing is known of them. */
export function connectionMetrics(
  registry: Registry,
): (reading: ConnectionReading | null, renewals: RenewalCounts) => void {
  const registers = [registry];
  const readable = new Gauge({
    name: 'sealdesk_connections_readable',
    help: '1 where the connections to Zendesk could be read for this answer, else 0.',
    registers,
  });
  const ends = new Gauge({
    name: 'sealdesk_connection_ends_in_seconds',
    help: 'Seconds until the connection of an integration ends if nothing renews it; the thousand that end first.',
    labelNames: ['integration'] as const,
    registers,
  });
  const lost = new Gauge({
    name: 'sealdesk_connections_to_reconnect',
    help: 'Integrations that are not called until an admin connects them again.',
    registers,
  });
  const renewed = new Counter({
    name: 'sealdesk_token_renewals_total',
    help: 'Renewals of access tokens by this process, by how they ended.',
    labelNames: ['outcome'] as const,
    registers,
  });
  return (reading, renewals) => {
    readable.set(reading === null ? 0 : 1);
    for (const metric of [ends, lost, renewed]) metric.reset();
    if (reading !== null) {
      lost.set(reading.needReconnect);
      for (const { integrationId, seconds } of reading.ends)
        ends.set({ integration: integrationId }, seconds);
    }
    for (const [outcome, count] of Object.entries(renewals)) {
      renewed.inc({ outcome: outcome.toLowerCase() }, count);
    }
  };
}
