/** What a caller is told when Zendesk fails, in the clear and sealed, for reads and for changes. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { FaultEffect } from '../../simulator/faults.ts';
import { NEW_TICKET, openRig, type Rig, refusalOf, SEALED, transcriptSha256 } from './rig.ts';

const CANARY = 'Kanarienvogel-42';
const withCanary = (error: string, details?: object): string =>
  JSON.stringify({ error, description: `${CANARY} is not valid`, details });

interface Case {
  readonly name: string;
  readonly effect: FaultEffect;
  readonly read: { readonly code: string; readonly status: number };
  /** Of `update_ticket`, which is never sent twice blindly. */
  readonly change: {
    readonly code: string;
    readonly status: number;
    readonly mutation: 'NOT_SENT' | 'UNKNOWN';
    readonly state: 'FAILED' | 'UNKNOWN';
  };
  readonly upstreamError?: string;
  readonly fields?: readonly object[];
  readonly retryAfter?: boolean;
  /** Whether Zendesk sent an answer that can be sealed to the caller. */
  readonly answered: boolean;
}

const refused = (code: string, status: number) => ({
  read: { code, status },
  change: { code, status, mutation: 'NOT_SENT', state: 'FAILED' } as const,
  answered: true,
});
const unclear = (answered: boolean) => ({
  read: { code: 'UPSTREAM_UNAVAILABLE', status: 503 },
  change: { code: 'OUTCOME_UNKNOWN', status: 504, mutation: 'UNKNOWN', state: 'UNKNOWN' } as const,
  answered,
});
const status = (code: number, body: string): FaultEffect => ({ kind: 'status', status: code, body });

const CASES: readonly Case[] = [
  {
    name: '401',
    effect: status(401, withCanary('CouldntAuthenticate')),
    ...refused('UPSTREAM_UNAUTHENTICATED', 502),
    upstreamError: 'CouldntAuthenticate',
  },
  {
    name: '403',
    effect: status(403, withCanary('Forbidden')),
    ...refused('UPSTREAM_FORBIDDEN', 502),
    upstreamError: 'Forbidden',
  },
  {
    name: '404',
    effect: status(404, withCanary('RecordNotFound')),
    ...refused('NOT_FOUND', 404),
    upstreamError: 'RecordNotFound',
  },
  {
    name: '409',
    effect: status(409, withCanary('UpdateConflict')),
    ...refused('CONFLICT', 409),
    upstreamError: 'UpdateConflict',
  },
  {
    name: '422 with field errors',
    effect: status(
      422,
      withCanary('RecordInvalid', {
        subject: [{ description: `${CANARY} is too long`, error: 'TooLong' }],
        base: [{ description: CANARY, error: 'InvalidValue', ticket_field_id: 77 }],
      }),
    ),
    ...refused('UPSTREAM_REJECTED', 422),
    upstreamError: 'RecordInvalid',
    fields: [
      { path: 'subject', message: 'was refused by Zendesk', token: 'TooLong' },
      { path: 'base.ticket_fields.77', message: 'was refused by Zendesk', token: 'InvalidValue' },
    ],
  },
  {
    name: '429 with Retry-After',
    effect: { kind: 'rate-limited', retryAfter: 90, body: 'json' },
    ...refused('UPSTREAM_RATE_LIMITED', 503),
    upstreamError: 'APIRateLimitExceeded',
    retryAfter: true,
  },
  {
    name: '429 without Retry-After',
    effect: { kind: 'rate-limited', retryAfter: null },
    ...refused('UPSTREAM_RATE_LIMITED', 503),
    retryAfter: true,
  },
  {
    name: '500',
    effect: status(500, withCanary('InternalError')),
    ...unclear(true),
    upstreamError: 'InternalError',
  },
  { name: '503', effect: { kind: 'status', status: 503 }, ...unclear(true) },
  {
    name: 'HTML with 200',
    effect: { kind: 'status', status: 200, body: `<h1>${CANARY}</h1>`, contentType: 'text/html' },
    ...unclear(true),
  },
  { name: 'HTML with 500', effect: { kind: 'html' }, ...unclear(true) },
  {
    name: 'JSON that is not what was agreed',
    effect: status(200, JSON.stringify([CANARY])),
    ...unclear(true),
  },
  { name: 'a truncated body', effect: { kind: 'truncated' }, ...unclear(false) },
  { name: 'a socket closed before the answer', effect: { kind: 'close' }, ...unclear(false) },
  { name: 'no answer in time', effect: { kind: 'hang' }, ...unclear(false) },
];

