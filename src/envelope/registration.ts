/**
 * The two proofs of a client key's owner: by registering it proves its ML-DSA half, by confirming it
 * proves its ML-KEM half (it could open the welcome, so it knows the MAC key).
 */
import { type Bytes, encodeCanonicalJson, encodeUtf8, equalBytes, isId } from '../base/index.ts';
import { isUnixSeconds } from './strict-object.ts';
import type { MacKey, SigningKey, VerifyingKey } from './suite.ts';
import { isSha256Text } from './thumbprint.ts';

/** How far `issued_at` of a registration may be from the gateway's clock, either way. */
export const REGISTRATION_WINDOW_SECONDS = 600;

const REGISTRATION_CONTEXT = encodeUtf8('sealdesk/register/v1');
const CONFIRMATION_CONTEXT = 'sealdesk/confirm/v1';

export interface RegistrationClaim {
  readonly tenant_id: string;
  readonly kem_kid: string;
  readonly sig_kid: string;
  /** Unix seconds. */
  readonly issued_at: number;
}

/** The RFC 8785 bytes that the proof signs. Throws RangeError for what is no claim. */
export function encodeRegistrationClaim({
  tenant_id,
  kem_kid,
  sig_kid,
  issued_at,
}: RegistrationClaim): Bytes {
  if (
    !isId('tenant', tenant_id) ||
    !isSha256Text(kem_kid) ||
    !isSha256Text(sig_kid) ||
    !isUnixSeconds(issued_at)
  ) {
    throw new RangeError('"claim" must name a tenant, two thumbprints and a time in Unix seconds');
  }
  return encodeCanonicalJson({ tenant_id, kem_kid, sig_kid, issued_at });
}

/** The proof of 3309 bytes, by the key that is being registered. */
export function signRegistration(signingKey: SigningKey, claim: RegistrationClaim): Promise<Bytes> {
  return signingKey.sign(encodeRegistrationClaim(claim), REGISTRATION_CONTEXT);
}

/** Whether `proof` is by `key`, which must be the key that the claim names. The window is the caller's to check. */
export async function verifyRegistration(
  key: VerifyingKey,
  claim: RegistrationClaim,
  proof: Uint8Array,
): Promise<boolean> {
  const valid = await key.verify(encodeRegistrationClaim(claim), proof, REGISTRATION_CONTEXT);
  return valid && claim.sig_kid === key.kid;
}

/** What a confirmation speaks of. */
export interface ConfirmationClaim {
  readonly tenant_id: string;
  readonly key_id: string;
  readonly kem_kid: string;
  readonly sig_kid: string;
}

/** The bytes that the confirmation MACs: context and the four ids, with a zero byte between each two. */
export function encodeConfirmationClaim({ tenant_id, key_id, kem_kid, sig_kid }: ConfirmationClaim): Bytes {
  if (
    !isId('tenant', tenant_id) ||
    !isId('clientKey', key_id) ||
    !isSha256Text(kem_kid) ||
    !isSha256Text(sig_kid)
  ) {
    throw new RangeError('"claim" must name a tenant, a client key and two thumbprints');
  }
  return encodeUtf8([CONFIRMATION_CONTEXT, tenant_id, key_id, kem_kid, sig_kid].join('\0'));
}

/** The confirmation of 64 bytes. */
export function macConfirmation(macKey: MacKey, claim: ConfirmationClaim): Promise<Bytes> {
  return macKey.mac(encodeConfirmationClaim(claim));
}

/** Whether `mac` confirms `claim`; compared in constant time. */
export async function verifyConfirmation(
  macKey: MacKey,
  claim: ConfirmationClaim,
  mac: Uint8Array,
): Promise<boolean> {
  return equalBytes(await macConfirmation(macKey, claim), mac);
}
