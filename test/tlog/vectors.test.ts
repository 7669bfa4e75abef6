import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Bytes, encodeHex, parseBase64 } from '../../src/base/index.ts';
import { createNodeNoteSuite } from '../../src/cli/note-suite.ts';
import {
  encodeVerifierKey,
  type NoteVerifier,
  openCheckpoint,
  parseVerifierKey,
  readHeldCheckpoint,
  rootOfRange,
  verifyBundle,
  verifyConsistency,
  verifyInclusion,
  verifyReceipt,
} from '../../src/tlog/index.ts';
import * as independent from './independent-verifier.ts';
import { asLines } from './log-fixture.ts';
import { hasher, sha256 } from './naive-tree.ts';
import { createAuditVectors } from './vectors/vectors.ts';

const FILE = new URL('../vectors/audit-v1.json', import.meta.url);
// biome-ignore lint/suspicious/noExplicitAny: the file is what docs/audit.md §10 says, which this test holds it to.
const vectors: any = JSON.parse(readFileSync(FILE, 'utf8'));
const suite = createNodeNoteSuite();

const fromHex = (text: string): Bytes => Uint8Array.from(Buffer.from(text, 'hex'));
const fromBase64 = (text: string): Bytes => parseBase64(text) ?? new Uint8Array(0);
const verifierKeys: readonly string[] = vectors.keys.map((key: { verifier_key: string }) => key.verifier_key);
const keys = verifierKeys.map((text) => parseVerifierKey(sha256, text)) as NoteVerifier[];
const independentKeys = verifierKeys.map(independent.readKey);

function isAccepted(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}

/** Whether ours and the independent verifier accept it. */
type Judged = readonly [ours: boolean, independent: boolean];
const ACCEPTED: Judged = [true, true];
const REFUSED: Judged = [false, false];

// biome-ignore lint/suspicious/noExplicitAny: a member of the vectors file.
type Vector = any;

function judgeInclusion({ index, size, leaf_hash, proof, root }: Vector): Judged {
  const claim = { index, size, leafHash: fromHex(leaf_hash), proof: proof.map(fromHex), root: fromHex(root) };
  const rest = proof.map((hash: string) => Buffer.from(hash, 'hex'));
  const accepts = (): boolean =>
    independent.rootOfPath(index, size, Buffer.from(leaf_hash, 'hex'), rest).toString('hex') === root &&
    rest.length === 0;
  return [verifyInclusion(hasher, claim), isAccepted(() => expect(accepts()).toBe(true))];
}

function judgeConsistency(vector: Vector): Judged {
  const { from, to, from_root, to_root, proof } = vector;
  const claim = {
    from,
    to,
    fromRoot: fromHex(from_root),
    toRoot: fromHex(to_root),
    proof: proof.map(fromHex),
  };
  const accepts = (): boolean => independent.verifyConsistency(vector);
  return [verifyConsistency(hasher, claim), isAccepted(() => expect(accepts()).toBe(true))];
}

async function judgeNote(note: string): Promise<Judged> {
  const opened = await openCheckpoint(suite, note, keys);
  return [opened !== null, isAccepted(() => independent.readCheckpoint(note, independentKeys))];
}

async function judgeReceipt(vector: Vector): Promise<Judged> {
  const { answer, leaf, inclusion_proof, checkpoint } = vector;
  const receipt = {
    leaf: fromBase64(leaf),
    inclusionProof: inclusion_proof.map(fromBase64),
    checkpoint,
    keys,
  };
  const verdict = await verifyReceipt(suite, receipt, { answer: toAnswer(answer), pins: keys });
  return [verdict.kind === 'LOGGED', isAccepted(() => independent.verifyReceipt(vector, independentKeys))];
}

function toAnswer({ tenant_id, audit_event_id, transcript_sha256 }: Vector) {
  return { tenantId: tenant_id, auditEventId: audit_event_id, transcriptSha256: transcript_sha256 };
}

async function judgeBundle(lines: readonly string[], answer?: Vector): Promise<Judged> {
  const known = answer === undefined ? {} : { answer: toAnswer(answer) };
  const verdict = await verifyBundle(suite, asLines(lines), known);
  const others = answer === undefined ? {} : { answer };
  return [verdict.kind === 'PROVEN', isAccepted(() => independent.verifyBundle(lines, others))];
}

