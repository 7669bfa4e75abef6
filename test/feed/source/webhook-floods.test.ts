/** Webhooks that come faster, larger or more often than they should, from Zendesk or from strangers: others are not held up. */
import { sql } from 'kysely';
import { expect, test, vi } from 'vitest';
import { SealdeskError } from '../../../src/base/index.ts';
import {
  deleteInvocations,
  insertInvocation,
  purgeInvocations,
  readPending,
  settleInvocations,
} from '../../../src/feed/index.ts';
import { createWebhookReceiver } from '../../../src/service/feed/receive-webhook.ts';
import { MAX_WEBHOOK_BYTES, type ServiceDeps } from '../../../src/service/index.ts';
import { MovableClock } from '../../service/house.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { signedDelivery } from './model-zendesk.ts';
import { openSourceRig, type SourceRig } from './source-rig.ts';

const MADE_UP = 'int_00000000000000000000000000';

async function openHooked(kind: 'pglite' | 'postgres') {
  const clock = new MovableClock();
  const rig = await openSourceRig(kind, { clock });
  await rig.enable();
  const secret = rig.simulator.webhooks.list()[0]?.secret ?? '';
  let events = 0;
  const sign = (signing: object = {}, more: object = {}) => {
    events += 1;
    const body = {
      ...{ id: `event-${events}`, type: 'zen:event-type:ticket.created', detail: { id: '5' }, event: {} },
      ...more,
    };
    return signedDelivery(body, { secret, ...signing });
  };
  return { rig, clock, sign, [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose]() };
}

/** The store of the rig, whose look-ups of integrations wait for what `before` gives. */
function lookedUpAfter({ deps }: SourceRig, before: () => Promise<void> | void): ServiceDeps['store'] {
  return new Proxy(deps.store, {
    get(store, name) {
      const member: unknown = Reflect.get(store, name, store);
      if (typeof member !== 'function') return member;
      if (name !== 'withSystem') return member.bind(store);
      return async (...asked: Parameters<typeof store.withSystem>) => {
        await before();
        return store.withSystem(...asked);
      };
    },
  });
}

const codeOf = (answer: Promise<string>): Promise<string> => answer.catch(({ code }) => code);

