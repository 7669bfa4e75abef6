import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  appendAuditEvents,
  listStaleIntents,
  readAuditHead,
  readOperationStatus,
  STALE_INTENT_AGE_MS,
} from '../../src/audit/index.ts';
import { createId } from '../../src/base/index.ts';
import { describeOnBothDatabases, openTestStore, type TestStore } from '../support/store.ts';
import { append, createTenantLog, headKey, intent, outcomeOf, START, single } from './tenant-log.ts';

describeOnBothDatabases('An intent', (kind) => {
  let opened: TestStore;
  beforeAll(async () => {
    opened = await openTestStore(kind);
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  const status = (tenantId: string, intentId: string) =>
    opened.store.withTenant(tenantId, (tx) => readOperationStatus(tx, tenantId, intentId));
  const size = async (tenantId: string) =>
    (await opened.store.withTenant(tenantId, (tx) => readAuditHead(tx, { tenantId, headKey }))).size;
  const stale = async (now: number) =>
    opened.store.withSystem('intent-sweep', (tx) => listStaleIntents(tx, { now }));

  test.each([
    ['SUCCEEDED', 'APPLIED'],
    ['APPLIED', 'APPLIED'],
    ['FAILED', 'FAILED'],
    ['DENIED', 'FAILED'],
    ['UNKNOWN', 'UNKNOWN'],
  ] as const)('is PENDING until its outcome %s makes it %s', async (outcome, state) => {
    const tenantId = await createTenantLog(opened.store);
    const announced = intent();
    await append(opened.store, tenantId, announced);
    expect(await status(tenantId, announced.id)).toMatchObject({
      state: 'PENDING',
      intent: announced,
      outcome: null,
    });
    const closing = outcomeOf(announced.id, { outcome });
    await append(opened.store, tenantId, single(), closing);
    expect(await status(tenantId, announced.id)).toMatchObject({
      state,
      intent: announced,
      outcome: closing,
    });
  });

  test('is closed exactly once', async () => {
    const tenantId = await createTenantLog(opened.store);
    const announced = intent();
    await append(opened.store, tenantId, announced);
    await append(opened.store, tenantId, outcomeOf(announced.id));
    const again = append(opened.store, tenantId, single(), outcomeOf(announced.id, { outcome: 'UNKNOWN' }));
    await expect(again).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await size(tenantId)).toBe(2);
    expect(await status(tenantId, announced.id)).toMatchObject({ state: 'APPLIED' });
  });

  test('is closed by one of many who try at once, and twice in a group by nobody', async () => {
    const tenantId = await createTenantLog(opened.store);
    const announced = intent();
    await append(opened.store, tenantId, announced);
    const twice = append(opened.store, tenantId, outcomeOf(announced.id), outcomeOf(announced.id));
    await expect(twice).rejects.toMatchObject({ code: 'CONFLICT' });
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, () => append(opened.store, tenantId, outcomeOf(announced.id))),
    );
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    expect(await size(tenantId)).toBe(2);
  });

  test('writes nothing when refused, even where the transaction goes on', async () => {
    const tenantId = await createTenantLog(opened.store);
    const [announced, other] = [intent(), intent()];
    await append(opened.store, tenantId, announced, other);
    await opened.store.withTenant(tenantId, async (tx) => {
      const events = [outcomeOf(other.id), outcomeOf(createId('auditEvent'))];
      await expect(appendAuditEvents(tx, { tenantId, headKey, events })).rejects.toMatchObject({
        code: 'CONFLICT',
      });
    });
    expect(await size(tenantId)).toBe(2);
    expect(await status(tenantId, other.id)).toMatchObject({ state: 'PENDING' });
  });

  test('is unknown to another tenant, which cannot close it either', async () => {
    const [tenantId, other] = [await createTenantLog(opened.store), await createTenantLog(opened.store)];
    const announced = intent();
    await append(opened.store, tenantId, announced);
    expect(await status(other, announced.id)).toBeNull();
    await expect(append(opened.store, other, outcomeOf(announced.id))).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    expect(await status(tenantId, announced.id)).toMatchObject({ state: 'PENDING' });
  });

  test('is none without an INTENT event of its id', async () => {
    const tenantId = await createTenantLog(opened.store);
    const event = single();
    await append(opened.store, tenantId, event);
    expect(await status(tenantId, event.id)).toBeNull();
    expect(await status(tenantId, createId('auditEvent'))).toBeNull();
  });

  test('is stale when five minutes old and open, in whatever tenant, oldest first', async () => {
    const [one, two] = [await createTenantLog(opened.store), await createTenantLog(opened.store)];
    const from = START + 86_400_000;
    const opening = (milliseconds: number) =>
      intent({ occurredAt: new Date(from + milliseconds).toISOString() });
    const [older, newer, closed] = [opening(0), opening(1_000), opening(2_000)];
    await append(opened.store, two, newer, closed);
    await append(opened.store, one, older);
    await append(opened.store, two, outcomeOf(closed.id));
    const of = async (now: number) =>
      (await stale(now)).filter(({ tenantId }) => tenantId === one || tenantId === two);
    expect(await of(from + STALE_INTENT_AGE_MS)).toEqual([]);
    expect(await of(from + STALE_INTENT_AGE_MS + 1)).toEqual([
      { tenantId: one, intentId: older.id, openedAt: new Date(from) },
    ]);
    expect((await of(from + STALE_INTENT_AGE_MS + 9_000)).map(({ intentId }) => intentId)).toEqual([
      older.id,
      newer.id,
    ]);
    await append(opened.store, one, outcomeOf(older.id, { outcome: 'UNKNOWN' }));
    expect((await of(from + STALE_INTENT_AGE_MS + 9_000)).map(({ intentId }) => intentId)).toEqual([
      newer.id,
    ]);
  });
});
