import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseEventRow } from '../../src/audit/event-row.ts';
import {
  type AuditEvent,
  type AuditRecord,
  encodeLeaf,
  forgetAuditHead,
  MAX_AUDIT_GROUP,
  type NewAuditEvent,
  readAuditHead,
  recordAuditEvents,
} from '../../src/audit/index.ts';
import { createId, encodeHex, SealdeskError } from '../../src/base/index.ts';
import { openStore, type Store, type Tx } from '../../src/store/index.ts';
import {
  describeOnBothDatabases,
  describeOnPostgres,
  openTestStore,
  type TestStore,
} from '../support/store.ts';
import { naiveNodes, naiveRoot } from './naive-tree.ts';
import { append, createTenantLog, headKey, intent, outcomeOf, single } from './tenant-log.ts';

/** Records with the log's own key. */
const record = (
  store: Store,
  tenantId: string,
  events: readonly NewAuditEvent[],
  condition?: AuditRecord['condition'],
): Promise<readonly AuditEvent[]> => recordAuditEvents(store, { tenantId, headKey, events, condition });

/** What the log holds, once it has been shown to be whole: gapless, and with the nodes and root of a naive tree. */
async function readWholeLog(store: Store, tenantId: string): Promise<readonly string[]> {
  return store.withTenant(tenantId, async (tx) => {
    const rows = await tx.selectFrom('audit_events').selectAll().orderBy('index').execute();
    expect(rows.map(({ index }) => index)).toEqual(rows.map((_, place) => place));
    const leaves = rows.map(({ leaf }) => leaf);
    const nodes = await tx.selectFrom('audit_nodes').selectAll().orderBy('level').orderBy('index').execute();
    const textOf = (node: { readonly level: number; readonly index: number; readonly hash: Uint8Array }) =>
      `${node.level}/${node.index} ${encodeHex(node.hash)}`;
    expect(nodes.map(textOf)).toEqual(naiveNodes(leaves).map(textOf));
    const head = await readAuditHead(tx, { tenantId, headKey });
    expect([head.size, encodeHex(head.root)]).toEqual([leaves.length, encodeHex(naiveRoot(leaves))]);
    return rows.map(({ id }) => id);
  });
}

/** `store`, counting what is asked of it. */
function counting(store: Store) {
  const counts = { transactions: 0, statements: 0 };
  const counted: Store = {
    kind: store.kind,
    applied: store.applied,
    withTenant(tenantId, work) {
      counts.transactions += 1;
      return store.withTenant(tenantId, work);
    },
    runAtOnce(tenantId, steps) {
      counts.statements += 1;
      return store.runAtOnce(tenantId, steps);
    },
    withSystem: (purpose, work) => store.withSystem(purpose, work),
    executeForJobs: (text, values) => store.executeForJobs(text, values),
    listen: (onNotification) => store.listen(onNotification),
    async [Symbol.asyncDispose]() {},
  };
  return { counts, store: counted };
}

/** `store`, whose statements alone go one after the other, each when `beforeEach` has resolved for its number. */
function hesitating(store: Store, beforeEach: (number: number) => Promise<unknown>) {
  const counts = { sent: 0, underWay: 0, mostUnderWay: 0 };
  let last: Promise<unknown> = Promise.resolve();
  const hesitant: Store = {
    ...counting(store).store,
    async runAtOnce(tenantId, steps) {
      counts.sent += 1;
      counts.underWay += 1;
      counts.mostUnderWay = Math.max(counts.mostUnderWay, counts.underWay);
      const number = counts.sent;
      const answer = last.then(() => beforeEach(number)).then(() => store.runAtOnce<never>(tenantId, steps));
      last = answer.catch(() => undefined);
      try {
        return await answer;
      } finally {
        counts.underWay -= 1;
      }
    },
  };
  return { counts, store: hesitant };
}

const refusing = (refusal: Error) => async () => {
  throw refusal;
};
const idsOf = (groups: readonly (readonly NewAuditEvent[])[]) => groups.flat().map(({ id }) => id);
const codeOf = ({ reason }: PromiseRejectedResult) => (reason as SealdeskError).code;

