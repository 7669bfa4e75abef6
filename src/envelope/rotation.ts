/**
 * The proof that the holder of a client key wants another key in its place. It is signed by the old key and
 * names the new one by both thumbprints, and how the one gives way to the other, so that nobody on the way can
 * put another key, or another haste, in its place. The new key brings its own proof of registration beside it.
 */
import { type Bytes, encodeCanonicalJson, encodeUtf8, isId } from '../base/index.ts';
import { isUnixSeconds } from './strict-object.ts';
import type { SigningKey, VerifyingKey } from './suite.ts';
import { isSha256Text } from './thumbprint.ts';

/** STRICT: the old key stops at once. OVERLAP: it works until the new one is mapped. */
export const ROTATION_MODES = Object.freeze(['STRICT', 'OVERLAP'] as const);
export type RotationMode = (typeof ROTATION_MODES)[number];

const ROTATION_CONTEXT = encodeUtf8('sealdesk/rotate/v1');

export interface RotationClaim {
  readonly tenant_id: string;
  /** The id of the key that is to be replaced. */
  readonly old_key_id: string;
  readonly mode: RotationMode;
  /** Thumbprints of the new key. */
  readonly kem_kid: string;
  readonly sig_kid: string;
  /** Unix seconds; the same as in the registration of the new key. */
  readonly issued_at: number;
}

/** The RFC 8785 bytes that the proof signs. Throws RangeError for what is no claim. */
export function encodeRotationClaim(claim: RotationClaim): Bytes {
  const { tenant_id, old_key_id, mode, kem_kid, sig_kid, issued_at } = claim;
  if (
    !isId('tenant', tenant_id) ||
    !isId('clientKey', old_key_id) ||
    !ROTATION_MODES.includes(mode) ||
    !isSha256Text(kem_kid) ||
    !isSha256Text(sig_kid) ||
    !isUnixSeconds(issued_at)
  ) {
    throw new RangeError(
      '"claim" must name a tenant, a client key, a mode, two thumbprints and a time in Unix seconds',
    );
  }
  return encodeCanonicalJson({ tenant_id, old_key_id, mode, kem_kid, sig_kid, issued_at });
}

/** The proof of 3309 bytes, by the key that is to be replaced. */
export function signRotation(oldKey: SigningKey, claim: RotationClaim): Promise<Bytes> {
  return oldKey.sign(encodeRotationClaim(claim), ROTATION_CONTEXT);
}

/** Whether `proof` is by `oldKey`, which must be that of `old_key_id`. Its time is the caller's to check. */
export function verifyRotation(
  oldKey: VerifyingKey,
  claim: RotationClaim,
  proof: Uint8Array,
): Promise<boolean> {
  return oldKey.verify(encodeRotationClaim(claim), proof, ROTATION_CONTEXT);
}
