/** Following an access sync as an admin's page does, over both transports. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId } from '../../../src/base/index.ts';
import type { SyncRun } from '../../../src/directory/index.ts';
import { toRunView } from '../../../src/service/access-sync/sync-view.ts';
import { openSyncWorker } from '../../../src/service/index.ts';
import { QUICK, QUICK_SIMULATOR } from '../../directory/sync-rig.ts';
import { newestEvents } from '../../service/house.ts';
import { type ListeningGateway, openListeningGateway } from '../../support/listening-gateway.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { createTestTenant, dataOf, type TestTenant } from '../../support/tenant.ts';
import { TestSocket } from './test-socket.ts';

const PROGRESS =
  'subscription($id: ID!) { syncProgress(runId: $id) { state phase usersSeen usersExpected progress secondsLeft added } }';

interface Progress {
  readonly state: string;
  readonly phase: string;
  readonly usersSeen: number;
  readonly usersExpected: number | null;
  readonly progress: number | null;
  readonly secondsLeft: number | null;
  readonly added: number;
}
interface Told {
  readonly runs: readonly Progress[];
  /** The code that it was refused with. */
  readonly code: string | null;
}
type Follow = (listening: ListeningGateway, apiKey: string, id: string) => Promise<Told>;

const bySocket: Follow = async ({ socketUrl }, apiKey, id) => {
  await using socket = await TestSocket.open(socketUrl);
  socket.send({ type: 'connection_init', payload: { apiKey } });
  await socket.next();
  socket.subscribe('1', PROGRESS, { id });
  const runs: Progress[] = [];
  for (;;) {
    const { type, payload } = await socket.next();
    if (type === 'complete') return { runs, code: null };
    if (type !== 'next') return { runs, code: payload[0].extensions.code };
    runs.push(payload.data.syncProgress);
  }
};

const byEvents: Follow = async ({ url }, apiKey, id) => {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', 'x-api-key': apiKey },
    body: JSON.stringify({ query: PROGRESS, variables: { id } }),
  });
  const text = await response.text();
  const results = [...text.matchAll(/^data: (.+)$/gm)].map(([, data]) => JSON.parse(data ?? ''));
  const told = results.length > 0 ? results : [JSON.parse(text)];
  return {
    runs: told.flatMap(({ data }) => data?.syncProgress ?? []),
    code: told.at(-1).errors?.[0].extensions.code ?? null,
  };
};

describe('How far an access sync is', () => {
  const startedAt = new Date(Date.UTC(2026, 10, 21, 7));
  const progressedAt = new Date(startedAt.getTime() + 60_000);
  const viewOf = (of: Partial<SyncRun>) => {
    const { progress, secondsLeft } = toRunView({
      ...{
        state: 'RUNNING',
        phase: 'USERS',
        usersSeen: 1_000,
        usersExpected: 4_000,
        startedAt,
        progressedAt,
      },
      ...of,
    } as SyncRun);
    return { progress, secondsLeft };
  };

  it.each<[string, Partial<SyncRun>, number | null, number | null]>([
    ['a quarter of the users after a minute', {}, 0.25, 180],
    ['nothing yet', { usersSeen: 0 }, 0, null],
    ['no page stored', { progressedAt: null }, 0.25, null],
    ['how many there are not known', { usersExpected: null }, null, null],
    ['more than were expected, since some are deleted', { usersSeen: 4_500 }, 0.99, 1],
    ['what follows the users', { phase: 'MEMBERSHIPS', usersSeen: 4_000 }, 0.99, 1],
    ['a wait', { state: 'WAITING' }, 0.25, null],
    ['the end', { state: 'SUCCEEDED', phase: 'DONE', usersSeen: 4_000 }, 1, 0],
  ])('is estimated from %s', (_what, of, progress, secondsLeft) => {
    expect(viewOf(of)).toEqual({ progress, secondsLeft });
  });
});

describeOnBothDatabases('Following an access sync', (database) => {
  let listening: ListeningGateway;
  let tenant: TestTenant;
  let worker: AsyncDisposable;
  beforeAll(async () => {
    // Polling would come too late for these tests: what they wait for is told.
    listening = await openListeningGateway({
      ...{ database, tailTimes: { pollMs: 600_000 } },
      simulator: { ...QUICK_SIMULATOR, people: { count: 1_500 } },
    });
    tenant = await createTestTenant(listening.gateway, { allowedOperations: ['sync_directory'] });
    worker = openSyncWorker(listening.gateway.deps, { retentionMs: 86_400_000, times: QUICK });
  });
  afterAll(async () => {
    await worker[Symbol.asyncDispose]();
    await listening[Symbol.asyncDispose]();
  });

  const start = async (): Promise<string> => {
    const answer = await listening.gateway.graphql(
      'mutation($id: ID!) { startAccessSync(integrationId: $id, full: true) { run { id } } }',
      { apiKey: tenant.keys.admin, variables: { id: tenant.integrationId } },
    );
    return (dataOf(answer)['startAccessSync'] as never as { run: { id: string } }).run.id;
  };

  it.each([
    ['WebSocket', bySocket],
    ['server-sent events', byEvents],
  ])('by %s tells its counts as they grow, without a client key, and ends with it', async (_name, follow) => {
    const id = await start();
    const { runs, code } = await follow(listening, tenant.keys.admin, id);
    expect(code).toBeNull();
    expect(runs.length).toBeGreaterThan(1);
    const seen = runs.map(({ usersSeen }) => usersSeen);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(runs.at(-1)).toMatchObject({ state: 'SUCCEEDED', phase: 'DONE', usersSeen: 1_500 });
    expect(runs.at(-1)).toMatchObject({ progress: 1, secondsLeft: 0 });
    expect(runs.slice(0, -1).every(({ state }) => state === 'QUEUED' || state === 'RUNNING')).toBe(true);
    const events = await newestEvents(listening.gateway, tenant.keys.auditor, 20);
    expect(events).toContainEqual(
      expect.objectContaining({ action: 'subscription.syncProgress', resource: id, outcome: 'SUCCEEDED' }),
    );
    // Of one that is over it tells how it ended.
    expect((await follow(listening, tenant.keys.admin, id)).runs).toHaveLength(1);
  });

  it.each([
    ['WebSocket', bySocket],
    ['server-sent events', byEvents],
  ])('by %s is refused to other roles, to other tenants, and of runs that there are not', async (_name, follow) => {
    const id = await start();
    const other = await createTestTenant(listening.gateway, { name: 'Globex', subdomain: 'globex' });
    expect((await follow(listening, tenant.keys.agent, id)).code).toBe('FORBIDDEN');
    expect((await follow(listening, other.keys.admin, id)).code).toBe('NOT_FOUND');
    expect((await follow(listening, tenant.keys.admin, createId('run'))).code).toBe('NOT_FOUND');
    expect((await follow(listening, tenant.keys.admin, id)).runs.at(-1)).toMatchObject({
      state: 'SUCCEEDED',
    });
  });
});
