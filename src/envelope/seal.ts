/**
 * Sealing: encrypt to the recipient (HPKE), then sign what travels, with the tenant's ML-DSA key and
 * with the recipient's MAC key.
 */
import { encodeBase64Url } from '../base/index.ts';
import { encodeEncrypted, encodeSignature, type HybridCryptoEnvelope } from './envelope.ts';
import { sealHpke } from './hpke.ts';
import { ENVELOPE_LIMITS } from './limits.ts';
import { encodeProtectedHeader, type ProtectedHeader } from './protected-header.ts';
import type { AwaitableSuite, KemPublicKey, MacKey, SigningKey } from './suite.ts';
import { ENVELOPE_CONTEXT, encodeTranscript } from './transcript.ts';

/** What the caller says about an envelope; version and thumbprints come from the keys used. */
export type EnvelopeClaims = Omit<ProtectedHeader, 'v' | 'recipient_kid' | 'signing_kid'>;

export interface SealEnvelopeInput {
  readonly claims: EnvelopeClaims;
  /** At most {@link ENVELOPE_LIMITS}.maxPlaintext bytes. */
  readonly plaintext: Uint8Array;
  readonly recipient: KemPublicKey;
  /** The tenant's gateway signing key. */
  readonly signingKey: SigningKey;
  /** The recipient key's MAC key. */
  readonly macKey: MacKey;
}

export interface SealedEnvelope {
  readonly envelope: HybridCryptoEnvelope;
  /** SHA-256 of the transcript, base64url, as the audit log names an envelope. */
  readonly transcriptSha256: string;
}

/**
 * Seals `plaintext` for one recipient. Throws RangeError for claims that the format does not have
 * and for too long a plaintext; nothing secret is in the message.
 */
export async function sealEnvelope(suite: AwaitableSuite, input: SealEnvelopeInput): Promise<SealedEnvelope> {
  const { plaintext, recipient, signingKey, macKey } = input;
  if (plaintext.length > ENVELOPE_LIMITS.maxPlaintext) {
    throw new RangeError(
      `"plaintext" must be at most ${ENVELOPE_LIMITS.maxPlaintext} bytes, got ${plaintext.length}`,
    );
  }
  const header: ProtectedHeader = Object.freeze({
    ...input.claims,
    v: 1,
    recipient_kid: recipient.kid,
    signing_kid: signingKey.kid,
  });
  const protectedHeader = encodeProtectedHeader(header);
  const sealed = await sealHpke(suite, {
    recipient,
    info: ENVELOPE_CONTEXT,
    aad: protectedHeader,
    plaintext,
  });
  const { enc, baseNonce: nonce, ciphertext } = sealed;
  const transcript = encodeTranscript({ protectedHeader, enc, nonce, ciphertext });
  // The signature takes longer than all the rest and runs on another thread: the rest is done meanwhile.
  const signing = signingKey.sign(transcript, ENVELOPE_CONTEXT);
  const tagging = macKey.mac(transcript);
  const digest = suite.sha256(transcript);
  const encrypted = encodeEncrypted({ header, protectedHeader, enc, nonce, ciphertext });
  const [pqcSignature, hmacSignature, transcriptDigest] = await Promise.all([signing, tagging, digest]);
  const signature = encodeSignature(pqcSignature, hmacSignature);
  return {
    envelope: { success: true, encrypted, signature, audit_event_id: header.audit_event_id },
    transcriptSha256: encodeBase64Url(transcriptDigest),
  };
}
