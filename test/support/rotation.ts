/** The rotation of a client key by its holder, or by an admin in its place, against a test gateway. */
import { encodeBase64 } from '../../src/base/index.ts';
import {
  acceptWelcome,
  createKeyFile,
  type FreshKeyFile,
  importKeys,
  type KeyFile,
  publicJwkSet,
  type WelcomedKeyFile,
} from '../../src/client/index.ts';
import { type RotationMode, signRegistration, signRotation } from '../../src/envelope/index.ts';
import type { RestAnswer, TestGateway } from './gateway.ts';
import { dataOf, suite } from './tenant.ts';

export const ROTATE = `mutation($input: RotateClientKeyInput!) {
  rotateClientKey(input: $input) {
    clientKey { id status lineageId predecessorId rotationMode vouchedBy } welcome } }`;
export const CONFIRM =
  'mutation($input: ConfirmClientKeyInput!) { confirmClientKey(input: $input) { clientKey { status } } }';
export const MAP = `mutation($id: ID!, $expiresAt: DateTime) {
  mapClientKey(keyId: $id, expiresAt: $expiresAt) { clientKey { id status expiresAt } } }`;
export const REVOKE = `mutation($id: ID!, $reason: RevokeReason) {
  revokeClientKey(keyId: $id, reason: $reason) { clientKey { id status } } }`;

export interface SuccessorWish {
  readonly mode?: RotationMode;
  readonly next?: FreshKeyFile;
  /** Milliseconds since 1970. */
  readonly now?: number;
  /** Who signs the rotation; nobody for `null`, the old key where left out. */
  readonly signedBy?: KeyFile | null;
  /** What the proof says in place of the truth. */
  readonly claim?: Readonly<Record<string, unknown>>;
}

export interface Successor {
  readonly next: FreshKeyFile;
  /** Of `rotateClientKey`. */
  readonly input: Readonly<Record<string, unknown>>;
}

/** A new key that is to take the place of `old`, with the proofs by both. */
export async function createSuccessor(old: WelcomedKeyFile, wish: SuccessorWish = {}): Promise<Successor> {
  const { mode = 'OVERLAP', next = createKeyFile(suite), now = Date.now(), signedBy = old } = wish;
  const { kem, sig } = importKeys(suite, next);
  const registration = {
    ...{ tenant_id: old.tenant_id, kem_kid: kem.kid, sig_kid: sig.kid },
    issued_at: Math.floor(now / 1000),
  };
  const claim = { ...registration, old_key_id: old.key_id, mode, ...wish.claim };
  const input = {
    ...{ keyId: old.key_id, mode, jwks: publicJwkSet(suite, next), issuedAt: registration.issued_at },
    proof: encodeBase64(await signRegistration(sig, registration)),
  };
  if (signedBy === null) return { next, input };
  const rotationProof = encodeBase64(await signRotation(importKeys(suite, signedBy).sig, claim));
  return { next, input: { ...input, rotationProof } };
}

export function askRotation(
  gateway: TestGateway,
  apiKey: string,
  input: Successor['input'],
): Promise<RestAnswer> {
  return gateway.graphql(ROTATE, { apiKey, variables: { input } });
}

/** The successor of `old`, registered and confirmed; not mapped. */
export async function rotateTestKey(
  gateway: TestGateway,
  apiKey: string,
  old: WelcomedKeyFile,
  wish: SuccessorWish = {},
): Promise<WelcomedKeyFile> {
  const { next, input } = await createSuccessor(old, wish);
  const data: { rotateClientKey?: { welcome: unknown } } = dataOf(await askRotation(gateway, apiKey, input));
  return confirmTestKey(gateway, next, data.rotateClientKey?.welcome);
}

/** Takes a welcome and confirms the key. */
export async function confirmTestKey(
  gateway: TestGateway,
  file: KeyFile,
  welcome: unknown,
): Promise<WelcomedKeyFile> {
  const { keyFile, confirmationMac: mac } = await acceptWelcome(suite, file, welcome);
  dataOf(await gateway.graphql(CONFIRM, { variables: { input: { keyId: keyFile.key_id, mac } } }));
  return keyFile;
}

/** Maps a key as `apiKey` may. */
export async function mapTestKey(
  gateway: TestGateway,
  apiKey: string,
  { key_id: id }: WelcomedKeyFile,
  expiresAt: Date | null = null,
): Promise<void> {
  dataOf(await gateway.graphql(MAP, { apiKey, variables: { id, expiresAt } }));
}