describeOnBothDatabases('A webhook', (kind) => {
  test('is sent away for a while where its integration has more than its rate', async () => {
    await using hooked = await openHooked(kind);
    const { rig, clock, sign } = hooked;
    const { integrationId } = rig.tenant;
    const rate = { perSecond: 1, burst: 2 };
    const receive = createWebhookReceiver({ deps: rig.deps, takeForStranger: () => undefined, rate });
    const call = await rig.callOf(null);
    await receive(call, integrationId, sign());
    // What is forged takes nothing of it.
    expect(await codeOf(receive(call, integrationId, sign({ secret: 'wrong' })))).toBe('UNAUTHENTICATED');
    await receive(call, integrationId, sign());
    await expect(receive(call, integrationId, sign())).rejects.toMatchObject({
      ...{ code: 'TOO_MANY_REQUESTS', details: { retryAfter: 5 } },
    });
    clock.advance(5_000);
    expect(await receive(call, integrationId, sign())).toBe('ACCEPTED');
  });

  test('for an integration that nobody knows is refused without a look, once its address is spent', async () => {
    await using hooked = await openHooked(kind);
    const { rig, clock, sign } = hooked;
    const { integrationId } = rig.tenant;
    const look = vi.fn();
    let left = 3;
    const receive = createWebhookReceiver({
      deps: { ...rig.deps, store: lookedUpAfter(rig, look) },
      takeForStranger() {
        left -= 1;
        if (left < 0) throw new SealdeskError('TOO_MANY_REQUESTS', 'Spent.', { retryAfter: 1 });
      },
    });
    const call = await rig.callOf(null);
    await receive(call, integrationId, sign());
    const madeUp = (index: number) => `${MADE_UP.slice(0, -3)}${String(index).padStart(3, '0')}`;
    const codes: string[] = [];
    for (let index = 0; index < 20; index += 1) {
      codes.push(await codeOf(receive(call, madeUp(index), sign())));
    }
    expect(codes.filter((code) => code === 'NOT_FOUND')).toHaveLength(3);
    expect(codes.filter((code) => code === 'TOO_MANY_REQUESTS')).toHaveLength(17);
    // Of the genuine one, of the three that were paid for, and of the one that was not.
    expect(look).toHaveBeenCalledTimes(5);
    expect(await receive(call, integrationId, sign())).toBe('ACCEPTED');
    clock.advance(1_000);
    await codeOf(receive(call, madeUp(999), sign()));
    expect(look).toHaveBeenCalledTimes(6);
  });

  test('finds a place though another address has all that one may have', async () => {
    await using hooked = await openHooked(kind);
    const { rig, sign } = hooked;
    const { integrationId } = rig.tenant;
    const { promise: gate, resolve } = Promise.withResolvers<void>();
    const receive = createWebhookReceiver({
      deps: { ...rig.deps, store: lookedUpAfter(rig, () => gate) },
      takeForStranger: () => undefined,
    });
    const crowd = await rig.callOf(null, '192.0.2.1');
    const waiting = Array.from({ length: 64 }, () => codeOf(receive(crowd, MADE_UP, sign())));
    await expect(receive(crowd, MADE_UP, sign())).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    const genuine = receive(await rig.callOf(null, '192.0.2.2'), integrationId, sign());
    resolve();
    expect(await genuine).toBe('ACCEPTED');
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => 'NOT_FOUND'));
    expect(await codeOf(receive(crowd, MADE_UP, sign()))).toBe('NOT_FOUND');
  });

  test('is checked against the secret that is held while another is looked for, and if none is found', async () => {
    await using hooked = await openHooked(kind);
    const { rig, clock, sign } = hooked;
    const { integrationId } = rig.tenant;
    const { promise: gate, reject } = Promise.withResolvers<void>();
    let looks = 0;
    const receive = createWebhookReceiver({
      deps: {
        ...rig.deps,
        store: lookedUpAfter(rig, () => {
          looks += 1;
          return looks === 1 ? undefined : gate;
        }),
      },
      takeForStranger: () => undefined,
    });
    const call = await rig.callOf(null);
    await receive(call, integrationId, sign());
    clock.advance(4_000);
    const forged = receive(call, integrationId, sign({ secret: 'wrong' }));
    expect(await receive(call, integrationId, sign())).toBe('ACCEPTED');
    reject(new SealdeskError('AUDIT_UNAVAILABLE', 'The database is away.'));
    await expect(forged).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    expect(looks).toBe(2);
    expect(await receive(call, integrationId, sign())).toBe('ACCEPTED');
  });

  test('that is too large counts against its address, and one that just fits is taken in', async () => {
    await using hooked = await openHooked(kind);
    const { rig, sign } = hooked;
    const { integrationId } = rig.tenant;
    const takeForStranger = vi.fn();
    const receive = createWebhookReceiver({ deps: rig.deps, takeForStranger });
    const call = await rig.callOf(null);
    const size = sign({}, { filler: '' }).body.length;
    const filled = (bytes: number) => sign({}, { filler: 'x'.repeat(bytes - size) });
    expect(await receive(call, integrationId, filled(MAX_WEBHOOK_BYTES - 8))).toBe('ACCEPTED');
    expect(takeForStranger).not.toHaveBeenCalled();
    expect(await codeOf(receive(call, integrationId, filled(MAX_WEBHOOK_BYTES + 8)))).toBe(
      'PAYLOAD_TOO_LARGE',
    );
    expect(takeForStranger).toHaveBeenCalledOnce();
  });
});

