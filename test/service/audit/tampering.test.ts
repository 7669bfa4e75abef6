/**
 * What somebody who owns the database can do to a log behind the gateway's back, triggers switched off: each
 * is found, named, and stops the log in every process, until an operator goes on with what is there.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import {
  type AnchorLocation,
  type AuditAlarm,
  type AuditAnchor,
  listAlarms,
  listAuditEvents,
  openAnchor,
  type RestoredLog,
  readCheckpoint,
  recordAuditEvents,
} from '../../../src/audit/index.ts';
import {
  type Bytes,
  encodeHex,
  encodeUtf8,
  type Log,
  parseUtf8,
  silentLog,
} from '../../../src/base/index.ts';
import { acceptRestore, openAuditWatch, sealCheckpoint } from '../../../src/service/index.ts';
import {
  appendLeaves,
  createMerkleHasher,
  EMPTY_FRONTIER,
  encodeFrontier,
  rootOfFrontier,
} from '../../../src/tlog/index.ts';
import { checkpointOf } from '../../audit/anchor/notes.ts';
import { openS3Server } from '../../support/s3-server.ts';
import { describeOnBothDatabases, describeOnPostgres } from '../../support/store.ts';
import { eventOf, type LogProcess, type LogRig, openLogRig } from './log-rig.ts';

const TIMES = { round: 20, pass: 0, run: 0, seal: 0, anchorRetry: 0 };
const EVENTS = 12;
const merkle = createMerkleHasher((data) => Uint8Array.from(createHash('sha256').update(data).digest()));

/** A log, an anchor that knows it, and its checkpoints at 5 and at its end. */
async function openWatchedLog(
  rig: LogRig,
  name: string,
  location: AnchorLocation = { kind: 'file', folder: join(rig.folder, name) },
): Promise<{ tenantId: string; anchor: AuditAnchor }> {
  const tenantId = await rig.createTenant();
  const anchor = await openAnchor(location);
  for (const count of [4, EVENTS - 5]) {
    await rig.append(tenantId, count);
    await sealCheckpoint(rig.first, tenantId);
  }
  await watchOnce(rig.first, anchor);
  return { tenantId, anchor };
}

/** Looks after all logs for one round. */
async function watchOnce(process: LogProcess, anchor: AuditAnchor): Promise<void> {
  await using watch = openAuditWatch(process, { anchor, times: { ...TIMES, round: 60_000 } });
  await watch.started;
}

/** A log that resolves `alarm` when a log was found altered. */
function alarmLog(): { readonly log: Log; readonly alarm: Promise<unknown> } {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  return { log: { ...silentLog, error: (_, fields) => resolve(fields?.['kind']) }, alarm: promise };
}

async function findAlarm(process: LogProcess, anchor: AuditAnchor): Promise<unknown> {
  const { log, alarm } = alarmLog();
  await using _ = openAuditWatch({ ...process, log }, { anchor, times: TIMES });
  return await alarm;
}

const alarmsOf = (rig: LogRig, tenantId: string): Promise<readonly AuditAlarm[]> =>
  rig.first.store.withTenant(tenantId, (tx) => listAlarms(tx));

const flip = (column: string, at = 20): string =>
  `${column} = set_byte(${column}, ${at}, get_byte(${column}, ${at}) # 1)`;
const EVENT = 'tenant_id = $tenant AND index';

