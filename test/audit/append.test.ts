import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  appendAuditEvents,
  createAuditHead,
  encodeLeaf,
  MAX_AUDIT_GROUP,
  readAuditHead,
} from '../../src/audit/index.ts';
import { createId } from '../../src/base/index.ts';
import { describeOnBothDatabases, openTestStore, type TestStore } from '../support/store.ts';
import { naiveRoot } from './naive-tree.ts';
import { append, createTenantLog, headKey, single } from './tenant-log.ts';

describeOnBothDatabases('Appending to the audit log', (kind) => {
  let opened: TestStore;
  beforeAll(async () => {
    opened = await openTestStore(kind);
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  const readHead = (tenantId: string) =>
    opened.store.withTenant(tenantId, (tx) => readAuditHead(tx, { tenantId, headKey }));
  const readRows = (tenantId: string) =>
    opened.store.withTenant(tenantId, (tx) =>
      tx.selectFrom('audit_events').selectAll().orderBy('index').execute(),
    );

  test('stores the canonical bytes of each event, whose naive tree has the head as root at every size', async () => {
    const tenantId = await createTenantLog(opened.store);
    expect((await readHead(tenantId)).size).toBe(0);
    for (let size = 1; size <= 12; size += 1) {
      const [event] = await append(opened.store, tenantId, single());
      expect(event?.index).toBe(size - 1);
      const leaves = (await readRows(tenantId)).map((row) => row.leaf);
      const head = await readHead(tenantId);
      expect(head.size).toBe(size);
      expect(Buffer.from(head.root)).toEqual(Buffer.from(naiveRoot(leaves)));
      expect(event && Buffer.from(encodeLeaf(event))).toEqual(Buffer.from(leaves.at(-1) ?? []));
    }
  });

  test('takes a group as a whole, in its order', async () => {
    const tenantId = await createTenantLog(opened.store);
    const events = Array.from({ length: MAX_AUDIT_GROUP }, (_, at) => single({ durationMs: at }));
    const appended = await append(opened.store, tenantId, ...events);
    expect(appended.map((event) => event.index)).toEqual(events.map((_, at) => at));
    const rows = await readRows(tenantId);
    expect(rows.map((row) => row.id)).toEqual(events.map((event) => event.id));
    expect(Buffer.from((await readHead(tenantId)).root)).toEqual(
      Buffer.from(naiveRoot(rows.map((row) => row.leaf))),
    );
  });

  test('gives fifty appends at once gapless, unique indexes', async () => {
    const tenantId = await createTenantLog(opened.store);
    const groups = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        append(opened.store, tenantId, ...Array.from({ length: 1 + (at % 3) }, () => single())),
      ),
    );
    const indexes = groups.flat().map((event) => event.index);
    expect(indexes.toSorted((a, b) => a - b)).toEqual(indexes.map((_, at) => at));
    const rows = await readRows(tenantId);
    expect(rows.map((row) => row.index)).toEqual(indexes.map((_, at) => at));
    expect(Buffer.from((await readHead(tenantId)).root)).toEqual(
      Buffer.from(naiveRoot(rows.map((row) => row.leaf))),
    );
  });

  test('leaves no gap and no trace when the outer transaction rolls back', async () => {
    const tenantId = await createTenantLog(opened.store);
    await append(opened.store, tenantId, single());
    const before = await readHead(tenantId);
    const undone = opened.store.withTenant(tenantId, async (tx) => {
      await appendAuditEvents(tx, { tenantId, headKey, events: [single(), single()] });
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    expect(await readHead(tenantId)).toEqual(before);
    expect(await append(opened.store, tenantId, single())).toMatchObject([{ index: 1 }]);
  });

  test('extends its own earlier append in the same transaction', async () => {
    const tenantId = await createTenantLog(opened.store);
    await opened.store.withTenant(tenantId, async (tx) => {
      await appendAuditEvents(tx, { tenantId, headKey, events: [single()] });
      await appendAuditEvents(tx, { tenantId, headKey, events: [single()] });
    });
    expect((await readHead(tenantId)).size).toBe(2);
  });

  test('keeps the logs of two tenants apart', async () => {
    const [one, two] = [await createTenantLog(opened.store), await createTenantLog(opened.store)];
    await append(opened.store, one, single(), single());
    expect(await append(opened.store, two, single())).toMatchObject([{ index: 0, tenantId: two }]);
    const foreign = opened.store.withTenant(one, (tx) =>
      appendAuditEvents(tx, { tenantId: two, headKey, events: [single()] }),
    );
    await expect(foreign).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  });

  test('refuses a tenant without a head and never makes one', async () => {
    const tenantId = createId('tenant');
    await opened.store.withSystem('tenant-administration', (tx) =>
      tx.insertInto('tenants').values({ id: tenantId, kind: 'CUSTOMER', name: 'Headless' }).execute(),
    );
    await expect(append(opened.store, tenantId, single())).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
    });
    await expect(append(opened.store, tenantId, single())).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
    });
    await expect(readHead(tenantId)).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  });

  test('begins a log once only, and not as the tenant', async () => {
    const tenantId = await createTenantLog(opened.store);
    const again = opened.store.withSystem('tenant-administration', (tx) =>
      createAuditHead(tx, { tenantId, headKey }),
    );
    await expect(again).rejects.toMatchObject({ code: '23505' });
    const asTenant = opened.store.withTenant(tenantId, (tx) => createAuditHead(tx, { tenantId, headKey }));
    await expect(asTenant).rejects.toMatchObject({ code: '42501' });
  });

  test('refuses another head key and a short one', async () => {
    const tenantId = await createTenantLog(opened.store);
    const withKey = (key: Uint8Array) =>
      opened.store.withTenant(tenantId, (tx) =>
        appendAuditEvents(tx, { tenantId, headKey: key, events: [single()] }),
      );
    await expect(withKey(new Uint8Array(32).fill(8))).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    await expect(withKey(headKey.subarray(1))).rejects.toThrow(RangeError);
  });

  test('refuses no events and too many', async () => {
    const tenantId = await createTenantLog(opened.store);
    await expect(append(opened.store, tenantId)).rejects.toThrow(RangeError);
    const tooMany = Array.from({ length: MAX_AUDIT_GROUP + 1 }, () => single());
    await expect(append(opened.store, tenantId, ...tooMany)).rejects.toThrow(RangeError);
  });

  describe('after tampering by the owner of the database', () => {
    const asOwner = (tenantId: string, ...statements: readonly string[]) =>
      opened.store.withSystem('tenant-administration', async (tx) => {
        for (const statement of statements) {
          await sql.raw(statement.replaceAll('$tenant', `'${tenantId}'`)).execute(tx);
        }
      });
    const without = (trigger: string, statement: string): string[] => [
      `ALTER TABLE audit_events DISABLE TRIGGER ${trigger}`,
      statement,
      `ALTER TABLE audit_events ENABLE TRIGGER ${trigger}`,
    ];
    const NEWEST =
      'DELETE FROM audit_events WHERE tenant_id = $tenant AND index = (SELECT max(index) FROM audit_events WHERE tenant_id = $tenant)';

    test.each([
      ['the size', ['UPDATE audit_heads SET size = size - 1 WHERE tenant_id = $tenant']],
      [
        'the frontier',
        [
          `UPDATE audit_heads SET frontier = set_byte(frontier, 5, get_byte(frontier, 5) # 1) WHERE tenant_id = $tenant`,
        ],
      ],
      [
        'the root',
        [`UPDATE audit_heads SET root = set_byte(root, 0, get_byte(root, 0) # 1) WHERE tenant_id = $tenant`],
      ],
      [
        'the MAC',
        [`UPDATE audit_heads SET mac = set_byte(mac, 31, get_byte(mac, 31) # 1) WHERE tenant_id = $tenant`],
      ],
      [
        'the head to an empty one',
        [`UPDATE audit_heads SET size = 0, frontier = '' WHERE tenant_id = $tenant`],
      ],
      ['the newest row away', without('audit_events_append_only', NEWEST)],
      [
        'a row to the end',
        [
          `INSERT INTO audit_events (tenant_id, index, id, leaf, leaf_hash, occurred_at, actor_id, phase, action)
        SELECT tenant_id, 99, 'forged', leaf, leaf_hash, occurred_at, actor_id, phase, action
        FROM audit_events WHERE tenant_id = $tenant AND index = 0`,
        ],
      ],
    ])('with %s, nothing more is appended', async (_, statements) => {
      const tenantId = await createTenantLog(opened.store);
      await append(opened.store, tenantId, single(), single(), single());
      await asOwner(tenantId, ...statements);
      const rows = (await readRows(tenantId)).length;
      await expect(append(opened.store, tenantId, single())).rejects.toMatchObject({
        code: 'AUDIT_UNAVAILABLE',
      });
      await expect(readHead(tenantId)).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
      expect(await readRows(tenantId)).toHaveLength(rows);
    });

    test('by swapping the heads of two tenants, neither log is extended', async () => {
      const [one, two] = [await createTenantLog(opened.store), await createTenantLog(opened.store)];
      await append(opened.store, one, single());
      await append(opened.store, two, single());
      await asOwner(
        one,
        `UPDATE audit_heads h SET frontier = o.frontier, root = o.root, mac = o.mac
         FROM audit_heads o WHERE h.tenant_id = $tenant AND o.tenant_id = '${two}'`,
      );
      await expect(append(opened.store, one, single())).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    });
  });

  test('leaves rows that nobody changes or removes, neither the owner nor the tenant', async () => {
    const tenantId = await createTenantLog(opened.store);
    await append(opened.store, tenantId, single());
    for (const statement of [
      `UPDATE audit_events SET action = 'forged'`,
      'DELETE FROM audit_events',
      'TRUNCATE audit_events',
      'DELETE FROM audit_heads',
      'TRUNCATE audit_heads',
    ]) {
      const asOwner = opened.store.withSystem('tenant-administration', (tx) =>
        sql.raw(statement).execute(tx),
      );
      await expect(asOwner, statement).rejects.toThrow('append-only');
      const asTenant = opened.store.withTenant(tenantId, (tx) => sql.raw(statement).execute(tx));
      await expect(asTenant, statement).rejects.toMatchObject({ code: '42501' });
    }
    expect(await readRows(tenantId)).toHaveLength(1);
  });
});
