/**
 * Opening: decode strictly, verify both signatures always, only then decapsulate and decrypt, then
 * hold the header against what was expected. One error for any failure.
 */
import { type Bytes, encodeBase64Url } from '../base/index.ts';
import { parseEnvelope } from './envelope.ts';
import { EnvelopeOpenError } from './open-error.ts';
import type { ProtectedHeader, Purpose } from './protected-header.ts';
import type { SigningKeyInfo } from './signing-keys.ts';
import type { AwaitableSuite, KemPrivateKey, MacKey } from './suite.ts';
import { encodeTranscript } from './transcript.ts';
import { checkMac, checkSignature, decrypt } from './verify.ts';

/**
 * What the opener knows about the envelope it waits for. Tenant and key are always checked; of the
 * rest, a member that is given must be in the header with this value, one that is left out may be
 * anything. An answer to a request is only proven fresh where `client_nonce` is given.
 */
export interface ExpectedHeader
  extends Pick<ProtectedHeader, 'tenant_id' | 'recipient_key_id'>,
    Partial<
      Pick<
        ProtectedHeader,
        | 'integration_id'
        | 'operation'
        | 'request_target'
        | 'request_sha256'
        | 'client_nonce'
        | 'stream'
        | 'sequence'
        | 'audit_event_id'
      >
    > {
  /** Any of these; left out, any but `key.welcome`, which only {@link openWelcome} takes. */
  readonly purposes?: readonly Exclude<Purpose, 'key.welcome'>[];
}

export interface OpenEnvelopeInput {
  readonly recipient: KemPrivateKey;
  /** The MAC key that came with the welcome. */
  readonly macKey: MacKey;
  /** The pins; at least one. */
  readonly trustedSigningKeys: readonly SigningKeyInfo[];
  readonly expected: ExpectedHeader;
}

export interface OpenedEnvelope {
  readonly header: ProtectedHeader;
  readonly plaintext: Bytes;
  /** SHA-256 of the transcript, base64url: the receipt to hold against the audit log. */
  readonly transcriptSha256: string;
}

const COMPARED = Object.freeze([
  'tenant_id',
  'recipient_key_id',
  'integration_id',
  'operation',
  'request_target',
  'request_sha256',
  'client_nonce',
  'stream',
  'sequence',
  'audit_event_id',
] as const);

function isExpected(header: ProtectedHeader, expected: ExpectedHeader): boolean {
  const { purposes } = expected;
  if (header.purpose === 'key.welcome') return false;
  if (purposes !== undefined && !purposes.some((purpose) => purpose === header.purpose)) return false;
  return COMPARED.every((member) => expected[member] === undefined || expected[member] === header[member]);
}

/**
 * Opens `envelope`, an untrusted JSON value. Throws EnvelopeOpenError for any envelope that is not
 * accepted, whatever the cause, and RangeError where no signing key is trusted at all.
 */
export async function openEnvelope(
  suite: AwaitableSuite,
  envelope: unknown,
  input: OpenEnvelopeInput,
): Promise<OpenedEnvelope> {
  const parsed = parseEnvelope(envelope);
  const transcript = encodeTranscript(parsed);
  const [signature, mac, digest] = await Promise.all([
    checkSignature(suite, parsed, transcript, input.trustedSigningKeys),
    checkMac(input.macKey, parsed, transcript),
    suite.sha256(transcript),
  ]);
  if ((signature & mac) !== 1) throw new EnvelopeOpenError();
  const plaintext = await decrypt(suite, parsed, input.recipient);
  const { header } = parsed;
  if (header.recipient_kid !== input.recipient.kid || !isExpected(header, input.expected)) {
    plaintext.fill(0);
    throw new EnvelopeOpenError();
  }
  return { header, plaintext, transcriptSha256: encodeBase64Url(digest) };
}
