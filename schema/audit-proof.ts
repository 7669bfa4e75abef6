/** What proves the audit log to an outsider: leaves, checkpoints, proofs, receipts. Hashes are base64. */
import { encodeBase64, SealdeskError } from '../src/base/index.ts';
import {
  type AuditCheckpointView,
  type AuditReceiptView,
  auditLeaf,
  type ConsistencyProofView,
  type InclusionProofView,
} from '../src/service/index.ts';
import { AuditEvent } from './audit.ts';
import { builder } from './builder.ts';

/** Each reads the tree by itself, and may have a checkpoint signed. */
const PROOF_COST = 100;
const HASHES_COST = { field: 1, multiplier: 1 } as const;

const AuditCheckpoint = builder.objectRef<AuditCheckpointView>('AuditCheckpoint').implement({
  description: 'The log at one size, signed by Ed25519 and ML-DSA-65 (docs/audit.md).',
  fields: (t) => ({
    size: t.expose('size', { type: 'SafeInt', description: 'How many events the log had.' }),
    epoch: t.exposeInt('epoch', {
      description: 'From 1; the next one begins where an operator accepts a log that was restored.',
    }),
    root: t.string({
      description: 'The root of the tree of these events, base64.',
      resolve: ({ root }) => encodeBase64(root),
    }),
    note: t.exposeString('note', {
      description: 'The checkpoint as it was signed: keep it, byte for byte, to hold a later log against it.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was signed.' }),
  }),
});

const AuditInclusionProof = builder.objectRef<InclusionProofView>('AuditInclusionProof').implement({
  description: 'That an event stands in the tree of a size, by RFC 9162 §2.1.3.',
  fields: (t) => ({
    index: t.expose('index', { type: 'SafeInt', description: 'Of the event.' }),
    size: t.expose('size', { type: 'SafeInt', description: 'Of the tree.' }),
    hashes: t.stringList({
      description: 'From the leaf upwards, base64.',
      complexity: HASHES_COST,
      resolve: ({ hashes }) => hashes.map(encodeBase64),
    }),
    checkpoint: t.expose('checkpoint', {
      type: AuditCheckpoint,
      nullable: true,
      description: 'That of the size; null where none was signed.',
    }),
  }),
});

const AuditConsistencyProof = builder.objectRef<ConsistencyProofView>('AuditConsistencyProof').implement({
  description: 'That a log only grew from one size to another, by RFC 9162 §2.1.4.',
  fields: (t) => ({
    from: t.expose('from', { type: 'SafeInt', description: 'The smaller size.' }),
    to: t.expose('to', { type: 'SafeInt', description: 'The larger size.' }),
    hashes: t.stringList({
      description: 'In the order of the RFC, base64; none where the sizes are equal or the smaller is 0.',
      complexity: HASHES_COST,
      resolve: ({ hashes }) => hashes.map(encodeBase64),
    }),
    checkpoint: t.expose('checkpoint', {
      type: AuditCheckpoint,
      nullable: true,
      description: 'That of the larger size; null where none was signed.',
    }),
  }),
});

const AuditReceipt = builder.objectRef<AuditReceiptView>('AuditReceipt').implement({
  description: 'That an answer was logged: what its holder needs to verify that without the gateway.',
  fields: (t) => ({
    auditEventId: t.id({
      description: 'The event, as the envelope names it.',
      resolve: ({ event }) => event.id,
    }),
    leaf: t.string({
      description: 'The exact bytes of the event, base64; `envelopes` in them names what left by its hash.',
      resolve: ({ event }) => encodeBase64(auditLeaf(event)),
    }),
    inclusionProof: t.field({
      type: AuditInclusionProof,
      description: 'That the leaf stands in the log, with the checkpoint that covers it.',
      resolve: ({ proof }) => proof,
    }),
    verifierKeys: t.stringList({
      description: 'The keys that signed the checkpoint, as verifier keys of notes: Ed25519, ML-DSA-65.',
      complexity: HASHES_COST,
      resolve: ({ verifierKeys }) => [...verifierKeys],
    }),
  }),
});

builder.objectFields(AuditEvent, (t) => ({
  leaf: t.string({
    description: 'The exact bytes that are hashed and proven, base64.',
    resolve: (event) => encodeBase64(auditLeaf(event)),
  }),
  inclusionProof: t.field({
    type: AuditInclusionProof,
    complexity: PROOF_COST,
    description: 'That the event stands in the log. Not within a subscription.',
    args: {
      size: t.arg.int({
        required: false,
        description: 'Of the tree; that of a checkpoint which covers the event where left out.',
      }),
    },
    resolve: ({ index }, { size }, { call, services }) => {
      // What is made of an event that a subscription sends is the same for all subscribers.
      if (services === undefined) throw notSubscribable();
      return services.proveInclusion(call, { index, size: size ?? null });
    },
  }),
}));

builder.queryFields((t) => ({
  auditCheckpoint: t.field({
    type: AuditCheckpoint,
    complexity: PROOF_COST,
    description: 'A signed checkpoint of the log. For AUDITOR.',
    args: {
      size: t.arg.int({
        required: false,
        description: 'That of this size; one of the log as it is now where left out.',
      }),
    },
    resolve: (_root, { size }, { call, services }) => services.getAuditCheckpoint(call, size ?? null),
  }),
  auditConsistencyProof: t.field({
    type: AuditConsistencyProof,
    complexity: PROOF_COST,
    description: 'That the log of one size is the beginning of that of another. For AUDITOR.',
    args: {
      from: t.arg.int({ required: true, description: 'The size of a checkpoint that was kept.' }),
      to: t.arg.int({
        required: false,
        description: 'The larger size; that of a checkpoint made now where left out.',
      }),
    },
    resolve: (_root, { from, to }, { call, services }) => services.proveConsistency(call, { from, to }),
  }),
  auditReceipt: t.field({
    type: AuditReceipt,
    complexity: PROOF_COST,
    description:
      'The receipt of an answer. For who it was sealed to, by an API key bound to that client key or asked for sealed to it, and for AUDITOR.',
    args: {
      auditEventId: t.arg.id({ required: true, description: 'The event, as the envelope names it.' }),
    },
    resolve: (_root, { auditEventId }, { call, services }) => services.getAuditReceipt(call, auditEventId),
  }),
}));

function notSubscribable(): SealdeskError {
  return new SealdeskError(
    'VALIDATION_FAILED',
    'A subscription proves nothing: take the id of the event and ask auditEvent(id) { inclusionProof }.',
    { fields: [{ path: 'inclusionProof', message: 'is not part of a subscription' }] },
  );
}
