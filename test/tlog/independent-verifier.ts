/**
 * A verifier of the audit log's bundles and receipts, written from `docs/audit.md` alone. It shares no code
 * with `src` and answers one question: is it as it was signed. It reads whole bundles into memory.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';

const sha256 = (...parts: readonly (string | Uint8Array)[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const hashLeaf = (leaf: Uint8Array): Buffer => sha256(Buffer.of(0), leaf);
const hashNode = (left: Uint8Array, right: Uint8Array): Buffer => sha256(Buffer.of(1), left, right);
const ensure = (holds: boolean): void => {
  if (!holds) throw new Error('refused');
};

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, one]) => `${JSON.stringify(name)}:${canonical(one)}`).join(',')}}`;
}

function decode(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  ensure(bytes.toString('base64') === text);
  return bytes;
}

// biome-ignore lint/suspicious/noExplicitAny: what was read is asked for its members, and no member is a failure.
type Read = any;

function readCanonical(text: string): Read {
  const value: unknown = JSON.parse(text);
  ensure(canonical(value) === text && typeof value === 'object' && value !== null && !Array.isArray(value));
  return value;
}

interface Key {
  readonly name: string;
  readonly id: string;
  readonly isMlDsa: boolean;
  readonly publicKey: Buffer;
}

export function readKey(text: string): Key {
  const [, name = '', id = '', encoded = ''] = /^([^+\s]+)\+([0-9a-f]{8})\+(.+)$/.exec(text) ?? [];
  const bytes = decode(encoded);
  ensure(sha256(name, '\n', bytes).subarray(0, 4).toString('hex') === id);
  const type = Buffer.concat([Buffer.of(0xff), Buffer.from('sealdesk/ml-dsa-65')]);
  const isMlDsa = bytes[0] === 0xff;
  if (isMlDsa) ensure(bytes.subarray(0, type.length).equals(type) && bytes.length === type.length + 1952);
  else ensure(bytes[0] === 1 && bytes.length === 33);
  return { name, id, isMlDsa, publicKey: bytes.subarray(isMlDsa ? type.length : 1) };
}

interface Signed {
  readonly origin: string;
  readonly tenant: string;
  readonly epoch: number;
  readonly size: number;
  readonly root: Buffer;
  readonly signers: readonly Key[];
}

export function readCheckpoint(note: string, keys: readonly Key[]): Signed {
  const shape =
    /^((sealdesk\/(ten_[0-9a-z]{26})(?:\/([1-9][0-9]{0,8}))?)\n(0|[1-9][0-9]*)\n([^\n]+)\n)\n((?:\u2014 [^\s+]+ [^\s]+\n)+)$/;
  const found = shape.exec(note);
  ensure(found !== null && found[4] !== '1');
  const [, text = '', origin = '', tenant = '', epoch = '1', size = '', root = '', lines = ''] = found ?? [];
  const signers: Key[] = [];
  const seen = new Set<string>();
  for (const line of lines.trimEnd().split('\n')) {
    const [, name, encoded = ''] = line.split(' ');
    const bytes = decode(encoded);
    const id = bytes.subarray(0, 4).toString('hex');
    ensure(bytes.length > 4 && !seen.has(`${name} ${id}`));
    seen.add(`${name} ${id}`);
    const key = keys.find((one) => one.name === name && one.id === id);
    if (key === undefined || key.name !== origin) continue;
    ensure(isSignedBy(key, Buffer.from(text), bytes.subarray(4)));
    signers.push(key);
  }
  ensure(signers.some(({ isMlDsa }) => isMlDsa) && signers.some(({ isMlDsa }) => !isMlDsa));
  ensure(decode(root).length === 32);
  return { origin, tenant, epoch: Number(epoch), size: Number(size), root: decode(root), signers };
}

function isSignedBy({ isMlDsa, publicKey }: Key, message: Uint8Array, signature: Uint8Array): boolean {
  if (isMlDsa) {
    const context = Buffer.from('sealdesk/checkpoint/v1');
    return signature.length === 3309 && ml_dsa65.verify(signature, message, publicKey, { context });
  }
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') };
  return verify(null, message, createPublicKey({ key: jwk, format: 'jwk' }), signature);
}

/** A stack of (size, hash) as §3 has it, with the roots that it passes. */
class Stack {
  readonly #nodes: { size: number; hash: Buffer }[] = [];
  readonly roots = new Map<number, Buffer>([[0, sha256()]]);
  size = 0;