/** What is done, as the owner of the database, and what it is called. */
const TAMPERINGS: readonly (readonly [string, string, readonly string[]])[] = [
  ['changed an event', 'EVENT_ALTERED', [`UPDATE audit_events SET ${flip('leaf')} WHERE ${EVENT} = 3`]],
  [
    'changed the hash of an event',
    'EVENT_ALTERED',
    [`UPDATE audit_events SET ${flip('leaf_hash')} WHERE ${EVENT} = 3`],
  ],
  [
    'changed a column of an event',
    'EVENT_ALTERED',
    [`UPDATE audit_events SET actor_id = 'nobody' WHERE ${EVENT} = 7`],
  ],
  ['gave an event another id', 'EVENT_ALTERED', [`UPDATE audit_events SET id = 'aud_0' WHERE ${EVENT} = 7`]],
  [
    'changed an event and its hash',
    'EVENT_ALTERED',
    [`UPDATE audit_events SET leaf = '\\x7b7d', leaf_hash = sha256('\\x007b7d') WHERE ${EVENT} = 6`],
  ],
  ['removed an event', 'EVENT_MISSING', [`DELETE FROM audit_events WHERE ${EVENT} = 4`]],
  [
    'removed an event and moved up those after it',
    'LOG_TRUNCATED',
    [
      `DELETE FROM audit_events WHERE ${EVENT} = 4`,
      `UPDATE audit_events SET index = index + 1000 WHERE ${EVENT} > 4`,
      `UPDATE audit_events SET index = index - 1001 WHERE ${EVENT} > 1000`,
    ],
  ],
  [
    'inserted an event',
    'EVENT_INSERTED',
    [
      `UPDATE audit_events SET index = index + 1000 WHERE ${EVENT} >= 4`,
      `UPDATE audit_events SET index = index - 999 WHERE ${EVENT} >= 1000`,
      `INSERT INTO audit_events ($columns(audit_events)) SELECT $columns(audit_events) FROM (SELECT (jsonb_populate_record(e, '{"index": 4, "id": "aud_forged"}')).* FROM audit_events e WHERE ${EVENT} = 3) forged`,
    ],
  ],
  [
    'appended an event',
    'EVENT_INSERTED',
    [
      `INSERT INTO audit_events ($columns(audit_events)) SELECT $columns(audit_events) FROM (SELECT (jsonb_populate_record(e, '{"index": ${EVENTS}, "id": "aud_forged"}')).* FROM audit_events e WHERE ${EVENT} = 3) forged`,
    ],
  ],
  [
    'swapped two events',
    'EVENT_MISPLACED',
    [
      `UPDATE audit_events SET index = 99 WHERE ${EVENT} = 3`,
      `UPDATE audit_events SET index = 3 WHERE ${EVENT} = 8`,
      `UPDATE audit_events SET index = 8 WHERE ${EVENT} = 99`,
    ],
  ],
  ['removed the newest events', 'LOG_TRUNCATED', [`DELETE FROM audit_events WHERE ${EVENT} >= 9`]],
  ['removed all events', 'LOG_TRUNCATED', ['DELETE FROM audit_events WHERE tenant_id = $tenant']],
  [
    'changed a node of the tree',
    'TREE_ALTERED',
    [`UPDATE audit_nodes SET ${flip('hash')} WHERE ${EVENT} = 0 AND level = 3`],
  ],
  ['removed nodes of the tree', 'TREE_ALTERED', ['DELETE FROM audit_nodes WHERE tenant_id = $tenant']],
  [
    'planted a node of a tree to come',
    'TREE_ALTERED',
    [
      `INSERT INTO audit_nodes (tenant_id, level, index, hash)
       SELECT tenant_id, level, 1, hash FROM audit_nodes WHERE ${EVENT} = 0 AND level = 3`,
    ],
  ],
  ['changed the head', 'HEAD_ALTERED', [`UPDATE audit_heads SET ${flip('root')} WHERE tenant_id = $tenant`]],
  ['removed the head', 'HEAD_ALTERED', ['DELETE FROM audit_heads WHERE tenant_id = $tenant']],
  [
    'changed what a checkpoint says',
    'CHECKPOINT_CONTRADICTED',
    [`UPDATE audit_checkpoints SET ${flip('root')} WHERE tenant_id = $tenant AND size = 5`],
  ],
  [
    'changed the signatures of a checkpoint',
    'CHECKPOINT_ALTERED',
    [`UPDATE audit_checkpoints SET note = replace(note, 'A', 'B') WHERE tenant_id = $tenant AND size = 5`],
  ],
  [
    'made a checkpoint of events that are not there',
    'ROLLED_BACK',
    [
      'INSERT INTO audit_checkpoints SELECT tenant_id, epoch, size + 5, root, note FROM audit_checkpoints WHERE tenant_id = $tenant AND size > 5',
    ],
  ],
  [
    'opened an epoch',
    'EPOCH_CONTRADICTED',
    ['INSERT INTO audit_epochs (tenant_id, epoch, first_index) VALUES ($tenant, 2, 3)'],
  ],
];

