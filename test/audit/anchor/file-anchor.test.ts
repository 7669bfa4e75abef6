import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { AnchorError, type AuditAnchor, openAnchor } from '../../../src/audit/index.ts';
import { createId } from '../../../src/base/index.ts';
import { checkpointOf, newestOf, notesOf } from './notes.ts';

const root = mkdtempSync(join(tmpdir(), 'sealdesk-anchor-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('The anchor in a folder', () => {
  let folder: string;
  let anchor: AuditAnchor;
  let tenantId: string;
  let file: string;
  beforeEach(async () => {
    folder = join(mkdtempSync(join(root, 'case-')), 'made', 'when-needed');
    anchor = await openAnchor({ kind: 'file', folder });
    tenantId = createId('tenant');
    file = join(folder, `${tenantId}.notes`);
  });

  test('remembers the newest checkpoint of each tenant, whatever the order of writing', async () => {
    const other = createId('tenant');
    const [first, newest, late] = [
      checkpointOf(tenantId, 1, 7),
      checkpointOf(tenantId, 2, 5),
      checkpointOf(tenantId, 1, 9),
    ];
    expect(await newestOf(anchor, tenantId)).toBeUndefined();
    await anchor.write(tenantId, first);
    expect(await newestOf(anchor, tenantId)).toBe(first.note);
    await anchor.write(tenantId, newest);
    await anchor.write(tenantId, late);
    await anchor.write(other, checkpointOf(other, 1, 1));
    expect(await newestOf(anchor, tenantId)).toBe(newest.note);
    expect(await newestOf(anchor, tenantId, { epoch: 2, size: 6 })).toBeUndefined();
  });

  test('keeps every note, in order, in one file that its owner alone reads', async () => {
    const checkpoints = [1, 2, 3].map((size) => checkpointOf(tenantId, 1, size));
    for (const checkpoint of checkpoints) await anchor.write(tenantId, checkpoint);
    expect(readFileSync(file, 'utf8')).toBe(checkpoints.map(({ note }) => `${note}\n`).join(''));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  test('finds the newest in a file of hundreds', async () => {
    const notes = Array.from({ length: 300 }, (_, at) => `${checkpointOf(tenantId, 1, at + 1).note}\n`);
    await anchor.write(tenantId, checkpointOf(tenantId, 1, 1));
    appendFileSync(file, notes.join(''));
    expect(await newestOf(anchor, tenantId)).toMatch(/^sealdesk\/\w+\n300\n/);
  });

  test.each([
    1, 40, 2_000, 4_600,
  ])('passes over a note of which only %i characters reached the disk', async (length) => {
    const whole = checkpointOf(tenantId, 1, 3);
    await anchor.write(tenantId, whole);
    appendFileSync(file, checkpointOf(tenantId, 1, 4).note.slice(0, length));
    expect(await newestOf(anchor, tenantId)).toBe(whole.note);
    const next = checkpointOf(tenantId, 1, 5);
    await anchor.write(tenantId, next);
    expect(await newestOf(anchor, tenantId)).toBe(next.note);
  });

  test('passes over what is no note of this tenant', async () => {
    await anchor.write(tenantId, checkpointOf(tenantId, 1, 3));
    appendFileSync(file, `${checkpointOf(createId('tenant'), 1, 9).note}\nsealdesk/garbage\n\nwords\n`);
    expect(await newestOf(anchor, tenantId)).toMatch(/\n3\n/);
  });

  test('tells every note, each once, the newest that it claims to be first: signatures decide', async () => {
    const [genuine, late, claimed] = [3, 5, 4_000_000].map((size) => checkpointOf(tenantId, 1, size));
    for (const one of [genuine, claimed, late, genuine])
      if (one !== undefined) await anchor.write(tenantId, one);
    const junk = Array.from({ length: 40 }, (_, at) => checkpointOf(tenantId, 7, at + 1));
    for (const one of junk) await anchor.write(tenantId, one);
    expect(await notesOf(anchor, tenantId)).toEqual(
      [...junk.toReversed(), claimed, late, genuine].map((one) => one?.note),
    );
  });

  test('says which folder cannot be used, and follows no link out of it', async () => {
    await anchor.probe();
    await anchor.write(tenantId, checkpointOf(tenantId, 1, 1));
    const linked = createId('tenant');
    writeFileSync(join(root, 'elsewhere'), '');
    symlinkSync(join(root, 'elsewhere'), join(folder, `${linked}.notes`));
    await expect(anchor.write(linked, checkpointOf(linked, 1, 1))).rejects.toThrow(AnchorError);
    const inFile = await openAnchor({ kind: 'file', folder: join(root, 'elsewhere') });
    await expect(inFile.write(tenantId, checkpointOf(tenantId, 1, 1))).rejects.toThrow(/elsewhere.*\(E/);
    await expect(inFile.probe()).rejects.toThrow(AnchorError);
  });
});
