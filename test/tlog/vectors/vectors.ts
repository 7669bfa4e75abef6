/** The vectors of `docs/audit.md`, made from fixed keys and events. Their format is described there. */
import { encodeBase64, encodeHex, type JsonObject } from '../../../src/base/index.ts';
import {
  createConsistencyProof,
  createInclusionProof,
  encodeVerifierKey,
  type NoteVerifier,
  parseSignedNote,
  rangeNodes,
} from '../../../src/tlog/index.ts';
import { auditId, FixtureLog, LogKeys, transcriptOf } from '../log-fixture.ts';
import { hasher } from '../naive-tree.ts';
import { createBundleVectors } from './bundle-vectors.ts';
import { createNoteVectors } from './note-vectors.ts';

const KEYS = new LogKeys('vectors');

export function createAuditVectors(): JsonObject {
  const log = new FixtureLog(KEYS).append(13);
  return {
    format: 'sealdesk/audit/v1',
    leaves: log.leaves.map(encodeBase64),
    leaf_hashes: log.leaves.map((leaf) => encodeHex(hasher.hashLeaf(leaf))),
    roots: Array.from({ length: log.size + 1 }, (_, size) => encodeHex(log.root(size))),
    inclusion: createInclusionVectors(log),
    consistency: createConsistencyVectors(log),
    ranges: createRangeVectors(log),
    keys: KEYS.verifiers(log.origin).map(describeKey),
    notes: createNoteVectors(log),
    receipts: createReceiptVectors(log),
    bundles: createBundleVectors(KEYS),
  };
}

function describeKey(key: NoteVerifier): JsonObject {
  return {
    type: key.type,
    name: key.name,
    key_id: encodeHex(key.keyId),
    public_key: encodeBase64(key.publicKey),
    verifier_key: encodeVerifierKey(key),
  };
}

function createInclusionVectors(log: FixtureLog): JsonObject {
  const claim = (index: number, size: number) => ({
    ...{ index, size, leaf_hash: encodeHex(hasher.hashLeaf(log.leaves[index] ?? new Uint8Array(0))) },
    proof: createInclusionProof(hasher, { index, size }, log.read).map(encodeHex),
    root: encodeHex(log.root(size)),
  });
  const places = [
    ...[
      [0, 1],
      [0, 2],
      [1, 2],
      [2, 3],
      [0, 7],
      [5, 7],
      [6, 7],
      [3, 8],
      [8, 9],
      [11, 13],
      [12, 13],
    ],
  ] as [number, number][];
  const base = claim(5, 7);
  const [first = '', second = '', ...rest] = base.proof;
  return {
    valid: places.map(([index, size]) => claim(index, size)),
    invalid: [
      { reason: 'another index', ...base, index: 4 },
      { reason: 'an index beyond the tree', ...base, index: 7 },
      { reason: 'another root', ...base, root: encodeHex(log.root(8)) },
      { reason: 'another leaf', ...base, leaf_hash: claim(4, 7).leaf_hash },
      { reason: 'a hash too few', ...base, proof: [second, ...rest] },
      { reason: 'a hash too many', ...base, proof: [...base.proof, first] },
      { reason: 'hashes in another order', ...base, proof: [second, first, ...rest] },
      { reason: 'a hash of 31 bytes', ...base, proof: [first.slice(2), second, ...rest] },
      { reason: 'a proof for a tree of one leaf', ...claim(0, 1), proof: [first] },
    ],
  };
}

function createConsistencyVectors(log: FixtureLog): JsonObject {
  const claim = (from: number, to: number) => ({
    ...{ from, to, from_root: encodeHex(log.root(from)), to_root: encodeHex(log.root(to)) },
    proof: createConsistencyProof(hasher, { from, to }, log.read).map(encodeHex),
  });
  const sizes = [
    ...[
      [0, 0],
      [0, 5],
      [1, 1],
      [1, 2],
      [2, 3],
      [3, 7],
      [4, 7],
      [4, 8],
      [6, 8],
      [7, 8],
      [8, 13],
      [11, 13],
      [13, 13],
    ],
  ] as [number, number][];
  const base = claim(6, 13);
  return {
    valid: sizes.map(([from, to]) => claim(from, to)),
    invalid: [
      { reason: 'another older root', ...base, from_root: encodeHex(log.root(5)) },
      { reason: 'another newer root', ...base, to_root: encodeHex(log.root(12)) },
      { reason: 'another older size', ...base, from: 5 },
      { reason: 'the larger tree first', ...base, from: 13, to: 6 },
      { reason: 'a hash too few', ...base, proof: base.proof.slice(1) },
      { reason: 'a hash too many', ...base, proof: [...base.proof, ...base.proof.slice(0, 1)] },
      { reason: 'no proof', ...base, proof: [] },
      { reason: 'a proof between equal trees', ...claim(4, 4), proof: base.proof.slice(0, 1) },
      { reason: 'an empty tree with another root', ...claim(0, 4), from_root: encodeHex(log.root(1)) },
    ],
  };
}

function createRangeVectors(log: FixtureLog): readonly JsonObject[] {
  const runs = [
    [0, 13, 13],
    [0, 0, 7],
    [5, 9, 13],
    [8, 13, 13],
    [12, 13, 13],
    [1, 2, 3],
  ] as [number, number, number][];
  return runs.map(([from, to, size]) => ({
    ...{ from, to, size, root: encodeHex(log.root(size)) },
    nodes: rangeNodes({ from, to, size }).map((node) => ({ ...node, hash: encodeHex(log.read(node)) })),
  }));
}

function createReceiptVectors(log: FixtureLog): JsonObject {
  const receipt = (index: number) => ({
    answer: {
      tenant_id: log.tenantId,
      audit_event_id: auditId(index),
      transcript_sha256: transcriptOf(index),
    },
    leaf: encodeBase64(log.leaves[index] ?? new Uint8Array(0)),
    inclusion_proof: log.inclusionProof(index).map(encodeBase64),
    checkpoint: log.checkpoint(),
  });
  const base = receipt(5);
  const { signatures = [] } = parseSignedNote(base.checkpoint) ?? {};
  return {
    valid: [base, receipt(12)],
    invalid: [
      {
        reason: 'the event does not list the answer',
        ...base,
        answer: { ...base.answer, transcript_sha256: transcriptOf(6) },
      },
      {
        reason: 'the event is another than the answer names',
        ...base,
        answer: { ...base.answer, audit_event_id: auditId(6) },
      },
      { reason: 'the proof is of another event', ...base, inclusion_proof: receipt(6).inclusion_proof },
      { reason: 'the leaf is of another event', ...base, leaf: receipt(6).leaf },
      { reason: 'the checkpoint is of another tree', ...base, checkpoint: log.checkpoint(7) },
      {
        reason: `one of ${signatures.length} signatures is missing`,
        ...base,
        checkpoint: base.checkpoint.split('\n').toSpliced(5, 1).join('\n'),
      },
    ],
  };
}
