/**
 * A client key as a program holds it: plain data and CryptoKeys, nothing with methods, so that it can be
 * put into IndexedDB as it is (structured clone) and works again when it comes out.
 *
 * Where the platform has ML-KEM and ML-DSA the private halves and the MAC key are CryptoKeys that are
 * not extractable: no script can read them, not this one either, so there is no copy beside them; lose
 * the key and the envelopes sealed to it stay shut. Elsewhere they are seeds, as readable as any value.
 */
import type { Bytes } from '../base/index.ts';
import {
  type AwaitableSuite,
  type ClientPrivateKeys,
  type ClientSeeds,
  encodeFingerprint,
  encodeFingerprintInput,
  encodePublicJwkSet,
  type KemPrivateKey,
  type MacKey,
  ML_DSA_65,
  ML_KEM_768,
  type PublicJwkSet,
  type SigningKey,
  type SigningKeyInfo,
  type Welcome,
} from '../envelope/index.ts';
import {
  createWebCryptoSuite,
  cryptoKeys,
  useKemCryptoKey,
  useMacCryptoKey,
  useSigningCryptoKey,
} from '../envelope/webcrypto.ts';
import { loadSuite } from './load-suite.ts';

/** A key that was made here and that no gateway has welcomed yet. */
export interface FreshClientKey {
  readonly version: 1;
  readonly state: 'FRESH';
  /** ML-KEM-768, to receive with: a CryptoKey, or the seed of 64 bytes. */
  readonly kem: CryptoKey | Bytes;
  /** ML-DSA-65, to sign with: a CryptoKey, or the seed of 32 bytes. */
  readonly sig: CryptoKey | Bytes;
  /** The public halves, ML-KEM first, each with its thumbprint as `kid`: what is handed over. */
  readonly jwks: PublicJwkSet;
  /** For people to compare, before the key is mapped; see `fingerprint`. */
  readonly fingerprint: string;
}

/** A key that a gateway welcomed, with what the welcome brought: it can open envelopes. */
export interface WelcomedClientKey extends Omit<FreshClientKey, 'state'> {
  readonly state: 'WELCOMED';
  /** Address of the gateway, as the gateway itself gives it. */
  readonly gateway: string;
  readonly tenantId: string;
  readonly keyId: string;
  /** HMAC-SHA-512: a CryptoKey, or 64 bytes. */
  readonly macKey: CryptoKey | Bytes;
  /** The pins: signing keys whose envelopes are accepted. */
  readonly signingKeys: readonly SigningKeyInfo[];
  /** Verifier keys of the gateway's audit log, from the first receipt on that was verified. */
  readonly logKeys?: readonly string[];
}

export type ClientKey = FreshClientKey | WelcomedClientKey;

/** Whether no script can read the private halves of `key`. */
export function isNonExtractable(key: ClientKey): boolean {
  return isCryptoKey(key.kem) && !key.kem.extractable && isCryptoKey(key.sig) && !key.sig.extractable;
}

/** Keys come out of IndexedDB as objects of another realm at times, so bytes are told from the rest. */
function isCryptoKey(key: CryptoKey | Bytes): key is CryptoKey {
  return !ArrayBuffer.isView(key);
}

/** The public halves of `keys` beside the private ones as they are kept. */
export async function describeClientKey(
  suite: AwaitableSuite,
  { kem, sig }: ClientPrivateKeys,
  kept: Pick<FreshClientKey, 'kem' | 'sig'>,
): Promise<FreshClientKey> {
  const jwks = encodePublicJwkSet({
    kem: { alg: ML_KEM_768.alg, kid: kem.kid, publicKey: kem.publicKey },
    sig: { alg: ML_DSA_65.alg, kid: sig.kid, publicKey: sig.publicKey },
  });
  const digest = await suite.sha256(encodeFingerprintInput({ kem: kem.kid, sig: sig.kid }));
  return Object.freeze({ version: 1, state: 'FRESH', ...kept, jwks, fingerprint: encodeFingerprint(digest) });
}

