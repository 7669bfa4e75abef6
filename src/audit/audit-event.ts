/**
 * One event of the audit log. Its form is a whitelist: every member is an id, a token, a number, a
 * hash or a time, short and of a closed alphabet, so that customer text has no member to stand in.
 * The leaf of the tree is the RFC 8785 bytes of the event, absent members left out.
 */
import { isIP } from 'node:net';
import { type Bytes, encodeCanonicalJson, type IdKind, isId, kindOfId, parseUtf8 } from '../base/index.ts';
import {
  integer,
  list,
  object,
  oneOf,
  optional,
  text,
  textLike,
  type ValueOf,
  variants,
} from './canonical-form.ts';

/** At most this many recipients share one event. */
export const MAX_AUDIT_ENVELOPES = 1_000;
const MAX_DURATION_MS = 86_400_000;
const MAX_IP_LENGTH = 64;

/** Who did it: a caller by its key, a person at the command line, or the gateway itself. */
export const AUDIT_ACTOR_TYPES = Object.freeze(['API_KEY', 'CLIENT_KEY', 'COMMAND_LINE', 'SYSTEM'] as const);
export type AuditActorType = (typeof AUDIT_ACTOR_TYPES)[number];

/** INTENT stands before a change is sent, OUTCOME closes it, SINGLE is all else. */
export const AUDIT_PHASES = Object.freeze(['INTENT', 'OUTCOME', 'SINGLE'] as const);

/**
 * SUCCEEDED: done and answered. DENIED: refused by the gateway, nothing was sent. FAILED: nothing was
 * changed. APPLIED: the change was made but its answer failed. UNKNOWN: nobody can tell.
 */
export const AUDIT_OUTCOMES = Object.freeze(['SUCCEEDED', 'DENIED', 'FAILED', 'APPLIED', 'UNKNOWN'] as const);
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

const idOf = (kind: IdKind) => text((held) => isId(kind, held));
const Hash = text(isHash);
const Time = text(isCanonicalTime);
const Token = textLike(/^[a-z][a-z0-9-]{0,63}$/);
const Action = textLike(/^[A-Za-z][A-Za-z0-9._-]{0,63}$/);
const Operation = textLike(/^[a-z][a-z0-9_]{0,63}$/);
const Reason = textLike(/^[A-Z][A-Z0-9_]{0,63}$/);
const Role = oneOf('ADMIN', 'AGENT', 'AUDITOR', 'DASHBOARD', 'OPERATOR');
const RequestId = textLike(/^[A-Za-z0-9_-]{1,64}$/);
const Scope = textLike(/^(?:organization|requester):[1-9]\d{0,15}$/);
const RESOURCE = /^[a-z][a-z_]{0,31}(?::\d{1,20}(?:\.\d{1,20})?)?$/;
const QUERY_MAC = 'query:';
const TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
const HASH = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

const Actor = variants('type', {
  API_KEY: object({ type: oneOf('API_KEY'), id: idOf('apiKey') }),
  CLIENT_KEY: object({ type: oneOf('CLIENT_KEY'), id: idOf('clientKey') }),
  COMMAND_LINE: object({ type: oneOf('COMMAND_LINE'), id: Token }),
  SYSTEM: object({ type: oneOf('SYSTEM'), id: Token }),
});

const members = {
  id: idOf('auditEvent'),
  occurredAt: Time,
  actor: Actor,
  parentId: optional(idOf('auditEvent')),
  action: Action,
  integrationId: optional(idOf('integration')),
  operation: optional(Operation),
  resource: optional(text(isResource)),
  /** What a client key was restricted to when it was mapped, within the integration of the event. */
  scope: optional(Scope),
  requestId: optional(RequestId),
  requestSha256: optional(Hash),
  ip: optional(text((held) => held.length <= MAX_IP_LENGTH && isIP(held) !== 0)),
  /** Three digits: a server may send a status that HTTP does not know. */
  upstreamStatus: optional(integer(100, 999)),
  durationMs: optional(integer(0, MAX_DURATION_MS)),
  denialReason: optional(Reason),
  /** The epoch before: its size and root as last vouched for, and why it ended. `opens` is the one that this event opens. */
  restore: optional(
    object({ opens: integer(2), epoch: integer(1), size: integer(0), root: Hash, reason: Token }),
  ),
  /**
   * How many this event stands for: refusals of one cause, or, of a Zendesk operation within a GraphQL
   * operation, calls to Zendesk that it took part in, tries and calls shared with others included.
   */
  count: optional(integer(1)),
  /** The client key that `resource` names, where it was mapped, rotated or ended. */
  clientKey: optional(
    object({
      kemKid: Hash,
      sigKid: Hash,
      predecessorId: optional(idOf('clientKey')),
      mode: optional(oneOf('STRICT', 'OVERLAP')),
      vouchedBy: optional(oneOf('PREDECESSOR', 'ADMIN')),
      expiresAt: optional(Time),
      /** What it may do when it logs in by itself. */
      login: optional(
        object({ roles: list(Role, { min: 1 }), allowedOperations: optional(list(Operation)) }),
      ),
      endReason: optional(Reason),
    }),
  ),
  envelopes: optional(
    list(object({ keyId: idOf('clientKey'), sequence: optional(integer(0)), sha256: Hash }), {
      max: MAX_AUDIT_ENVELOPES,
    }),
  ),
};
const intent = { ...members, phase: oneOf('INTENT') };
const outcome = {
  ...members,
  phase: oneOf('OUTCOME'),
  intentId: idOf('auditEvent'),
  outcome: oneOf(...AUDIT_OUTCOMES),
};
const single = { ...members, phase: oneOf('SINGLE'), outcome: oneOf(...AUDIT_OUTCOMES) };
const place = { index: integer(0), tenantId: idOf('tenant') };