describeOnBothDatabases('Recording in the audit log', (kind) => {
  let opened: TestStore;
  beforeAll(async () => {
    opened = await openTestStore(kind);
  });
  afterAll(() => opened[Symbol.asyncDispose]());
  const asOwner = (...statements: readonly string[]) =>
    opened.store.withSystem('tenant-administration', async (tx) => {
      for (const statement of statements) await sql.raw(statement).execute(tx);
    });

  test('writes the events of many callers at once in the order of their calls, each once, in few transactions', async () => {
    const tenantId = await createTenantLog(opened.store);
    const { store, counts } = counting(opened.store);
    const groups = Array.from({ length: 300 }, (_, at) =>
      Array.from({ length: 1 + (at % 3) }, () => single()),
    );
    const told = await Promise.all(groups.map((events) => record(store, tenantId, events)));
    expect(await readWholeLog(opened.store, tenantId)).toEqual(idsOf(groups));
    expect(told.flat().map(({ id, index }) => `${index} ${id}`)).toEqual(
      idsOf(groups).map((id, index) => `${index} ${id}`),
    );
    // The first call went alone, the others together, as many as fit.
    expect(counts.transactions).toBe(1);
    expect(counts.statements).toBeLessThan(10);
  });

  test('takes one round trip and no transaction of several for a caller alone, once the head is known', async () => {
    const tenantId = await createTenantLog(opened.store);
    const { store, counts } = counting(opened.store);
    for (let calls = 0; calls < 5; calls += 1) await record(store, tenantId, [single()]);
    expect(counts).toEqual({ transactions: 1, statements: 4 });
    await readWholeLog(opened.store, tenantId);
  });

  test('opens and closes intents in one round trip too, alone and among others, and tells who is late', async () => {
    const tenantId = await createTenantLog(opened.store);
    const { store, counts } = counting(opened.store);
    const openIntents = async () => {
      const rows = await opened.store.withTenant(tenantId, (tx) =>
        tx.selectFrom('open_intents').select('intent_id').execute(),
      );
      return rows.map((row) => row.intent_id).toSorted();
    };
    const [first, second, third] = [intent(), intent(), intent()];
    await record(store, tenantId, [single()]);
    await record(store, tenantId, [first]);
    await record(store, tenantId, [second, single(), third]);
    expect(await openIntents()).toEqual(idsOf([[first, second, third]]).toSorted());
    await record(store, tenantId, [outcomeOf(second.id)]);
    await record(store, tenantId, [single(), outcomeOf(first.id), single()]);
    expect(await openIntents()).toEqual([third.id]);
    expect(counts).toEqual({ transactions: 1, statements: 4 });
    const late = record(store, tenantId, [outcomeOf(third.id), outcomeOf(second.id)]);
    await expect(late).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await openIntents()).toEqual([third.id]);
    await record(store, tenantId, [outcomeOf(third.id)]);
    expect(await openIntents()).toEqual([]);
    expect(await readWholeLog(opened.store, tenantId)).toHaveLength(10);
  });

  test('stores the canonical bytes of each event, whatever members it has', async () => {
    const tenantId = await createTenantLog(opened.store);
    const member = fc.record(
      {
        durationMs: fc.nat({ max: 86_400_000 }),
        count: fc.integer({ min: 1 }),
        ip: fc.ipV4(),
        requestId: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
        operation: fc.constant('search'),
        denialReason: fc.stringMatching(/^[A-Z][A-Z0-9_]{0,63}$/),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(member, { minLength: 1, maxLength: 12 }), async (all) => {
        const events = await record(opened.store, tenantId, all.map(single));
        const stored = await opened.store.withTenant(tenantId, (tx) =>
          tx
            .selectFrom('audit_events')
            .select('leaf')
            .where('index', '>=', events[0]?.index ?? 0)
            .orderBy('index')
            .execute(),
        );
        expect(stored.map(({ leaf }) => encodeHex(leaf))).toEqual(
          events.map((event) => encodeHex(encodeLeaf(event))),
        );
      }),
      { numRuns: 20 },
    );
    await readWholeLog(opened.store, tenantId);
  });

  test('writes the event that it was given, whatever becomes of the object meanwhile', async () => {
    const tenantId = await createTenantLog(opened.store);
    const given = single();
    const { id, action, actor } = structuredClone(given);
    const recording = record(opened.store, tenantId, [given]);
    Object.assign(given, { action: 'printer on fire', id: createId('auditEvent') });
    Object.assign(given.actor, { id: createId('apiKey') });
    expect(await recording).toMatchObject([{ id, action, actor }]);
    const rows = await opened.store.withTenant(tenantId, (tx) =>
      tx.selectFrom('audit_events').selectAll().execute(),
    );
    expect(rows.map((row) => parseEventRow(row))).toMatchObject([{ id, action, actor }]);
  });

  test('asks the conditions of all who go together, and keeps out only those whose own does not hold', async () => {
    const tenantId = await createTenantLog(opened.store);
    const refusals = Array.from({ length: 40 }, (_, at) =>
      at % 3 === 0 ? new SealdeskError('KEY_REVOKED', `refused ${at}`) : null,
    );
    const events = refusals.map(() => [single()]);
    const told = await Promise.allSettled(
      refusals.map((refusal, at) =>
        record(opened.store, tenantId, events[at] ?? [], async (tx) => {
          await sql`SELECT 1`.execute(tx);
          if (refusal !== null) throw refusal;
        }),
      ),
    );
    expect(told.map((one) => (one.status === 'rejected' ? one.reason : null))).toEqual(refusals);
    const written = events.filter((_, at) => refusals[at] === null);
    expect(await readWholeLog(opened.store, tenantId)).toEqual(idsOf(written));
  });

  test('serves those who went together with a condition that broke the transaction one by one', async () => {
    const tenantId = await createTenantLog(opened.store);
    const breaking = async (tx: Tx) => {
      await sql`SELECT nonsense`.execute(tx);
    };
    const conditions = [undefined, async () => {}, breaking, async () => {}, undefined];
    const events = conditions.map(() => [single()]);
    const told = await Promise.allSettled(
      conditions.map((condition, at) => record(opened.store, tenantId, events[at] ?? [], condition)),
    );
    expect(told.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(told[2]).toMatchObject({ reason: { code: '42703' } });
    // Those with conditions are then served beside the queue.
    const written = idsOf(events.filter((_, at) => at !== 2));
    expect((await readWholeLog(opened.store, tenantId)).toSorted()).toEqual(written.toSorted());
  });

  test('keeps out only the events of the caller that the database refuses', async () => {
    const tenantId = await createTenantLog(opened.store);
    const [known] = await record(opened.store, tenantId, [single()]);
    const events = [[single()], [single({ id: known?.id ?? '' }), single()], [single()], [single()]];
    const told = await Promise.allSettled(events.map((own) => record(opened.store, tenantId, own)));
    expect(told.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(await readWholeLog(opened.store, tenantId)).toEqual([
      known?.id,
      ...idsOf(events.filter((_, at) => at !== 1)),
    ]);
  });

  test('sends one whole group behind the one under way, and no third', async () => {
    const tenantId = await createTenantLog(opened.store);
    const { store, counts } = hesitating(opened.store, async () => undefined);
    await record(store, tenantId, [single()]);
    const few = Array.from({ length: 128 }, () => [single()]);
    await Promise.all(few.map((events) => record(store, tenantId, events)));
    expect(counts).toEqual({ sent: 2, underWay: 0, mostUnderWay: 1 });
    const many = Array.from({ length: 600 }, () => [single()]);
    await Promise.all(many.map((events) => record(store, tenantId, events)));
    expect(counts).toEqual({ sent: 7, underWay: 0, mostUnderWay: 2 });
    expect((await readWholeLog(opened.store, tenantId)).slice(1)).toEqual(idsOf([...few, ...many]));
  });

  test.each([
    1, 2, 3,
  ])('keeps the order of the calls where the head moves before statement %i', async (moved) => {
    const tenantId = await createTenantLog(opened.store);
    const other = single();
    const { store, counts } = hesitating(opened.store, async (number) => {
      if (number === moved) await append(opened.store, tenantId, other);
    });
    await record(store, tenantId, [single()]);
    const groups = Array.from({ length: 400 }, () => [single()]);
    const told = await Promise.all(groups.map((events) => record(store, tenantId, events)));
    expect(counts.mostUnderWay).toBe(2);
    const ids = (await readWholeLog(opened.store, tenantId)).slice(1);
    expect(ids).toContain(other.id);
    expect(ids.filter((id) => id !== other.id)).toEqual(idsOf(groups));
    expect(told.flat().map(({ index }) => ids[index - 1])).toEqual(idsOf(groups));
    const sent = counts.sent;
    await record(store, tenantId, [single()]);
    expect(counts.sent).toBe(sent + 1);
  });

  test.each([
    1, 100, 200,
  ])('keeps out call %i alone where it is refused with a group under way', async (bad) => {
    const tenantId = await createTenantLog(opened.store);
    const [known] = await record(opened.store, tenantId, [single()]);
    const groups = Array.from({ length: 400 }, (_, at) => [
      single(at === bad ? { id: known?.id ?? '' } : {}),
    ]);
    const told = await Promise.allSettled(groups.map((events) => record(opened.store, tenantId, events)));
    expect(told.flatMap(({ status }, at) => (status === 'rejected' ? [at] : []))).toEqual([bad]);
    const expected = idsOf(groups.filter((_, at) => at !== bad));
    expect((await readWholeLog(opened.store, tenantId)).slice(1)).toEqual(expected);
  });

  test('closes an intent once, whoever comes with whom', async () => {
    const tenantId = await createTenantLog(opened.store);
    const intents = Array.from({ length: 4 }, () => intent());
    await record(opened.store, tenantId, intents);
    const outcomes = [...intents, ...intents, intent()].map(({ id }) => outcomeOf(id));
    const others = outcomes.map(() => single());
    const told = await Promise.allSettled(
      outcomes.flatMap((outcome, at) => [
        record(opened.store, tenantId, [outcome]),
        record(opened.store, tenantId, [others[at] ?? single()]),
      ]),
    );
    const rejected = told.filter((one) => one.status === 'rejected');
    expect(rejected.map(codeOf)).toEqual(Array.from({ length: 5 }, () => 'CONFLICT'));
    const ids = await readWholeLog(opened.store, tenantId);
    expect(ids.toSorted()).toEqual(idsOf([intents, outcomes.slice(0, 4), others]).toSorted());
    const twice = record(opened.store, tenantId, [
      outcomeOf(intents[0]?.id ?? ''),
      outcomeOf(intents[0]?.id ?? ''),
    ]);
    await expect(twice).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  test('goes on after others have appended in transactions of their own', async () => {
    const tenantId = await createTenantLog(opened.store);
    const events = Array.from({ length: 60 }, () => [single()]);
    await Promise.all(
      events.map((own, at) =>
        at % 4 === 0 ? append(opened.store, tenantId, ...own) : record(opened.store, tenantId, own),
      ),
    );
    await append(opened.store, tenantId, single());
    const [last] = await record(opened.store, tenantId, [single()]);
    expect(last?.index).toBe(61);
    const ids = await readWholeLog(opened.store, tenantId);
    expect(ids.slice(0, 60).toSorted()).toEqual(idsOf(events).toSorted());
  });

  test('refuses a wrong key without harm to who comes with the right one', async () => {
    const tenantId = await createTenantLog(opened.store);
    const wrong = (key: Uint8Array) =>
      recordAuditEvents(opened.store, { tenantId, headKey: key, events: [single()] });
    const events = [[single()], [single()], [single()]];
    const [first, broken, second, short, third] = await Promise.allSettled([
      record(opened.store, tenantId, events[0] ?? []),
      wrong(new Uint8Array(32).fill(8)),
      record(opened.store, tenantId, events[1] ?? []),
      wrong(headKey.subarray(1)),
      record(opened.store, tenantId, events[2] ?? []),
    ]);
    expect([first, second, third].map(({ status }) => status)).not.toContain('rejected');
    expect(broken).toMatchObject({ reason: { code: 'AUDIT_UNAVAILABLE' } });
    expect(short).toMatchObject({ reason: expect.any(RangeError) });
    expect(await readWholeLog(opened.store, tenantId)).toEqual(idsOf(events));
  });

  test('refuses no events, too many, those of no schema, and use within a transaction', async () => {
    const tenantId = await createTenantLog(opened.store);
    await expect(record(opened.store, tenantId, [])).rejects.toThrow(RangeError);
    const many = Array.from({ length: MAX_AUDIT_GROUP + 1 }, () => single());
    await expect(record(opened.store, tenantId, many)).rejects.toThrow(RangeError);
    const wrong = record(opened.store, tenantId, [single({ action: 'has space' })]);
    await expect(wrong).rejects.toThrow(TypeError);
    const within = opened.store.withTenant(tenantId, () => record(opened.store, tenantId, [single()]));
    await expect(within).rejects.toThrow(TypeError);
    expect(await readWholeLog(opened.store, tenantId)).toEqual([]);
  });

  test('refuses what comes when too much waits, and takes on again', async () => {
    const tenantId = await createTenantLog(opened.store);
    const refusal = new SealdeskError('KEY_REVOKED', 'refused');
    const events = Array.from({ length: MAX_AUDIT_GROUP }, () => single());
    const told = await Promise.allSettled(
      Array.from({ length: 70 }, () => record(opened.store, tenantId, events, refusing(refusal))),
    );
    const codes = told.filter((one) => one.status === 'rejected').map(codeOf);
    // The first is being written while 64 wait.
    expect(codes.filter((code) => code === 'KEY_REVOKED')).toHaveLength(65);
    expect(codes.filter((code) => code === 'AUDIT_UNAVAILABLE')).toHaveLength(5);
    expect(await record(opened.store, tenantId, [single()])).toMatchObject([{ index: 0 }]);
  });

  describe('after tampering by the owner of the database', () => {
    test.each([
      'frontier',
      'root',
      'mac',
    ])('with the %s of the head, tells every caller, writes nothing, and goes on once it is mended', async (column) => {
      const tenantId = await createTenantLog(opened.store);
      await record(opened.store, tenantId, [single(), single()]);
      await record(opened.store, tenantId, [single()]);
      const flip = `UPDATE audit_heads SET ${column} = set_byte(${column}, 3, get_byte(${column}, 3) # 1)
        WHERE tenant_id = '${tenantId}'`;
      await asOwner(flip);
      const told = await Promise.allSettled(
        Array.from({ length: 5 }, () => record(opened.store, tenantId, [single()])),
      );
      expect(told.filter((one) => one.status === 'rejected').map(codeOf)).toEqual(
        Array.from({ length: 5 }, () => 'AUDIT_UNAVAILABLE'),
      );
      await asOwner(flip);
      expect(await record(opened.store, tenantId, [single()])).toMatchObject([{ index: 3 }]);
      await readWholeLog(opened.store, tenantId);
    });

    test('with the newest row, writes nothing', async () => {
      const tenantId = await createTenantLog(opened.store);
      await record(opened.store, tenantId, [single(), single()]);
      await asOwner(
        'ALTER TABLE audit_events DISABLE TRIGGER audit_events_append_only',
        `DELETE FROM audit_events WHERE tenant_id = '${tenantId}' AND index = 1`,
        'ALTER TABLE audit_events ENABLE TRIGGER audit_events_append_only',
      );
      await expect(record(opened.store, tenantId, [single()])).rejects.toMatchObject({
        code: 'AUDIT_UNAVAILABLE',
      });
    });

    test('by setting the whole log back, does not extend it until the process is told to take it', async () => {
      const tenantId = await createTenantLog(opened.store);
      await record(opened.store, tenantId, [single(), single()]);
      await asOwner(`CREATE TABLE backup AS SELECT * FROM audit_heads WHERE tenant_id = '${tenantId}'`);
      await record(opened.store, tenantId, [single()]);
      await asOwner(
        'ALTER TABLE audit_events DISABLE TRIGGER audit_events_append_only',
        'ALTER TABLE audit_nodes DISABLE TRIGGER audit_nodes_append_only',
        `DELETE FROM audit_events WHERE tenant_id = '${tenantId}' AND index = 2`,
        `UPDATE audit_heads h SET size = b.size, frontier = b.frontier, root = b.root, mac = b.mac
          FROM backup b WHERE b.tenant_id = h.tenant_id`,
        'DROP TABLE backup',
        'ALTER TABLE audit_events ENABLE TRIGGER audit_events_append_only',
        'ALTER TABLE audit_nodes ENABLE TRIGGER audit_nodes_append_only',
      );
      for (let tries = 0; tries < 2; tries += 1) {
        await expect(record(opened.store, tenantId, [single()])).rejects.toMatchObject({
          code: 'AUDIT_UNAVAILABLE',
          message: expect.stringContaining('set back'),
        });
      }
      forgetAuditHead(opened.store, tenantId);
      expect(await record(opened.store, tenantId, [single()])).toMatchObject([{ index: 2 }]);
      await readWholeLog(opened.store, tenantId);
    });
  });
});

describeOnPostgres('Recording from two processes in one audit log', () => {
  let opened: TestStore;
  let other: Store;
  beforeAll(async () => {
    opened = await openTestStore('postgres');
    other = await openStore({
      location: { kind: 'postgres', connectionString: opened.connectionString ?? '' },
    });
  });
  afterAll(async () => {
    await other[Symbol.asyncDispose]();
    await opened[Symbol.asyncDispose]();
  });

  test('loses and repeats nothing, however many callers of both go at once', async () => {
    const tenantId = await createTenantLog(opened.store);
    const stores = [opened.store, other];
    const rounds = Array.from({ length: 150 }, (_, at) => at);
    const written: NewAuditEvent[][] = [];
    await Promise.all(
      stores.map((store, process) =>
        Promise.all(
          rounds.map(async (at) => {
            for (let again = 0; again < 3; again += 1) {
              const events = Array.from({ length: 1 + (at % 4) }, () => single());
              const told =
                (at + process) % 7 === 0
                  ? await append(store, tenantId, ...events)
                  : await record(store, tenantId, events);
              expect(told.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
              expect(told.map(({ index }) => index)).toEqual(
                told.map((_, place) => (told[0]?.index ?? 0) + place),
              );
              written.push(events);
            }
          }),
        ),
      ),
    );
    const ids = await readWholeLog(opened.store, tenantId);
    expect(ids.toSorted()).toEqual(idsOf(written).toSorted());
  });

  test('gives every intent one outcome, whichever process is first', async () => {
    const tenantId = await createTenantLog(opened.store);
    const intents = Array.from({ length: 60 }, () => intent());
    await record(opened.store, tenantId, intents);
    const told = await Promise.all(
      intents.flatMap(({ id }) =>
        [opened.store, other].map((store) =>
          record(store, tenantId, [single(), outcomeOf(id)]).then(
            () => id,
            (error: SealdeskError) => error.code,
          ),
        ),
      ),
    );
    expect(told.filter((one) => one !== 'CONFLICT').toSorted()).toEqual(
      intents.map(({ id }) => id).toSorted(),
    );
    expect(await readWholeLog(opened.store, tenantId)).toHaveLength(180);
    const open = await opened.store.withTenant(tenantId, (tx) =>
      tx.selectFrom('open_intents').selectAll().execute(),
    );
    expect(open).toEqual([]);
  });

  test('keeps the log whole for any mixture of callers, processes and conditions', async () => {
    const call = fc.record({
      process: fc.nat({ max: 1 }),
      events: fc.integer({ min: 1, max: 5 }),
      kind: fc.constantFrom('plain', 'holds', 'refused', 'own transaction', 'conflict'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 40 }), async (calls) => {
        const tenantId = await createTenantLog(opened.store);
        const expected: string[] = [];
        await Promise.all(
          calls.map(async ({ process, events: count, kind }) => {
            const store = process === 0 ? opened.store : other;
            const events: NewAuditEvent[] = Array.from({ length: count }, () => single());
            const refusal = new SealdeskError('KEY_REVOKED', 'refused');
            if (kind === 'refused') {
              await expect(record(store, tenantId, events, refusing(refusal))).rejects.toBe(refusal);
            } else if (kind === 'conflict') {
              const closing = record(store, tenantId, [...events, outcomeOf(intent().id)]);
              await expect(closing).rejects.toMatchObject({ code: 'CONFLICT' });
            } else {
              expected.push(...idsOf([events]));
              if (kind === 'own transaction') await append(store, tenantId, ...events);
              else await record(store, tenantId, events, kind === 'holds' ? async () => {} : undefined);
            }
          }),
        );
        expect((await readWholeLog(opened.store, tenantId)).toSorted()).toEqual(expected.toSorted());
      }),
      { numRuns: 25 },
    );
  });

  test('lets a caller whose condition waits for a lock hold up nobody else for long', async () => {
    const tenantId = await createTenantLog(opened.store);
    const { promise: held, resolve: isHeld } = Promise.withResolvers<void>();
    const { promise: over, resolve: letGo } = Promise.withResolvers<void>();
    const lock = async (tx: Tx) => {
      await sql`SELECT pg_advisory_xact_lock(hashtext(${tenantId}))`.execute(tx);
    };
    const holding = other.withSystem('health', async (tx) => {
      await lock(tx);
      isHeld();
      await over;
    });
    await held;
    const [first, waits, beside, plain, later] = Array.from({ length: 5 }, () => single());
    const all = [first, waits, beside, plain, later].flatMap((event) => event ?? []);
    const told: string[] = [];
    const tellOf = async (event: NewAuditEvent | undefined, condition?: AuditRecord['condition']) => {
      await record(opened.store, tenantId, event === undefined ? [] : [event], condition);
      told.push(event?.id ?? '');
    };
    const waiting = [tellOf(first), tellOf(waits, lock), tellOf(beside, async () => {}), tellOf(plain)];
    await Promise.all([waiting[0], waiting[2], waiting[3]]);
    await tellOf(later);
    expect(told).not.toContain(waits?.id);
    letGo();
    await Promise.all([holding, ...waiting]);
    expect((await readWholeLog(opened.store, tenantId)).toSorted()).toEqual(idsOf([all]).toSorted());
  });
});