  push(size: number, hash: Buffer): void {
    this.#nodes.push({ size, hash });
    this.size += size;
    for (;;) {
      const [left, right] = this.#nodes.slice(-2);
      if (left === undefined || right === undefined || left.size !== right.size) break;
      this.#nodes.splice(-2, 2, { size: 2 * left.size, hash: hashNode(left.hash, right.hash) });
    }
    const hashes = this.#nodes.map((node) => node.hash);
    this.roots.set(
      this.size,
      hashes.reduceRight((right, left) => hashNode(left, right)),
    );
  }
}

/** The perfect nodes that cover the leaves [from, to). */
function cover(from: number, to: number): readonly { level: number; index: number }[] {
  if (from >= to) return [];
  let level = 0;
  while (from % 2 ** (level + 1) === 0 && from + 2 ** (level + 1) <= to) level += 1;
  return [{ level, index: from / 2 ** level }, ...cover(from + 2 ** level, to)];
}

/** The root of the older and of the newer tree that a proof stands for, by the recursion of RFC 9162 §2.1.4.1. */
function rootsOfProof(from: number, to: number, proof: Buffer[], older: Buffer): readonly [Buffer, Buffer] {
  const step = (m: number, n: number, isWhole: boolean): readonly [Buffer, Buffer] => {
    if (m === n) {
      const hash = isWhole ? older : proof.shift();
      if (hash === undefined) throw new Error('refused');
      return [hash, hash];
    }
    const k = 2 ** (Math.ceil(Math.log2(n)) - 1);
    const [first, second] = m <= k ? step(m, k, isWhole) : step(m - k, n - k, false);
    const other = proof.shift();
    if (other === undefined) throw new Error('refused');
    return m <= k ? [first, hashNode(second, other)] : [hashNode(other, first), hashNode(other, second)];
  };
  return step(from, to, true);
}

function isConsistent(
  from: number,
  to: number,
  older: Buffer,
  newer: Buffer,
  hashes: readonly Buffer[],
): boolean {
  if (from === 0) return hashes.length === 0 && older.equals(sha256());
  const rest = [...hashes];
  const [first, second] = rootsOfProof(from, to, rest, older);
  return rest.length === 0 && first.equals(older) && second.equals(newer);
}

export interface Answer {
  readonly tenant_id: string;
  readonly audit_event_id: string;
  readonly transcript_sha256: string;
}