const NewAuditEvent = variants('phase', {
  INTENT: object(intent),
  OUTCOME: object(outcome),
  SINGLE: object(single),
});
const AuditEvent = variants('phase', {
  INTENT: object({ ...intent, ...place }),
  OUTCOME: object({ ...outcome, ...place }),
  SINGLE: object({ ...single, ...place }),
});

/**
 * An event that has no place in the log yet. `occurredAt` is UTC with milliseconds, as
 * `Date.prototype.toISOString` writes it; hashes are 32 bytes as unpadded base64url; `resource` is one of our ids, a
 * Zendesk object as `[{integrationId}:]{type}[:{number}[.{number}]]`, a bare type, or
 * `query:{HMAC of 32 bytes as base64url}`; an intent's id is the id of its INTENT event.
 */
export type NewAuditEvent = ValueOf<typeof NewAuditEvent>;
/** An event with its index and tenant: what the leaf holds. */
export type AuditEvent = ValueOf<typeof AuditEvent>;

/**
 * The text of the leaf that `event` is at `index`, the same as {@link encodeLeaf} gives. Throws TypeError naming the
 * members at fault, never their values, where the log does not take the event.
 */
export function leafTextOf(event: NewAuditEvent, tenantId: string, index: number): string {
  const isPlaced = Object.hasOwn(event, 'index') || Object.hasOwn(event, 'tenantId');
  const text = isPlaced ? null : AuditEvent.textOf({ ...event, tenantId, index });
  if (text !== null) return text;
  const faults = NewAuditEvent.faultsOf(event);
  throw new TypeError(
    `"event" has members that the audit log does not take: ${faults.join(', ') || 'its place'}`,
  );
}

/** The bytes that are stored, hashed and proven. */
export function encodeLeaf(event: AuditEvent): Bytes {
  return encodeCanonicalJson(event);
}

/** The event of a stored leaf, or `null` where the bytes are not the leaf of an event to the byte. */
export function parseLeaf(leaf: Uint8Array): AuditEvent | null {
  const text = parseUtf8(leaf);
  if (text === null) return null;
  try {
    const event: unknown = JSON.parse(text);
    return AuditEvent.textOf(event) === text ? (event as AuditEvent) : null;
  } catch {
    return null;
  }
}

/** Whether `text` is a time as `Date.prototype.toISOString` writes it, of the years 0 to 9999. */
function isCanonicalTime(text: string): boolean {
  if (!TIME.test(text)) return false;
  const day = text.slice(8, 10);
  // Each month has 28 days, and all but February 30; the time that the text stands for is made for other days only.
  const isOfItsMonth = day <= '28' || (day <= '30' && text.slice(5, 7) !== '02');
  return isOfItsMonth || new Date(text).toJSON() === text;
}

/** 32 bytes as unpadded base64url: the last of 43 characters holds four bits and two zeros. */
function isHash(text: string): boolean {
  return HASH.test(text);
}

function isResource(text: string): boolean {
  if (kindOfId(text) !== null) return true;
  if (text.startsWith(QUERY_MAC)) return isHash(text.slice(QUERY_MAC.length));
  const colon = text.indexOf(':');
  const object = colon > 0 && isId('integration', text.slice(0, colon)) ? text.slice(colon + 1) : text;
  return RESOURCE.test(object);
}
