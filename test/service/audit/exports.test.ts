/** Exports of the log: checked in the background, whatever happens to who checks, and fetched by REST. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  appendAuditEvents,
  findExport,
  MAX_LEAF_BATCH,
  type NewAuditEvent,
  openAnchor,
  raiseAlarm,
} from '../../../src/audit/index.ts';
import { createId } from '../../../src/base/index.ts';
import { createNodeNoteSuite } from '../../../src/cli/note-suite.ts';
import { acceptRestore, openExportWorker } from '../../../src/service/index.ts';
import type { Store } from '../../../src/store/index.ts';
import { verifyBundle } from '../../../src/tlog/index.ts';
import { type ListeningGateway, openListeningGateway } from '../../support/listening-gateway.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import {
  ALL_OPERATIONS,
  createTestTenant,
  dataOf,
  PROVISIONING_OPERATIONS,
  type TestTenant,
} from '../../support/tenant.ts';
import { wrappedStore } from '../../support/wrapped-store.ts';
import { codeOf, eventIdOf, MovableClock, newestEvents, readEvent } from '../house.ts';

const BEGIN = `mutation($input: ExportAuditInput) { exportAudit(input: $input) {
  export { id state from to size previousSize checked progress path } auditEventId } }`;
const LOOK = `query($id: ID!) { auditExport(id: $id) { state checked progress brokenIndex finishedAt } }`;
const QUICK = { lease: 200, scan: 20 } as const;

interface Begun {
  readonly id: string;
  readonly state: string;
  readonly from: number;
  readonly to: number;
  readonly size: number;
  readonly path: string;
}

async function* linesOf(text: string): AsyncGenerator<string> {
  yield* text.trimEnd().split('\n');
}

/** A store that works until it is used for the `count`th time, as one whose process is killed then. */
function mortal(store: Store, count: number): { readonly store: Store; readonly died: Promise<void> } {
  const { promise: died, resolve } = Promise.withResolvers<void>();
  let used = 0;
  const use = <T>(work: () => Promise<T>): Promise<T> => {
    used += 1;
    if (used >= count) resolve();
    return used >= count ? Promise.reject(new Error('killed')) : work();
  };
  return {
    died,
    store: wrappedStore(store, {
      withTenant: (tenantId, work) => use(() => store.withTenant(tenantId, work)),
    }),
  };
}

