import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AnchorError, type AuditAnchor, openAnchor } from '../../../src/audit/index.ts';
import { createId } from '../../../src/base/index.ts';
import { openS3Server, type S3Server } from '../../support/s3-server.ts';
import { checkpointOf, newestOf, notesOf } from './notes.ts';

const START = { epoch: 1, size: 0 };

describe('The anchor in a bucket', () => {
  let server: S3Server;
  let anchor: AuditAnchor;
  let tenantId: string;
  beforeEach(async () => {
    server = await openS3Server();
    for (const [name, value] of Object.entries(server.environment)) vi.stubEnv(name, value);
    anchor = await openAnchor({
      ...{ kind: 's3', bucket: server.bucket, prefix: 'audit/', region: null, endpoint: server.endpoint },
      ...{ mode: 'COMPLIANCE', days: 30 },
    });
    tenantId = createId('tenant');
  });
  afterEach(async () => {
    await anchor[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    vi.unstubAllEnvs();
  });

  const keyOf = (epoch: string, size: string): string =>
    `audit/${tenantId}/${epoch.padStart(9, '0')}-${size.padStart(16, '0')}.note`;

  test('writes each checkpoint as an object of its own, locked, under a name that sorts as it does', async () => {
    const checkpoints = [
      checkpointOf(tenantId, 1, 9),
      checkpointOf(tenantId, 1, 10),
      checkpointOf(tenantId, 2, 3),
    ];
    for (const checkpoint of checkpoints) expect(await anchor.write(tenantId, checkpoint)).toBeNull();
    expect(server.versions.map(({ key }) => key)).toEqual([
      keyOf('1', '9'),
      keyOf('1', '10'),
      keyOf('2', '3'),
    ]);
    expect(server.versions.map(({ key }) => key).toSorted()).toEqual(server.versions.map(({ key }) => key));
    expect(server.versions.map(({ body }) => body)).toEqual(checkpoints.map(({ note }) => note));
    for (const { mode, retainUntil } of server.versions) {
      expect(mode).toBe('COMPLIANCE');
      const days = ((retainUntil?.getTime() ?? 0) - Date.now()) / 86_400_000;
      expect(days).toBeGreaterThan(29.9);
      expect(days).toBeLessThan(30.1);
    }
  });

  test('never writes over an object: what is there is answered', async () => {
    const first = checkpointOf(tenantId, 1, 5, 1);
    await anchor.write(tenantId, first);
    expect(await anchor.write(tenantId, checkpointOf(tenantId, 1, 5, 2))).toBe(first.note);
    expect(server.versions).toHaveLength(1);
  });

  test('remembers the newest at a place or after it, of this tenant', async () => {
    const other = createId('tenant');
    await anchor.write(other, checkpointOf(other, 9, 9));
    expect(await newestOf(anchor, tenantId)).toBeUndefined();
    const newest = checkpointOf(tenantId, 1, 12);
    await anchor.write(tenantId, checkpointOf(tenantId, 1, 7));
    await anchor.write(tenantId, newest);
    for (const size of [0, 7, 11, 12])
      expect(await newestOf(anchor, tenantId, { epoch: 1, size })).toBe(newest.note);
    expect(await newestOf(anchor, tenantId, { epoch: 1, size: 13 })).toBeUndefined();
    const next = checkpointOf(tenantId, 2, 4);
    await anchor.write(tenantId, next);
    expect(await newestOf(anchor, tenantId, { epoch: 1, size: 12 })).toBe(next.note);
  });

  test('goes through more objects than one answer lists', async () => {
    for (let size = 1; size <= 1_100; size += 1) server.put(keyOf('1', String(size)), `note ${size}`);
    const newest = checkpointOf(tenantId, 1, 1_101);
    await anchor.write(tenantId, newest);
    expect(await newestOf(anchor, tenantId)).toBe(newest.note);
    expect(server.operations.filter((name) => name === 'ListObjectVersions')).toHaveLength(2);
  });

  test('sees an object that was deleted or written over, since its first version is still there', async () => {
    const checkpoint = checkpointOf(tenantId, 1, 8);
    await anchor.write(tenantId, checkpoint);
    server.put(keyOf('1', '8'), 'another note');
    expect(await newestOf(anchor, tenantId)).toBe(checkpoint.note);
    server.put(keyOf('1', '8'), null);
    expect(await newestOf(anchor, tenantId)).toBe(checkpoint.note);
  });

  test('tells the newest first, and of no object as a note that is not of its place', async () => {
    const genuine = checkpointOf(tenantId, 1, 8);
    await anchor.write(tenantId, genuine);
    server.put(keyOf('999999999', '8'), genuine.note);
    server.put(keyOf('2', '9'), 'words');
    server.put(keyOf('2', '10'), 'x'.repeat(70_000));
    server.put(`audit/${tenantId}/zzz`, genuine.note);
    expect(await notesOf(anchor, tenantId)).toEqual([null, null, null, null, genuine.note]);
    expect(await anchor.write(tenantId, checkpointOf(tenantId, 2, 10))).toBe('');
  });

  test('reads no more than 64 objects to find a note', async () => {
    for (let size = 1; size <= 70; size += 1) server.put(keyOf('3', String(size)), 'words');
    expect(await notesOf(anchor, tenantId)).toHaveLength(64);
  });

  test('finds the first version of an object that was written over a thousand times', async () => {
    const checkpoint = checkpointOf(tenantId, 1, 8);
    await anchor.write(tenantId, checkpoint);
    for (let at = 0; at < 1_100; at += 1) server.put(keyOf('1', '8'), 'words');
    expect(await notesOf(anchor, tenantId)).toEqual([checkpoint.note]);
  });

  test.each(['unavailable', 'denied'] as const)('says that the bucket cannot be used: %s', async (fault) => {
    server.fail(fault);
    const uses = [
      anchor.write(tenantId, checkpointOf(tenantId, 1, 1)),
      newestOf(anchor, tenantId),
      anchor.probe(),
    ];
    for (const outcome of await Promise.allSettled(uses)) {
      const reason: unknown = outcome.status === 'rejected' ? outcome.reason : null;
      expect(reason).toBeInstanceOf(AnchorError);
      expect(String(reason)).toMatch(/bucket sealdesk-anchor cannot be used \(\w+\)/);
      expect(String(reason)).not.toMatch(/AKID|simulated/);
    }
    server.heal();
    await anchor.probe();
    expect(await anchor.write(tenantId, checkpointOf(tenantId, 1, 1))).toBeNull();
  });

  test('lets a caller give up while the bucket says nothing', async () => {
    server.fail('hang');
    const caller = new AbortController();
    const reason = new Error('stopped');
    const reading = Array.fromAsync(anchor.listNewest(tenantId, START, { signal: caller.signal }));
    caller.abort(reason);
    await expect(reading).rejects.toBe(reason);
  });
});
