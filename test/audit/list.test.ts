import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AuditPage, getAuditEvent, listAuditEvents, MAX_AUDIT_PAGE } from '../../src/audit/index.ts';
import { createId } from '../../src/base/index.ts';
import { describeOnBothDatabases, openTestStore, type TestStore } from '../support/store.ts';
import { append, createTenantLog, intent, outcomeOf, START, single } from './tenant-log.ts';

describeOnBothDatabases('Reading the audit log', (kind) => {
  let opened: TestStore;
  beforeAll(async () => {
    opened = await openTestStore(kind);
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  const list = (tenantId: string, page: AuditPage) =>
    opened.store.withTenant(tenantId, (tx) => listAuditEvents(tx, tenantId, page));
  const indexes = async (tenantId: string, page: AuditPage) =>
    (await list(tenantId, page)).map((event) => event.index);

  test('goes by pages in both directions and returns what was appended', async () => {
    const tenantId = await createTenantLog(opened.store);
    const events = await append(opened.store, tenantId, ...Array.from({ length: 7 }, () => single()));
    expect(await list(tenantId, { limit: 100 })).toEqual(events);
    expect(await indexes(tenantId, { limit: 3 })).toEqual([0, 1, 2]);
    expect(await indexes(tenantId, { limit: 3, after: 2 })).toEqual([3, 4, 5]);
    expect(await indexes(tenantId, { limit: 3, after: 5 })).toEqual([6]);
    expect(await indexes(tenantId, { limit: 3, after: 6 })).toEqual([]);
    expect(await indexes(tenantId, { limit: 3, backwards: true })).toEqual([6, 5, 4]);
    expect(await indexes(tenantId, { limit: 3, backwards: true, before: 4 })).toEqual([3, 2, 1]);
    expect(await indexes(tenantId, { limit: 9, after: 1, before: 4, backwards: true })).toEqual([3, 2]);
    expect(await indexes(tenantId, { limit: 9, after: null, before: null })).toHaveLength(7);
    for (const limit of [0, MAX_AUDIT_PAGE + 2, 0.5, Number.NaN]) {
      await expect(list(tenantId, { limit })).rejects.toThrow(RangeError);
    }
  });

  test('is narrowed by time, actor, operation, outcome, action, integration, phase, resource, request, denial and recipient, alone and together', async () => {
    const tenantId = await createTenantLog(opened.store);
    const integrationId = createId('integration');
    const actor = { type: 'CLIENT_KEY', id: createId('clientKey') } as const;
    const at = (milliseconds: number) => new Date(START + milliseconds);
    const announced = intent({ occurredAt: at(40).toISOString() });
    await append(
      opened.store,
      tenantId,
      single({ occurredAt: at(0).toISOString(), actor }),
      single({ occurredAt: at(10).toISOString(), operation: 'search', integrationId }),
      single({
        occurredAt: at(20).toISOString(),
        outcome: 'DENIED',
        denialReason: 'FORBIDDEN',
        operation: 'search',
      }),
      single({ occurredAt: at(30).toISOString(), action: 'clientKey.map' }),
      announced,
    );
    await append(
      opened.store,
      tenantId,
      outcomeOf(announced.id, { occurredAt: at(50).toISOString(), actor }),
    );
    for (const [filter, expected] of [
      [{}, [0, 1, 2, 3, 4, 5]],
      [{ from: at(10) }, [1, 2, 3, 4, 5]],
      [{ to: at(10) }, [0]],
      [{ from: at(10), to: at(30) }, [1, 2]],
      [{ actorId: actor.id }, [0, 5]],
      [{ operation: 'search' }, [1, 2]],
      [{ operation: 'search', integrationId }, [1]],
      [{ integrationId }, [1]],
      [{ outcome: 'DENIED' }, [2]],
      [{ outcome: 'SUCCEEDED', phase: 'OUTCOME' }, [5]],
      [{ action: 'clientKey.map' }, [3]],
      [{ phase: 'INTENT' }, [4]],
      [{ actorId: createId('apiKey') }, []],
      [{ action: undefined, phase: 'INTENT' }, [4]],
    ] as const) {
      expect(await indexes(tenantId, { filter, limit: 100 }), JSON.stringify(filter)).toEqual(expected);
    }
    const looked = await createTenantLog(opened.store);
    const keyId = createId('clientKey');
    const [ticket, requestId] = [`${integrationId}:ticket:5`, 'request-1'];
    await append(
      opened.store,
      looked,
      single({ resource: ticket, requestId }),
      single({ resource: 'ticket:51', requestId: 'request-12', actor }),
      single({ outcome: 'DENIED', denialReason: 'NOT_FOUND', requestId }),
      single({ envelopes: [{ keyId, sha256: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU' }] }),
      single({ resource: `query:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU` }),
    );
    for (const [filter, expected] of [
      [{ resource: ticket }, [0]],
      [{ resource: 'ticket:5' }, []],
      [{ resource: 'query:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU' }, [4]],
      [{ requestId }, [0, 2]],
      [{ requestId, denialReason: 'NOT_FOUND' }, [2]],
      [{ denialReason: 'FORBIDDEN' }, []],
      [{ keyId }, [3]],
      [{ keyId: createId('clientKey') }, []],
      [{ actorType: 'CLIENT_KEY' }, [1]],
      [{ actorType: 'COMMAND_LINE' }, []],
    ] as const) {
      expect(await indexes(looked, { filter, limit: 100 }), JSON.stringify(filter)).toEqual(expected);
      expect(await indexes(looked, { filter, limit: 100, backwards: true })).toEqual(expected.toReversed());
    }
    expect(await indexes(tenantId, { filter: { operation: 'search' }, backwards: true, limit: 1 })).toEqual([
      2,
    ]);
  });

  test('finds one event by its id, and never another tenant’s', async () => {
    const [tenantId, other] = [await createTenantLog(opened.store), await createTenantLog(opened.store)];
    const [event] = await append(opened.store, tenantId, single());
    const get = (as: string, of: string) =>
      opened.store.withTenant(as, (tx) => getAuditEvent(tx, of, event?.id ?? ''));
    expect(await get(tenantId, tenantId)).toEqual(event);
    expect(await get(other, tenantId)).toBeNull();
    expect(await get(other, other)).toBeNull();
    expect(await list(other, { limit: 100 })).toEqual([]);
  });

  test.each([
    ['leaf', `leaf = set_byte(leaf, 20, get_byte(leaf, 20) # 1)`],
    ['leaf hash', `leaf_hash = set_byte(leaf_hash, 0, get_byte(leaf_hash, 0) # 1)`],
    ['leaf and its hash', `leaf = '\\x7b7d', leaf_hash = sha256('\\x007b7d')`],
    ['time', `occurred_at = occurred_at + interval '1 ms'`],
    ['actor', `actor_id = 'someone'`],
    ['action', `action = 'other'`],
    ['outcome', `outcome = 'FAILED'`],
    ['operation', `operation = 'search'`],
    ['index', 'index = 9'],
  ])('refuses an event whose %s was changed behind its back', async (_, change) => {
    const tenantId = await createTenantLog(opened.store);
    await append(opened.store, tenantId, single());
    await opened.store.withSystem('tenant-administration', async (tx) => {
      await sql`ALTER TABLE audit_events DISABLE TRIGGER audit_events_append_only`.execute(tx);
      await sql.raw(`UPDATE audit_events SET ${change} WHERE tenant_id = '${tenantId}'`).execute(tx);
      await sql`ALTER TABLE audit_events ENABLE TRIGGER audit_events_append_only`.execute(tx);
    });
    await expect(list(tenantId, { limit: 1 })).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  });
});