describe('when Zendesk answers', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });
  afterEach(() => {
    rig.gateway.simulator.faults.clear();
    // A pause that Zendesk asked for is over by the next test.
    rig.clock.advance(120_000);
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  const changeOf = (subject: string) => ({
    ticket_id: 292,
    subject,
    comment: { body: subject, public: false },
  });

  it.each(CASES)('$name to a read, the caller gets a code and no word of Zendesk’s', async (one) => {
    const { tenant, gateway } = rig;
    gateway.simulator.faults.add({ method: 'GET', path: '/api/v2/search', effect: one.effect });
    const answer = await tenant.proxy('search', { query: `subject:${CANARY}` });
    expect(JSON.stringify(answer)).not.toContain(CANARY);
    const refusal = refusalOf(answer);
    expect(refusal).toMatchObject(one.read);
    expect(refusal.details.upstreamError).toBe(one.upstreamError);
    if (one.fields !== undefined) expect(refusal.details.fields).toEqual(one.fields);
    if (one.retryAfter) {
      expect(refusal.details.retryAfter).toBeGreaterThan(0);
      expect(answer.headers['retry-after']).toBe(String(refusal.details.retryAfter));
    }
    expect(refusal.details).not.toHaveProperty('mutation');
    expect(refusal.details).not.toHaveProperty('intentId');
    const event = await rig.eventOf(refusal.auditEventId);
    expect(event).toMatchObject({ phase: 'SINGLE', outcome: 'FAILED', denialReason: one.read.code });
    expect(JSON.stringify(event)).not.toContain(CANARY);
    expect(event.upstreamStatus).toBe(refusal.details.upstreamStatus);
  });

  it.each(
    CASES,
  )('$name to a change, the caller learns what became of it, and operationStatus agrees', async (one) => {
    const { tenant, gateway } = rig;
    gateway.simulator.faults.add({ method: 'PUT', effect: one.effect });
    const before = rig.calls('PUT');
    const answer = await tenant.proxy('update_ticket', changeOf(CANARY));
    expect(JSON.stringify(answer)).not.toContain(CANARY);
    const { state, mutation, ...change } = one.change;
    const refusal = refusalOf(answer);
    expect(refusal).toMatchObject({ ...change, details: { mutation } });
    const { intentId } = refusal.details;
    expect(await rig.statusOf(intentId)).toEqual({ state, outcome: { id: refusal.auditEventId } });
    expect(await rig.eventOf(refusal.auditEventId)).toMatchObject({
      phase: 'OUTCOME',
      intentId,
      outcome: state,
      denialReason: change.code,
    });
    // Only a refusal to be called at all is followed by another try.
    if (mutation === 'UNKNOWN') expect(rig.calls('PUT') - before).toBe(1);
  });

  it.each(
    CASES,
  )('$name, a caller who takes errors sealed reads it in full, if there is anything to read', async (one) => {
    const { tenant, gateway } = rig;
    gateway.simulator.faults.add({ method: 'PUT', effect: one.effect });
    const answer = await tenant.proxy('update_ticket', changeOf(CANARY), { headers: SEALED });
    expect(answer.status).toBe(one.change.status);
    if (!one.answered) {
      expect(refusalOf(answer).code).toBe(one.change.code);
      return;
    }
    expect(answer.headers['content-type']).toBe(SEALED.accept);
    expect(JSON.stringify(answer)).not.toContain(CANARY);
    const { header, value } = await tenant.open(answer.json);
    expect(header).toMatchObject({ purpose: 'proxy.error', operation: 'update_ticket' });
    const { code, details, upstream } = value as {
      code: string;
      details: { mutation: string; intentId: string };
      upstream: { status: number; body: unknown };
    };
    expect({ code, mutation: details.mutation }).toEqual({
      code: one.change.code,
      mutation: one.change.mutation,
    });
    expect(await rig.statusOf(details.intentId)).toMatchObject({ state: one.change.state });
    expect(upstream.status).toBeGreaterThanOrEqual(200);
    if (one.effect.kind === 'status' && one.effect.body?.includes(CANARY)) {
      expect(JSON.stringify(upstream.body)).toContain(CANARY);
    }
    const sha256 = transcriptSha256(answer.json);
    expect(await rig.eventOf(answer.json.audit_event_id)).toMatchObject({
      outcome: one.change.state,
      denialReason: one.change.code,
      envelopes: [{ keyId: tenant.keyFile.key_id, sha256 }],
    });
  });

  it('a real conflict of a safe update, the change is refused and the ticket untouched', async () => {
    const { tenant, gateway } = rig;
    const stale = { ticket_id: 293, subject: 'never', expected_updated_at: '2020-01-01T00:00:00Z' };
    const refusal = refusalOf(await tenant.proxy('update_ticket', stale));
    expect(refusal).toMatchObject({ status: 409, code: 'CONFLICT', details: { mutation: 'NOT_SENT' } });
    expect(gateway.simulator.tickets.get(293)?.subject).not.toBe('never');
  });

  it.each<FaultEffect>([
    { kind: 'close', applied: true },
    { kind: 'hang', applied: true },
    { kind: 'html', applied: true },
    { kind: 'status', status: 502, applied: true },
    { kind: 'truncated' },
  ])('$kind after it made the change, the caller hears UNKNOWN and not that it failed', async (effect) => {
    const { tenant, gateway } = rig;
    gateway.simulator.faults.add({ method: 'PUT', count: 1, effect });
    const subject = `After ${effect.kind} ${gateway.simulator.requests.total}`;
    const refusal = refusalOf(await tenant.proxy('update_ticket', { ticket_id: 294, subject }));
    expect(gateway.simulator.tickets.get(294)?.subject).toBe(subject);
    expect(refusal).toMatchObject({ status: 504, code: 'OUTCOME_UNKNOWN', details: { mutation: 'UNKNOWN' } });
    expect(await rig.statusOf(refusal.details.intentId)).toMatchObject({ state: 'UNKNOWN' });
  });

  it('nothing because it cannot be reached, a change was certainly not sent', async () => {
    await using alone = await openRig();
    await alone.gateway.simulator[Symbol.asyncDispose]();
    const refusal = refusalOf(await alone.tenant.proxy('create_ticket', NEW_TICKET));
    expect(refusal).toMatchObject({
      status: 503,
      code: 'UPSTREAM_UNAVAILABLE',
      details: { mutation: 'NOT_SENT' },
    });
    expect(await alone.statusOf(refusal.details.intentId)).toMatchObject({ state: 'FAILED' });
  });

  it('with a pause that ends in time, the caller only notices the wait', async () => {
    const { tenant, gateway } = rig;
    gateway.simulator.faults.add({ count: 2, effect: { kind: 'rate-limited', retryAfter: 3 } });
    expect((await tenant.proxy('get_ticket', { ticket_id: 5 })).status).toBe(200);
    gateway.simulator.faults.add({ count: 2, effect: { kind: 'status', status: 503 } });
    expect((await tenant.proxy('get_ticket', { ticket_id: 5 })).status).toBe(200);
  });
});
