/** What can be measured, by whom, and that it tells numbers only. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId, SealdeskError, silentLog, systemClock } from '../../src/base/index.ts';
import {
  createEdgeTally,
  createMetrics,
  createMetricsRoute,
  type FeedReading,
  openMetricsServer,
} from '../../src/server/index.ts';
import type { AuditReading } from '../../src/service/index.ts';
import { openTestGateway, type TestGateway } from '../support/gateway.ts';
import { createTestTenant, type TestTenant } from '../support/tenant.ts';
import { openEdge } from './stream/edge.ts';
import { fakePosition } from './stream/fake-feed.ts';

const TOKEN = 'a-token-of-the-operator';
const integrationId = createId('integration');
const readings: readonly FeedReading[] = [
  { integrationId, lagSeconds: 1.5, waiting: 3, appended: 70, repaired: 2 },
];

let gateway: TestGateway;
let tenant: TestTenant;
beforeAll(async () => {
  gateway = await openTestGateway();
  tenant = await createTestTenant(gateway);
});
afterAll(() => gateway[Symbol.asyncDispose]());

const audit: AuditReading = {
  ...{ unsignedEvents: 9, unsignedAge: 2.5, anchorFailing: 1 },
  alarms: new Map([['ROLLED_BACK', 2]]),
};

function measure(
  readFeeds: () => Promise<readonly FeedReading[]> = async () => readings,
  clock = systemClock,
  readAudit: () => Promise<AuditReading> = async () => audit,
) {
  const tally = createEdgeTally();
  let sealed = 70;
  const readSealed = () => {
    sealed += 1;
    return sealed;
  };
  const readClientKeys = async () => ({ waiting: 1, active: 5, endingSoon: 2, unused: 3 });
  const readAnchored = () => ({ anchored: 12, anchorFailures: 4 });
  const readConnections = async () => ({ ends: [{ integrationId, seconds: 86_400 }], needReconnect: 2 });
  const readRenewals = () => ({ RENEWED: 4, REFUSED: 1 });
  const sources = {
    readConnections,
    readRenewals,
    tally,
    readFeeds,
    readClientKeys,
    readSealed,
    readAudit,
    readAnchored,
  };
  return { tally, metrics: createMetrics({ ...sources, clock, log: silentLog }) };
}

/** The value of one line, `null` where there is none. */
function seriesIn(text: string, series: string): number | null {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length + 1));
}

