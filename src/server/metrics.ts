/**
 * What can be measured from outside, as Prometheus reads it. Numbers, names of routes and ids of integrations
 * only: nothing of a caller's, and no secret. Made once a process, since the process itself is measured too.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { type Clock, type Log, systemClock } from '../base/index.ts';
import type { AuditReading, ConnectionReading } from '../service/index.ts';
import { type AnchorTally, auditMetrics } from './audit-metrics.ts';
import { connectionMetrics, type RenewalCounts } from './connection-metrics.ts';
import type { EdgeTally, StreamTransport, TransportTally } from './tally.ts';

/** One change feed. */
export interface FeedReading {
  readonly integrationId: string;
  readonly lagSeconds: number;
  /** Tickets that may have a version that is not in the feed yet. */
  readonly waiting: number;
  readonly appended: number;
  readonly repaired: number;
}

/** The client keys of all tenants. */
export interface ClientKeyReading {
  readonly waiting: number;
  readonly active: number;
  readonly endingSoon: number;
  readonly unused: number;
}

export interface CreateMetricsOptions {
  readonly tally: EdgeTally;
  /** Asked together with the feeds. */
  readonly readClientKeys: () => Promise<ClientKeyReading>;
  /** Asked at a reading, but for those that follow soon. */
  readonly readFeeds: () => Promise<readonly FeedReading[]>;
  /** Envelopes that this process sealed for feeds since it began. */
  readonly readSealed: () => number;
  /** Asked as {@link readFeeds} is. */
  readonly readAudit: () => Promise<AuditReading>;
  readonly readAnchored: () => AnchorTally;
  /** Asked as {@link readFeeds} is. */
  readonly readConnections: () => Promise<ConnectionReading>;
  readonly readRenewals: () => RenewalCounts;
  readonly clock?: Clock;
  readonly log: Log;
}

export interface Metrics {
  readonly contentType: string;
  /** All numbers as text. Those of the feeds and the audit logs are left out where the database cannot be read. */
  render(): Promise<string>;
}

/** For how long a reading of the database is shown again: it asks the database, and who asks for it may be anybody. */
const READING_KEPT_MS = 5_000;
const TRANSPORTS: readonly StreamTransport[] = ['websocket', 'sse'];

export function createMetrics(options: CreateMetricsOptions): Metrics {
  const { tally, readSealed, readAnchored, readRenewals, clock = systemClock, log } = options;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const edge = edgeMetrics(registry);
  const feeds = feedMetrics(registry);
  const clientKeys = clientKeyMetrics(registry);
  const audit = auditMetrics(registry);
  const connections = connectionMetrics(registry);
  const readFeeds = readAtTimes(clock, options.readFeeds);
  const readClientKeys = readAtTimes(clock, options.readClientKeys);
  const readAudit = readAtTimes(clock, options.readAudit);
  const readConnections = readAtTimes(clock, options.readConnections);
  return Object.freeze({
    contentType: registry.contentType,
    async render() {
      edge(tally);
      const untold = (what: string) => (error: unknown) => {
        log.warn(`${what} could not be measured`, { error: error instanceof Error ? error : undefined });
        return null;
      };
      feeds(await readFeeds().catch(untold('The change feeds')), readSealed());
      clientKeys(await readClientKeys().catch(untold('The client keys')));
      audit(await readAudit().catch(untold('The audit logs')), readAnchored());
      connections(await readConnections().catch(untold('The connections to Zendesk')), readRenewals());
      return registry.metrics();
    },
  });
}

/** What `read` tells, read again only after {@link READING_KEPT_MS}; what failed too. */
function readAtTimes<T>(clock: Clock, read: () => Promise<T>): () => Promise<T> {
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<T> | null = null;
  return () => {
    const now = clock.now();
    if (reading === null || now - readAt >= READING_KEPT_MS) {
      readAt = now;
      reading = read();
    }
    return reading;
  };
}

