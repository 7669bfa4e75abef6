/** Looking after logs: checkpoints in time, the anchor kept up with whatever happens to it, one visitor at a time. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  AnchorError,
  type AnchoredCheckpoint,
  type AuditAnchor,
  claimWatch,
  DEFAULT_WATCH_TIMES,
  listAlarms,
  listCheckpointsAfter,
  openAnchor,
  releaseWatch,
} from '../../../src/audit/index.ts';
import { type Log, type LogFields, silentLog } from '../../../src/base/index.ts';
import {
  type AuditWatchOptions,
  openAuditWatch,
  readAudit,
  sealCheckpoint,
} from '../../../src/service/index.ts';
import { encodeCheckpoint, encodeSignedNote } from '../../../src/tlog/index.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { type LogRig, openLogRig } from './log-rig.ts';

const START = { epoch: 1, size: 0 };
const TIMES: NonNullable<AuditWatchOptions['times']> = {
  round: 20,
  pass: 0,
  run: 0,
  seal: 0,
  anchorRetry: 0,
};

/** An anchor in memory that can fail, and tells when something was written. */
class TestAnchor implements AuditAnchor {
  readonly kind = 'file';
  readonly written: { readonly tenantId: string; readonly size: number; readonly note: string }[] = [];
  isFailing = false;
  /** Takes the note and then loses the connection, as a crash before the answer does. */
  isForgetful = false;
  onWrite: (tenantId: string, size: number) => void = () => {};

  async write(tenantId: string, { size, note }: AnchoredCheckpoint): Promise<string | null> {
    if (this.isFailing) throw new AnchorError('The test anchor fails.');
    const kept = this.written.find((one) => one.tenantId === tenantId && one.size === size);
    if (kept === undefined) this.written.push({ tenantId, size, note });
    this.onWrite(tenantId, size);
    if (this.isForgetful) throw new AnchorError('The test anchor lost the answer.');
    return kept?.note ?? null;
  }
  async *listNewest(tenantId: string): AsyncGenerator<string, void> {
    if (this.isFailing) throw new AnchorError('The test anchor fails.');
    const newest = this.written.findLast((one) => one.tenantId === tenantId);
    if (newest !== undefined) yield newest.note;
  }
  async probe(): Promise<void> {}
  async [Symbol.asyncDispose](): Promise<void> {}

  sizesOf(tenantId: string): number[] {
    return this.written.filter((one) => one.tenantId === tenantId).map(({ size }) => size);
  }
  /** Resolves when a checkpoint of `size` is written. */
  reached(tenantId: string, size: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.onWrite;
    this.onWrite = (id, reached) => {
      before(id, reached);
      if (id === tenantId && reached === size) resolve();
    };
    return promise;
  }
}

function listening(): { readonly log: Log; readonly warnings: LogFields[]; next(): Promise<LogFields> } {
  const warnings: LogFields[] = [];
  let wake: ((fields: LogFields) => void) | null = null;
  const warn = (_: string, fields: LogFields = {}): void => {
    warnings.push(fields);
    wake?.(fields);
  };
  return {
    log: { ...silentLog, warn },
    warnings,
    next: () => {
      const { promise, resolve } = Promise.withResolvers<LogFields>();
      wake = resolve;
      return promise;
    },
  };
}

