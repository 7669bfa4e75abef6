/**
 * A client key as a JWK Set: exactly one ML-KEM-768 key to receive with and one ML-DSA-65 key to
 * sign with. A public set has no private members; a private one has the seeds, and each public half
 * is recomputed from its seed and compared.
 */
import { type Bytes, encodeBase64Url, equalBytes, type FieldIssue, SealdeskError } from '../base/index.ts';
import { AKP_SIZES, ML_DSA_65, ML_KEM_768 } from './algorithms.ts';
import {
  encodePublicJwk,
  JWK_MEMBERS,
  type PrivateJwk,
  type PublicJwk,
  type PublicKeyMaterial,
  parseKeyBytes,
  parseKeyMembers,
  parsePublicMembers,
} from './jwk.ts';
import { parseItems, parseMembers, type Snapshot } from './strict-object.ts';
import type { AwaitableSuite, KemPrivateKey, SigningKey, Suite } from './suite.ts';

export interface PublicJwkSet {
  readonly keys: readonly [PublicJwk, PublicJwk];
}

/** The public halves of a client key. */
export interface ClientPublicKeys {
  readonly kem: PublicKeyMaterial;
  readonly sig: PublicKeyMaterial;
}

/** A client key, ready for use. */
export interface ClientPrivateKeys {
  readonly kem: KemPrivateKey;
  readonly sig: SigningKey;
}

/** JWK members that hold private or symmetric key material in any key type (RFC 7518 §6, RFC 9964). */
const PRIVATE_MEMBERS = ['priv', 'd', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

const REASONS = Object.freeze({
  kty: 'must be AKP',
  alg: 'must be ML-KEM-768 or ML-DSA-65',
  pub: 'must be a public key of this algorithm in base64url without padding',
  kid: 'must be the RFC 7638 thumbprint of the key, or be left out',
  priv: 'must be the seed of this public key in base64url without padding',
});

const NO_JWK = 'must be an object with the members of an AKP key and no other';

function refuse(path: string, message: string): SealdeskError {
  const field: FieldIssue = { path, message };
  return new SealdeskError('VALIDATION_FAILED', `The JWK Set is not accepted: ${path} ${message}.`, {
    fields: [field],
  });
}

function holdsPrivateMember(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && PRIVATE_MEMBERS.some((name) => Object.hasOwn(value, name))
  );
}

/** Reads the two members of `keys`, whichever comes first; `read` answers a key or throws. */
function parsePair<Key extends { readonly alg: string }>(
  value: unknown,
  read: (jwk: unknown, path: string) => Key,
): { readonly kem: Key; readonly sig: Key } {
  const items = parseItems(parseMembers(value, ['keys'])?.['keys'], 2, 2);
  if (items === null)
    throw refuse('keys', 'must be a list of exactly two keys, with no other member beside it');
  const pair = items.map((jwk, index) => read(jwk, `keys[${index}]`));
  const kem = pair.find((key) => key.alg === ML_KEM_768.alg);
  const sig = pair.find((key) => key.alg === ML_DSA_65.alg);
  if (kem === undefined || sig === undefined)
    throw refuse('keys', 'must hold one ML-KEM-768 and one ML-DSA-65 key');
  return Object.freeze({ kem, sig });
}

function parseMaterial(suite: Suite, jwk: Snapshot | null, path: string): PublicKeyMaterial {
  if (jwk === null) throw refuse(path, NO_JWK);
  const key = parsePublicMembers(suite, jwk);
  if (typeof key === 'string') throw refuse(`${path}.${key}`, REASONS[key]);
  return key;
}

/**
 * The public keys in an untrusted JWK Set. Throws VALIDATION_FAILED, naming the member, for private
 * members, unknown members, wrong sizes or encodings, keys that FIPS 203 §7.2 refuses, and anything
 * but one key of each algorithm.
 */
export function parsePublicJwkSet(suite: Suite, value: unknown): ClientPublicKeys {
  return parsePair(value, (jwk, path) => {
    if (holdsPrivateMember(jwk)) {
      throw refuse(path, 'carries a private member: send the public half only, and replace this key');
    }
    return parseMaterial(suite, parseMembers(jwk, JWK_MEMBERS.required, JWK_MEMBERS.optional), path);
  });
}

/** A private key as its JWK has it: nothing compared yet. */
interface PrivateKeyMaterial extends Omit<PublicKeyMaterial, 'kid'> {
  readonly seed: Bytes;
  /** What the JWK says, `undefined` where it says nothing. */
  readonly kid: unknown;
  readonly path: string;
}

type PrivatePair = { readonly kem: PrivateKeyMaterial; readonly sig: PrivateKeyMaterial };

