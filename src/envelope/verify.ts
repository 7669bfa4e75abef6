/** What both ways of opening share: the two signatures, and the decryption that follows them. */
import { type Bytes, equalBytes } from '../base/index.ts';
import type { ParsedEnvelope } from './envelope.ts';
import { openHpke } from './hpke.ts';
import { EnvelopeOpenError } from './open-error.ts';
import { isValidAt, type SigningKeyInfo } from './signing-keys.ts';
import type { Awaitable, AwaitableSuite, KemPrivateKey, MacKey, VerifyingKey } from './suite.ts';
import { ENVELOPE_CONTEXT } from './transcript.ts';

/** The imported form of a pin, kept as long as the pin: importing takes about as long as verifying. */
const VERIFIERS = new WeakMap<
  SigningKeyInfo,
  { readonly suite: AwaitableSuite; readonly verifier: Awaitable<VerifyingKey> }
>();

function verifierOf(suite: AwaitableSuite, key: SigningKeyInfo): Awaitable<VerifyingKey> {
  const known = VERIFIERS.get(key);
  if (known?.suite === suite) return known.verifier;
  const verifier = suite.importVerifyingKey(key.publicKey);
  VERIFIERS.set(key, { suite, verifier });
  return verifier;
}

/**
 * 1 if the ML-DSA signature is by the trusted key that the header names, valid when it was issued,
 * else 0. A signature is verified in any case, so that an unknown key takes no less time.
 */
export async function checkSignature(
  suite: AwaitableSuite,
  parsed: ParsedEnvelope,
  transcript: Bytes,
  trusted: readonly SigningKeyInfo[],
): Promise<number> {
  const named = trusted.find(({ kid }) => kid === parsed.header.signing_kid);
  const key = named ?? trusted[0];
  if (key === undefined) throw new RangeError('"trustedSigningKeys" must not be empty');
  const verifier = await verifierOf(suite, key);
  const valid = await verifier.verify(transcript, parsed.pqcSignature, ENVELOPE_CONTEXT);
  return Number(valid) & Number(named !== undefined) & Number(isValidAt(key, parsed.header.issued_at));
}

/** 1 if the MAC is by `macKey`, else 0; compared in constant time. */
export async function checkMac(macKey: MacKey, parsed: ParsedEnvelope, transcript: Bytes): Promise<number> {
  return Number(equalBytes(await macKey.mac(transcript), parsed.hmacSignature));
}

/** The plaintext; EnvelopeOpenError where it is not sealed to `recipient`, or `nonce` is not the base nonce. */
export async function decrypt(
  suite: AwaitableSuite,
  parsed: ParsedEnvelope,
  recipient: KemPrivateKey,
): Promise<Bytes> {
  const { protectedHeader: aad, enc, ciphertext, nonce } = parsed;
  const opened = await openHpke(suite, { recipient, info: ENVELOPE_CONTEXT, aad, enc, ciphertext });
  if (opened === null || !equalBytes(opened.baseNonce, nonce)) throw new EnvelopeOpenError();
  return opened.plaintext;
}