/** The checkpoint of a bundle whose lines all hold against what is known; throws for any other. */
export function verifyBundle(
  lines: readonly string[],
  known: { held?: Signed; answer?: Answer } = {},
): Signed {
  const rest = lines.map(readCanonical);
  const take = (type: string, names: string): Read => {
    const line = rest.shift();
    ensure(
      line?.type === type && Object.keys(line).sort().join() === `${names},type`.split(',').sort().join(),
    );
    return line;
  };
  const head = take('bundle', 'exported_at,from,origin,previous_size,size,tenant_id,to,version');
  ensure(head.version === 1 && head.from <= head.to && head.to <= head.size);
  const keys: Key[] = [];
  while (rest[0]?.type === 'log_key') keys.push(readKey(take('log_key', 'verifier_key').verifier_key));
  const signed = readCheckpoint(take('checkpoint', 'note').note, keys);
  ensure(signed.origin === head.origin && signed.size === head.size && signed.tenant === head.tenant_id);
  const earlier: Signed[] = known.held === undefined ? [] : [known.held];
  let proof: { from: number; hashes: readonly Buffer[] } | null = null;
  if (head.previous_size !== null) {
    if (rest[0]?.type === 'checkpoint') {
      const older = readCheckpoint(take('checkpoint', 'note').note, keys);
      ensure(
        older.size === head.previous_size && older.tenant === signed.tenant && older.epoch <= signed.epoch,
      );
      const trusted = [...signed.signers, ...(known.held?.signers ?? [])];
      ensure(older.signers.every(({ publicKey }) => trusted.some((key) => key.publicKey.equals(publicKey))));
      earlier.push(older);
    }
    const line = take('consistency', 'from,hashes,to');
    ensure(line.from === head.previous_size && line.to === head.size);
    proof = { from: line.from, hashes: line.hashes.map(decode) };
  }
  const { nodes } = take('nodes', 'nodes');
  const expected = [...cover(0, head.from), ...cover(head.to, head.size)];
  ensure(canonical(nodes.map(({ level, index }: Read) => ({ level, index }))) === canonical(expected));
  while (['policy', 'client_key', 'signing_key'].includes(rest[0]?.type)) rest.shift();
  const stack = new Stack();
  const isLeft = ({ level, index }: Read): boolean => (index + 1) * 2 ** level <= head.from;
  for (const node of nodes.filter(isLeft)) stack.push(2 ** node.level, decode(node.hash));
  const ended = new Set<number>();
  let isListed = false;
  for (let index = head.from; index < head.to; index += 1) {
    const line = take('event', rest[0]?.hash === undefined ? 'index,leaf' : 'hash,index,leaf');
    const bytes = decode(line.leaf);
    ensure(line.hash === undefined || decode(line.hash).equals(hashLeaf(bytes)));
    const leaf = readCanonical(bytes.toString('utf8'));
    ensure(line.index === index && leaf.index === index && leaf.tenantId === head.tenant_id);
    stack.push(1, hashLeaf(bytes));
    if (leaf.action === 'audit.accept-restore' && leaf.outcome === 'SUCCEEDED') ended.add(leaf.restore.epoch);
    if (leaf.id === known.answer?.audit_event_id) {
      isListed ||= leaf.envelopes.some(({ sha256: name }: Read) => name === known.answer?.transcript_sha256);
    }
  }
  for (const node of nodes.filter((one: Read) => !isLeft(one)))
    stack.push(2 ** node.level, decode(node.hash));
  ensure(stack.size === head.size && stack.roots.get(head.size)?.equals(signed.root) === true);
  ensure(take('end', 'lines').lines === lines.length && rest.length === 0);
  if (known.held !== undefined) {
    const { held } = known;
    ensure(held.tenant === signed.tenant && held.epoch <= signed.epoch);
    ensure(held.epoch === signed.epoch || ended.has(held.epoch));
    ensure(
      signed.signers.every(({ publicKey }) => held.signers.some((key) => key.publicKey.equals(publicKey))),
    );
  }
  const passedProof = stack.roots.get(proof?.from ?? -1);
  if (proof !== null && passedProof !== undefined) {
    ensure(isConsistent(proof.from, signed.size, passedProof, signed.root, proof.hashes));
  }
  for (const tree of earlier) {
    const passed = stack.roots.get(tree.size);
    if (tree.epoch < signed.epoch) continue;
    ensure(tree.size <= signed.size && (passed !== undefined || proof?.from === tree.size));
    ensure(
      passed?.equals(tree.root) ??
        isConsistent(tree.size, signed.size, tree.root, signed.root, proof?.hashes ?? []),
    );
  }
  if (known.answer !== undefined) ensure(isListed && known.answer.tenant_id === signed.tenant);
  return signed;
}

export interface ReceiptVector {
  readonly answer: Answer;
  readonly leaf: string;
  readonly inclusion_proof: readonly string[];
  readonly checkpoint: string;
}

/** Throws unless the answer was logged. */
export function verifyReceipt(receipt: ReceiptVector, keys: readonly Key[]): void {
  const { answer } = receipt;
  const signed = readCheckpoint(receipt.checkpoint, keys);
  const bytes = decode(receipt.leaf);
  const leaf = readCanonical(bytes.toString('utf8'));
  const proof = receipt.inclusion_proof.map(decode);
  ensure(
    rootOfPath(leaf.index, signed.size, hashLeaf(bytes), proof).equals(signed.root) && proof.length === 0,
  );
  ensure(leaf.id === answer.audit_event_id && leaf.tenantId === answer.tenant_id);
  ensure(signed.tenant === answer.tenant_id);
  ensure(leaf.envelopes.some(({ sha256: name }: Read) => name === answer.transcript_sha256));
}

/** By the recursion of RFC 9162 §2.1.3.1; the last hash of `proof` is taken first. */
export function rootOfPath(index: number, size: number, leaf: Buffer, proof: Buffer[]): Buffer {
  ensure(index >= 0 && index < size);
  if (size === 1) return leaf;
  const k = 2 ** (Math.ceil(Math.log2(size)) - 1);
  const other = proof.pop();
  if (other === undefined) throw new Error('refused');
  return index < k
    ? hashNode(rootOfPath(index, k, leaf, proof), other)
    : hashNode(other, rootOfPath(index - k, size - k, leaf, proof));
}

/** Whether the newer tree begins with the older. */
export function verifyConsistency(claim: Read): boolean {
  const hex = (text: string): Buffer => Buffer.from(text, 'hex');
  if (claim.from > claim.to) return false;
  if (claim.from === claim.to) return claim.proof.length === 0 && claim.from_root === claim.to_root;
  return isConsistent(claim.from, claim.to, hex(claim.from_root), hex(claim.to_root), claim.proof.map(hex));
}