describe('metrics on the main port', () => {
  it('are not there unless they were set up', async () => {
    await using edge = await openEdge(gateway);
    expect((await fetch(`${edge.url}/metrics`)).status).toBe(404);
  });

  it('are shown to who has the token, and count wrong ones against the address', async () => {
    const { tally, metrics } = measure();
    const counted: (string | null)[] = [];
    await using edge = await openEdge(gateway, {
      tally,
      metrics: createMetricsRoute(metrics, TOKEN),
      services: {
        takeFromRate({ ip }) {
          counted.push(ip);
          if (counted.length > 5) throw new SealdeskError('TOO_MANY_REQUESTS', 'Wait.', { retryAfter: 1 });
        },
      },
    });
    const ask = (authorization: string | null, method = 'GET') =>
      fetch(`${edge.url}/metrics`, {
        method,
        headers: authorization === null ? {} : { authorization },
      });
    const answered = await ask(`Bearer ${TOKEN}`);
    expect(answered.status).toBe(200);
    expect(answered.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect((await ask(`Bearer ${TOKEN}`, 'POST')).status).toBe(400);
    const wrong = [null, TOKEN, `Bearer ${TOKEN}x`, 'Bearer hunter2', `Bearer ${tenant.keys.admin}`];
    for (const authorization of wrong) {
      const refused = await ask(authorization);
      expect(refused.status).toBe(401);
      expect(await refused.text()).not.toMatch(/hunter2|a-token/);
    }
    expect(counted).toEqual(wrong.map(() => '127.0.0.1'));
    expect((await ask('Bearer hunter2')).status).toBe(429);
    // The right one is shown all the same.
    expect((await ask(`Bearer ${TOKEN}`)).status).toBe(200);
  });

  it('tell when connections end, how many are to be made again, and how renewals of tokens went', async () => {
    const { metrics } = measure();
    const text = await metrics.render();
    expect({
      readable: seriesIn(text, 'sealdesk_connections_readable'),
      end: seriesIn(text, `sealdesk_connection_ends_in_seconds{integration="${integrationId}"}`),
      lost: seriesIn(text, 'sealdesk_connections_to_reconnect'),
      renewed: seriesIn(text, 'sealdesk_token_renewals_total{outcome="renewed"}'),
      refused: seriesIn(text, 'sealdesk_token_renewals_total{outcome="refused"}'),
    }).toEqual({ readable: 1, end: 86_400, lost: 2, renewed: 4, refused: 1 });
  });

  it('tell of requests, subscriptions and feeds, and nothing of what was in them', async () => {
    const { tally, metrics } = measure();
    await using edge = await openEdge(gateway, { tally });
    await fetch(`${edge.url}/hunter2`);
    await fetch(`${edge.url}/healthz`);
    edge.feed.publish(fakePosition(0));
    await using socket = await edge.login(tenant.keys.agent);
    socket.subscribe(
      'hunter2',
      'subscription($id: ID!) { ticketChanges(integrationId: $id) { __typename } }',
      {
        id: tenant.integrationId,
      },
    );
    await socket.next();
    const text = await metrics.render();
    const feed = `{integration="${integrationId}"}`;
    expect({
      other: seriesIn(text, 'sealdesk_http_requests_total{route="other",status="404"}'),
      health: seriesIn(text, 'sealdesk_http_requests_total{route="/healthz",status="200"}'),
      connections: seriesIn(text, 'sealdesk_stream_connections{transport="websocket"}'),
      subscriptions: seriesIn(text, 'sealdesk_subscriptions{transport="websocket"}'),
      events: seriesIn(text, 'sealdesk_stream_events_total{transport="websocket"}'),
      slow: seriesIn(text, 'sealdesk_stream_slow_consumers_total{transport="websocket"}'),
      lag: seriesIn(text, `sealdesk_feed_lag_seconds${feed}`),
      waiting: seriesIn(text, `sealdesk_feed_waiting_tickets${feed}`),
      appended: seriesIn(text, `sealdesk_feed_appended_total${feed}`),
      repaired: seriesIn(text, `sealdesk_feed_repaired_total${feed}`),
      sealed: seriesIn(text, 'sealdesk_feed_sealed_total'),
      readable: seriesIn(text, 'sealdesk_feed_readable'),
      keys: ['waiting', 'active', 'ending', 'unused'].map((state) =>
        seriesIn(text, `sealdesk_client_keys{state="${state}"}`),
      ),
    }).toEqual({
      ...{ other: 1, health: 1, connections: 1, subscriptions: 1, events: 1, slow: 0 },
      ...{ lag: 1.5, waiting: 3, appended: 70, repaired: 2, sealed: 71, readable: 1 },
      keys: [1, 5, 2, 3],
    });
    expect({
      alarms: seriesIn(text, 'sealdesk_audit_alarms{kind="ROLLED_BACK"}'),
      unsigned: seriesIn(text, 'sealdesk_audit_unsigned_events'),
      age: seriesIn(text, 'sealdesk_audit_unsigned_age_seconds'),
      failing: seriesIn(text, 'sealdesk_audit_anchor_failing'),
      anchored: seriesIn(text, 'sealdesk_audit_anchored_total'),
      failures: seriesIn(text, 'sealdesk_audit_anchor_failures_total'),
      readable: seriesIn(text, 'sealdesk_audit_readable'),
    }).toEqual({ alarms: 2, unsigned: 9, age: 2.5, failing: 1, anchored: 12, failures: 4, readable: 1 });
    expect(seriesIn(text, 'process_resident_memory_bytes')).toBeGreaterThan(0);
    for (const secret of ['hunter2', tenant.id, tenant.keys.agent, tenant.keyFile.key_id]) {
      expect(text).not.toContain(secret);
    }
  });

  it('show totals that do not grow by being read, and no feed that is gone', async () => {
    const answers = [readings, readings, []];
    let now = 0;
    const clock = { ...systemClock, now: () => now };
    const { metrics } = measure(async () => answers.shift() ?? readings, clock);
    const appended = `sealdesk_feed_appended_total{integration="${integrationId}"}`;
    for (; now <= 5_000; now += 5_000) expect(seriesIn(await metrics.render(), appended)).toBe(70);
    const last = await metrics.render();
    expect(seriesIn(last, appended)).toBeNull();
    expect(seriesIn(last, 'sealdesk_feed_sealed_total')).toBe(73);
  });

  it('ask for the feeds once in five seconds, however often they are read and whatever came of it', async () => {
    let [now, asked] = [0, 0];
    const clock = { ...systemClock, now: () => now };
    const { metrics } = measure(() => {
      asked += 1;
      return asked === 1 ? Promise.reject(new Error('hunter2')) : Promise.resolve(readings);
    }, clock);
    await Promise.all([metrics.render(), metrics.render()]);
    now = 4_999;
    const kept = await metrics.render();
    expect(seriesIn(kept, 'sealdesk_feed_readable')).toBe(0);
    expect(seriesIn(kept, 'sealdesk_feed_sealed_total')).toBe(73);
    expect(asked).toBe(1);
    now = 5_000;
    expect(seriesIn(await metrics.render(), 'sealdesk_feed_readable')).toBe(1);
    expect(asked).toBe(2);
  });

  it('are shown without the feeds while these cannot be read', async () => {
    const { metrics } = measure(() => Promise.reject(new Error('hunter2')));
    const text = await metrics.render();
    expect(seriesIn(text, 'sealdesk_feed_readable')).toBe(0);
    expect(text).not.toContain('hunter2');
  });

  it('are shown without the audit logs while these cannot be read', async () => {
    const { metrics } = measure(undefined, undefined, () => Promise.reject(new Error('hunter2')));
    const text = await metrics.render();
    expect(seriesIn(text, 'sealdesk_audit_readable')).toBe(0);
    expect(seriesIn(text, 'sealdesk_feed_readable')).toBe(1);
    expect(text).not.toContain('hunter2');
  });
});

describe('metrics on a port of their own', () => {
  const open = (token: string | null, host = '127.0.0.1') =>
    openMetricsServer({
      ...{ host, port: 0, trustedProxies: 0, log: silentLog, token },
      metrics: measure().metrics,
    });

  it('are there for this machine only, where there is no token', async () => {
    // All of 127.0.0.0/8 is this machine; what listens on every address answers on any of it.
    await using free = await open(null, '0.0.0.0');
    await using closed = await open(TOKEN, '0.0.0.0');
    expect((await fetch(`http://127.0.0.1:${free.port}/metrics`)).status).toBe(200);
    if (process.platform !== 'linux') return;
    await expect(fetch(`http://127.0.0.2:${free.port}/metrics`)).rejects.toThrow();
    expect((await fetch(`http://127.0.0.2:${closed.port}/metrics`)).status).toBe(401);
  });

  it('ask for no token where there is none, and for it where there is one', async () => {
    await using free = await open(null);
    await using closed = await open(TOKEN);
    expect((await fetch(`http://127.0.0.1:${free.port}/metrics`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${closed.port}/metrics`)).status).toBe(401);
  });

  it('are all that is there', async () => {
    await using server = await open(null);
    const statuses = [];
    for (const [path, method] of [
      ['/graphql', 'POST'],
      ['/healthz', 'GET'],
      ['/metrics', 'POST'],
    ] as const) {
      statuses.push((await fetch(`http://127.0.0.1:${server.port}${path}`, { method })).status);
    }
    expect(statuses).toEqual([404, 404, 400]);
  });
});
