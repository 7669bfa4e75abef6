/**
 * What can be measured from outside, as Prometheus reads it. Numbers, names of routes and ids of integrations
 * only: nothing of a caller's, and no secret. Made once a process, since the process itself is measured too.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { type Clock, type Log, systemClock } from '../base/index.ts';
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

/** The change feeds, as the use cases tell of them. */
export interface FeedReadings {
  readonly feeds: readonly FeedReading[];
  /** Envelopes that this process sealed for feeds since it began. */
  readonly sealed: number;
}

export interface CreateMetricsOptions {
  readonly tally: EdgeTally;
  /** Asked at a reading, but for those that follow soon. */
  readonly readFeeds: () => Promise<FeedReadings>;
  readonly clock?: Clock;
  readonly log: Log;
}

export interface Metrics {
  readonly contentType: string;
  /** All numbers as text. Those of the feeds are left out where the database cannot be read. */
  render(): Promise<string>;
}

/** For how long a reading of the feeds is shown again: it asks the database, and who asks for it may be anybody. */
const READING_KEPT_MS = 5_000;
const TRANSPORTS: readonly StreamTransport[] = ['websocket', 'sse'];

export function createMetrics(options: CreateMetricsOptions): Metrics {
  const { tally, log } = options;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const edge = edgeMetrics(registry);
  const feeds = feedMetrics(registry);
  const readFeeds = readAtTimes(options);
  return Object.freeze({
    contentType: registry.contentType,
    async render() {
      edge(tally);
      const readings = await readFeeds().catch((error: unknown) => {
        log.warn('The change feeds could not be measured', {
          error: error instanceof Error ? error : undefined,
        });
        return null;
      });
      feeds(readings);
      return registry.metrics();
    },
  });
}

/** The feeds, read again only after {@link READING_KEPT_MS}; what failed too. */
function readAtTimes({ readFeeds, clock = systemClock }: CreateMetricsOptions): () => Promise<FeedReadings> {
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<FeedReadings> | null = null;
  return () => {
    const now = clock.now();
    if (reading === null || now - readAt >= READING_KEPT_MS) {
      readAt = now;
      reading = readFeeds();
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

/** Sets the metrics of the feeds; `null` where nothing is known of them. */
function feedMetrics(registry: Registry): (readings: FeedReadings | null) => void {
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
  return (readings) => {
    readable.set(readings === null ? 0 : 1);
    // A feed that is gone is not shown any more.
    for (const metric of all) metric.reset();
    for (const feed of readings?.feeds ?? []) {
      const integration = feed.integrationId;
      lag.set({ integration }, feed.lagSeconds);
      waiting.set({ integration }, feed.waiting);
      appended.inc({ integration }, feed.appended);
      repaired.inc({ integration }, feed.repaired);
    }
    if (readings !== null) sealed.inc(readings.sealed);
  };
}
