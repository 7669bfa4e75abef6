/**
 * What the benchmark of the change feed runs on: a simulator that delivers webhooks by way of a relay, a gateway on
 * PostgreSQL whose feed is on, the plain server that it is compared to, and a process of subscribers. The two
 * servers run with the same flags of Node.
 */
import { ADMIN_EMAIL, DEFAULT_API_TOKEN } from '../simulator/index.ts';
import {
  callGateway,
  clientKeyFromFile,
  createClient,
  encodeKeyFile,
  type SealdeskClient,
} from '../src/client/index.ts';
import { createNodeSuite } from '../src/envelope/node.ts';
import { type AskedProcess, openAskedProcess } from './asked-process.ts';
import { execute, openBenchDatabase } from './database.ts';
import type { FeedSubscription } from './feed-subscriber.ts';
import type { SubscribersAnswer, SubscribersQuestion } from './feed-subscribers-process.ts';
import { firstLineOf, openGatewayProcess, openProcess, type RunningGateway } from './gateway-process.ts';
import type { PlainAnswer, PlainQuestion } from './plain-feed-process.ts';
import type { ProcessReading } from './process-reading.ts';
import { openWebhookRelay, type WebhookRelay } from './webhook-relay.ts';

const METRICS_TOKEN = 'token-of-the-benchmark-not-secret';
const NODE_FLAGS = ['--expose-gc', '--import', './bench/collect-on-signal.ts'];
const SEALED_QUERY = `subscription ($integrationId: ID!, $after: Cursor) {
  ticketChanges(integrationId: $integrationId, after: $after) {
    __typename
    ... on TicketChange { cursor sequence occurredAt envelope }
    ... on FeedPosition { cursor sequence envelope }
  }
}`;
const PLAIN_QUERY = 'subscription { ticketChanges { sequence occurredAt change } }';

export interface GatewayReading extends ProcessReading {
  /** Envelopes sealed for the feed, of changes and of positions. */
  readonly sealed: number;
}

export interface LogReading {
  /** Changes appended to the log. */
  readonly appended: number;
  /** Tickets that may have changed. */
  readonly waiting: number;
}

export interface FeedRig extends AsyncDisposable {
  /** Address of the simulator. */
  readonly zendesk: string;
  readonly relay: WebhookRelay;
  readonly databaseUrl: string;
  readonly gateway: RunningGateway;
  readonly plain: AskedProcess<PlainQuestion, PlainAnswer>;
  readonly subscribers: AskedProcess<SubscribersQuestion, SubscribersAnswer>;
  /** By another API key than the subscribers', with the same client key. */
  readonly client: SealdeskClient;
  readGateway(): Promise<GatewayReading>;
  /** As the database has it now; the gateway's metrics of it are seconds old, and would count as its work. */
  readLog(): Promise<LogReading>;
  sealedSubscription(after: string | null, apiKey: string): FeedSubscription;
  plainSubscription(): Promise<FeedSubscription>;
}

export async function openFeedRig(): Promise<FeedRig> {
  await using resources = new AsyncDisposableStack();
  const database = resources.use(await openBenchDatabase());
  const zendesk = await firstLineOf(resources.use(openProcess(['bench/simulator-process.ts'])));
  const relay = resources.use(await openWebhookRelay());
  const suite = createNodeSuite();
  const gateway = resources.use(
    await openGatewayProcess({
      suite,
      zendeskOrigin: zendesk,
      credential: { type: 'BASIC_AUTH', secret: { username: ADMIN_EMAIL, password: DEFAULT_API_TOKEN } },
      databaseUrl: database.connectionString,
      settings: {
        SEALDESK_PUBLIC_URL: relay.url,
        SEALDESK_METRICS_TOKEN: METRICS_TOKEN,
        SEALDESK_FEED_STREAM_MIB: '4096',
      },
      nodeFlags: NODE_FLAGS,
    }),
  );
  const { url, integrationId, adminKey, readerKey, keyFile } = gateway.tenant;
  relay.target = url;
  await callGateway(
    { gateway: url, fetch, apiKey: adminKey },
    'mutation ($id: ID!) { enableTicketFeed(integrationId: $id) { auditEventId } }',
    { id: integrationId },
  );
  const clientKey = await clientKeyFromFile(encodeKeyFile(keyFile));
  if (clientKey.state !== 'WELCOMED') throw new TypeError('"keyFile" must be that of a welcomed key');
  const plain = resources.use(
    openAskedProcess<PlainQuestion, PlainAnswer>([...NODE_FLAGS, 'bench/plain-feed-process.ts']),
  );
  const subscribers = resources.use(
    openAskedProcess<SubscribersQuestion, SubscribersAnswer>(['bench/feed-subscribers-process.ts']),
  );
  const kept = resources.move();
  return {
    ...{ zendesk, relay, databaseUrl: database.connectionString, gateway, plain, subscribers },
    client: createClient({ url, apiKey: readerKey, clientKey }),
    readGateway: () => readGateway(url),
    readLog: () => readLog(database.connectionString),
    sealedSubscription: (after, apiKey) => ({
      url: `${url.replace('http:', 'ws:')}/graphql`,
      headers: { 'x-api-key': apiKey },
      query: SEALED_QUERY,
      variables: { integrationId, after },
    }),
    async plainSubscription() {
      const answer = await plain.ask({ kind: 'READ' });
      return { url: answer.url, headers: {}, query: PLAIN_QUERY, variables: {} };
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function readGateway(url: string): Promise<GatewayReading> {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } });
  if (!response.ok) throw new Error(`The gateway's metrics answered ${response.status}`);
  const values = new Map<string, number>();
  for (const line of (await response.text()).split('\n')) {
    const [, name, value] = /^([a-z_]+)(?:\{.*\})? (\S+)/.exec(line) ?? [];
    if (name !== undefined) values.set(name, (values.get(name) ?? 0) + Number(value));
  }
  const read = (name: string): number => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`The gateway does not measure ${name}`);
    return value;
  };
  return {
    cpuSeconds: read('process_cpu_seconds_total'),
    residentBytes: read('process_resident_memory_bytes'),
    liveBytes: read('nodejs_heap_size_used_bytes') + read('nodejs_external_memory_bytes'),
    sealed: read('sealdesk_feed_sealed_total'),
  };
}

async function readLog(databaseUrl: string): Promise<LogReading> {
  const [row] = await execute(
    databaseUrl,
    `SELECT (SELECT sum(appended) FROM ticket_feeds) AS appended,
       (SELECT count(*) FROM feed_dirty_tickets) AS waiting`,
  );
  return { appended: Number(row?.['appended']), waiting: Number(row?.['waiting']) };
}
