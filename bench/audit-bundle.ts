/**
 * How fast `sealdesk audit verify` goes through a bundle, against a program that only reads the same file line by
 * line, decodes each leaf and hashes it. Both are processes of their own, started for the file; starting counts.
 */
import { execFile } from 'node:child_process';
import { createPrivateKey, createPublicKey, hash, sign } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { type Bytes, createId, encodeCanonicalJson, encodeUtf8 } from '../src/base/index.ts';
import { createNodeSuite } from '../src/envelope/node.ts';
import {
  appendLeafHashes,
  type BundleLine,
  CHECKPOINT_CONTEXT,
  createMerkleHasher,
  createNoteVerifier,
  EMPTY_FRONTIER,
  encodeBundleLine,
  encodeCheckpoint,
  encodeOrigin,
  encodeSignedNote,
  encodeVerifierKey,
  rootOfFrontier,
} from '../src/tlog/index.ts';
import { median } from './statistics.ts';

const EVENTS = 100_000;
const ROUNDS = 3;
const TENANT = createId('tenant');
const ENTRY = join(import.meta.dirname, '..', 'bin', 'sealdesk.mjs');
const READER = `
  import { hash } from 'node:crypto';
  import { createReadStream } from 'node:fs';
  import { createInterface } from 'node:readline';
  for await (const line of createInterface({ input: createReadStream(process.argv[1]) })) {
    const { leaf } = JSON.parse(line);
    if (leaf !== undefined) hash('sha256', Buffer.from(leaf, 'base64'), 'buffer');
  }`;

const sha256 = (data: Uint8Array): Bytes => new Uint8Array(hash('sha256', data, 'buffer'));
const hasher = createMerkleHasher(sha256);
const execute = promisify(execFile);

export interface VerificationRate {
  readonly events: number;
  readonly megabytes: number;
  /** Events a second. */
  readonly verified: number;
  /** Events a second that are only read and hashed. */
  readonly read: number;
}

/** Medians of some rounds, taken in turn. */
export async function measureVerification(): Promise<VerificationRate> {
  const folder = await mkdtemp(join(tmpdir(), 'sealdesk-bundle-'));
  try {
    const file = join(folder, 'bundle.ndjson');
    await pipeline(bundleText, createWriteStream(file));
    const [verified, read]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      verified.push(await timeOf([ENTRY, 'audit', 'verify', file]));
      read.push(await timeOf(['--input-type=module', '--eval', READER, file]));
    }
    const { size } = await stat(file);
    return {
      ...{ events: EVENTS, megabytes: size / 1e6 },
      ...{ verified: EVENTS / median(verified), read: EVENTS / median(read) },
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Whether the bars were met; there are none. */
export async function run(): Promise<boolean> {
  const { events, megabytes, verified, read } = await measureVerification();
  console.log(`verifying a bundle of ${events} events, ${megabytes.toFixed(0)} MB`);
  console.log(`  sealdesk audit verify  ${verified.toFixed(0)} events/s`);
  console.log(`  reading and hashing    ${read.toFixed(0)} events/s (${(read / verified).toFixed(1)} x)`);
  return true;
}

/** Seconds. Rejects where the program ends with a failure. */
async function timeOf(args: readonly string[]): Promise<number> {
  const start = performance.now();
  await execute(process.execPath, args);
  return (performance.now() - start) / 1000;
}

async function* bundleText(): AsyncGenerator<string> {
  let count = 0;
  for await (const line of bundleLines()) {
    count += 1;
    yield `${encodeBundleLine(line)}\n`;
  }
  yield `${encodeBundleLine({ type: 'end', lines: count + 1 })}\n`;
}

async function* bundleLines(): AsyncGenerator<BundleLine> {
  const origin = encodeOrigin({ tenantId: TENANT, epoch: 1 });
  const leaves = Array.from({ length: EVENTS }, (_, index) => encodeCanonicalJson(eventAt(index)));
  const header = { tenantId: TENANT, origin, from: 0, to: EVENTS, size: EVENTS, previousSize: null };
  yield { type: 'bundle', header: { ...header, exportedAt: new Date(0).toISOString() } };
  const { verifierKeys, note } = await signedRoot(origin, leaves);
  for (const verifierKey of verifierKeys) yield { type: 'log_key', verifierKey };
  yield { type: 'checkpoint', note };
  yield { type: 'nodes', nodes: [] };
  for (const [index, leaf] of leaves.entries())
    yield { type: 'event', index, leaf, hash: hasher.hashLeaf(leaf) };
}

async function signedRoot(origin: string, leaves: readonly Bytes[]) {
  const frontier = appendLeafHashes(hasher, EMPTY_FRONTIER, leaves.map(hasher.hashLeaf));
  const text = encodeCheckpoint({ origin, size: EVENTS, root: rootOfFrontier(hasher, frontier) });
  const der = Buffer.from(`302e020100300506032b657004220420${'11'.repeat(32)}`, 'hex');
  const ed25519 = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(ed25519).export({ format: 'der', type: 'spki' });
  const mlDsa65 = createNodeSuite().importSigningKey(new Uint8Array(32).fill(1));
  const keys = [
    createNoteVerifier(sha256, {
      name: origin,
      type: 'ED25519',
      publicKey: new Uint8Array(spki.subarray(12)),
    }),
    createNoteVerifier(sha256, { name: origin, type: 'ML_DSA_65', publicKey: mlDsa65.publicKey }),
  ];
  const made = [
    new Uint8Array(sign(null, encodeUtf8(text), ed25519)),
    await mlDsa65.sign(encodeUtf8(text), CHECKPOINT_CONTEXT),
  ];
  const signatures = keys.map(({ name, keyId }, at) => ({
    name,
    keyId,
    signature: made[at] ?? new Uint8Array(0),
  }));
  return { verifierKeys: keys.map(encodeVerifierKey), note: encodeSignedNote({ text, signatures }) };
}

function eventAt(index: number) {
  return {
    ...{ id: createId('auditEvent'), index, tenantId: TENANT, occurredAt: new Date(index).toISOString() },
    actor: { type: 'API_KEY', id: createId('apiKey') },
    ...{ phase: 'SINGLE', action: 'query.integration', outcome: 'SUCCEEDED', durationMs: index % 50 },
    envelopes: [{ keyId: createId('clientKey'), sha256: 'A'.repeat(43) }],
  };
}