describeOnBothDatabases('What webhooks told', (kind) => {
  test('of one ticket is read to a bound, the newest, and settled as a whole', async () => {
    await using hooked = await openHooked(kind);
    const { gateway, tenant } = hooked.rig;
    const { id: tenantId, integrationId } = tenant;
    const insert = async (ticketId: number, index: number): Promise<void> => {
      const told = { invocationId: `${ticketId}-${index}`, ticketId, eventType: 'ticket.created' };
      await gateway.store.withTenant(tenantId, async (tx) => {
        await insertInvocation(tx, { tenantId, integrationId }, { ...told, hint: Uint8Array.of(index) });
        // Not every database tells two calls within a millisecond apart.
        await tx
          .updateTable('feed_webhook_invocations')
          .set({ received_at: new Date(Date.UTC(2026, 0, 1, 0, 0, index)) })
          .where('invocation_id', '=', told.invocationId)
          .execute();
      });
    };
    for (let index = 0; index < 60; index += 1) await insert(5, index);
    await insert(6, 0);
    await gateway.store.withTenant(tenantId, async (tx) => {
      const pending = await readPending(tx, integrationId, [5, 6, 7]);
      expect([...pending.keys()].toSorted()).toEqual([5, 6]);
      const names = pending.get(5)?.invocations.map(({ invocationId }) => invocationId);
      expect(names).toEqual(Array.from({ length: 50 }, (_, index) => `5-${index + 10}`));
      expect([pending.get(5)?.isCut, pending.get(6)?.isCut]).toEqual([true, false]);
      await settleInvocations(tx, integrationId, [...pending.values()]);
      expect(await readPending(tx, integrationId, [5, 6])).toEqual(new Map());
    });
  });

  test('of many tickets at once is bounded in sum', async () => {
    await using hooked = await openHooked(kind);
    const { gateway, tenant } = hooked.rig;
    const { id: tenantId, integrationId } = tenant;
    const pending = await gateway.store.withTenant(tenantId, async (tx) => {
      await sql`INSERT INTO feed_webhook_invocations
          (integration_id, tenant_id, invocation_id, ticket_id, event_type, hint, received_at)
        SELECT ${integrationId}, ${tenantId}, 'i' || n, n % 100 + 1, 'ticket.created', '\\x00', clock_timestamp()
        FROM generate_series(1, 4000) n`.execute(tx);
      return readPending(
        tx,
        integrationId,
        Array.from({ length: 100 }, (_, index) => index + 1),
      );
    });
    const counts = [...pending.values()].map(({ invocations }) => invocations.length);
    expect(counts).toEqual(Array.from({ length: 100 }, () => 20));
  });

  test('is cleared away in portions, until nothing old is left, and of a feed that is off wholly', async () => {
    await using hooked = await openHooked(kind);
    const { rig } = hooked;
    const { gateway, tenant } = rig;
    const { id: tenantId, integrationId } = tenant;
    const count = () =>
      gateway.store.withTenant(tenantId, async (tx) => {
        const { rows } = await sql<{
          n: number;
        }>`SELECT count(*)::int AS n FROM feed_webhook_invocations`.execute(tx);
        return rows[0]?.n;
      });
    await gateway.store.withTenant(tenantId, (tx) =>
      sql`INSERT INTO feed_webhook_invocations
          (integration_id, tenant_id, invocation_id, ticket_id, event_type, hint, is_pending, received_at)
        SELECT ${integrationId}, ${tenantId}, 'i' || n, n, 'ticket.created', NULL, false,
          clock_timestamp() - CASE WHEN n <= 10001 THEN interval '2 hours' ELSE interval '1 minute' END
        FROM generate_series(1, 15100) n`.execute(tx),
    );
    const purged: boolean[] = [];
    for (let portion = 0; portion < 3; portion += 1) {
      purged.push(await gateway.store.withTenant(tenantId, (tx) => purgeInvocations(tx, integrationId)));
    }
    expect(purged).toEqual([true, true, false]);
    expect(await count()).toBe(5_099);
    await gateway.store.withTenant(tenantId, (tx) => deleteInvocations(tx, integrationId));
    expect(await count()).toBe(5_099);
    await rig.disable();
    expect(await count()).toBe(0);
  });
});
