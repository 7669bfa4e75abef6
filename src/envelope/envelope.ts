/**
 * The HybridCryptoEnvelope as it travels: a JSON object with exactly these members, its binary ones
 * in padded standard base64 of which only the canonical form is accepted.
 */
import { type Bytes, encodeBase64, parseBase64 } from '../base/index.ts';
import { HMAC_SHA_512, HPKE, ML_DSA_65, ML_KEM_768, SIGNATURE_ALGORITHM } from './algorithms.ts';
import { ENVELOPE_LIMITS } from './limits.ts';
import { EnvelopeOpenError } from './open-error.ts';
import { type ProtectedHeader, parseProtectedHeader } from './protected-header.ts';
import { parseJson, parseMembers } from './strict-object.ts';

/** Version 1; see `docs/envelope.md`. Names of the outer members are those of the older connector. */
export interface HybridCryptoEnvelope {
  readonly success: true;
  readonly encrypted: {
    /** HPKE enc, 1088 bytes. */
    readonly ciphertext_kem: string;
    /** HPKE ciphertext, its 16-byte tag last. */
    readonly ciphertext_data: string;
    /** HPKE base nonce, 12 bytes; never used to decrypt. */
    readonly nonce: string;
    readonly tenant_id: string;
    readonly algorithm: typeof ML_KEM_768.alg;
    /** The exact bytes of the protected header. */
    readonly protected: string;
  };
  readonly signature: {
    /** 3309 bytes. */
    readonly pqc_signature: string;
    /** 64 bytes. */
    readonly hmac_signature: string;
    readonly algorithm: typeof SIGNATURE_ALGORITHM;
  };
  readonly audit_event_id: string;
}

/** An envelope in bytes: well-formed, nothing yet verified. */
export interface ParsedEnvelope {
  readonly header: ProtectedHeader;
  readonly protectedHeader: Bytes;
  readonly enc: Bytes;
  readonly nonce: Bytes;
  readonly ciphertext: Bytes;
  readonly pqcSignature: Bytes;
  readonly hmacSignature: Bytes;
}

const OUTER = ['success', 'encrypted', 'signature', 'audit_event_id'];
const ENCRYPTED = ['ciphertext_kem', 'ciphertext_data', 'nonce', 'tenant_id', 'algorithm', 'protected'];
const SIGNATURE = ['pqc_signature', 'hmac_signature', 'algorithm'];

/** The characters that `length` bytes take in padded base64. */
const base64Length = (length: number): number => Math.ceil(length / 3) * 4;

/** The bytes of base64 `value` if they are `minimum` to `maximum` long, measured before decoding. */
function parseBinary(value: unknown, minimum: number, maximum = minimum): Bytes {
  if (typeof value !== 'string' || value.length > base64Length(maximum)) throw new EnvelopeOpenError();
  const bytes = parseBase64(value);
  if (bytes === null || bytes.length < minimum || bytes.length > maximum) throw new EnvelopeOpenError();
  return bytes;
}

/**
 * Reads an envelope from a parsed JSON value. Throws EnvelopeOpenError unless it is exactly one of
 * version 1: members, algorithms, sizes, canonical encodings, outer copies equal to the header's.
 */
export function parseEnvelope(value: unknown): ParsedEnvelope {
  const outer = parseMembers(value, OUTER);
  const encrypted = parseMembers(outer?.['encrypted'], ENCRYPTED);
  const signature = parseMembers(outer?.['signature'], SIGNATURE);
  if (
    outer?.['success'] !== true ||
    encrypted?.['algorithm'] !== ML_KEM_768.alg ||
    signature?.['algorithm'] !== SIGNATURE_ALGORITHM
  ) {
    throw new EnvelopeOpenError();
  }
  const protectedHeader = parseBinary(encrypted['protected'], 2, ENVELOPE_LIMITS.maxProtected);
  const header = parseProtectedHeader(protectedHeader);
  if (
    header === null ||
    header.tenant_id !== encrypted['tenant_id'] ||
    header.audit_event_id !== outer['audit_event_id']
  ) {
    throw new EnvelopeOpenError();
  }
  return Object.freeze({
    header,
    protectedHeader,
    enc: parseBinary(encrypted['ciphertext_kem'], ML_KEM_768.ciphertext),
    nonce: parseBinary(encrypted['nonce'], HPKE.nonce),
    ciphertext: parseBinary(encrypted['ciphertext_data'], HPKE.tag, ENVELOPE_LIMITS.maxPlaintext + HPKE.tag),
    pqcSignature: parseBinary(signature['pqc_signature'], ML_DSA_65.signature),
    hmacSignature: parseBinary(signature['hmac_signature'], HMAC_SHA_512.tag),
  });
}

/** {@link parseEnvelope} for JSON text; text beyond {@link ENVELOPE_LIMITS}.maxText is not even parsed. */
export function parseEnvelopeText(text: string): ParsedEnvelope {
  if (text.length > ENVELOPE_LIMITS.maxText) throw new EnvelopeOpenError();
  return parseEnvelope(parseJson(text));
}

/** What a sealer has before it has signed. */
export type UnsignedEnvelope = Omit<ParsedEnvelope, 'pqcSignature' | 'hmacSignature'>;

/** The part that the signatures cover, as it travels. */
export function encodeEncrypted(unsigned: UnsignedEnvelope): HybridCryptoEnvelope['encrypted'] {
  return {
    ciphertext_kem: encodeBase64(unsigned.enc),
    ciphertext_data: encodeBase64(unsigned.ciphertext),
    nonce: encodeBase64(unsigned.nonce),
    tenant_id: unsigned.header.tenant_id,
    algorithm: ML_KEM_768.alg,
    protected: encodeBase64(unsigned.protectedHeader),
  };
}

export function encodeSignature(
  pqcSignature: Bytes,
  hmacSignature: Bytes,
): HybridCryptoEnvelope['signature'] {
  return {
    pqc_signature: encodeBase64(pqcSignature),
    hmac_signature: encodeBase64(hmacSignature),
    algorithm: SIGNATURE_ALGORITHM,
  };
}

/** The object that travels. */
export function encodeEnvelope(parsed: ParsedEnvelope): HybridCryptoEnvelope {
  return {
    success: true,
    encrypted: encodeEncrypted(parsed),
    signature: encodeSignature(parsed.pqcSignature, parsed.hmacSignature),
    audit_event_id: parsed.header.audit_event_id,
  };
}
