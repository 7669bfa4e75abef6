/** What comes between a sync and its end: crashes, refusals, pauses, changes of the policy. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { ADMIN_EMAIL, AGENT_EMAIL } from '../../simulator/index.ts';
import { newestEvents } from '../service/house.ts';
import { openTestGateway, type TestGateway } from '../support/gateway.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { dataOf } from '../support/tenant.ts';
import { gatewayOptions, openSyncRig, type SyncRig } from './sync-rig.ts';

const EXPORT = '/api/v2/incremental/users/cursor';
/** More than two pages of the export. */
const COUNT = 2_300;

describeOnBothDatabases('A sync that is interrupted', (database) => {
  let gateway: TestGateway;
  let rig: SyncRig;
  beforeAll(async () => {
    gateway = await openTestGateway(gatewayOptions({ database, simulator: { people: { count: COUNT } } }));
  });
  afterAll(() => gateway[Symbol.asyncDispose]());
  /** A tenant and a directory of its own for each. */
  beforeEach(async () => {
    gateway.simulator.reset();
    rig = await openSyncRig({ gateway });
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  const add = (rule: Parameters<SyncRig['gateway']['simulator']['faults']['add']>[0]) =>
    rig.gateway.simulator.faults.add(rule);
  const exported = () =>
    rig.gateway.simulator.requests.entries.filter(({ path }) => path.startsWith(EXPORT)).length;
  const update = async (input: object) =>
    dataOf(
      await rig.ask(
        'mutation($input: UpdateIntegrationInput!) { updateIntegration(input: $input) { integration { id } } }',
        {
          input: { id: rig.key.integrationId, ...input },
        },
      ),
    );
  /** Holds the export's pages after the first back, so that something can happen between two pages. */
  const holdSecondPage = () =>
    add({ path: EXPORT, skip: 1, count: 1, effect: { kind: 'latency', milliseconds: 700 } });

  it('is gone on with by another process from the last page, with nothing lost or counted twice', async () => {
    holdSecondPage();
    const { kill } = rig.startMortal();
    const { id } = await rig.start();
    await rig.follow(id, ({ usersSeen }) => usersSeen > 0);
    kill();
    rig.startWorker();
    const run = await rig.follow(id);
    expect(run).toMatchObject({ state: 'SUCCEEDED', added: COUNT, usersSeen: COUNT, changed: 0 });
    // Three pages; the one that may have been under way at the death was asked for once more, and none else.
    expect([3, 4]).toContain(exported());
  });

  it('is given back by a process that stops, and gone on with at once', async () => {
    holdSecondPage();
    const first = rig.startWorker();
    const { id } = await rig.start();
    await rig.follow(id, ({ usersSeen }) => usersSeen > 0);
    await first[Symbol.asyncDispose]();
    rig.startWorker({ times: { lease: 600_000 } });
    expect(await rig.follow(id)).toMatchObject({ state: 'SUCCEEDED', added: COUNT });
  });

  it('fails with the reason when the policy takes the operation away, and stores no further page', async () => {
    holdSecondPage();
    rig.startWorker();
    const { id } = await rig.start();
    const { added } = await rig.follow(id, ({ usersSeen }) => usersSeen > 0);
    await update({ allowedOperations: ['list_users'] });
    const run = await rig.follow(id);
    expect(run).toMatchObject({ state: 'FAILED', reason: 'OPERATION_NOT_ALLOWED', added });
    expect(run.advice).toContain('sync_directory');
    const [ended] = await newestEvents(rig.gateway, rig.tenant.keys.auditor, 1);
    expect(ended).toMatchObject({
      ...{ action: 'access-sync.finish', outcome: 'FAILED', denialReason: 'OPERATION_NOT_ALLOWED' },
      ...{ operation: 'sync_directory', resource: id, actor: { type: 'SYSTEM', id: 'access-sync' } },
    });
  });

  it('fails when the integration is switched off meanwhile, and goes on from its place when it is asked again', async () => {
    holdSecondPage();
    rig.startWorker();
    const { id } = await rig.start();
    await rig.follow(id, ({ usersSeen }) => usersSeen > 0);
    await update({ enabled: false });
    expect(await rig.follow(id)).toMatchObject({ state: 'FAILED', reason: 'CONFLICT' });
    await update({ enabled: true });
    expect(await rig.sync()).toMatchObject({ state: 'SUCCEEDED', kind: 'FULL' });
    expect((await rig.users()).length).toBe(1_001);
  });

  it('ends when a caller cancels it, and keeps what it stored', async () => {
    holdSecondPage();
    rig.startWorker();
    const { id } = await rig.start();
    const { added } = await rig.follow(id, ({ usersSeen }) => usersSeen > 0);
    dataOf(await rig.ask('mutation($id: ID!) { cancelAccessSync(runId: $id) { run { state } } }', { id }));
    const run = await rig.follow(id);
    expect(run).toMatchObject({ state: 'CANCELLED', isCancelRequested: true });
    expect(run.added).toBeGreaterThanOrEqual(added);
    expect((await rig.users()).length).toBeGreaterThan(0);
    const again = await rig.ask('mutation($id: ID!) { cancelAccessSync(runId: $id) { run { state } } }', {
      id,
    });
    expect(again.json.errors[0].extensions.code).toBe('CONFLICT');
  });

  it('waits where Zendesk asks for a pause, and goes on by itself', async () => {
    // As often as one request is tried again after a pause.
    add({ path: EXPORT, skip: 1, count: 6, effect: { kind: 'rate-limited', retryAfter: 0 } });
    rig.startWorker();
    const run = await rig.sync();
    expect(run).toMatchObject({ state: 'SUCCEEDED', added: COUNT, failures: 0 });
  });

  it('fails with what to do when the account ends in the middle', async () => {
    const suspended = { error: 'Account suspended' };
    add({
      path: EXPORT,
      skip: 1,
      effect: {
        kind: 'status',
        status: 401,
        body: JSON.stringify(suspended),
        contentType: 'application/json',
      },
    });
    rig.startWorker();
    const run = await rig.sync();
    expect(run).toMatchObject({ state: 'FAILED', reason: 'UPSTREAM_UNAUTHENTICATED', added: 1_000 });
    expect(run.advice).not.toContain('suspended');
  });

  it('reads everything anew where Zendesk takes its place in the export no more', async () => {
    rig.startWorker();
    expect(await rig.sync()).toMatchObject({ kind: 'FULL', state: 'SUCCEEDED' });
    const refusal = { error: 'InvalidValue', description: 'cursor is not valid' };
    add({
      path: EXPORT,
      count: 1,
      effect: { kind: 'status', status: 422, body: JSON.stringify(refusal), contentType: 'application/json' },
    });
    const run = await rig.sync();
    expect(run).toMatchObject({ kind: 'FULL', state: 'SUCCEEDED', usersSeen: COUNT, added: 0, changed: 0 });
  });
});

describeOnBothDatabases('A sync by a credential that may not export', (database) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    const apiTokens = [
      { email: AGENT_EMAIL, token: 'agent' },
      { email: 'grace@example.test', token: 'end', role: 'end-user' },
    ] as const;
    gateway = await openTestGateway(gatewayOptions({ database, simulator: { accounts: { apiTokens } } }));
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  it.each([
    ['an agent', AGENT_EMAIL, 'agent', 'UPSTREAM_FORBIDDEN', 'admin'],
    ['a wrong token', ADMIN_EMAIL, 'wrong', 'UPSTREAM_UNAUTHENTICATED', 'credential'],
    ['an end user', 'grace@example.test', 'end', 'UPSTREAM_FORBIDDEN', 'admin'],
  ])('fails at once and says so for %s', async (_name, username, password, reason, word) => {
    const credential = { type: 'BASIC_AUTH', secret: { username, password } };
    await using rig = await openSyncRig({ gateway, tenant: { credential } });
    rig.startWorker();
    const run = await rig.sync();
    expect(run).toMatchObject({ state: 'FAILED', reason, usersSeen: 0, pages: 0 });
    expect(run.advice).toContain(word);
  });
});
