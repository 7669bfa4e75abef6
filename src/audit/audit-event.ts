/**
 * One event of the audit log. The schema is a whitelist: every member is an id, a token, a number, a
 * hash or a time, short and of a closed alphabet, so that customer text has no member to stand in.
 * The leaf of the tree is the RFC 8785 bytes of the event, absent members left out.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { type Bytes, encodeCanonicalJson, type IdKind, isId, kindOfId, parseUtf8 } from '../base/index.ts';

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

const idOf = (kind: IdKind) => z.string().refine((text) => isId(kind, text));
const Hash = z.string().refine(isHash);
const Sequence = z.int().nonnegative();
const Token = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/);
const Action = z.string().regex(/^[A-Za-z][A-Za-z0-9._-]{0,63}$/);
const Operation = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/);
const Reason = z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/);
const Role = z.enum(['ADMIN', 'AGENT', 'AUDITOR', 'DASHBOARD', 'OPERATOR']);
const RequestId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const Scope = z.string().regex(/^(?:organization|requester):[1-9]\d{0,15}$/);
const RESOURCE = /^[a-z][a-z_]{0,31}(?::\d{1,20}(?:\.\d{1,20})?)?$/;
const QUERY_MAC = 'query:';
const HASH = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

const Actor = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('API_KEY'), id: idOf('apiKey') }),
  z.strictObject({ type: z.literal('CLIENT_KEY'), id: idOf('clientKey') }),
  z.strictObject({ type: z.literal('COMMAND_LINE'), id: Token }),
  z.strictObject({ type: z.literal('SYSTEM'), id: Token }),
]);

const members = {
  id: idOf('auditEvent'),
  occurredAt: z.string().refine(isCanonicalTime),
  actor: Actor,
  parentId: idOf('auditEvent').optional(),
  action: Action,
  integrationId: idOf('integration').optional(),
  operation: Operation.optional(),
  resource: z.string().refine(isResource).optional(),
  /** What a client key was restricted to when it was mapped, within the integration of the event. */
  scope: Scope.optional(),
  requestId: RequestId.optional(),
  requestSha256: Hash.optional(),
  ip: z
    .string()
    .refine((text) => text.length <= MAX_IP_LENGTH && isIP(text) !== 0)
    .optional(),
  /** Three digits: a server may send a status that HTTP does not know. */
  upstreamStatus: z.int().min(100).max(999).optional(),
  durationMs: z.int().nonnegative().max(MAX_DURATION_MS).optional(),
  denialReason: Reason.optional(),
  /** The epoch before: its size and root as last vouched for, and why it ended. `opens` is the one that this event opens. */
  restore: z
    .strictObject({
      opens: z.int().min(2),
      epoch: z.int().min(1),
      size: z.int().nonnegative(),
      root: Hash,
      reason: Token,
    })
    .optional(),
  /**
   * How many this event stands for: refusals of one cause, or, of a Zendesk operation within a GraphQL
   * operation, calls to Zendesk that it took part in, tries and calls shared with others included.
   */
  count: z.int().min(1).optional(),
  /** The client key that `resource` names, where it was mapped, rotated or ended. */
  clientKey: z
    .strictObject({
      kemKid: Hash,
      sigKid: Hash,
      predecessorId: idOf('clientKey').optional(),
      mode: z.enum(['STRICT', 'OVERLAP']).optional(),
      vouchedBy: z.enum(['PREDECESSOR', 'ADMIN']).optional(),
      expiresAt: z.string().refine(isCanonicalTime).optional(),
      /** What it may do when it logs in by itself. */
      login: z
        .strictObject({
          roles: z.array(Role).min(1),
          allowedOperations: z.array(Operation).optional(),
        })
        .optional(),
      endReason: Reason.optional(),
    })
    .optional(),
  envelopes: z
    .array(z.strictObject({ keyId: idOf('clientKey'), sequence: Sequence.optional(), sha256: Hash }))
    .max(MAX_AUDIT_ENVELOPES)
    .readonly()
    .optional(),
};
const intent = { ...members, phase: z.literal('INTENT') };
const outcome = {
  ...members,
  phase: z.literal('OUTCOME'),
  intentId: idOf('auditEvent'),
  outcome: z.enum(AUDIT_OUTCOMES),
};
const single = { ...members, phase: z.literal('SINGLE'), outcome: z.enum(AUDIT_OUTCOMES) };
const place = { index: z.int().nonnegative(), tenantId: idOf('tenant') };

/** All members that an event may have, in the order of canonical JSON. */
export const AUDIT_EVENT_MEMBERS: readonly string[] = Object.freeze(
  Object.keys({ ...intent, ...outcome, ...place }).sort(),
);

const NewAuditEvent = z.discriminatedUnion('phase', [
  z.strictObject(intent),
  z.strictObject(outcome),
  z.strictObject(single),
]);
const AuditEvent = z.discriminatedUnion('phase', [
  z.strictObject({ ...intent, ...place }),
  z.strictObject({ ...outcome, ...place }),
  z.strictObject({ ...single, ...place }),
]);

/**
 * An event that has no place in the log yet. `occurredAt` is UTC with milliseconds, as
 * `Date.prototype.toISOString` writes it; hashes are 32 bytes as
 * unpadded base64url; `resource` is one of our
 * ids, a Zendesk object as `[{integrationId}:]{type}[:{number}[.{number}]]`, a bare type, or
 * `query:{HMAC of 32 bytes as base64url}`; an intent's id is the id of its INTENT event.
 */
export type NewAuditEvent = z.infer<typeof NewAuditEvent>;
/** An event with its index and tenant: what the leaf holds. */
export type AuditEvent = z.infer<typeof AuditEvent>;

/** `event` with unknown members refused. Throws TypeError naming the members at fault, never their values. */
export function assertNewAuditEvent(event: NewAuditEvent): NewAuditEvent {
  const { data, error } = NewAuditEvent.safeParse(event);
  if (data !== undefined) return data;
  const paths = error.issues.map((issue) => issue.path.join('.') || issue.code);
  throw new TypeError(`"event" has members that the audit log does not take: ${paths.join(', ')}`);
}

/** The bytes that are stored, hashed and proven. */
export function encodeLeaf(event: AuditEvent): Bytes {
  return encodeCanonicalJson(event);
}

/** The event of a stored leaf, or `null` where the bytes are not the leaf of an event. */
export function parseLeaf(leaf: Uint8Array): AuditEvent | null {
  const text = parseUtf8(leaf);
  if (text === null) return null;
  try {
    return AuditEvent.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function isCanonicalTime(text: string): boolean {
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString() === text;
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
