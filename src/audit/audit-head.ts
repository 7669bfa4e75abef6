/**
 * The head of a tenant's log: its size, the frontier and root of its tree, and a MAC over them by a
 * key that the database does not hold. Whoever can write the database but lacks the key can neither
 * shorten the log nor extend it by hand without the next append noticing. Setting the head and the
 * events back together to an earlier state of the same log is not noticed here.
 */
import { createHmac, hash } from 'node:crypto';
import {
  type Bytes,
  concatBytes,
  encodeUint64,
  encodeUtf8,
  equalBytes,
  SealdeskError,
} from '../base/index.ts';
import {
  createMerkleHasher,
  EMPTY_FRONTIER,
  encodeFrontier,
  type Frontier,
  parseFrontier,
  rootOfFrontier,
} from '../tlog/index.ts';

export const merkle = createMerkleHasher(sha256);

const LABEL = 'sealdesk/audit-head/v1';
const MIN_HEAD_KEY_SIZE = 32;

/** The columns of `audit_heads` that are checked. */
export interface StoredHead {
  readonly size: number;
  readonly frontier: Uint8Array;
  readonly root: Uint8Array;
  readonly mac: Uint8Array;
}

/** The columns for a log whose tree has `frontier`. */
export function encodeHead(headKey: Uint8Array, tenantId: string, frontier: Frontier): StoredHead {
  const encoded = encodeFrontier(frontier);
  const root = rootOfFrontier(merkle, frontier);
  return {
    size: frontier.size,
    frontier: encoded,
    root,
    mac: macOf(headKey, tenantId, frontier.size, encoded, root),
  };
}

/** The frontier that the head vouches for. Throws AUDIT_UNAVAILABLE where its MAC, frontier or root do not hold. */
export function openHead(headKey: Uint8Array, tenantId: string, head: StoredHead): Frontier {
  const mac = macOf(headKey, tenantId, head.size, head.frontier, head.root);
  if (!equalBytes(mac, head.mac)) throw auditBroken('The head of the audit log fails its MAC.');
  const frontier = parseFrontier(head.size, head.frontier);
  if (frontier === null || !equalBytes(rootOfFrontier(merkle, frontier), head.root)) {
    throw auditBroken('The head of the audit log contradicts itself.');
  }
  return frontier;
}

/** The columns of an empty log. */
export function encodeEmptyHead(headKey: Uint8Array, tenantId: string): StoredHead {
  return encodeHead(headKey, tenantId, EMPTY_FRONTIER);
}

/** The log exists but does not hold what it must; nothing is answered until an operator has looked. */
export function auditBroken(what: string): SealdeskError {
  return new SealdeskError(
    'AUDIT_UNAVAILABLE',
    `${what} Nothing is recorded or answered for this tenant until an operator has found out why.`,
  );
}

/** HMAC-SHA-256 over label ‖ 0 ‖ tenant id ‖ 0 ‖ size ‖ length of frontier ‖ frontier ‖ root; numbers as 8 bytes, big-endian. */
function macOf(
  headKey: Uint8Array,
  tenantId: string,
  size: number,
  frontier: Uint8Array,
  root: Uint8Array,
): Bytes {
  if (headKey.length < MIN_HEAD_KEY_SIZE) {
    throw new RangeError(`"headKey" must be at least ${MIN_HEAD_KEY_SIZE} bytes, got ${headKey.length}`);
  }
  const covered = concatBytes(
    encodeUtf8(`${LABEL}\0${tenantId}\0`),
    encodeUint64(size),
    encodeUint64(frontier.length),
    frontier,
    root,
  );
  return bytesOf(createHmac('sha256', headKey).update(covered).digest('latin1'));
}

/** SHA-256 (FIPS 180-4), 32 bytes. */
export function sha256(data: Uint8Array): Bytes {
  return bytesOf(hash('sha256', data, 'latin1'));
}

/** The bytes of a digest written as latin1: as a text Node gives it several times as fast as in a buffer of its own. */
function bytesOf(digest: string): Bytes {
  const bytes = new Uint8Array(digest.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = digest.charCodeAt(at);
  return bytes;
}
