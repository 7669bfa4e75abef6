/** Checkpoints: what they cover, who may read them, and that no two of them ever contradict each other. */
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listCheckpointsAfter, readCheckpoint, readLogState, readRoot } from '../../../src/audit/index.ts';
import { encodeBase64 } from '../../../src/base/index.ts';
import { sealCheckpoint } from '../../../src/service/index.ts';
import { parseCheckpoint, parseSignedNote } from '../../../src/tlog/index.ts';
import { describeOnBothDatabases, describeOnPostgres } from '../../support/store.ts';
import { type LogRig, openLogRig } from './log-rig.ts';

describeOnBothDatabases('A checkpoint', (kind) => {
  let rig: LogRig;
  let tenantId: string;
  beforeAll(async () => {
    rig = await openLogRig(kind);
    tenantId = await rig.createTenant();
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  const all = () =>
    rig.first.store.withTenant(tenantId, (tx) =>
      listCheckpointsAfter(tx, tenantId, { epoch: 1, size: 0 }, 100),
    );

  test('vouches for the log as it is, by a note that names size and root and bears both signatures', async () => {
    await rig.append(tenantId, 3);
    const sealed = await sealCheckpoint(rig.first, tenantId);
    const keys = await rig.first.keyring.keysOf(tenantId);
    const state = await rig.first.store.withTenant(tenantId, (tx) =>
      readLogState(tx, { tenantId, headKey: keys.auditHeadKey() }),
    );
    expect(sealed).toMatchObject({ epoch: 1, size: 4 });
    expect(state).toMatchObject({ epoch: 1, size: 4, signedSize: 4 });
    const origin = `sealdesk/${tenantId}`;
    expect(sealed?.note.startsWith(`${origin}\n4\n${encodeBase64(state.root)}\n\n— ${origin} `)).toBe(true);
    const note = parseSignedNote(sealed?.note ?? '');
    expect(parseCheckpoint(note?.text ?? '')).toEqual({ origin, size: 4, root: state.root });
    expect(note !== null && (await keys.checkpointSigner().verifyNote(origin, note))).toBe(true);
  });

  test('is not made again while nothing is new', async () => {
    const before = await all();
    const again = await sealCheckpoint(rig.first, tenantId);
    expect(again).toEqual(before.at(-1));
    expect(await all()).toEqual(before);
  });

  test('is found by its size, by what it has to cover, and as the newest', async () => {
    await rig.append(tenantId, 2);
    await sealCheckpoint(rig.first, tenantId);
    await rig.append(tenantId, 1);
    await sealCheckpoint(rig.first, tenantId);
    const sizes = (await all()).map(({ size }) => size);
    expect(sizes).toEqual([4, 6, 7]);
    const sizeOf = async (wish: Parameters<typeof readCheckpoint>[2]) =>
      (await rig.first.store.withTenant(tenantId, (tx) => readCheckpoint(tx, tenantId, wish)))?.size;
    expect(await sizeOf({})).toBe(7);
    expect(await sizeOf({ size: 6 })).toBe(6);
    expect(await sizeOf({ size: 5 })).toBeUndefined();
    expect(await sizeOf({ atLeast: 5 })).toBe(6);
    expect(await sizeOf({ atLeast: 8 })).toBeUndefined();
  });

  test('is changed and removed by nobody', async () => {
    for (const statement of [
      `UPDATE audit_checkpoints SET note = ''`,
      'DELETE FROM audit_checkpoints',
      'TRUNCATE audit_checkpoints',
    ]) {
      const { store } = rig.first;
      const asOwner = store.withSystem('tenant-administration', (tx) => sql.raw(statement).execute(tx));
      await expect(asOwner, statement).rejects.toThrow('append-only');
      const asTenant = store.withTenant(tenantId, (tx) => sql.raw(statement).execute(tx));
      await expect(asTenant, statement).rejects.toMatchObject({ code: '42501' });
    }
  });

  test('is never smaller than one before it, nor another of its size, however many seal at once', async () => {
    const own = await rig.createTenant();
    await Promise.all([
      ...Array.from({ length: 12 }, () => rig.append(own, 1)),
      ...Array.from({ length: 12 }, () => sealCheckpoint(rig.first, own)),
    ]);
    await sealCheckpoint(rig.first, own);
    await assertOneHistory(rig, own, 13);
  });
});

describeOnPostgres('Checkpoints of two processes (PostgreSQL)', () => {
  test('make one history, also after one of them starts again', async () => {
    await using rig = await openLogRig('postgres');
    const tenantId = await rig.createTenant();
    const second = await rig.openProcess();
    const work = async (process: typeof second) => {
      for (let at = 0; at < 10; at += 1) {
        await Promise.all([rig.append(tenantId, 1, process), sealCheckpoint(process, tenantId)]);
      }
    };
    await Promise.all([work(rig.first), work(second)]);
    const third = await rig.openProcess();
    await Promise.all([sealCheckpoint(third, tenantId), sealCheckpoint(rig.first, tenantId)]);
    await assertOneHistory(rig, tenantId, 21);
  });
});

/** That checkpoints grow in the order in which they were stored, up to `size`, each with the root of the log at its size. */
async function assertOneHistory({ first }: LogRig, tenantId: string, size: number): Promise<void> {
  const rows = await first.store.withTenant(tenantId, (tx) =>
    tx.selectFrom('audit_checkpoints').selectAll().orderBy('created_at').execute(),
  );
  const sizes = rows.map((row) => row.size);
  expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
  expect(new Set(sizes).size).toBe(sizes.length);
  expect(sizes.at(-1)).toBe(size);
  for (const row of rows) {
    const root = await first.store.withTenant(tenantId, (tx) => readRoot(tx, tenantId, row.size));
    expect(Buffer.from(row.root)).toEqual(Buffer.from(root));
    expect(row.note).toContain(`\n${row.size}\n${encodeBase64(Uint8Array.from(root))}\n`);
  }
}