/** What is kept of `seeds` under `suite`: CryptoKeys where it makes them, else copies. */
export async function keepSeeds(
  suite: AwaitableSuite,
  seeds: ClientSeeds,
): Promise<Pick<FreshClientKey, 'kem' | 'sig'>> {
  if (suite.name !== 'webcrypto') return { kem: seeds.kem.slice(), sig: seeds.sig.slice() };
  return { kem: await cryptoKeys.importKem(seeds.kem), sig: await cryptoKeys.importSigning(seeds.sig) };
}

/** What is kept of a MAC key under `suite`; `macKey` stays the caller's to wipe. */
async function keepMacKey(suite: AwaitableSuite, macKey: Bytes): Promise<CryptoKey | Bytes> {
  return suite.name === 'webcrypto' ? cryptoKeys.importMac(macKey) : macKey.slice();
}

/** `key` with what `welcome` brought. */
export async function withWelcomeOf(
  suite: AwaitableSuite,
  key: ClientKey,
  welcome: Pick<Welcome, 'gatewayUrl' | 'tenantId' | 'keyId' | 'macKey' | 'signingKeys'> &
    Pick<WelcomedClientKey, 'logKeys'>,
): Promise<WelcomedClientKey> {
  const { version, kem, sig, jwks, fingerprint } = key;
  return Object.freeze({
    ...{ version, state: 'WELCOMED', kem, sig, jwks, fingerprint },
    gateway: welcome.gatewayUrl,
    tenantId: welcome.tenantId,
    keyId: welcome.keyId,
    macKey: await keepMacKey(suite, welcome.macKey),
    signingKeys: welcome.signingKeys,
    ...(welcome.logKeys === undefined ? {} : { logKeys: welcome.logKeys }),
  });
}

/**
 * A new client key: non-extractable where the platform has the algorithms, else from seeds by the
 * portable suite. Nobody knows of it until it is registered.
 */
export async function generateClientKey(): Promise<FreshClientKey> {
  const suite = await loadSuite();
  if (suite.name === 'webcrypto') {
    const kept = { kem: await cryptoKeys.generateKem(), sig: await cryptoKeys.generateSigning() };
    const keys = { kem: await useKemCryptoKey(kept.kem), sig: await useSigningCryptoKey(kept.sig) };
    return describeClientKey(suite, keys, kept);
  }
  const kept = { kem: suite.randomBytes(ML_KEM_768.seed), sig: suite.randomBytes(ML_DSA_65.seed) };
  const keys = {
    kem: await suite.importKemPrivateKey(kept.kem),
    sig: await suite.importSigningKey(kept.sig),
  };
  return describeClientKey(suite, keys, kept);
}

/** The suite that `key` works with: CryptoKeys with Web Crypto, seeds with whatever this platform has. */
export async function suiteOf(key: ClientKey): Promise<AwaitableSuite> {
  return isCryptoKey(key.kem) ? createWebCryptoSuite() : loadSuite();
}

/** The receiving half, ready for use. */
export async function openKem(suite: AwaitableSuite, { kem }: ClientKey): Promise<KemPrivateKey> {
  return isCryptoKey(kem) ? useKemCryptoKey(kem) : suite.importKemPrivateKey(kem);
}

/** The signing half, ready for use. */
export async function openSigning(suite: AwaitableSuite, { sig }: ClientKey): Promise<SigningKey> {
  return isCryptoKey(sig) ? useSigningCryptoKey(sig) : suite.importSigningKey(sig);
}

/** The MAC key, ready for use. */
export async function openMac(suite: AwaitableSuite, { macKey }: WelcomedClientKey): Promise<MacKey> {
  return isCryptoKey(macKey) ? useMacCryptoKey(macKey) : suite.importMacKey(macKey);
}