describeOnBothDatabases('The watch over audit logs', (kind) => {
  let rig: LogRig;
  beforeAll(async () => {
    rig = await openLogRig(kind);
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  const sizes = (tenantId: string) =>
    rig.first.store.withTenant(tenantId, async (tx) =>
      (await listCheckpointsAfter(tx, tenantId, START, 100)).map(({ size }) => size),
    );

  test('seals a checkpoint where there is news, writes it to the anchor, and rests where there is none', async () => {
    const tenantId = await rig.createTenant();
    const anchor = new TestAnchor();
    const first = anchor.reached(tenantId, 1);
    await using watch = openAuditWatch(rig.first, { anchor, times: TIMES });
    await first;
    const second = anchor.reached(tenantId, 4);
    await rig.append(tenantId, 3);
    await second;
    await watch[Symbol.asyncDispose]();
    expect(await sizes(tenantId)).toEqual(anchor.sizesOf(tenantId));
    const before = anchor.written.length;
    await using again = openAuditWatch(rig.first, { anchor, times: { ...TIMES, round: 60_000 } });
    await again.started;
    expect(anchor.written).toHaveLength(before);
  });

  test('seals no oftener than it is told to', async () => {
    const tenantId = await rig.createTenant();
    const anchor = new TestAnchor();
    for (const [round, expected] of [[1], [1], [1, 2]].entries()) {
      const seal = round === 2 ? 0 : 60_000;
      await using watch = openAuditWatch(rig.first, { anchor, times: { ...TIMES, seal, round: 60_000 } });
      await watch.started;
      expect(await sizes(tenantId)).toEqual(expected);
      if (round === 0) await rig.append(tenantId);
    }
  });

  test('tells of an anchor that fails, goes on, and catches up in order once it works', async () => {
    const tenantId = await rig.createTenant();
    const anchor = new TestAnchor();
    anchor.isFailing = true;
    const heard = listening();
    const warned = heard.next();
    await using watch = openAuditWatch({ ...rig.first, log: heard.log }, { anchor, times: TIMES });
    expect(await warned).toMatchObject({ anchor: 'file', reason: 'The test anchor fails.' });
    for (let at = 0; at < 3; at += 1) {
      await rig.append(tenantId);
      await sealCheckpoint(rig.first, tenantId);
    }
    expect(watch.anchorFailures).toBeGreaterThan(0);
    expect((await readAudit(rig.first)).anchorFailing).toBeGreaterThan(0);
    const newest = (await sizes(tenantId)).at(-1) ?? 0;
    const caughtUp = anchor.reached(tenantId, newest);
    anchor.isFailing = false;
    await caughtUp;
    await watch[Symbol.asyncDispose]();
    expect(anchor.sizesOf(tenantId)).toEqual(await sizes(tenantId));
    expect(watch.anchored).toBeGreaterThan(0);
    await using another = openAuditWatch(rig.first, { anchor, times: { ...TIMES, round: 60_000 } });
    await another.started;
    expect((await readAudit(rig.first)).anchorFailing).toBe(0);
  });

  test('writes again what it does not know to be written, and misjudges nothing then', async () => {
    const tenantId = await rig.createTenant();
    const anchor = new TestAnchor();
    anchor.isForgetful = true;
    const first = anchor.reached(tenantId, 1);
    {
      await using _ = openAuditWatch(rig.first, { anchor, times: TIMES });
      await first;
    }
    anchor.isForgetful = false;
    await rig.append(tenantId);
    const second = anchor.reached(tenantId, 2);
    await using _ = openAuditWatch(rig.first, { anchor, times: TIMES });
    await second;
    expect(anchor.sizesOf(tenantId)).toEqual([1, 2]);
    expect(await rig.first.store.withTenant(tenantId, (tx) => listAlarms(tx))).toEqual([]);
  });

  test('takes nothing for altered while others append and seal', async () => {
    const tenantId = await rig.createTenant();
    const anchor = new TestAnchor();
    await using watch = openAuditWatch(rig.first, { anchor, times: { ...TIMES, round: 1 } });
    const busy = async (): Promise<void> => {
      for (let at = 0; at < 15; at += 1) {
        await rig.append(tenantId);
        await sealCheckpoint(rig.first, tenantId);
      }
    };
    await Promise.all([busy(), busy(), busy()]);
    await watch[Symbol.asyncDispose]();
    expect(await rig.first.store.withTenant(tenantId, (tx) => listAlarms(tx))).toEqual([]);
    expect((await sizes(tenantId)).at(-1)).toBe(46);
    expect(anchor.sizesOf(tenantId)).toEqual(anchor.sizesOf(tenantId).toSorted((a, b) => a - b));
  });

  test('stops a log of which the anchor keeps another tree of the same size, signed', async () => {
    const tenantId = await rig.createTenant();
    const anchor = new TestAnchor();
    anchor.listNewest = async function* () {};
    const origin = `sealdesk/${tenantId}`;
    const text = encodeCheckpoint({ origin, size: 1, root: new Uint8Array(32) });
    const signer = (await rig.first.keyring.keysOf(tenantId)).checkpointSigner();
    const note = encodeSignedNote({ text, signatures: await signer.signNote(origin, text) });
    anchor.written.push({ tenantId, size: 1, note });
    await using watch = openAuditWatch(rig.first, { anchor, times: { ...TIMES, round: 60_000 } });
    await watch.started;
    const alarms = await rig.first.store.withTenant(tenantId, (tx) => listAlarms(tx));
    expect(alarms).toMatchObject([{ kind: 'CHECKPOINT_CONTRADICTED', index: 1 }]);
    await rig.tamper(tenantId, 'DELETE FROM audit_alarms WHERE tenant_id = $tenant');
  });

  test('passes over checkpoints in whose place the anchor keeps something else, and says so', async () => {
    const tenantId = await rig.createTenant();
    const anchor = new TestAnchor();
    const first = await sealCheckpoint(rig.first, tenantId);
    await rig.append(tenantId);
    await sealCheckpoint(rig.first, tenantId);
    await rig.append(tenantId);
    await sealCheckpoint(rig.first, tenantId);
    // An older note of this very log under the key of a size to come, and no note at all.
    anchor.written.push({ tenantId, size: 2, note: first?.note ?? '' }, { tenantId, size: 3, note: 'junk' });
    anchor.listNewest = async function* () {};
    const heard = listening();
    const watchOnce = async (): Promise<void> => {
      const times = { ...TIMES, round: 60_000 };
      await using watch = openAuditWatch({ ...rig.first, log: heard.log }, { anchor, times });
      await watch.started;
    };
    await watchOnce();
    expect(heard.warnings).toContainEqual({
      ...{ tenantId, anchor: 'file', reason: expect.stringContaining('2 cannot be read') },
    });
    expect((await readAudit(rig.first)).anchorFailing).toBe(1);
    await rig.append(tenantId);
    await sealCheckpoint(rig.first, tenantId);
    await watchOnce();
    expect(anchor.sizesOf(tenantId)).toContain(4);
    expect(await rig.first.store.withTenant(tenantId, (tx) => listAlarms(tx))).toEqual([]);
    await watchOnce();
    expect((await readAudit(rig.first)).anchorFailing).toBe(0);
  });

  test('believes no note that the log did not sign, and says so', async () => {
    const tenantId = await rig.createTenant();
    const folder = join(rig.folder, 'forged');
    const anchor = await openAnchor({ kind: 'file', folder });
    await rig.append(tenantId, 3);
    const sealed = await sealCheckpoint(rig.first, tenantId);
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `${tenantId}.notes`);
    writeFileSync(file, `${sealed?.note.replace('\n4\n', '\n4000\n')}\n`, { mode: 0o600 });
    const heard = listening();
    const warned = heard.next();
    await using watch = openAuditWatch({ ...rig.first, log: heard.log }, { anchor, times: TIMES });
    expect(await warned).toMatchObject({ tenantId, reason: expect.stringContaining('signatures') });
    await watch.started;
    await rig.append(tenantId);
    expect(await rig.first.store.withTenant(tenantId, (tx) => listAlarms(tx))).toEqual([]);
    expect(readFileSync(file, 'utf8')).toContain(sealed?.note);
    // The note that was written meanwhile does not hide that the other is still there.
    expect((await readAudit(rig.first)).anchorFailing).toBe(1);
    chmodSync(file, 0o600);
  });

  test('leaves a log to who visits it now, and takes no promise of a time that is too far', async () => {
    const tenantId = await rig.createTenant();
    const claim = (holder: string) =>
      rig.first.store.withTenant(tenantId, (tx) =>
        claimWatch(tx, { tenantId, holder, times: DEFAULT_WATCH_TIMES }),
      );
    const lease = await claim('one');
    expect(lease).toMatchObject({ tenantId, holder: 'one', checkedTo: 0, isRunDue: true });
    expect(await claim('two')).toBeNull();
    await rig.first.store.withTenant(tenantId, (tx) =>
      releaseWatch(tx, { tenantId, holder: 'one' }, { checkedTo: 7, nextRunIn: 60_000 }),
    );
    expect(await claim('two')).toMatchObject({ holder: 'two', checkedTo: 7, isRunDue: false });
    await rig.tamper(
      tenantId,
      `UPDATE audit_watches SET lease_until = now() + interval '1 year', due_at = now() + interval '1 year' WHERE tenant_id = $tenant`,
    );
    expect(await claim('three')).toMatchObject({ holder: 'three', isRunDue: true });
  });

  test('measures what is not signed, and alarms by what was found', async () => {
    const tenantId = await rig.createTenant();
    await sealCheckpoint(rig.first, tenantId);
    const before = await readAudit(rig.first);
    await rig.append(tenantId, 5);
    const after = await readAudit(rig.first);
    expect(after.unsignedEvents - before.unsignedEvents).toBe(5);
    expect(after.unsignedAge).toBeGreaterThan(0);
    expect(after.alarms).toEqual(new Map());
    await rig.tamper(
      tenantId,
      `INSERT INTO audit_alarms (tenant_id, epoch, kind) VALUES ($tenant, 1, 'ROLLED_BACK')`,
    );
    expect((await readAudit(rig.first)).alarms).toEqual(new Map([['ROLLED_BACK', 1]]));
  });
});