describe('The vectors of the audit log', () => {
  it('are what their generator writes', () => {
    const text = `${JSON.stringify(createAuditVectors(), null, 1)}\n`;
    expect(readFileSync(FILE, 'utf8') === text).toBe(true);
  });

  it('give leaf hashes, and the root of every tree by the nodes beside a range', () => {
    const hashes = vectors.leaves.map((leaf: string) => hasher.hashLeaf(fromBase64(leaf)));
    expect(hashes.map(encodeHex)).toEqual(vectors.leaf_hashes);
    for (const [size, root] of vectors.roots.entries()) {
      const whole = { from: 0, size, leafHashes: hashes.slice(0, size), nodes: [] };
      expect(encodeHex(rootOfRange(hasher, whole) ?? new Uint8Array(0))).toBe(root);
    }
    for (const { from, to, size, nodes, root } of vectors.ranges) {
      const read = nodes.map((node: Vector) => ({ ...node, hash: fromHex(node.hash) }));
      const made = rootOfRange(hasher, { from, size, leafHashes: hashes.slice(from, to), nodes: read });
      expect(encodeHex(made ?? new Uint8Array(0))).toBe(root);
    }
  });

  it('give keys with their ids', () => {
    expect(keys.map((key) => [key.type, key.name, encodeHex(key.keyId), encodeVerifierKey(key)])).toEqual(
      vectors.keys.map(({ type, name, key_id, verifier_key }: Vector) => [type, name, key_id, verifier_key]),
    );
    expect(independentKeys.map(({ id }) => id)).toEqual(vectors.keys.map(({ key_id }: Vector) => key_id));
  });

  it.each(vectors.inclusion.valid as Vector[])('prove leaf $index of $size', (vector) => {
    expect(judgeInclusion(vector)).toEqual(ACCEPTED);
  });

  it.each(vectors.inclusion.invalid as Vector[])('refuse an inclusion proof with $reason', (vector) => {
    expect(judgeInclusion(vector)).toEqual(REFUSED);
  });

  it.each(vectors.consistency.valid as Vector[])('prove that $to leaves begin with $from', (vector) => {
    expect(judgeConsistency(vector)).toEqual(ACCEPTED);
  });

  it.each(vectors.consistency.invalid as Vector[])('refuse a consistency proof with $reason', (vector) => {
    expect(judgeConsistency(vector)).toEqual(REFUSED);
  });

  it.each(vectors.notes.valid as Vector[])('accept a checkpoint: $name', async ({ note, size }) => {
    expect(await judgeNote(note)).toEqual(ACCEPTED);
    expect((await openCheckpoint(suite, note, keys))?.checkpoint.size).toBe(size);
  });

  it.each(vectors.notes.invalid as Vector[])('refuse a checkpoint with $reason', async ({ note }) => {
    expect(await judgeNote(note)).toEqual(REFUSED);
  });

  it('prove by receipts that answers were logged', async () => {
    for (const vector of vectors.receipts.valid) expect(await judgeReceipt(vector)).toEqual(ACCEPTED);
  });

  it.each(vectors.receipts.invalid as Vector[])('refuse a receipt where $reason', async (vector) => {
    expect(await judgeReceipt(vector)).toEqual(REFUSED);
  });

  it.each(vectors.bundles.valid as Vector[])('prove a bundle: $name', async ({ lines, proves }) => {
    expect(await judgeBundle(lines)).toEqual(ACCEPTED);
    const verdict = await verifyBundle(suite, asLines(lines), { pins: keys.map(inEpoch(lines)) });
    const complete = verdict.facts.find(({ fact }) => fact === 'COMPLETE');
    expect(complete ?? null).toEqual(proves === null ? null : { fact: 'COMPLETE', range: proves });
  });

  it.each(vectors.bundles.invalid.cases as Vector[])('refuse a bundle where $reason', async ({
    splices,
    broken_index,
  }) => {
    const lines = [...vectors.bundles.invalid.lines];
    for (const [start, count, ...more] of splices) lines.splice(start, count, ...more);
    expect(await judgeBundle(lines)).toEqual(REFUSED);
    const verdict = await verifyBundle(suite, asLines(lines));
    expect(verdict).toMatchObject({ kind: 'REFUSED', failure: { brokenIndex: broken_index } });
  });

  it('have a good bundle that the bad ones are made of', async () => {
    expect(await judgeBundle(vectors.bundles.invalid.lines)).toEqual(ACCEPTED);
  });

  it.each(
    (vectors.bundles.held as Vector[]).map((vector) => ({ ...vector, name: vector.name ?? vector.reason })),
  )('hold a bundle against one from before: $name', async ({ previous, lines, holds }) => {
    const before = await readHeldCheckpoint(suite, asLines(previous));
    if (before.kind === 'REFUSED') throw new TypeError('The previous bundle was refused');
    const verdict = await verifyBundle(suite, asLines(lines), { held: before.held });
    const accepts = isAccepted(() =>
      independent.verifyBundle(lines, { held: independent.verifyBundle(previous) }),
    );
    expect([verdict.kind === 'PROVEN', accepts]).toEqual([holds, holds]);
  });

  it('tell answers that were logged from those that were not', async () => {
    const { lines, logged, not_logged } = vectors.bundles.answers;
    expect(await judgeBundle(lines, logged)).toEqual(ACCEPTED);
    for (const answer of not_logged) expect(await judgeBundle(lines, answer)).toEqual(REFUSED);
  });
});

/** The same key under the name that the bundle's log has in its epoch. */
function inEpoch(lines: readonly string[]): (key: NoteVerifier) => NoteVerifier {
  return (key) => ({ ...key, name: JSON.parse(lines[0] ?? '{}').origin });
}
