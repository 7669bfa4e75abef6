import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createId } from '../../src/base/index.ts';
import { arrayOf, createStatement, DEFAULT_TENANT_ROLE, runSteps, type Step } from '../../src/store/index.ts';
import { MessageOfSteps } from '../../src/store/run-at-once.ts';
import { describeOnBothDatabases, openTestStore, type TestStore } from '../support/store.ts';

/** A table whose rows tell what is done when they are committed. */
const ACTS_AT_COMMIT = [
  'CREATE TABLE test_commits (act text NOT NULL)',
  `GRANT INSERT ON test_commits TO ${DEFAULT_TENANT_ROLE}`,
  `CREATE FUNCTION act_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     EXECUTE 'SELECT ' || NEW.act;
     RETURN NULL;
   END $$`,
  `CREATE CONSTRAINT TRIGGER test_commits_act AFTER INSERT ON test_commits DEFERRABLE INITIALLY DEFERRED
     FOR EACH ROW EXECUTE FUNCTION act_at_commit()`,
];

describeOnBothDatabases('A statement alone, or a few', (kind) => {
  let opened: TestStore;
  const tenantId = createId('tenant');
  beforeAll(async () => {
    opened = await openTestStore(kind);
    await opened.store.withSystem('tenant-administration', async (tx) => {
      await tx.insertInto('tenants').values({ id: tenantId, kind: 'CUSTOMER', name: 'Test' }).execute();
      for (const statement of ACTS_AT_COMMIT) await sql.raw(statement).execute(tx);
    });
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  const statements = {
    insert: createStatement(
      'test_insert',
      'INSERT INTO open_intents (intent_id, tenant_id, opened_at) VALUES ($1, $2, now())',
    ),
    insertAndFail: createStatement(
      'test_insert_and_fail',
      `WITH two AS (INSERT INTO open_intents (intent_id, tenant_id, opened_at) VALUES ($1, $2, now()))
       SELECT 1 / $3::int`,
    ),
    list: createStatement('test_list', 'SELECT intent_id FROM open_intents ORDER BY intent_id'),
    tenants: createStatement('test_tenants', 'SELECT id FROM tenants'),
    divide: createStatement('test_divide', 'SELECT 84 / $1::int AS result'),
    sleep: createStatement('test_sleep', 'SELECT pg_sleep(20)'),
    whoami: createStatement(
      'test_whoami',
      `SELECT current_user::text AS role, nullif(current_setting('sealdesk.tenant_id', true), '') AS tenant`,
    ),
    atCommit: createStatement('test_at_commit', 'INSERT INTO test_commits (act) VALUES ($1)', {
      hasRows: false,
    }),
    unnest: createStatement('test_unnest', 'SELECT unnest($1::text[]) AS text, $2::bytea AS bytes'),
  };
  const run = async <Row>(name: keyof typeof statements, ...values: readonly (string | Buffer | null)[]) =>
    (await opened.store.runAtOnce<Row>(tenantId, [[statements[name], values]])).rows;
  const intents = async () => (await run<{ intent_id: string }>('list')).map((row) => row.intent_id);

  test('runs as the tenant, within its boundary, and leaves nothing of that behind', async () => {
    for (let times = 0; times < 3; times += 1) {
      expect(await run('whoami')).toEqual([{ role: DEFAULT_TENANT_ROLE, tenant: tenantId }]);
    }
    const { rows } = await opened.store.withSystem('health', (tx) =>
      runSteps<{ role: string; tenant: string | null }>(tx, [[statements.whoami, []]]),
    );
    expect(rows).toMatchObject([{ tenant: null }]);
    expect(rows[0]?.role).not.toBe(DEFAULT_TENANT_ROLE);
    expect(await run('tenants')).toEqual([{ id: tenantId }]);
    expect((await opened.store.runAtOnce(createId('tenant'), [[statements.tenants, []]])).rows).toEqual([]);
  });

  test('is committed when it is answered, and undone when it fails, at first and later', async () => {
    const failing = { code: '22012' };
    await expect(run('insertAndFail', 'two', tenantId, '0')).rejects.toMatchObject(failing);
    await run('insert', 'one', tenantId);
    expect(await intents()).toEqual(['one']);
    await expect(run('insert', 'one', tenantId)).rejects.toMatchObject({ code: '23505' });
    await expect(run('insertAndFail', 'two', tenantId, '0')).rejects.toMatchObject(failing);
    await expect(run('insert', 'three', createId('tenant'))).rejects.toMatchObject({ code: '42501' });
    expect(await intents()).toEqual(['one']);
  });

  test('tells how many rows it wrote where it answers none, alone and within a transaction', async () => {
    const copy = createStatement(
      'test_copy',
      `WITH told AS (SELECT unnest($1::text[]) AS id)
       INSERT INTO open_intents (intent_id, tenant_id, opened_at) SELECT id, $2, now() FROM told`,
      { hasRows: false },
    );
    const copyAll = (...ids: readonly string[]) => [copy, [arrayOf(ids), tenantId]] as const;
    for (const ids of [['c1', 'c2'], [], ['c3']]) {
      expect(await opened.store.runAtOnce(tenantId, [copyAll(...ids)])).toEqual({
        rows: [],
        count: ids.length,
      });
    }
    const within = opened.store.withTenant(tenantId, (tx) => runSteps(tx, [copyAll('c4', 'c5')]));
    expect(await within).toEqual({ rows: [], count: 2 });
    expect((await intents()).filter((id) => id.startsWith('c'))).toHaveLength(5);
  });

  test('runs steps in order, each seeing what those before wrote, and tells what the last answers', async () => {
    const count = createStatement(
      'test_count',
      `SELECT count(*)::int AS n FROM open_intents WHERE intent_id LIKE 's%'`,
    );
    const steps = (...ids: readonly string[]): readonly Step[] => [
      ...ids.map((id): Step => [statements.insert, [id, tenantId]]),
      [count, []],
    ];
    for (const [ids, n] of [
      [['s1', 's2'], 2],
      [[], 2],
      [['s3'], 3],
    ] as const) {
      expect((await opened.store.runAtOnce(tenantId, steps(...ids))).rows).toEqual([{ n }]);
    }
    const within = await opened.store.withTenant(tenantId, (tx) => runSteps(tx, steps('s4')));
    expect(within.rows).toEqual([{ n: 4 }]);
  });

  test('does nothing at all where one of several steps fails', async () => {
    const before = await intents();
    const first: Step = [statements.insert, ['u1', tenantId]];
    const last: Step = [statements.insert, ['u2', tenantId]];
    const foreign: Step = [statements.insert, ['u3', createId('tenant')]];
    for (const [failing, code] of [
      [[statements.divide, ['0']], '22012'],
      [foreign, '42501'],
      [first, '23505'],
    ] as const) {
      await expect(opened.store.runAtOnce(tenantId, [first, failing, last])).rejects.toMatchObject({
        code,
      });
      expect(await intents()).toEqual(before);
    }
  });

  test('fails where only its commit does, though every step was answered, and has done nothing', async () => {
    const before = await intents();
    const asked = opened.store.runAtOnce(tenantId, [
      [statements.insert, ['d1', tenantId]],
      [statements.atCommit, ['1 / 0']],
    ]);
    await expect(asked).rejects.toMatchObject({ code: '22012' });
    expect(await intents()).toEqual(before);
  });

  test('takes texts, arrays with gaps and bytes', async () => {
    const bytes = Buffer.from([0, 1, 255]);
    const rows = await run<{ text: string | null; bytes: Uint8Array }>(
      'unnest',
      arrayOf(['a', null, 'null', 'b,{c}']),
      bytes,
    );
    expect(rows.map(({ text }) => text)).toEqual(['a', null, 'null', 'b,{c}']);
    expect(Buffer.from(rows[0]?.bytes ?? [])).toEqual(bytes);
  });

  test('keeps answers apart when many go at once', async () => {
    const asked = Array.from({ length: 100 }, (_, at) => at % 8);
    const told = await Promise.all(
      asked.map((by) =>
        run<{ result: number }>('divide', String(by)).then(
          ([row]) => row?.result,
          () => 'failed',
        ),
      ),
    );
    expect(told).toEqual(asked.map((by) => (by === 0 ? 'failed' : Math.floor(84 / by))));
  });

  test('is refused for what is no tenant', async () => {
    await expect(opened.store.runAtOnce(`x', true); --`, [[statements.list, []]])).rejects.toThrow(TypeError);
  });

  if (kind !== 'postgres') return;

  test('is prepared once on a connection where it names itself', async () => {
    const calls = await opened.store.withTenant(tenantId, async (tx) => {
      for (let times = 0; times < 3; times += 1) await runSteps(tx, [[statements.divide, ['2']]]);
      return sql<{ calls: number }>`SELECT generic_plans + custom_plans AS calls FROM pg_prepared_statements
        WHERE name = 'test_divide'`.execute(tx);
    });
    expect(calls.rows.map((row) => row.calls)).toEqual([3]);
    for (const name of ['', 'A', 'a b', 'a*/', 'x'.repeat(51)]) {
      expect(() => createStatement(name, 'SELECT 1')).toThrow(TypeError);
    }
  });

  test('gets its turn, however many tenants never let go of their connections', async () => {
    const busy = new AbortController();
    const tenants = Array.from({ length: 12 }, () => createId('tenant'));
    const loops = [...tenants, ...tenants].map(async (tenant) => {
      while (!busy.signal.aborted) await opened.store.runAtOnce(tenant, [[statements.divide, ['2']]]);
    });
    for (let times = 0; times < 20; times += 1) expect(await run('divide', '2')).toEqual([{ result: 42 }]);
    busy.abort();
    await Promise.all(loops);
  });

  test('takes no more connections than an operator is told of, with all that a process does at once', async () => {
    await using own = await openTestStore(kind);
    await using _listening = await own.store.listen(() => {});
    const busy = new AbortController();
    const loops = Array.from({ length: 12 }, async () => {
      const tenant = createId('tenant');
      while (!busy.signal.aborted) await own.store.runAtOnce(tenant, [[statements.divide, ['2']]]);
    });
    const asked = Array.from({ length: 40 }, () =>
      own.store.withSystem('health', async (tx) => {
        const { rows } = await sql<{ count: number }>`SELECT count(*)::int AS count FROM pg_stat_activity
          WHERE datname = current_database() AND backend_type = 'client backend'`.execute(tx);
        return rows[0]?.count ?? 0;
      }),
    );
    const most = Math.max(...(await Promise.all(asked)));
    busy.abort();
    await Promise.all(loops);
    expect(most).toBeGreaterThan(10);
    expect(most).toBeLessThanOrEqual(16);
  });

  test('goes down the connection of those of its tenant that are under way, while others come and go', async () => {
    const tenants = [createId('tenant'), createId('tenant')] as const;
    const pid = createStatement('test_pid', 'SELECT pg_backend_pid() AS pid');
    const held = createStatement(
      'test_held',
      'SELECT pg_backend_pid() AS pid, pg_advisory_xact_lock(4711) IS NULL',
    );
    const pidOf = async (tenant: string, statement = pid) =>
      (await opened.store.runAtOnce<{ pid: number }>(tenant, [[statement, []]])).rows[0]?.pid;
    await Promise.all(tenants.map((tenant) => pidOf(tenant)));
    const { promise: isHeld, resolve: noteHeld } = Promise.withResolvers<void>();
    const { promise: isAsked, resolve: letGo } = Promise.withResolvers<void>();
    const holding = opened.store.withSystem('health', async (tx) => {
      await sql`SELECT pg_advisory_xact_lock(4711)`.execute(tx);
      noteHeld();
      await isAsked;
    });
    await isHeld;
    const first = pidOf(tenants[0], held);
    await pidOf(tenants[1]);
    // Its connection is given back in the next turn, so that the next call asks for one.
    await nextTurn();
    const [other, behind] = [pidOf(tenants[1]), pidOf(tenants[0])];
    letGo();
    await holding;
    expect(await behind).toBe(await first);
    expect(await other).not.toBe(await first);
  });

  test('is not what a transaction of the whole system runs as, though a pooler hands its connection on', async () => {
    for (let times = 0; times < 3; times += 1) {
      await opened.store.executeForJobs(`SELECT set_config('role', '${DEFAULT_TENANT_ROLE}', false)`);
      const { rows } = await opened.store.withSystem('health', (tx) =>
        runSteps<{ role: string }>(tx, [[statements.whoami, []]]),
      );
      expect(rows[0]?.role).not.toBe(DEFAULT_TENANT_ROLE);
    }
    await opened.store.executeForJobs(`SELECT set_config('role', 'none', false)`);
  });

  test('does nothing where a step cannot be sent in full, and the next one works', async () => {
    const before = await intents();
    const asked = opened.store.runAtOnce(tenantId, [
      [statements.insert, ['w1', tenantId]],
      [statements.insert, ['w2', {} as string]],
    ]);
    await expect(asked).rejects.toThrow(TypeError);
    expect(await intents()).toEqual(before);
  });

  test('goes on behind one that failed before its later steps were executed on that connection for the first time', async () => {
    await using own = await openTestStore(kind);
    const tenant = createId('tenant');
    const late = createStatement('test_late', 'SELECT 42 AS result');
    const asked = ['0', '2'].map((by) =>
      own.store.runAtOnce(tenant, [
        [statements.divide, [by]],
        [late, []],
      ]),
    );
    const told = await Promise.allSettled(asked);
    expect(told).toMatchObject([
      { status: 'rejected', reason: { code: '22012' } },
      { status: 'fulfilled', value: { rows: [{ result: 42 }] } },
    ]);
  });

  test('fails on a connection that has lost the role of tenants, and does nothing', async () => {
    const reset = createStatement('test_reset', `SELECT set_config('role', 'none', false)`);
    const tenant = createId('tenant');
    const statementsOf = [reset, statements.whoami].map((statement) =>
      opened.store.runAtOnce(tenant, [[statement, []]]).catch((error: unknown) => error),
    );
    expect(await Promise.all(statementsOf)).toMatchObject([{ count: 1 }, { code: 'AUDIT_UNAVAILABLE' }]);
    const asked = Array.from({ length: 10 }, async () => {
      const tenant = createId('tenant');
      const { rows } = await opened.store.runAtOnce(tenant, [[statements.whoami, []]]);
      expect(rows).toEqual([{ role: DEFAULT_TENANT_ROLE, tenant }]);
    });
    await Promise.all(asked);
  });

  test('whose connection is cut, before or during its commit, is AUDIT_UNAVAILABLE, and the next one works again', async () => {
    for (const begin of [() => run('sleep'), () => run('atCommit', 'pg_sleep(20)')]) {
      const cut = begin().catch((error: unknown) => error);
      let ended = 0;
      while (ended === 0) {
        const { rows } = await opened.store.withSystem('health', (tx) =>
          sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event = 'PgSleep'`.execute(tx),
        );
        ended = rows.length;
      }
      expect(await cut).toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
      expect(await run('divide', '2')).toEqual([{ result: 42 }]);
    }
  });
});

test('Steps are sent whole before the first is executed, so that none holds locks while the next is on its way', () => {
  const sent: string[] = [];
  const connection = {
    stream: { cork: () => {}, uncork: () => sent.push('uncork') },
    parse: ({ name }: { readonly name: string }) => sent.push(`parse ${name}`),
    bind: ({ portal, statement }: { readonly portal: string; readonly statement: string }) =>
      sent.push(`bind ${portal} ${statement}`),
    describe: ({ name }: { readonly name: string }) => sent.push(`describe ${name}`),
    execute: ({ portal }: { readonly portal: string }) => sent.push(`execute ${portal}`),
    flush: () => sent.push('flush'),
    sync: () => sent.push('sync'),
  };
  const step = (name: string, hasRows = false): Step => [createStatement(name, 'SELECT', { hasRows }), []];
  const steps = [step('scope'), step('move'), step('append'), step('tell', true)];
  const sentOf = (isAlone: boolean): readonly string[] => {
    new MessageOfSteps({ steps, isAlone }, new Set(['move']), () => {}).submit(connection as never);
    return sent.splice(0);
  };
  expect(sentOf(false)).toEqual([
    ...['parse scope_at_once', 'parse append_at_once', 'parse tell_at_once'],
    ...['bind step_0 scope_at_once', 'bind step_1 move_at_once', 'bind step_2 append_at_once'],
    ...['execute step_0', 'execute step_1', 'execute step_2'],
    ...['bind step_3 tell_at_once', 'describe step_3', 'execute step_3', 'sync', 'uncork'],
  ]);
  // Each answer is asked for as soon as it is there where nobody else's is under way.
  expect(sentOf(true)).toEqual(
    sentOf(false).flatMap((one) => (one.startsWith('execute') ? [one, 'flush'] : [one])),
  );
});
