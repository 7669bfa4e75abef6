/** Webhooks at the gateway: what is taken in, what is refused, and that nothing of it lies in the clear. */
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createWebhookReceiver } from '../../../src/service/feed/receive-webhook.ts';
import type { WebhookDelivery } from '../../../src/service/index.ts';
import { dumpTables, findWords } from '../../leaks/canaries.ts';
import { MovableClock } from '../../service/house.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { signedDelivery } from './model-zendesk.ts';
import { openSourceRig, type SourceRig, useSourceRigs } from './source-rig.ts';

const CANARY = 'kanarienvogel';

function payload(ticketId = 5) {
  return {
    ...{ id: `event-of-${ticketId}`, type: 'zen:event-type:ticket.subject_changed' },
    detail: { id: String(ticketId), updated_at: '2026-11-21T08:00:00Z', subject: `${CANARY} now` },
    event: { previous: `${CANARY} before`, current: `${CANARY} now` },
  };
}

/** Signs as the webhook of the rig's feed. */
async function hook(rig: SourceRig) {
  await rig.enable();
  const sign = (body: object = payload(), signing: object = {}): WebhookDelivery =>
    signedDelivery(body, { secret: secretOf(rig), ...signing });
  const deliver = async (delivery: WebhookDelivery, ip = '192.0.2.1') =>
    rig.services.receiveZendeskWebhook(await rig.callOf(null, ip), rig.tenant.integrationId, delivery);
  return { rig, sign, deliver, [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose]() };
}

function secretOf({ simulator }: SourceRig): string {
  const [webhook] = simulator.webhooks.list();
  if (webhook === undefined) throw new Error('There is no webhook');
  return webhook.secret;
}

describeOnBothDatabases('A webhook', (kind) => {
  const open = useSourceRigs(kind);

  test('is taken in once, however often it comes, and marks its ticket', async () => {
    await using hooked = await hook(await open());
    const { rig, sign, deliver } = hooked;
    const delivery = sign();
    const answers = await Promise.all([deliver(delivery), deliver(delivery), deliver(delivery)]);
    expect(answers.toSorted()).toEqual(['ACCEPTED', 'DUPLICATE', 'DUPLICATE']);
    // Nobody signs the name of the invocation: under another, an event is the same still.
    expect(await deliver({ ...delivery, invocationId: 'another' })).toBe('DUPLICATE');
    expect(await deliver(sign(payload(), { invocationId: null }))).toBe('DUPLICATE');
    expect(await deliver(sign(payload(6)))).toBe('ACCEPTED');
    expect(await rig.status()).toMatchObject({ waiting: 2, appended: 0 });
  });

  test('that is forged, stale, malformed or too large is refused, and marks nothing', async () => {
    await using hooked = await hook(await open());
    const { rig, sign, deliver } = hooked;
    const at = (ms: number) => ({ timestamp: new Date(Date.now() + ms).toISOString() });
    const refusals = [
      [sign(payload(), { secret: 'of somebody else' }), 'UNAUTHENTICATED'],
      [{ ...sign(), body: new TextEncoder().encode(JSON.stringify(payload(7))) }, 'UNAUTHENTICATED'],
      [{ ...sign(), signature: null }, 'UNAUTHENTICATED'],
      [sign(payload(), at(-310_000)), 'UNAUTHENTICATED'],
      [sign(payload(), at(310_000)), 'UNAUTHENTICATED'],
      [sign({ type: 'zen:event-type:user.created' }), 'VALIDATION_FAILED'],
      [sign({ ...payload(), filler: 'x'.repeat(1024 * 1024) }), 'PAYLOAD_TOO_LARGE'],
    ] as const;
    for (const [delivery, code] of refusals) await expect(deliver(delivery)).rejects.toMatchObject({ code });
    const call = await rig.callOf(null);
    for (const id of [rig.tenant.id, 'int_00000000000000000000000000', '']) {
      await expect(rig.services.receiveZendeskWebhook(call, id, sign())).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
    }
    expect(await rig.status()).toMatchObject({ waiting: 0 });
    await expect(deliver(sign(payload(), at(-290_000)))).resolves.toBe('ACCEPTED');
  });

  test('that proves nothing counts against its address, and a genuine one does not', async () => {
    await using hooked = await hook(await open());
    const { sign, deliver } = hooked;
    const forged = sign(payload(), { secret: 'wrong' });
    const codes: string[] = [];
    for (let sent = 0; sent < 70; sent += 1) {
      codes.push(await deliver(forged, '192.0.2.9').then(String, ({ code }) => code));
    }
    expect(new Set(codes)).toEqual(new Set(['UNAUTHENTICATED', 'TOO_MANY_REQUESTS']));
    for (let sent = 0; sent < 70; sent += 1) {
      expect(await deliver(sign(payload(sent + 1)), '192.0.2.9')).toBe('ACCEPTED');
    }
  });

  test('signed with the secret of a feed that was enabled anew is taken in at once', async () => {
    const clock = new MovableClock();
    await using hooked = await hook(await openSourceRig(kind, { clock }));
    const { rig, sign, deliver } = hooked;
    const before = sign();
    expect(await deliver(before)).toBe('ACCEPTED');
    await rig.disable();
    await rig.enable();
    clock.advance(4_000);
    expect(await deliver(sign(payload(8)))).toBe('ACCEPTED');
    await expect(deliver(signedDelivery(payload(9), { secret: 'the old one' }))).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });

  test('is sent away for a while where too many are under way', async () => {
    await using hooked = await hook(await open());
    const { rig, sign } = hooked;
    const receive = createWebhookReceiver({
      deps: rig.deps,
      takeForStranger: () => undefined,
      maxUnderWay: 2,
    });
    const call = await rig.callOf(null);
    const answers = await Promise.allSettled(
      [1, 2, 3].map((id) => receive(call, rig.tenant.integrationId, sign(payload(id)))),
    );
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(answers[2]).toMatchObject({ reason: { code: 'TOO_MANY_REQUESTS', details: { retryAfter: 5 } } });
  });

  test('leaves nothing of its body in the clear, nor does the feed its secret', async () => {
    await using hooked = await hook(await open());
    const { rig, sign, deliver } = hooked;
    await deliver(sign());
    const tables = await dumpTables(rig.gateway.store);
    const hints = await rig.gateway.store.withTenant(rig.tenant.id, (tx) =>
      sql`SELECT hint FROM feed_webhook_invocations WHERE hint IS NOT NULL`.execute(tx),
    );
    expect(hints.rows).toHaveLength(1);
    // What is no secret is found, or the search is blind.
    expect(findWords(tables, ['ticket.subject_changed'])).not.toEqual([]);
    expect(findWords(tables, [CANARY, secretOf(rig)])).toEqual([]);
  });
});
