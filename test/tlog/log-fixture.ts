/** A log as a gateway keeps one, without gateway and database: fixed keys, fixed events, its checkpoints and bundles. */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { type Bytes, encodeCanonicalJson, encodeUtf8, type JsonObject } from '../../src/base/index.ts';
import {
  appendLeaves,
  type BundleLine,
  CHECKPOINT_CONTEXT,
  createConsistencyProof,
  createInclusionProof,
  createNoteVerifier,
  EMPTY_FRONTIER,
  encodeBundleLine,
  encodeCheckpoint,
  encodeOrigin,
  encodeSignedNote,
  encodeVerifierKey,
  type Frontier,
  type HistoryLine,
  type NodeAddress,
  type NoteVerifier,
  rangeNodes,
  rootOfFrontier,
} from '../../src/tlog/index.ts';
import { fixedBytes, fixedId } from '../envelope/vectors/forge.ts';
import { hasher, sha256 } from './naive-tree.ts';

export const TENANT = fixedId('ten', 1);
export const OTHER_TENANT = fixedId('ten', 2);
export const KEY = fixedId('key', 3);
export const EXPORTED_AT = '2026-11-21T07:00:00.000Z';

const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The two keys of a log, from seeds that depend on `label` alone. */
export class LogKeys {
  readonly #ed25519;
  readonly #mlDsa65;
  readonly #publicKeys: readonly [Bytes, Bytes];

