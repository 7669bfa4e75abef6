/** What the doctor says of client keys, from what is in a database. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { countClientKeys, mapClientKey } from '../../src/access/index.ts';
import { clientKeyFindings } from '../../src/cli/doctor/client-key-findings.ts';
import { createConfirmedKey, createTenant, NOW, recorded } from '../access/tenant.ts';
import { describeOnBothDatabases, openTestStore, type TestStore } from '../support/store.ts';

const DAY = 86_400_000;

describeOnBothDatabases('the doctor’s look at client keys', (kind) => {
  let opened: TestStore;
  beforeAll(async () => {
    opened = await openTestStore(kind);
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  it('names how many end soon and how many nobody uses, of all tenants', async () => {
    const look = async (now: number) =>
      clientKeyFindings(await opened.store.withSystem('client-key-count', (tx) => countClientKeys(tx, now)));
    expect(await look(NOW)).toEqual([
      { verdict: 'ok', text: 'Client keys: 0 active, none ends within 30 days' },
    ]);
    for (const days of [10, 40, null]) {
      const tenantId = await createTenant(opened.store);
      const id = await createConfirmedKey(opened.store, tenantId);
      const expiresAt = days === null ? null : new Date(NOW + days * DAY);
      await opened.store.withTenant(tenantId, (tx) =>
        mapClientKey(tx, { ...recorded(tenantId, id), expiresAt }),
      );
      // One that waits counts as none of these.
      await createConfirmedKey(opened.store, tenantId);
    }
    expect((await look(NOW + 1)).map(({ verdict, text }) => [verdict, text.split('.')[0]])).toEqual([
      ['note', 'Client keys: 1 of 3 active ends within 30 days'],
    ]);
    expect((await look(NOW + 91 * DAY)).map(({ text }) => text.split('.')[0])).toEqual([
      'Client keys: nothing was sealed to 1 of 1 active for 90 days',
    ]);
  });
});