describeOnBothDatabases('A log of which somebody', (kind) => {
  let rig: LogRig;
  beforeAll(async () => {
    rig = await openLogRig(kind);
  });
  afterAll(() => rig[Symbol.asyncDispose]());
  // What is done with is not looked after any more.
  afterEach(() =>
    rig.first.store.withSystem('tenant-administration', (tx) =>
      sql`INSERT INTO audit_alarms (tenant_id, epoch, kind)
        SELECT id, coalesce((SELECT max(epoch) FROM audit_epochs WHERE tenant_id = id), 1), 'HEAD_ALTERED'
        FROM tenants WHERE kind = 'CUSTOMER' ON CONFLICT DO NOTHING`.execute(tx),
    ),
  );

  /** That the log is stopped, and goes on in a new epoch once that is accepted, under watch and without alarm. */
  async function expectStoppedUntilAccepted(tenantId: string, anchor: AuditAnchor): Promise<RestoredLog> {
    await expect(rig.append(tenantId)).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    await expect(sealCheckpoint(rig.first, tenantId)).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    const { epoch: before } = (await alarmsOf(rig, tenantId))[0] ?? { epoch: 0 };
    const accepted = await acceptRestore(rig.first, anchor, { tenantId, reason: 'looked-into' });
    expect(accepted.epoch).toBe(before + 1);
    const [opening] = await rig.first.store.withTenant(tenantId, (tx) =>
      listAuditEvents(tx, tenantId, { backwards: true, limit: 1 }),
    );
    expect(opening).toMatchObject({
      ...{ action: 'audit.accept-restore', index: accepted.size - 1 },
      restore: {
        ...{ opens: accepted.epoch, epoch: accepted.previous.epoch },
        ...{ size: accepted.previous.size, reason: 'looked-into' },
      },
    });
    await rig.append(tenantId, 3);
    await watchOnce(rig.first, anchor);
    expect(await alarmsOf(rig, tenantId)).toEqual([]);
    const newest = await rig.first.store.withTenant(tenantId, (tx) => readCheckpoint(tx, tenantId));
    expect(newest).toMatchObject({ epoch: accepted.epoch, size: accepted.size + 3 });
    expect(newest?.note).toMatch(new RegExp(`^sealdesk/${tenantId}/${accepted.epoch}\\n`));
    const anchored = await Array.fromAsync(anchor.listNewest(tenantId, { epoch: 1, size: 0 }));
    expect(anchored).toContain(newest?.note);
    await expect(acceptRestore(rig.first, anchor, { tenantId, reason: 'again' })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    return accepted;
  }

  test.each(TAMPERINGS)('%s is found out (%s) and stopped', async (what, alarm, statements) => {
    const { tenantId, anchor } = await openWatchedLog(rig, what.replaceAll(' ', '-'));
    await rig.tamper(tenantId, ...statements);
    expect(await findAlarm(rig.first, anchor)).toBe(alarm);
    expect(await alarmsOf(rig, tenantId)).toMatchObject([{ tenantId, kind: alarm }]);
    await expectStoppedUntilAccepted(tenantId, anchor);
  });

  test('set the size beyond all numbers is found out', async () => {
    const { tenantId, anchor } = await openWatchedLog(rig, 'numbers');
    await rig.tamper(tenantId, 'UPDATE audit_heads SET size = 9223372036854775807 WHERE tenant_id = $tenant');
    expect(await findAlarm(rig.first, anchor)).toBe('HEAD_ALTERED');
    await acceptRestore(rig.first, anchor, { tenantId, reason: 'looked-into' });
    await rig.append(tenantId);
  });

  /** Rewrites an event with all hashes above it, as anybody can without a key. */
  async function rechain(tenantId: string): Promise<{ root: string; frontier: string }> {
    const rows = await rig.first.store.withTenant(tenantId, (tx) =>
      tx.selectFrom('audit_events').select(['index', 'leaf']).orderBy('index').execute(),
    );
    const leaves = rows.map(({ index, leaf }): Uint8Array => {
      const text = parseUtf8(leaf) ?? '';
      return index === 6 ? encodeUtf8(text.replace('SUCCEEDED', 'FAILED')) : leaf;
    });
    const hashes: Bytes[] = leaves.map((leaf) => merkle.hashLeaf(leaf));
    const { frontier, nodes } = appendLeaves(merkle, EMPTY_FRONTIER, hashes);
    await rig.tamper(
      tenantId,
      `UPDATE audit_events SET outcome = 'FAILED', leaf = '\\x${encodeHex(leaves[6] ?? new Uint8Array())}',
         leaf_hash = '\\x${encodeHex(hashes[6] ?? new Uint8Array())}' WHERE ${EVENT} = 6`,
      ...nodes.map(
        ({ level, index, hash }) =>
          `UPDATE audit_nodes SET hash = '\\x${encodeHex(hash)}' WHERE ${EVENT} = ${index} AND level = ${level}`,
      ),
    );
    return {
      root: encodeHex(rootOfFrontier(merkle, frontier)),
      frontier: encodeHex(encodeFrontier(frontier)),
    };
  }

  test('rewrote an event with all hashes above it is found out by head and checkpoints', async () => {
    const { tenantId, anchor } = await openWatchedLog(rig, 'rechained');
    await rechain(tenantId);
    expect(await findAlarm(rig.first, anchor)).toBe('CHECKPOINT_CONTRADICTED');
    await expectStoppedUntilAccepted(tenantId, anchor);
  });

  test('rewrote an event, all hashes above it and the head is found out by the key they lack', async () => {
    const { tenantId, anchor } = await openWatchedLog(rig, 'rechained-head');
    const { root, frontier } = await rechain(tenantId);
    await rig.tamper(
      tenantId,
      `UPDATE audit_heads SET root = '\\x${root}', frontier = '\\x${frontier}' WHERE tenant_id = $tenant`,
    );
    expect(await findAlarm(rig.first, anchor)).toBe('HEAD_ALTERED');
    await expectStoppedUntilAccepted(tenantId, anchor);
  });

  const BACKED_UP = ['audit_events', 'audit_nodes', 'audit_heads', 'audit_checkpoints', 'audit_watches'];
  const backUp = BACKED_UP.flatMap((table) => [
    `DROP TABLE IF EXISTS backup_${table}`,
    `CREATE TABLE backup_${table} AS SELECT * FROM ${table} WHERE tenant_id = $tenant`,
  ]);
  const restoreBackup = BACKED_UP.flatMap((table) => [
    `DELETE FROM ${table} WHERE tenant_id = $tenant`,
    `INSERT INTO ${table} ($columns(${table})) SELECT $columns(${table}) FROM backup_${table}`,
  ]);

  test('set everything back to a backup is found out by the anchor, at the next start', async () => {
    const { tenantId, anchor } = await openWatchedLog(rig, 'rolled-back');
    await rig.tamper(tenantId, ...backUp);
    await rig.append(tenantId, 4);
    await watchOnce(rig.first, anchor);
    await rig.tamper(tenantId, ...restoreBackup);
    // Head, rows, tree and checkpoints agree with each other.
    expect(await findAlarm(rig.first, anchor)).toBe('ROLLED_BACK');
    await expectStoppedUntilAccepted(tenantId, anchor);
  });

  test('set everything back to a backup is found out by an anchor in a bucket, though its object was deleted', async () => {
    await using server = await openS3Server();
    for (const [name, value] of Object.entries(server.environment)) vi.stubEnv(name, value);
    const { tenantId, anchor } = await openWatchedLog(rig, 'bucket', {
      ...{ kind: 's3', bucket: server.bucket, prefix: '', region: null, endpoint: server.endpoint },
      ...{ mode: 'COMPLIANCE', days: 1 },
    });
    await using _ = anchor;
    await rig.tamper(tenantId, ...backUp);
    await rig.append(tenantId, 4);
    await watchOnce(rig.first, anchor);
    await rig.tamper(tenantId, ...restoreBackup);
    const older = server.versions.find(({ key }) => key.startsWith(tenantId));
    for (const { key } of server.versions.filter(({ key }) => key.startsWith(tenantId)))
      server.put(key, null);
    // That is signed, but not as the newest of all.
    server.put(`${tenantId}/999999999-0000000000000001.note`, older?.body ?? '');
    server.put(`${tenantId}/000000002-0000000000000009.note`, 'junk');
    expect(await findAlarm(rig.first, anchor)).toBe('ROLLED_BACK');
    vi.unstubAllEnvs();
  });

  test('set everything back to a backup and wrote notes of their own to the anchor is found out by the genuine ones', async () => {
    const { tenantId, anchor } = await openWatchedLog(rig, 'junk');
    await rig.tamper(tenantId, ...backUp);
    await rig.append(tenantId, 4);
    await watchOnce(rig.first, anchor);
    await rig.tamper(tenantId, ...restoreBackup);
    for (const epoch of [1, 7]) await anchor.write(tenantId, checkpointOf(tenantId, epoch, 4_000_000));
    expect(await findAlarm(rig.first, anchor)).toBe('ROLLED_BACK');
    await expectStoppedUntilAccepted(tenantId, anchor);
  });

  test('set everything back to a backup, which then grew beyond it, is found out by the anchor', async () => {
    const { tenantId, anchor } = await openWatchedLog(rig, 'regrown');
    await rig.tamper(tenantId, ...backUp);
    await rig.append(tenantId, 4);
    await watchOnce(rig.first, anchor);
    await rig.tamper(tenantId, ...restoreBackup);
    await rig.append(tenantId, 9);
    expect(await findAlarm(rig.first, anchor)).toBe('CHECKPOINT_CONTRADICTED');
    await expectStoppedUntilAccepted(tenantId, anchor);
  });

  test('set everything back to a backup is found out while it runs, without an anchor', async () => {
    const { tenantId } = await openWatchedLog(rig, 'running');
    const anchor = await openAnchor({ kind: 'none' });
    await rig.tamper(tenantId, ...backUp);
    await rig.append(tenantId, 4);
    const { log, alarm } = alarmLog();
    await using watch = openAuditWatch({ ...rig.first, log }, { anchor, times: TIMES });
    await watch.started;
    await rig.tamper(tenantId, ...restoreBackup);
    expect(await alarm).toBe('ROLLED_BACK');
  });

  test('took away the alarm stays stopped: it is raised again', async () => {
    const { tenantId, anchor } = await openWatchedLog(rig, 'silenced');
    await rig.tamper(tenantId, `UPDATE audit_events SET ${flip('leaf')} WHERE ${EVENT} = 3`);
    expect(await findAlarm(rig.first, anchor)).toBe('EVENT_ALTERED');
    await rig.tamper(tenantId, 'DELETE FROM audit_alarms WHERE tenant_id = $tenant');
    // Another process finds it by itself.
    expect(await findAlarm(rig.first, anchor)).toBe('EVENT_ALTERED');
    // The same one misses its row.
    const { log, alarm } = alarmLog();
    await using watch = openAuditWatch({ ...rig.first, log }, { anchor, times: TIMES });
    await watch.started;
    await rig.tamper(tenantId, 'DELETE FROM audit_alarms WHERE tenant_id = $tenant');
    expect(await alarm).toBe('EVENT_ALTERED');
    await expect(rig.append(tenantId)).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  });

  test('let the log go on in spite of its alarm is noticed, and it is stopped again', async () => {
    const { tenantId, anchor } = await openWatchedLog(rig, 'let-go');
    await rig.tamper(tenantId, `UPDATE audit_events SET ${flip('leaf')} WHERE ${EVENT} = 3`);
    expect(await findAlarm(rig.first, anchor)).toBe('EVENT_ALTERED');
    const noticed = Promise.withResolvers<unknown>();
    const log: Log = {
      ...silentLog,
      error: (message, fields) => void (message.includes('let go on') && noticed.resolve(fields)),
    };
    await using watch = openAuditWatch({ ...rig.first, log }, { anchor, times: TIMES });
    await watch.started;
    await rig.tamper(tenantId, 'UPDATE audit_heads SET stopped_epoch = NULL WHERE tenant_id = $tenant');
    expect(await noticed.promise).toMatchObject({ tenantId });
    await expect(rig.append(tenantId)).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  });

  test('left the mark of an alarm that is gone goes on once an operator accepts it', async () => {
    const { tenantId, anchor } = await openWatchedLog(rig, 'marked');
    await rig.tamper(tenantId, 'UPDATE audit_heads SET stopped_epoch = 1 WHERE tenant_id = $tenant');
    await expect(rig.append(tenantId)).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    await acceptRestore(rig.first, anchor, { tenantId, reason: 'looked-into' });
    await rig.append(tenantId);
  });

  test('cannot lift the stop with the rights of the tenants’ work, though an alarm is raised with them', async () => {
    const { tenantId, anchor } = await openWatchedLog(rig, 'own-rights');
    const asTenant = (statement: string) =>
      rig.first.store.withTenant(tenantId, (tx) => sql.raw(statement).execute(tx));
    await asTenant(
      `INSERT INTO audit_alarms (tenant_id, epoch, kind) VALUES ('${tenantId}', 1, 'HEAD_ALTERED')`,
    );
    await expect(asTenant('UPDATE audit_heads SET stopped_epoch = NULL')).rejects.toMatchObject({
      code: '42501',
    });
    await expectStoppedUntilAccepted(tenantId, anchor);
  });

  test('cannot stop an epoch to come with the rights of the tenants’ work, nor one that is over', async () => {
    const { tenantId, anchor } = await openWatchedLog(rig, 'epoch-to-come');
    const other = await rig.createTenant();
    const raise = (epoch: number, kind: string, of = tenantId) =>
      rig.first.store.withTenant(tenantId, (tx) =>
        sql`INSERT INTO audit_alarms (tenant_id, epoch, kind) VALUES (${of}, ${epoch}, ${kind})`.execute(tx),
      );
    const refused = { code: '23514' };
    await expect(raise(2, 'HEAD_ALTERED')).rejects.toMatchObject(refused);
    await expect(raise(2 ** 31 - 1, 'HEAD_ALTERED')).rejects.toMatchObject(refused);
    expect(await alarmsOf(rig, tenantId)).toEqual([]);
    await rig.append(tenantId);
    await raise(1, 'HEAD_ALTERED');
    await expectStoppedUntilAccepted(tenantId, anchor);
    await raise(1, 'EVENT_ALTERED');
    await expect(raise(3, 'HEAD_ALTERED')).rejects.toMatchObject(refused);
    await rig.append(tenantId);
    expect(await alarmsOf(rig, tenantId)).toEqual([]);
    // Of another tenant's epochs nothing is told.
    await expect(raise(1, 'HEAD_ALTERED', other)).rejects.toMatchObject({ code: '42501' });
    await expect(raise(2, 'HEAD_ALTERED', other)).rejects.toMatchObject(refused);
  });

  test('wrote an old note again in the place of a newer checkpoint does not set the restored log back', async () => {
    const { tenantId, anchor } = await openWatchedLog(rig, 'replayed-note', { kind: 'none' });
    await rig.tamper(
      tenantId,
      `UPDATE audit_events SET ${flip('leaf')} WHERE ${EVENT} = 3`,
      ...Array.from(
        { length: 70 },
        (_, at) => `INSERT INTO audit_checkpoints (tenant_id, epoch, size, root, note)
          SELECT tenant_id, 9, ${at} + 1000, root, note FROM audit_checkpoints WHERE tenant_id = $tenant AND size = 5`,
      ),
    );
    expect(await findAlarm(rig.first, anchor)).toBe('EVENT_ALTERED');
    const accepted = await acceptRestore(rig.first, anchor, { tenantId, reason: 'looked-into' });
    expect(accepted.previous.size).toBe(EVENTS);
  });

  const claimOpening = `UPDATE audit_events
    SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'), '"opens":2', '"opens":3'), 'UTF8')
    WHERE tenant_id = $tenant AND action = 'audit.accept-restore'`;

  test.each([
    ['', []],
    [', made to claim this one,', [claimOpening]],
  ])('set everything back and opened an epoch over the entry that opened another%s is found out', async (_, claiming) => {
    const { tenantId, anchor } = await openWatchedLog(rig, `reopened-${claiming.length}`);
    await rig.tamper(tenantId, `UPDATE audit_events SET ${flip('leaf')} WHERE ${EVENT} = 3`);
    await findAlarm(rig.first, anchor);
    const { size } = await acceptRestore(rig.first, anchor, { tenantId, reason: 'looked-into' });
    await rig.append(tenantId, 2);
    await watchOnce(rig.first, anchor);
    await rig.tamper(tenantId, ...backUp);
    await rig.append(tenantId, 4);
    await watchOnce(rig.first, anchor);
    expect(await alarmsOf(rig, tenantId)).toEqual([]);
    const open = `INSERT INTO audit_epochs (tenant_id, epoch, first_index) VALUES ($tenant, 3, ${size - 1})`;
    await rig.tamper(tenantId, ...restoreBackup, open, ...claiming);
    // Nothing else may be found in its stead: what the anchor knows is of the epoch before.
    expect(await findAlarm(rig.first, anchor)).toBe('EPOCH_CONTRADICTED');
    // Auditors hold checkpoints of that one: it has to be ended, and not the forged one, which nobody signed.
    const { epoch, previous } = await expectStoppedUntilAccepted(tenantId, anchor);
    expect({ epoch, previous }).toMatchObject({ epoch: 4, previous: { epoch: 2, size: size + 6 } });
  });

  test('changed events is gone on with as it is: those that hold stay, markers stand for the others', async () => {
    const { tenantId, anchor } = await openWatchedLog(rig, 'markers');
    await rig.tamper(
      tenantId,
      `UPDATE audit_events SET ${flip('leaf')} WHERE ${EVENT} = 3`,
      `DELETE FROM audit_events WHERE ${EVENT} IN (5, 6, 11)`,
      `UPDATE audit_events SET index = 40 WHERE ${EVENT} = 9`,
    );
    await findAlarm(rig.first, anchor);
    const accepted = await acceptRestore(rig.first, anchor, { tenantId, reason: 'looked-into' });
    expect(accepted).toMatchObject({ epoch: 2, lost: 4, size: 12, previous: { epoch: 1, size: EVENTS } });
    const events = await rig.first.store.withTenant(tenantId, (tx) =>
      listAuditEvents(tx, tenantId, { limit: 50 }),
    );
    expect(events.map(({ index }) => index)).toEqual(events.map((_, at) => at));
    expect(events.filter(({ action }) => action === 'audit.lost').map(({ index }) => index)).toEqual([
      3, 5, 6, 9,
    ]);
    const { rows } = await rig.first.store.withTenant(tenantId, (tx) =>
      sql<{ index: number }>`SELECT index FROM audit_displaced_events ORDER BY index`.execute(tx),
    );
    expect(rows.map(({ index }) => index)).toEqual([3, 40]);
    await rig.append(tenantId);
    await watchOnce(rig.first, anchor);
    expect(await alarmsOf(rig, tenantId)).toEqual([]);
  });

  test('changed one event of thousands, whose pass takes several runs, is found out and gone on with', async () => {
    const { tenantId, anchor } = await openWatchedLog(rig, 'thousands');
    for (let part = 0; part < 3; part += 1) {
      await rig.appendMany(tenantId, 3);
      await sealCheckpoint(rig.first, tenantId);
    }
    await watchOnce(rig.first, anchor);
    expect(await alarmsOf(rig, tenantId)).toEqual([]);
    await rig.tamper(
      tenantId,
      `UPDATE audit_events SET ${flip('leaf')} WHERE ${EVENT} = 2100`,
      `DELETE FROM audit_events WHERE ${EVENT} IN (1023, 1024)`,
      `UPDATE audit_nodes SET ${flip('hash')} WHERE ${EVENT} = 1 AND level = 10`,
    );
    expect(await findAlarm(rig.first, anchor)).toBe('EVENT_MISSING');
    expect(await alarmsOf(rig, tenantId)).toMatchObject([{ index: 1023 }]);
    const accepted = await acceptRestore(rig.first, anchor, { tenantId, reason: 'looked-into' });
    expect(accepted).toMatchObject({ lost: 3, size: EVENTS + 9 * 256 + 1 });
    await rig.append(tenantId);
    await watchOnce(rig.first, anchor);
    expect(await alarmsOf(rig, tenantId)).toEqual([]);
  });

  test('did nothing has no alarm, and nothing to accept', async () => {
    const { tenantId, anchor } = await openWatchedLog(rig, 'nothing');
    expect(await alarmsOf(rig, tenantId)).toEqual([]);
    const accepting = (reason: string) => acceptRestore(rig.first, anchor, { tenantId, reason });
    await expect(accepting('restored')).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(accepting('Because I say so')).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
  });
});

describeOnPostgres('An alarm (PostgreSQL)', () => {
  test('that one process raises stops the log in every other at once', async () => {
    await using rig = await openLogRig('postgres');
    const { tenantId, anchor } = await openWatchedLog(rig, 'processes');
    const second = await rig.openProcess();
    await rig.append(tenantId, 1, second);
    await rig.tamper(tenantId, `UPDATE audit_events SET ${flip('leaf')} WHERE ${EVENT} = 3`);
    await findAlarm(rig.first, anchor);
    await expect(rig.append(tenantId, 1, second)).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    await acceptRestore(rig.first, anchor, { tenantId, reason: 'looked-into' });
    await rig.append(tenantId, 1, second);
  });

  test('leaves no process behind: one that knew the log larger writes to the new epoch too', async () => {
    await using rig = await openLogRig('postgres');
    const { tenantId, anchor } = await openWatchedLog(rig, 'behind');
    const second = await rig.openProcess();
    const record = async () => {
      const headKey = (await second.keyring.keysOf(tenantId)).auditHeadKey();
      await recordAuditEvents(second.store, { tenantId, headKey, events: [eventOf()] });
    };
    await record();
    const { log, alarm } = alarmLog();
    await using watch = openAuditWatch({ ...second, log }, { anchor, times: TIMES });
    await watch.started;
    await rig.tamper(tenantId, `DELETE FROM audit_events WHERE ${EVENT} >= 6`);
    expect(await alarm).toBe('LOG_TRUNCATED');
    await expect(record()).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    await acceptRestore(rig.first, anchor, { tenantId, reason: 'looked-into' });
    // The next round of its watch hears of the epoch.
    await vi.waitFor(record, { timeout: 5_000 });
  });
});