  constructor(label: string) {
    const seed = fixedBytes(`${label} ed25519 seed`, 32);
    this.#ed25519 = createPrivateKey({
      key: Buffer.concat([ED25519_PKCS8, seed]),
      format: 'der',
      type: 'pkcs8',
    });
    const spki = createPublicKey(this.#ed25519).export({ format: 'der', type: 'spki' });
    this.#mlDsa65 = ml_dsa65.keygen(fixedBytes(`${label} ml-dsa-65 seed`, 32));
    this.#publicKeys = [Uint8Array.from(spki.subarray(12)), Uint8Array.from(this.#mlDsa65.publicKey)];
  }

  /** Under the name `origin`, Ed25519 first. */
  verifiers(origin: string): readonly [NoteVerifier, NoteVerifier] {
    const [ed25519, mlDsa65] = this.#publicKeys;
    return [
      createNoteVerifier(sha256, { name: origin, type: 'ED25519', publicKey: ed25519 }),
      createNoteVerifier(sha256, { name: origin, type: 'ML_DSA_65', publicKey: mlDsa65 }),
    ];
  }

  /** A note of `text`, signed by both keys under the name `origin`; the same every time. */
  sign(origin: string, text: string, context: Uint8Array = CHECKPOINT_CONTEXT): string {
    const [first, second] = this.verifiers(origin);
    const message = encodeUtf8(text);
    const options = { context, extraEntropy: fixedBytes(`entropy ${text}`, 32) };
    return encodeSignedNote({
      text,
      signatures: [
        { ...idOf(first), signature: Uint8Array.from(sign(null, message, this.#ed25519)) },
        {
          ...idOf(second),
          signature: Uint8Array.from(ml_dsa65.sign(message, this.#mlDsa65.secretKey, options)),
        },
      ],
    });
  }
}

const idOf = ({ name, keyId }: NoteVerifier) => ({ name, keyId });

export interface BundleRequest {
  readonly from?: number;
  readonly to?: number;
  readonly size?: number;
  readonly previousSize?: number;
  /** Whether the log has a checkpoint of the previous size. */
  readonly hasEarlier?: boolean;
  readonly history?: readonly HistoryLine[];
  /** Whether the events say their hashes. */
  readonly hasHashes?: boolean;
}

/** A log that only grows, of one tenant and epoch. */
export class FixtureLog {
  readonly tenantId: string;
  readonly epoch: number;
  readonly keys: LogKeys;
  readonly leaves: Bytes[] = [];
  readonly #nodes = new Map<string, Bytes>();
  readonly #frontiers: Frontier[] = [EMPTY_FRONTIER];

  constructor(keys: LogKeys, { tenantId = TENANT, epoch = 1 } = {}) {
    this.keys = keys;
    this.tenantId = tenantId;
    this.epoch = epoch;
  }

  get origin(): string {
    return encodeOrigin({ tenantId: this.tenantId, epoch: this.epoch });
  }

  get size(): number {
    return this.leaves.length;
  }

  /** Appends `count` events, or the one with `members`. */
  append(count: number, members: JsonObject = {}): this {
    for (let left = count; left > 0; left -= 1) {
      this.appendLeaf(encodeCanonicalJson({ ...eventAt(this.size, this.tenantId), ...members }));
    }
    return this;
  }

  /** Appends bytes as they are, right or wrong. */
  appendLeaf(leaf: Bytes): void {
    const leafHash = hasher.hashLeaf(leaf);
    const { frontier, nodes } = appendLeaves(hasher, this.#frontiers.at(-1) ?? EMPTY_FRONTIER, [leafHash]);
    for (const node of [{ level: 0, index: this.size, hash: leafHash }, ...nodes]) {
      this.#nodes.set(`${node.level}/${node.index}`, node.hash);
    }
    this.leaves.push(leaf);
    this.#frontiers.push(frontier);
  }

  /** The log as a backup of its first `size` events has it, in the next epoch. */
  restored(size: number): FixtureLog {
    const log = new FixtureLog(this.keys, { tenantId: this.tenantId, epoch: this.epoch + 1 });
    for (const leaf of this.leaves.slice(0, size)) log.appendLeaf(leaf);
    return log.append(1, { action: 'audit.accept-restore', restore: this.asEnded() });
  }

  /** What the event says that ends this epoch. */
  asEnded(): JsonObject {
    const root = Buffer.from(this.root(this.size)).toString('base64url');
    return { epoch: this.epoch, size: this.size, root, reason: 'backup-restored' };
  }

  root(size: number): Bytes {
    const frontier = this.#frontiers[size];
    if (frontier === undefined) throw new RangeError('"size" must be at most that of the log');
    return rootOfFrontier(hasher, frontier);
  }

  readonly read = ({ level, index }: NodeAddress): Bytes => {
    const hash = this.#nodes.get(`${level}/${index}`);
    if (hash === undefined) throw new RangeError(`There is no node ${level}/${index}`);
    return hash;
  };

  verifierKeys(): readonly [string, string] {
    const [ed25519, mlDsa65] = this.keys.verifiers(this.origin);
    return [encodeVerifierKey(ed25519), encodeVerifierKey(mlDsa65)];
  }

  checkpoint(size: number = this.size): string {
    const text = encodeCheckpoint({ origin: this.origin, size, root: this.root(size) });
    return this.keys.sign(this.origin, text);
  }

  inclusionProof(index: number, size: number = this.size): readonly Bytes[] {
    return createInclusionProof(hasher, { index, size }, this.read);
  }

  /** The lines of a bundle as objects, for tests that bend them. */
  bundleLines(request: BundleRequest = {}): readonly BundleLine[] {
    const { size = this.size, from = 0, to = size, previousSize, history = [] } = request;
    const { hasEarlier = true, hasHashes = true } = request;
    const lines: BundleLine[] = [
      {
        type: 'bundle',
        header: {
          ...{ tenantId: this.tenantId, origin: this.origin, from, to, size },
          ...{ previousSize: previousSize ?? null, exportedAt: EXPORTED_AT },
        },
      },
      ...this.verifierKeys().map((verifierKey) => ({ type: 'log_key', verifierKey }) as const),
      { type: 'checkpoint', note: this.checkpoint(size) },
    ];
    if (previousSize !== undefined) {
      if (hasEarlier) lines.push({ type: 'checkpoint', note: this.checkpoint(previousSize) });
      const hashes = createConsistencyProof(hasher, { from: previousSize, to: size }, this.read);
      lines.push({ type: 'consistency', from: previousSize, to: size, hashes });
    }
    const nodes = rangeNodes({ from, to, size }).map((node) => ({ ...node, hash: this.read(node) }));
    lines.push({ type: 'nodes', nodes }, ...history);
    for (let index = from; index < to; index += 1) {
      const hash = hasHashes ? { hash: this.read({ level: 0, index }) } : {};
      lines.push({ type: 'event', index, leaf: this.leaves[index] as Bytes, ...hash });
    }
    return [...lines, { type: 'end', lines: lines.length + 1 }];
  }

  bundle(request: BundleRequest = {}): readonly string[] {
    return this.bundleLines(request).map(encodeBundleLine);
  }
}

/** An event as the gateway writes it. */
function eventAt(index: number, tenantId: string): JsonObject {
  return {
    id: auditId(index),
    index,
    tenantId,
    occurredAt: new Date(Date.UTC(2026, 10, 21, 6) + index * 1000).toISOString(),
    actor: { type: 'API_KEY', id: fixedId('api', 4) },
    phase: 'SINGLE',
    action: 'query.integration',
    outcome: 'SUCCEEDED',
    durationMs: index % 50,
    envelopes: [{ keyId: KEY, sha256: transcriptOf(index) }],
  };
}

/** The id of the event at `index`. */
export const auditId = (index: number): string => fixedId('aud', index);

/** SHA-256 of the transcript that the event at `index` lists, base64url. */
export const transcriptOf = (index: number): string =>
  Buffer.from(sha256(encodeUtf8(`transcript ${index}`))).toString('base64url');

/** `lines` as a verifier reads them. */
export async function* asLines(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}