describeOnBothDatabases('An export of the audit log', (database) => {
  const clock = new MovableClock();
  let listening: ListeningGateway;
  let tenant: TestTenant;
  let busy: TestTenant;
  beforeAll(async () => {
    listening = await openListeningGateway({ database, clock, simulator: { tickets: 5 } });
    tenant = await createTestTenant(listening.gateway);
    busy = await createTestTenant(listening.gateway, { name: 'Busy' });
    await grow(tenant.id, 3 * MAX_LEAF_BATCH);
  });
  afterAll(() => listening[Symbol.asyncDispose]());

  /** Appends `count` events. */
  async function grow(tenantId: string, count: number): Promise<void> {
    const { store, keyring } = listening.gateway.deps;
    const keys = await keyring.keysOf(tenantId);
    for (let left = count; left > 0; left -= 256) {
      const events = Array.from(
        { length: Math.min(left, 256) },
        (): NewAuditEvent => ({
          ...{ id: createId('auditEvent'), occurredAt: new Date(clock.now()).toISOString() },
          ...{ actor: { type: 'SYSTEM', id: 'test' }, phase: 'SINGLE', action: 'test', outcome: 'SUCCEEDED' },
        }),
      );
      await store.withTenant(tenantId, (tx) =>
        appendAuditEvents(tx, { tenantId, headKey: keys.auditHeadKey(), events }),
      );
    }
  }
  const ask = (query: string, variables: object, apiKey = tenant.keys.auditor) =>
    listening.gateway.graphql(query, { apiKey, variables });
  async function begin(input: object = {}, of: TestTenant = tenant): Promise<Begun> {
    const answer = await ask(BEGIN, { input }, of.keys.auditor);
    if (codeOf(answer) !== null) throw new Error(JSON.stringify(answer.json.errors));
    return answer.json.data.exportAudit.export;
  }
  /** Resolves when the row of the export is as `holds` wants it. */
  async function until(id: string, holds: (state: string) => boolean, of = tenant): Promise<void> {
    const { store } = listening.gateway.deps;
    for (let state = ''; !holds(state); ) {
      // PGlite answers without ever letting a timer run, and the worker waits for one.
      await nextTurn();
      state = (await store.withTenant(of.id, (tx) => findExport(tx, of.id, id, 0)))?.state ?? '';
    }
  }
  async function ready(input: object = {}, of: TestTenant = tenant): Promise<Begun> {
    await using _worker = openExportWorker(listening.gateway.deps, QUICK);
    const begun = await begin(input, of);
    await until(begun.id, (state) => state === 'READY', of);
    return begun;
  }
  const download = (id: string, apiKey = tenant.keys.auditor, init: RequestInit = {}) =>
    fetch(`${listening.url}/api/v2/audit/exports/${id}`, { headers: { 'x-api-key': apiKey }, ...init });
  const verdictOf = async (text: string) => verifyBundle(createNodeNoteSuite(), linesOf(text));
  const tamper = (statement: string) =>
    listening.gateway.store.withSystem('health', async (tx) => {
      await sql`ALTER TABLE audit_events DISABLE TRIGGER audit_events_append_only`.execute(tx);
      await sql.raw(statement).execute(tx);
      await sql`ALTER TABLE audit_events ENABLE TRIGGER audit_events_append_only`.execute(tx);
    });

  it('is a bundle that verifies, and does not once a byte of it is another', async () => {
    const { id, from, to, size } = await ready();
    expect([from, to]).toEqual([0, size]);
    const response = await download(id);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    expect(response.headers.get('content-disposition')).toBe(`attachment; filename="${id}.ndjson"`);
    const text = await response.text();
    const verdict = await verdictOf(text);
    expect(verdict).toMatchObject({
      kind: 'PROVEN',
      header: { from: 0, to: size, size, previousSize: null },
    });
    expect(text.match(/^\{"hash":"/gm)).toHaveLength(size);
    const at = text.indexOf('"type":"event"') - 40;
    const altered = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
    expect(await verdictOf(altered)).toMatchObject({ kind: 'REFUSED', failure: { brokenIndex: 0 } });
    expect(await verdictOf(text.split('\n').slice(0, -2).join('\n'))).toMatchObject({ kind: 'REFUSED' });
  });

  it('of a part proves that part, and that the log only grew since the checkpoint before', async () => {
    const before = await ready();
    await grow(tenant.id, 10);
    const after = await ready({ previousSize: before.size });
    expect(after).toMatchObject({ from: before.size, to: after.size, previousSize: before.size });
    const verdict = await verdictOf(await (await download(after.id)).text());
    expect(verdict).toMatchObject({
      kind: 'PROVEN',
      facts: expect.arrayContaining([{ fact: 'EXTENDS', size: before.size, heldBy: 'BUNDLE' }]),
    });
    const middle = await ready({ from: 5, to: 300 });
    const text = await (await download(middle.id)).text();
    expect(await verdictOf(text)).toMatchObject({ kind: 'PROVEN', header: { from: 5, to: 300 } });
    const none = await ready({ from: 7, to: 7 });
    expect(await verdictOf(await (await download(none.id)).text())).toMatchObject({ kind: 'PROVEN' });
  });

  it('stays good beyond an accepted restore, which one begun afterwards tells of', async () => {
    const restored = await createTestTenant(listening.gateway, { name: 'Restored' });
    const before = await ready({}, restored);
    await grow(restored.id, 10);
    const after = await ready({ previousSize: before.size }, restored);
    const { deps, store } = listening.gateway;
    const folder = await mkdtemp(join(tmpdir(), 'sealdesk-anchor-'));
    try {
      const found = { tenantId: restored.id, epoch: 1, kind: 'HEAD_ALTERED', index: null } as const;
      await store.withTenant(restored.id, (tx) => raiseAlarm(tx, found));
      const anchor = await openAnchor({ kind: 'file', folder });
      await acceptRestore(deps, anchor, { tenantId: restored.id, reason: 'looked-into' });
    } finally {
      await rm(folder, { recursive: true });
    }

    const old = await verdictOf(await (await download(after.id, restored.keys.auditor)).text());
    expect(old).toMatchObject({
      kind: 'PROVEN',
      header: { origin: `sealdesk/${restored.id}`, from: before.size, to: after.size },
      facts: expect.arrayContaining([{ fact: 'EXTENDS', size: before.size, heldBy: 'BUNDLE' }]),
    });
    const next = await ready({}, restored);
    const text = await (await download(next.id, restored.keys.auditor)).text();
    expect(await verdictOf(text)).toMatchObject({
      kind: 'PROVEN',
      header: { origin: `sealdesk/${restored.id}/2`, to: next.size },
    });
    const leaves = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).leaf as string | undefined)
      .map((leaf) => Buffer.from(leaf ?? '', 'base64').toString());
    expect(leaves.filter((leaf) => leaf.includes('"audit.accept-restore"'))).toHaveLength(1);
  });

  it('has beside its events the policy and the keys, by ids and tokens only', async () => {
    const { id } = await ready({ to: 1 });
    const lines = (await (await download(id)).text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const ofType = (type: string) => lines.filter((line) => line.type === type);
    expect(ofType('policy')).toContainEqual(
      expect.objectContaining({ integration_id: tenant.integrationId, status: 'ACTIVE' }),
    );
    expect(ofType('policy').filter(({ roles }) => roles?.includes('AUDITOR'))).toHaveLength(1);
    const allowed = ofType('policy').filter(({ change }) => change !== undefined);
    expect(allowed.map(({ change, operation }) => `${change} ${operation}`).toSorted()).toEqual(
      [...ALL_OPERATIONS, ...PROVISIONING_OPERATIONS]
        .map((operation) => `policy.allow ${operation}`)
        .toSorted(),
    );
    expect(ofType('client_key')).toMatchObject([{ key_id: tenant.keyFile.key_id, status: 'ACTIVE' }]);
    expect(ofType('signing_key')).toMatchObject([{ kid: tenant.keyFile.signing_keys[0]?.kid }]);
    expect(JSON.stringify(lines)).not.toContain('acme');
  });

  it('goes on where a process died that was checking it', async () => {
    const begun = await begin();
    // Claiming, looking, and two batches of two transactions each.
    const first = mortal(listening.gateway.store, 6);
    const dead = openExportWorker({ ...listening.gateway.deps, store: first.store }, QUICK);
    await first.died;
    await dead[Symbol.asyncDispose]();
    const { auditExport } = dataOf(await ask(LOOK, { id: begun.id }));
    expect(auditExport).toMatchObject({ state: 'CHECKING', checked: MAX_LEAF_BATCH, finishedAt: null });

    let used = 0;
    const { store } = listening.gateway;
    const counting = wrappedStore(store, {
      withTenant(tenantId, work) {
        used += 1;
        return store.withTenant(tenantId, work);
      },
    });
    await using _second = openExportWorker({ ...listening.gateway.deps, store: counting }, QUICK);
    await until(begun.id, (state) => state === 'READY');
    const batches = Math.ceil((begun.to - MAX_LEAF_BATCH) / MAX_LEAF_BATCH);
    // Claiming, looking, and finishing besides.
    expect(used).toBe(2 * batches + 3);
    expect(dataOf(await ask(LOOK, { id: begun.id }))['auditExport']).toMatchObject({
      ...{ state: 'READY', checked: begun.to, progress: 1, brokenIndex: null },
    });
    expect(await verdictOf(await (await download(begun.id)).text())).toMatchObject({ kind: 'PROVEN' });
  });

  it('fails at the event that was changed behind the gateway’s back', async () => {
    for (const [change, brokenIndex] of [
      [`leaf = set_byte(leaf, 20, get_byte(leaf, 20) # 1)`, 300],
      // With a hash that fits: only the tree tells, of the batch.
      [`leaf = '\\x7b7d', leaf_hash = sha256('\\x007b7d')`, MAX_LEAF_BATCH],
    ] as const) {
      const victim = await createTestTenant(listening.gateway, { name: 'Victim' });
      await grow(victim.id, 2 * MAX_LEAF_BATCH);
      const begun = await begin({}, victim);
      await tamper(`UPDATE audit_events SET ${change} WHERE tenant_id = '${victim.id}' AND index = 300`);
      await using _worker = openExportWorker(listening.gateway.deps, QUICK);
      await until(begun.id, (state) => state === 'FAILED', victim);
      expect(dataOf(await ask(LOOK, { id: begun.id }, victim.keys.auditor))['auditExport']).toMatchObject({
        ...{ state: 'FAILED', brokenIndex, checked: MAX_LEAF_BATCH },
      });
      const response = await download(begun.id, victim.keys.auditor);
      expect([response.status, (await response.json()).error.code]).toEqual([409, 'CONFLICT']);
    }
  });

  it('is cut off where an event was changed after the check', async () => {
    const victim = await createTestTenant(listening.gateway, { name: 'Victim' });
    await grow(victim.id, 2 * MAX_LEAF_BATCH);
    const { id } = await ready({}, victim);
    await tamper(
      `UPDATE audit_events SET leaf = set_byte(leaf, 20, get_byte(leaf, 20) # 1)
       WHERE tenant_id = '${victim.id}' AND index = 300`,
    );
    const response = await download(id, victim.keys.auditor);
    await expect(response.text()).rejects.toThrow(TypeError);
  });

  it('ends where the API key is revoked that it is fetched with', async () => {
    const { services } = listening.gateway;
    const { json } = await ask(
      'mutation { createApiKey(input: { name: "x", roles: [AUDITOR] }) { secret apiKey { id } } }',
      {},
      tenant.keys.admin,
    );
    const { secret, apiKey } = json.data.createApiKey;
    const { id } = await ready();
    const pieces = await services.downloadAuditExport(
      {
        caller: await services.authenticate(secret, '127.0.0.1'),
        ...{
          requestId: 'test',
          ip: '127.0.0.1',
          requestTarget: 'GET /',
          clientNonce: null,
          recipientKeyId: null,
        },
        ...{ requestSha256: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU', acceptsSealedErrors: false },
        ...{ parentEventId: null, signal: new AbortController().signal },
      },
      id,
    );
    expect((await pieces.next()).done).toBe(false);
    dataOf(
      await ask(
        'mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }',
        { id: apiKey.id },
        tenant.keys.admin,
      ),
    );
    await expect(Array.fromAsync(pieces)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('leaves an event for its beginning and for each time that it is fetched', async () => {
    const { gateway } = listening;
    const { id } = await ready({ to: 1 });
    await (await download(id)).text();
    await (await download(id)).text();
    const { json } = await ask(
      `query($id: String!) { auditEvents(last: 5, filter: { resource: $id }) { nodes { action outcome actor { id } } } }`,
      { id },
    );
    const actions = json.data.auditEvents.nodes.map(({ action }: { readonly action: string }) => action);
    expect(actions).toEqual(['audit.export', 'audit.download', 'audit.download']);
    const refused = await download(id, tenant.keys.agent);
    const told = await refused.json();
    expect([refused.status, told.error.code]).toEqual([403, 'FORBIDDEN']);
    expect(await readEvent(gateway, tenant.keys.auditor, told.meta.audit_event_id)).toMatchObject({
      ...{ action: 'audit.download', outcome: 'DENIED', resource: id },
    });
  });

  it('is nobody’s but the tenant’s, for a day, and not before it is ready', async () => {
    const other = await createTestTenant(listening.gateway, { name: 'Globex' });
    const { id } = await begin({ to: 1 });
    const codes = async (response: Response) => [response.status, (await response.json()).error.code];
    expect(await codes(await download(id))).toEqual([409, 'CONFLICT']);
    expect(await codes(await download(id, other.keys.auditor))).toEqual([404, 'NOT_FOUND']);
    expect(await codes(await download(createId('run')))).toEqual([404, 'NOT_FOUND']);
    expect(await codes(await download('..%2f'))).toEqual([404, 'NOT_FOUND']);
    expect(await codes(await fetch(`${listening.url}/api/v2/audit/exports/${id}`))).toEqual([
      401,
      'UNAUTHENTICATED',
    ]);
    const posted = await download(id, tenant.keys.auditor, { method: 'POST' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([400, 'GET']);
    const inUrl = await fetch(`${listening.url}/api/v2/audit/exports/${id}?x-api-key=${tenant.keys.auditor}`);
    expect(inUrl.status).toBe(401);
    clock.advance(86_400_000);
    expect(await codes(await download(id))).toEqual([404, 'NOT_FOUND']);
    expect(codeOf(await ask(LOOK, { id }))).toBe('NOT_FOUND');
    // The worker clears it away.
    await ready({ to: 1 });
    const left = await listening.gateway.store.withTenant(tenant.id, (tx) =>
      findExport(tx, tenant.id, id, 0),
    );
    expect(left).toBeNull();
  });

  it.each([
    [{ from: 5, to: 3 }, /from: must not be above to/],
    [{ to: 10_000_000 }, /to: is beyond the log, which has \d+ events/],
    [{ from: 10_000_000 }, /from: is beyond the log/],
    [{ previousSize: 10_000_000 }, /previousSize: is beyond the log/],
    [{ from: -1 }, /from: must not be negative/],
  ])('of %j is refused, saying why', async (input, message) => {
    const answer = await ask(BEGIN, { input });
    expect([codeOf(answer), answer.json.errors[0].message]).toEqual([
      'VALIDATION_FAILED',
      expect.stringMatching(message),
    ]);
    const [event] = (await newestEvents(listening.gateway, tenant.keys.auditor, 2)).slice(0, 1);
    expect(event).toMatchObject({ action: 'audit.export', outcome: 'FAILED', parentId: eventIdOf(answer) });
  });

  it('is one of four at most that are being checked', async () => {
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => ask(BEGIN, { input: { to: 1 } }, busy.keys.auditor)),
    );
    const codes = answers.map(codeOf);
    expect(codes.filter((code) => code === null)).toHaveLength(4);
    expect(codes.filter((code) => code === 'TOO_MANY_REQUESTS')).toHaveLength(2);
    await using _worker = openExportWorker(listening.gateway.deps, QUICK);
    const last = answers.find((answer) => codeOf(answer) === null);
    await until(last?.json.data.exportAudit.export.id, (state) => state === 'READY', busy);
  });
});
