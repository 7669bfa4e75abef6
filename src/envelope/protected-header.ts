/**
 * The protected header: who sealed what for whom, and in answer to what. It travels as the exact
 * bytes of its RFC 8785 canonical JSON; those bytes are signed and are the AEAD's associated data.
 * An opener re-encodes what it read and compares, which rules out duplicate members and variants.
 */
import {
  type Bytes,
  encodeCanonicalJson,
  equalBytes,
  isId,
  parseBase64Url,
  parseUtf8,
} from '../base/index.ts';
import { ENVELOPE_LIMITS } from './limits.ts';
import { isUnixSeconds, parseJson, parseMembers } from './strict-object.ts';
import { isSha256Text } from './thumbprint.ts';

/** What an envelope is for. An opener names the purposes that it accepts. */
export const PURPOSES = Object.freeze([
  'proxy.result',
  'proxy.error',
  'graphql.result',
  'ticket.change',
  'ticket.position',
  'credential',
  'key.welcome',
  'export.part',
] as const);

export type Purpose = (typeof PURPOSES)[number];

export interface ProtectedHeader {
  readonly v: 1;
  readonly purpose: Purpose;
  /** `ten_…` */
  readonly tenant_id: string;
  /** `key_…`, the client key this is sealed to. */
  readonly recipient_key_id: string;
  /** Thumbprint of the recipient's ML-KEM-768 JWK. */
  readonly recipient_kid: string;
  /** Thumbprint of the ML-DSA-65 JWK that signed. */
  readonly signing_kid: string;
  /** `aud_…`, the audit event of this answer. */
  readonly audit_event_id: string;
  /** Unix seconds. */
  readonly issued_at: number;
  /** Media type of the plaintext. */
  readonly content_type: string;
  /** `int_…` */
  readonly integration_id?: string;
  /** Name of the operation, 1 to 128 letters, digits and underscores. */
  readonly operation?: string;
  /** Method, one space, path: `POST /graphql`. */
  readonly request_target?: string;
  /** SHA-256 of the request body after content-decoding, base64url, 43 characters. */
  readonly request_sha256?: string;
  /** The caller's nonce of 16 to 64 bytes, base64url. */
  readonly client_nonce?: string;
  /** `int_…/key_…`: integration and lineage of client keys. */
  readonly stream?: string;
  /** Position in the stream, or number of the part. */
  readonly sequence?: number;
}

const CONTENT_TYPE =
  /^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}(?:; ?[a-z0-9-]{1,32}=[A-Za-z0-9._-]{1,64})?$/;
const OPERATION = /^[A-Za-z0-9_]{1,128}$/;
const REQUEST_TARGET = /^[A-Z]{1,16} \/[\x21-\x7e]{0,2047}$/;
const NONCE_TEXT = /^[A-Za-z0-9_-]{22,86}$/;

/** Whether `value` is a caller's nonce: 16 to 64 bytes in canonical base64url. */
export function isClientNonce(value: unknown): value is string {
  if (typeof value !== 'string' || !NONCE_TEXT.test(value)) return false;
  const length = parseBase64Url(value)?.length ?? 0;
  return length >= 16 && length <= 64;
}

function isStream(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const [integration, lineage, ...rest] = value.split('/');
  return rest.length === 0 && isId('integration', integration) && isId('clientKey', lineage);
}

const matches =
  (pattern: RegExp) =>
  (value: unknown): boolean =>
    typeof value === 'string' && pattern.test(value);

/** One row a member: what it may be. */
const MEMBERS: Readonly<Record<keyof ProtectedHeader, (value: unknown) => boolean>> = Object.freeze({
  v: (value) => value === 1,
  purpose: (value) => PURPOSES.some((purpose) => purpose === value),
  tenant_id: (value) => isId('tenant', value),
  recipient_key_id: (value) => isId('clientKey', value),
  recipient_kid: isSha256Text,
  signing_kid: isSha256Text,
  audit_event_id: (value) => isId('auditEvent', value),
  issued_at: isUnixSeconds,
  content_type: matches(CONTENT_TYPE),
  integration_id: (value) => isId('integration', value),
  operation: matches(OPERATION),
  request_target: matches(REQUEST_TARGET),
  request_sha256: isSha256Text,
  client_nonce: isClientNonce,
  stream: isStream,
  sequence: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
});

const OPTIONAL: readonly string[] = Object.freeze([
  'integration_id',
  'operation',
  'request_target',
  'request_sha256',
  'client_nonce',
  'stream',
  'sequence',
]);
const REQUIRED: readonly string[] = Object.freeze(
  Object.keys(MEMBERS).filter((member) => !OPTIONAL.includes(member)),
);

/** The first member of `header` that it may not have or that has a wrong value, or `null` if it is a header. */
function wrongMember(header: Readonly<Record<string, unknown>>): string | null {
  const unknown = Object.keys(header).find((member) => !Object.hasOwn(MEMBERS, member));
  if (unknown !== undefined) return unknown;
  for (const [member, isValid] of Object.entries(MEMBERS)) {
    if (header[member] === undefined ? REQUIRED.includes(member) : !isValid(header[member])) return member;
  }
  const feed = header['purpose'] === 'ticket.change' || header['purpose'] === 'ticket.position';
  if (feed && header['stream'] === undefined) return 'stream';
  if (feed && header['sequence'] === undefined) return 'sequence';
  return null;
}

function isProtectedHeader(value: unknown): value is ProtectedHeader {
  const members = parseMembers(value, REQUIRED, OPTIONAL);
  return members !== null && wrongMember(members) === null;
}

/** The canonical bytes of `header`. Throws RangeError naming the member that is not as it must be. */
export function encodeProtectedHeader(header: ProtectedHeader): Bytes {
  const member = wrongMember({ ...header });
  if (member !== null) throw new RangeError(`"header.${member}" is missing or not as the format has it`);
  return encodeCanonicalJson({ ...header });
}

/** The header whose canonical encoding `bytes` is, or `null`. */
export function parseProtectedHeader(bytes: Uint8Array): ProtectedHeader | null {
  if (bytes.length > ENVELOPE_LIMITS.maxProtected) return null;
  const value = parseJson(parseUtf8(bytes));
  if (!isProtectedHeader(value)) return null;
  return equalBytes(encodeCanonicalJson({ ...value }), bytes) ? Object.freeze(value) : null;
}