/** Sets the metrics of the edge. */
function edgeMetrics(registry: Registry): (tally: EdgeTally) => void {
  const registers = [registry];
  const requests = new Counter({
    name: 'sealdesk_http_requests_total',
    help: 'HTTP requests that were answered, by route and status.',
    labelNames: ['route', 'status'],
    registers,
  });
  const labelNames = ['transport'] as const;
  const open = {
    connections: new Gauge({
      name: 'sealdesk_stream_connections',
      help: 'Connections of WebSockets and of event streams that are open.',
      ...{ labelNames, registers },
    }),
    subscriptions: new Gauge({
      name: 'sealdesk_subscriptions',
      help: 'Subscriptions that are under way.',
      ...{ labelNames, registers },
    }),
  };
  const totals = {
    events: new Counter({
      name: 'sealdesk_stream_events_total',
      help: 'Results that were handed to the network. Over sealdesk_feed_sealed_total it is the fan-out.',
      ...{ labelNames, registers },
    }),
    characters: new Counter({
      name: 'sealdesk_stream_characters_total',
      help: 'Characters of those results.',
      ...{ labelNames, registers },
    }),
    slowConsumers: new Counter({
      name: 'sealdesk_stream_slow_consumers_total',
      help: 'Connections that were closed because their other side did not read.',
      ...{ labelNames, registers },
    }),
  };
  return (tally) => {
    requests.reset();
    for (const { route, status, count } of tally.answers.values()) requests.inc({ route, status }, count);
    for (const counter of Object.values(totals)) counter.reset();
    for (const transport of TRANSPORTS) {
      const counts: TransportTally = tally.streams[transport];
      open.connections.set({ transport }, counts.connections);
      open.subscriptions.set({ transport }, counts.subscriptions);
      totals.events.inc({ transport }, counts.events);
      totals.characters.inc({ transport }, counts.characters);
      totals.slowConsumers.inc({ transport }, counts.slowConsumers);
    }
  };
}

/** Sets the metric of the client keys; `null` where nothing is known of them. */
function clientKeyMetrics(registry: Registry): (reading: ClientKeyReading | null) => void {
  const keys = new Gauge({
    name: 'sealdesk_client_keys',
    help: 'Client keys of all tenants: on their way, active, of these ending within 30 days, and unused for 90 days.',
    labelNames: ['state'] as const,
    registers: [registry],
  });
  return (reading) => {
    keys.reset();
    if (reading === null) return;
    keys.set({ state: 'waiting' }, reading.waiting);
    keys.set({ state: 'active' }, reading.active);
    keys.set({ state: 'ending' }, reading.endingSoon);
    keys.set({ state: 'unused' }, reading.unused);
  };
}

/** Sets the metrics of the feeds; `null` where nothing is known of them. */
function feedMetrics(registry: Registry): (readings: readonly FeedReading[] | null, sealed: number) => void {
  const registers = [registry];
  const labelNames = ['integration'] as const;
  const readable = new Gauge({
    name: 'sealdesk_feed_readable',
    help: '1 where the change feeds could be read for this answer, else 0.',
    registers,
  });
  const lag = new Gauge({
    name: 'sealdesk_feed_lag_seconds',
    help: 'By how many seconds a change feed is behind Zendesk.',
    ...{ labelNames, registers },
  });
  const waiting = new Gauge({
    name: 'sealdesk_feed_waiting_tickets',
    help: 'Tickets that may have a version that is not in the change feed yet.',
    ...{ labelNames, registers },
  });
  const appended = new Counter({
    name: 'sealdesk_feed_appended_total',
    help: 'Versions of tickets that were appended to a change feed, by all processes.',
    ...{ labelNames, registers },
  });
  const repaired = new Counter({
    name: 'sealdesk_feed_repaired_total',
    help: 'Those of them that no webhook told of.',
    ...{ labelNames, registers },
  });
  const sealed = new Counter({
    name: 'sealdesk_feed_sealed_total',
    help: 'Envelopes that this process sealed for change feeds.',
    registers,
  });
  const all = [lag, waiting, appended, repaired, sealed];
  return (readings, sealedEnvelopes) => {
    readable.set(readings === null ? 0 : 1);
    // A feed that is gone is not shown any more.
    for (const metric of all) metric.reset();
    for (const feed of readings ?? []) {
      const integration = feed.integrationId;
      lag.set({ integration }, feed.lagSeconds);
      waiting.set({ integration }, feed.waiting);
      appended.inc({ integration }, feed.appended);
      repaired.inc({ integration }, feed.repaired);
    }
    sealed.inc(sealedEnvelopes);
  };
}
