/**
 * The envelope: its format, sealing and opening over a {@link Suite} of primitives, and the proofs
 * around client keys and signing keys. Pure: no I/O, no clock, no primitive of its own; runs in
 * browsers and in Node. The suites are `node.ts`, `webcrypto.ts` and `noble.ts`. Specified in `docs/envelope.md`.
 */
export {
  AKP_SIZES,
  type AkpAlgorithm,
  HMAC_SHA_512,
  HPKE,
  ML_DSA_65,
  ML_KEM_768,
  SIGNATURE_ALGORITHM,
} from './algorithms.ts';
export { isEncapsulationKey } from './encapsulation-key.ts';
export {
  encodeEnvelope,
  type HybridCryptoEnvelope,
  type ParsedEnvelope,
  parseEnvelope,
  parseEnvelopeText,
} from './envelope.ts';
export {
  type ClientKids,
  encodeFingerprint,
  encodeFingerprintInput,
  fingerprint,
} from './fingerprint.ts';
export { hkdfExpandSha512, hkdfExtractSha512 } from './hkdf.ts';
export {
  type HpkeOpened,
  type HpkeSealed,
  type OpenHpkeInput,
  openHpke,
  type SealHpkeInput,
  sealHpke,
} from './hpke.ts';
export { encodePublicJwk, type PrivateJwk, type PublicJwk, type PublicKeyMaterial } from './jwk.ts';
export {
  type ClientPrivateKeys,
  type ClientPublicKeys,
  type ClientSeeds,
  createClientJwks,
  encodePublicJwkSet,
  type PublicJwkSet,
  parsePrivateJwkSet,
  parsePrivateJwks,
  parsePublicJwkSet,
  usePrivateJwkSet,
} from './jwk-set.ts';
export { ENVELOPE_LIMITS } from './limits.ts';
export {
  isMeantFor,
  isTimely,
  LOGIN_TOKEN_LIMITS,
  type LoginClaims,
  type LoginMethod,
  type LoginRequest,
  type LoginToken,
  normalizeTargetUri,
  parseLoginToken,
  signLoginToken,
} from './login-token.ts';
export { type ExpectedHeader, type OpenEnvelopeInput, type OpenedEnvelope, openEnvelope } from './open.ts';
export { EnvelopeOpenError } from './open-error.ts';
export {
  encodeProtectedHeader,
  isClientNonce,
  type ProtectedHeader,
  PURPOSES,
  type Purpose,
  parseProtectedHeader,
} from './protected-header.ts';
export {
  type ConfirmationClaim,
  encodeConfirmationClaim,
  encodeRegistrationClaim,
  macConfirmation,
  REGISTRATION_WINDOW_SECONDS,
  type RegistrationClaim,
  signRegistration,
  verifyConfirmation,
  verifyRegistration,
} from './registration.ts';
export {
  encodeRotationClaim,
  ROTATION_MODES,
  type RotationClaim,
  type RotationMode,
  signRotation,
  verifyRotation,
} from './rotation.ts';
export { type EnvelopeClaims, type SealEnvelopeInput, type SealedEnvelope, sealEnvelope } from './seal.ts';
export {
  awaitSigningKeys,
  encodeSigningKeyJwk,
  extendPins,
  isValidAt,
  type ParsedSigningKeyDocument,
  parseSigningKeyDocument,
  parseSigningKeys,
  SIGNING_KEY_STATUSES,
  type SigningKeyDocument,
  type SigningKeyInfo,
  type SigningKeyJwk,
  type SigningKeyStatus,
  signTransition,
  type Transition,
  verifyTransition,
} from './signing-keys.ts';
export type {
  Awaitable,
  AwaitableSuite,
  HkdfOutput,
  KemPrivateKey,
  KemPublicKey,
  MacKey,
  SigningKey,
  Suite,
  VerifyingKey,
} from './suite.ts';
export { awaitThumbprint, thumbprint } from './thumbprint.ts';
export { encodeTranscript, type TranscriptParts } from './transcript.ts';
export {
  encodeWelcome,
  isGatewayUrl,
  type OpenWelcomeInput,
  openWelcome,
  parseWelcome,
  type Welcome,
} from './welcome.ts';