function readPrivatePair(value: unknown): PrivatePair {
  return parsePair(value, (jwk, path): PrivateKeyMaterial => {
    const members = parseMembers(jwk, [...JWK_MEMBERS.required, 'priv'], JWK_MEMBERS.optional);
    if (members === null) throw refuse(path, NO_JWK);
    const key = parseKeyMembers(members);
    if (typeof key === 'string') throw refuse(`${path}.${key}`, REASONS[key]);
    const seed = parseKeyBytes(members['priv'], AKP_SIZES[key.alg].seed);
    if (seed === null) throw refuse(`${path}.priv`, REASONS.priv);
    return { ...key, seed, kid: members['kid'], path };
  });
}

/** Throws unless `imported`, made from the seed, is the key that the JWK says. */
function assertOwn(key: PrivateKeyMaterial, imported: KemPrivateKey | SigningKey): void {
  if (!equalBytes(imported.publicKey, key.publicKey)) throw refuse(`${key.path}.priv`, REASONS.priv);
  if (key.kid !== undefined && key.kid !== imported.kid) throw refuse(`${key.path}.kid`, REASONS.kid);
}

function wipe({ kem, sig }: PrivatePair): void {
  kem.seed.fill(0);
  sig.seed.fill(0);
}

/** Reads a private set, proves each public half from its seed, and wipes the seeds after `use`. */
function withPrivatePair<Result>(
  suite: Suite,
  value: unknown,
  use: (keys: ClientPrivateKeys, seeds: ClientSeeds) => Result,
): Result {
  const pair = readPrivatePair(value);
  const { kem, sig } = pair;
  try {
    const keys = { kem: suite.importKemPrivateKey(kem.seed), sig: suite.importSigningKey(sig.seed) };
    assertOwn(kem, keys.kem);
    assertOwn(sig, keys.sig);
    return use(Object.freeze(keys), { kem: kem.seed, sig: sig.seed });
  } finally {
    wipe(pair);
  }
}

/** The seeds of a client key: 64 bytes of ML-KEM-768, 32 of ML-DSA-65. */
export interface ClientSeeds {
  readonly kem: Bytes;
  readonly sig: Bytes;
}

/**
 * As {@link parsePrivateJwkSet}, where importing may take a promise. The seeds are lent to `use` and
 * wiped when its promise is settled.
 */
export async function usePrivateJwkSet<Result>(
  suite: AwaitableSuite,
  value: unknown,
  use: (keys: ClientPrivateKeys, seeds: ClientSeeds) => Promise<Result>,
): Promise<Result> {
  const pair = readPrivatePair(value);
  const { kem, sig } = pair;
  try {
    const keys = {
      kem: await suite.importKemPrivateKey(kem.seed),
      sig: await suite.importSigningKey(sig.seed),
    };
    assertOwn(kem, keys.kem);
    assertOwn(sig, keys.sig);
    return await use(Object.freeze(keys), { kem: kem.seed, sig: sig.seed });
  } finally {
    wipe(pair);
  }
}

/**
 * The private keys in the JWK Set of a key file. Throws VALIDATION_FAILED for whatever
 * {@link parsePublicJwkSet} refuses, and where a public key is not that of its seed.
 */
export function parsePrivateJwkSet(suite: Suite, value: unknown): ClientPrivateKeys {
  return withPrivatePair(suite, value, (keys) => keys);
}

/** As {@link parsePrivateJwkSet}, but the JWKs themselves: ML-KEM first, each with its `kid`. */
export function parsePrivateJwks(suite: Suite, value: unknown): readonly [PrivateJwk, PrivateJwk] {
  return withPrivatePair(suite, value, encodePrivateJwks);
}

function encodePrivateJwks({ kem, sig }: ClientPrivateKeys, seeds: ClientSeeds): [PrivateJwk, PrivateJwk] {
  const { keys } = encodePublicJwkSet({
    kem: { alg: ML_KEM_768.alg, kid: kem.kid, publicKey: kem.publicKey },
    sig: { alg: ML_DSA_65.alg, kid: sig.kid, publicKey: sig.publicKey },
  });
  return [
    { ...keys[0], priv: encodeBase64Url(seeds.kem) },
    { ...keys[1], priv: encodeBase64Url(seeds.sig) },
  ];
}

/** The JWK Set to hand over. */
export function encodePublicJwkSet(keys: ClientPublicKeys): PublicJwkSet {
  return { keys: [encodePublicJwk(keys.kem), encodePublicJwk(keys.sig)] };
}

/** A new client key as the two private JWKs of a key file. Strings cannot be wiped; the seeds are. */
export function createClientJwks(suite: Suite): readonly [PrivateJwk, PrivateJwk] {
  const kemSeed = suite.randomBytes(ML_KEM_768.seed);
  const sigSeed = suite.randomBytes(ML_DSA_65.seed);
  try {
    const keys = { kem: suite.importKemPrivateKey(kemSeed), sig: suite.importSigningKey(sigSeed) };
    return encodePrivateJwks(keys, { kem: kemSeed, sig: sigSeed });
  } finally {
    kemSeed.fill(0);
    sigSeed.fill(0);
  }
}
