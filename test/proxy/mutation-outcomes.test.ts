/** A change whose answer, record or caller is lost on the way: what became of it is told all the same. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { authenticateApiKey } from '../../src/access/index.ts';
import { readOperationStatus, STALE_INTENT_AGE_MS } from '../../src/audit/index.ts';
import { type AuthenticatedCall, type ProxyDeps, runProxied } from '../../src/proxy/index.ts';
import { sweepIntents } from '../../src/service/index.ts';
import { openRig, type Rig, refusalOf } from './rig.ts';

describe('a change', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });
  afterEach(() => rig.gateway.simulator.faults.clear());
  afterAll(() => rig[Symbol.asyncDispose]());

  const ticketId = 295;
  const subjectNow = () => rig.gateway.simulator.tickets.get(ticketId)?.subject;
  const update = (subject: string) => rig.tenant.proxy('update_ticket', { ticket_id: ticketId, subject });
  /** Runs `work` when the change has reached Zendesk, before it is answered. */
  const onArrival = (work: () => unknown): Promise<unknown> =>
    rig.gateway.simulator
      .waitForRequest(({ method }) => method === 'PUT', { after: rig.gateway.simulator.requests.total })
      .then(work);

  /** The call of the agent, past the edge. */
  async function callOf(overrides: Partial<AuthenticatedCall> = {}): Promise<AuthenticatedCall> {
    const { gateway, tenant, clock } = rig;
    const caller = await gateway.store.withSystem('api-key-lookup', (tx) =>
      authenticateApiKey(tx, tenant.keys.agent, clock.now()),
    );
    return {
      caller,
      requestId: randomUUID(),
      ip: null,
      requestTarget: 'POST /test',
      requestSha256: Buffer.alloc(32).toString('base64url'),
      clientNonce: null,
      recipientKeyId: null,
      acceptsSealedErrors: false,
      parentEventId: null,
      signal: new AbortController().signal,
      ...overrides,
    };
  }
  const run = (deps: ProxyDeps, call: AuthenticatedCall, subject: string) =>
    runProxied(deps, call, {
      integrationId: rig.tenant.integrationId,
      operation: 'update_ticket',
      payload: { ticket_id: ticketId, subject },
      idempotencyKey: null,
    });

  it('is not sent where its intent cannot be recorded', async () => {
    const { gateway, tenant } = rig;
    const before = rig.calls();
    /** Turns every bit of the head's MAC; a second time turns them back. */
    const flipMac = () =>
      gateway.store.withSystem('tenant-administration', async (tx) => {
        const { mac } = await tx
          .selectFrom('audit_heads')
          .select('mac')
          .where('tenant_id', '=', tenant.id)
          .executeTakeFirstOrThrow();
        await tx
          .updateTable('audit_heads')
          .set({ mac: mac.map((byte) => byte ^ 0xff) })
          .where('tenant_id', '=', tenant.id)
          .execute();
      });
    await flipMac();
    const refusal = refusalOf(await update('never'));
    await flipMac();
    expect(refusal).toMatchObject({
      status: 503,
      code: 'AUDIT_UNAVAILABLE',
      details: { mutation: 'NOT_SENT' },
      auditEventId: null,
    });
    expect(rig.calls()).toBe(before);
    expect(subjectNow()).not.toBe('never');
    expect((await update('again')).status).toBe(200);
  });

  it.each([
    ['the database goes away', undefined],
    ['the database fails in a way nobody foresaw', () => new Error('could not serialize access')],
  ])('that was made when %s is told to be APPLIED, with its intent', async (_, failure) => {
    const arrived = onArrival(() => rig.outage.begin(failure));
    const refusal = refusalOf(await update('made'));
    await arrived;
    rig.outage.end();
    expect(subjectNow()).toBe('made');
    expect(refusal).toMatchObject({
      status: 503,
      code: 'AUDIT_UNAVAILABLE',
      details: { mutation: 'APPLIED' },
      auditEventId: null,
    });
    expect(JSON.stringify(refusal)).not.toContain('serialize');
    const { intentId } = refusal.details;
    expect(await rig.statusOf(intentId)).toEqual({ state: 'PENDING', outcome: null });
    // In time the sweeper says what it can.
    rig.clock.advance(STALE_INTENT_AGE_MS + 1_000);
    expect(await sweepIntents(rig.gateway.deps)).toBe(1);
    expect(await rig.statusOf(intentId)).toMatchObject({ state: 'UNKNOWN' });
  });

  it.each([
    ['status', { kind: 'status', status: 422, body: '{"error":"RecordInvalid"}' }, 'NOT_SENT'],
    ['close', { kind: 'close' }, 'UNKNOWN'],
  ] as const)('that fails (%s) while the log cannot be written keeps its intent and its outcome', async (_, effect, mutation) => {
    rig.gateway.simulator.faults.add({ method: 'PUT', effect });
    const arrived = onArrival(() => rig.outage.begin());
    const refusal = refusalOf(await update('never'));
    await arrived;
    rig.outage.end();
    expect(refusal).toMatchObject({ code: 'AUDIT_UNAVAILABLE', details: { mutation } });
    expect(await rig.statusOf(refusal.details.intentId)).toMatchObject({ state: 'PENDING' });
  });

  it('whose answer cannot be sealed is told to be APPLIED, and recorded as that', async () => {
    const { deps } = rig.gateway;
    const keyring: ProxyDeps['keyring'] = {
      suite: {
        ...deps.keyring.suite,
        sealAes256Gcm: () => {
          throw new Error('the sealing broke');
        },
      },
      keysOf: (...rest) => deps.keyring.keysOf(...rest),
      forget: (tenantId) => deps.keyring.forget(tenantId),
      createDataKey: (...rest) => deps.keyring.createDataKey(...rest),
      unwrapDataKey: (...rest) => deps.keyring.unwrapDataKey(...rest),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    const logged: unknown[] = [];
    const log = { ...deps.log, error: (...line: unknown[]) => logged.push(line) };
    const call = await callOf();
    const error = await run({ ...deps, keyring, log }, call, 'unsealed').catch((thrown: unknown) => thrown);
    expect(subjectNow()).toBe('unsealed');
    expect(error).toMatchObject({ code: 'INTERNAL', details: { mutation: 'APPLIED' } });
    const { intentId, auditEventId } = (error as { details: { intentId: string; auditEventId: string } })
      .details;
    expect(await rig.eventOf(auditEventId)).toMatchObject({ phase: 'OUTCOME', intentId, outcome: 'APPLIED' });
    expect(await rig.statusOf(intentId)).toMatchObject({ state: 'APPLIED' });
    // The cause reaches the operator under the id that the caller was given.
    expect(logged).toMatchObject([[expect.any(String), { requestId: call.requestId }]]);
    expect((error as Error).message).toContain(call.requestId);
  });

  it('goes on when its caller goes away, and its outcome is recorded', async () => {
    const { deps } = rig.gateway;
    const leaving = new AbortController();
    const call = await callOf({ signal: leaving.signal });
    const arrived = onArrival(() => leaving.abort(new Error('The client went away')));
    const answer = await run(deps, call, 'kept');
    await arrived;
    expect(subjectNow()).toBe('kept');
    expect(await rig.eventOf(answer.auditEventId)).toMatchObject({ phase: 'OUTCOME', outcome: 'SUCCEEDED' });
  });

  it('of a caller who has left already is not begun', async () => {
    const before = rig.calls();
    const call = await callOf({ signal: AbortSignal.abort(new Error('The client went away')) });
    await expect(run(rig.gateway.deps, call, 'never')).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
    });
    expect(rig.calls()).toBe(before);
    const [last, previous] = (await rig.events()).toReversed();
    expect(last).toMatchObject({ phase: 'SINGLE', outcome: 'FAILED', operation: 'update_ticket' });
    expect(previous?.phase).not.toBe('INTENT');
  });

  it('that outlasts the sweeper is answered truly, and its intent has one outcome', async () => {
    const { gateway, tenant } = rig;
    // The database keeps the outcome waiting for six minutes, while another process sweeps.
    let isAnswered = false;
    const answered = gateway.simulator
      .waitForRequest(({ method, outcome }) => method === 'PUT' && outcome === 'answered', {
        after: gateway.simulator.requests.total,
      })
      .then(() => {
        isAnswered = true;
      });
    let swept: number | null = null;
    const frozen: ProxyDeps['store'] = {
      ...rig.outage.wrap(gateway.store),
      withTenant: async (tenantId, work) => {
        if (swept === null && isAnswered) {
          rig.clock.advance(STALE_INTENT_AGE_MS + 60_000);
          swept = await sweepIntents(gateway.deps);
        }
        return gateway.store.withTenant(tenantId, work);
      },
    };
    const answer = await run({ ...gateway.deps, store: frozen }, await callOf(), 'late');
    await answered;
    expect(swept).toBeGreaterThan(0);
    const { header } = await tenant.open(answer.envelope);
    expect(header).toMatchObject({ audit_event_id: answer.auditEventId });
    const event = await rig.eventOf(answer.auditEventId);
    if (event.phase !== 'SINGLE' || event.parentId === undefined)
      throw new Error('a late outcome names its intent');
    expect(event).toMatchObject({ outcome: 'SUCCEEDED', envelopes: [{ keyId: tenant.keyFile.key_id }] });
    const intent = await rig.eventOf(event.parentId);
    expect(intent).toMatchObject({ phase: 'INTENT' });
    const outcomes = (await rig.events()).filter(
      (one) => one.phase === 'OUTCOME' && one.intentId === intent.id,
    );
    expect(outcomes).toMatchObject([{ outcome: 'UNKNOWN', actor: { type: 'SYSTEM', id: 'intent-sweeper' } }]);
    expect(await rig.statusOf(intent.id)).toMatchObject({ state: 'UNKNOWN' });
  });

  it('whose process died is closed as UNKNOWN once, by one of two sweepers, and not before its time', async () => {
    const { gateway, tenant } = rig;
    rig.clock.advance(2 * STALE_INTENT_AGE_MS);
    await sweepIntents(gateway.deps);
    const intents: string[] = [];
    for (const subject of ['first', 'second', 'third']) {
      const arrived = onArrival(() => rig.outage.begin());
      intents.push(refusalOf(await update(subject)).details.intentId);
      await arrived;
      rig.outage.end();
    }
    rig.clock.advance(STALE_INTENT_AGE_MS - 10_000);
    expect(await sweepIntents(gateway.deps)).toBe(0);
    rig.clock.advance(20_000);
    const closed = await Promise.all([sweepIntents(gateway.deps), sweepIntents(gateway.deps)]);
    expect(closed.reduce((sum, count) => sum + count)).toBe(3);
    expect(await sweepIntents(gateway.deps)).toBe(0);
    for (const intentId of intents) {
      const status = await gateway.store.withTenant(tenant.id, (tx) =>
        readOperationStatus(tx, tenant.id, intentId),
      );
      expect(status).toMatchObject({
        state: 'UNKNOWN',
        outcome: { actor: { type: 'SYSTEM', id: 'intent-sweeper' } },
      });
    }
    const events = await rig.events();
    const closing = events.filter((one) => one.phase === 'OUTCOME' && intents.includes(one.intentId));
    expect(closing).toHaveLength(3);
    expect(events.map(({ index }) => index)).toEqual(events.map((_, position) => position));
  });
});
