/**
 * A leaf as far as the log's proofs need it: canonical JSON of an object that names itself, its place
 * and its tenant. The other members are the audit log's matter.
 */
import { type Bytes, isId, parseBase64Url, parseUtf8 } from '../base/index.ts';
import { type Members, parseCanonicalObject } from './canonical-object.ts';
import { HASH_SIZE } from './hasher.ts';
import { isSize } from './perfect-nodes.ts';

export interface Leaf {
  readonly id: string;
  readonly index: number;
  readonly tenantId: string;
  /** All members as they were written. */
  readonly members: Members;
}

/** The leaf in `bytes`, or `null` unless they are RFC 8785 canonical and name id, index and tenant. */
export function parseLeaf(bytes: Uint8Array): Leaf | null {
  const text = parseUtf8(bytes);
  const members = text === null ? null : parseCanonicalObject(text);
  if (members === null) return null;
  const { id, index, tenantId } = members;
  if (!isId('auditEvent', id) || !isSize(index) || !isId('tenant', tenantId)) return null;
  return { id, index, tenantId, members };
}

/** The answer that a receipt is asked of. */
export interface LoggedAnswer {
  readonly tenantId: string;
  readonly auditEventId: string;
  /** SHA-256 of the envelope's transcript, base64url. */
  readonly transcriptSha256: string;
}

/** Whether the event lists an envelope whose transcript has the SHA-256 `transcriptSha256` (base64url). */
export function listsEnvelope({ members }: Leaf, transcriptSha256: string): boolean {
  const { envelopes } = members;
  return (
    Array.isArray(envelopes) &&
    envelopes.some(
      (envelope: unknown) =>
        typeof envelope === 'object' &&
        envelope !== null &&
        Object.hasOwn(envelope, 'sha256') &&
        Reflect.get(envelope, 'sha256') === transcriptSha256,
    )
  );
}

const EPOCH_END = 'audit.accept-restore';

/** What the event that ends an epoch says of it. */
export interface EndedEpoch {
  readonly epoch: number;
  /** Leaves of the newest tree of that epoch that the operator could vouch for. */
  readonly size: number;
  /** Its root, 32 bytes. */
  readonly root: Bytes;
}

/** The epoch that the event ends; `null` for any other event. */
export function endedEpoch({ members }: Leaf): EndedEpoch | null {
  const { action, outcome, restore } = members;
  if (action !== EPOCH_END || outcome !== 'SUCCEEDED' || typeof restore !== 'object') return null;
  const { epoch, size, root: encoded } = { ...restore } as Members;
  const root = typeof encoded === 'string' ? parseBase64Url(encoded) : null;
  if (!isSize(epoch) || epoch < 1 || !isSize(size) || root?.length !== HASH_SIZE) return null;
  return { epoch, size, root };
}
