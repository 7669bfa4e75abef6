/**
 * A tenant's gateway signing keys as they are published, welcomed and pinned, and the chain by which
 * a client that pins one key comes to trust its successor.
 *
 * The published document is not signed as a whole. It can therefore take trust away (revoke a pinned
 * key, end it sooner) but can give none: a key that is not pinned is trusted only through transitions,
 * each signed by a key trusted before it.
 */
import {
  type Bytes,
  encodeBase64,
  encodeCanonicalJson,
  encodeUtf8,
  isId,
  parseBase64,
} from '../base/index.ts';
import { ML_DSA_65 } from './algorithms.ts';
import { encodePublicJwk, JWK_MEMBERS, type PublicJwk, parseKeyMembers } from './jwk.ts';
import { ENVELOPE_LIMITS } from './limits.ts';
import { isUnixSeconds, parseItems, parseMembers } from './strict-object.ts';
import type { AwaitableSuite, SigningKey, Suite, VerifyingKey } from './suite.ts';
import { awaitThumbprint, isSha256Text, thumbprint } from './thumbprint.ts';

/** `PENDING`: published, signs later. `RETIRED`: signs no more, what it signed stays good. `REVOKED`: nothing of it is good. */
export const SIGNING_KEY_STATUSES = Object.freeze(['PENDING', 'ACTIVE', 'RETIRED', 'REVOKED'] as const);

export type SigningKeyStatus = (typeof SIGNING_KEY_STATUSES)[number];

/** A signing key with the time in which its signatures count, in Unix seconds, both ends included. */
export interface SigningKeyInfo {
  readonly kid: string;
  /** 1952 bytes. */
  readonly publicKey: Bytes;
  readonly status: SigningKeyStatus;
  /** `null`: from ever. */
  readonly notBefore: number | null;
  /** `null`: no end is set. */
  readonly notAfter: number | null;
}

/** {@link SigningKeyInfo} as JSON. */
export interface SigningKeyJwk extends PublicJwk {
  readonly status: SigningKeyStatus;
  readonly not_before?: number;
  readonly not_after: number | null;
}

/** "From `not_before` on, `to_kid` signs beside or after `from_kid`." */
export interface TransitionClaim {
  readonly tenant_id: string;
  readonly from_kid: string;
  readonly to_kid: string;
  readonly not_before: number;
}

export interface Transition extends Omit<TransitionClaim, 'tenant_id'> {
  /** Base64, 3309 bytes: ML-DSA-65 by `from_kid`. */
  readonly signature: string;
}

/** `GET /.well-known/sealdesk/{tenantId}/keys.json`. */
export interface SigningKeyDocument {
  readonly keys: readonly SigningKeyJwk[];
  readonly transitions: readonly Transition[];
}

/** A document that was read: well-formed, no signature verified. */
export interface ParsedSigningKeyDocument {
  readonly keys: readonly SigningKeyInfo[];
  readonly transitions: readonly Transition[];
}

const TRANSITION_CONTEXT = encodeUtf8('sealdesk/key-transition/v1');

export function encodeSigningKeyJwk(key: SigningKeyInfo): SigningKeyJwk {
  const jwk = encodePublicJwk({ alg: ML_DSA_65.alg, kid: key.kid, publicKey: key.publicKey });
  const start = key.notBefore === null ? {} : { not_before: key.notBefore };
  return { ...jwk, status: key.status, ...start, not_after: key.notAfter };
}

/** A key as `value` has it, its `kid` well-formed but not yet compared. */
function readSigningKey(value: unknown): SigningKeyInfo | null {
  const jwk = parseMembers(value, [...JWK_MEMBERS.required, 'kid', 'status', 'not_after'], ['not_before']);
  const key = jwk === null ? null : parseKeyMembers(jwk);
  if (jwk === null || key === null || typeof key === 'string' || key.alg !== ML_DSA_65.alg) return null;
  const { kid, not_before: notBefore = null, not_after: notAfter } = jwk;
  if (!isSha256Text(kid)) return null;
  const status = SIGNING_KEY_STATUSES.find((known) => known === jwk['status']);
  if (status === undefined || (notBefore !== null && !isUnixSeconds(notBefore))) return null;
  if ('not_before' in jwk && notBefore === null) return null;
  if (notAfter !== null && !isUnixSeconds(notAfter)) return null;
  return Object.freeze({ kid, publicKey: key.publicKey, status, notBefore, notAfter });
}

function readSigningKeys(value: unknown): readonly SigningKeyInfo[] | null {
  const items = parseItems(value, 1, ENVELOPE_LIMITS.maxSigningKeys);
  if (items === null) return null;
  const keys: SigningKeyInfo[] = [];
  for (const item of items) {
    const key = readSigningKey(item);
    if (key === null || keys.some(({ kid }) => kid === key.kid)) return null;
    keys.push(key);
  }
  return Object.freeze(keys);
}

/** A list of 1 to 16 different signing keys in their JSON form, or `null`. */
export function parseSigningKeys(
  suite: Pick<Suite, 'sha256'>,
  value: unknown,
): readonly SigningKeyInfo[] | null {
  const keys = readSigningKeys(value);
  const isNamed = (key: SigningKeyInfo) => key.kid === thumbprint(suite, ML_DSA_65.alg, key.publicKey);
  return keys?.every(isNamed) ? keys : null;
}

/** {@link parseSigningKeys} where hashing may take a promise. */
export async function awaitSigningKeys(
  suite: Pick<AwaitableSuite, 'sha256'>,
  value: unknown,
): Promise<readonly SigningKeyInfo[] | null> {
  const keys = readSigningKeys(value) ?? [];
  const kids = await Promise.all(keys.map((key) => awaitThumbprint(suite, ML_DSA_65.alg, key.publicKey)));
  return keys.length > 0 && keys.every((key, index) => key.kid === kids[index]) ? keys : null;
}

function parseTransition(value: unknown): Transition | null {
  const members = parseMembers(value, ['from_kid', 'to_kid', 'not_before', 'signature']);
  if (members === null) return null;
  const { from_kid, to_kid, not_before, signature } = members;
  if (!isSha256Text(from_kid) || !isSha256Text(to_kid) || from_kid === to_kid) return null;
  if (!isUnixSeconds(not_before) || typeof signature !== 'string') return null;
  if (signature.length !== ML_DSA_65.signature / 0.75) return null;
  return Object.freeze({ from_kid, to_kid, not_before, signature });
}

/** The document in `value`, or `null` unless it is one of ours, member by member. */
export async function parseSigningKeyDocument(
  suite: Pick<AwaitableSuite, 'sha256'>,
  value: unknown,
): Promise<ParsedSigningKeyDocument | null> {
  const members = parseMembers(value, ['keys', 'transitions']);
  const keys = await awaitSigningKeys(suite, members?.['keys']);
  const items = parseItems(members?.['transitions'], 0, ENVELOPE_LIMITS.maxTransitions);
  if (keys === null || items === null) return null;
  const transitions: Transition[] = [];
  for (const item of items) {
    const transition = parseTransition(item);
    if (transition === null) return null;
    transitions.push(transition);
  }
  return Object.freeze({ keys, transitions: Object.freeze(transitions) });
}

function encodeTransitionClaim({ tenant_id, from_kid, to_kid, not_before }: TransitionClaim): Bytes {
  if (
    !isId('tenant', tenant_id) ||
    !isSha256Text(from_kid) ||
    !isSha256Text(to_kid) ||
    !isUnixSeconds(not_before)
  ) {
    throw new RangeError('"claim" must name a tenant, two different thumbprints and a time in Unix seconds');
  }
  return encodeCanonicalJson({ tenant_id, from_kid, to_kid, not_before });
}

/** Signs the step from the key `signingKey` to `toKid`. */
export async function signTransition(
  signingKey: SigningKey,
  step: { readonly tenantId: string; readonly toKid: string; readonly notBefore: number },
): Promise<Transition> {
  const claim = { from_kid: signingKey.kid, to_kid: step.toKid, not_before: step.notBefore };
  const message = encodeTransitionClaim({ ...claim, tenant_id: step.tenantId });
  return { ...claim, signature: encodeBase64(await signingKey.sign(message, TRANSITION_CONTEXT)) };
}

/** Whether the key `from` signed `transition` for the tenant. */
export async function verifyTransition(
  from: VerifyingKey,
  tenantId: string,
  transition: Transition,
): Promise<boolean> {
  const signature = parseBase64(transition.signature);
  if (signature === null || transition.from_kid !== from.kid) return false;
  const { from_kid, to_kid, not_before } = transition;
  const message = encodeTransitionClaim({ tenant_id: tenantId, from_kid, to_kid, not_before });
  return from.verify(message, signature, TRANSITION_CONTEXT);
}

/** Whether a signature by `key` counts in an envelope issued at `issuedAt` (Unix seconds). */
export function isValidAt(key: SigningKeyInfo, issuedAt: number): boolean {
  return (
    key.status !== 'REVOKED' &&
    (key.notBefore === null || key.notBefore <= issuedAt) &&
    (key.notAfter === null || issuedAt <= key.notAfter)
  );
}

/** `pin` with what the document takes away from it; a pin is never widened. */
function narrow(pin: SigningKeyInfo, published: SigningKeyInfo | undefined): SigningKeyInfo {
  if (published === undefined || pin.status === 'REVOKED') return pin;
  const ends = [pin.notAfter, published.notAfter].filter((end) => end !== null);
  return Object.freeze({
    ...pin,
    status: published.status,
    notAfter: ends.length === 0 ? null : Math.min(...ends),
  });
}

/**
 * The pins after reading `document`: those given, narrowed, and every key that a chain of verified
 * transitions leads to from one of them. A REVOKED key vouches for nobody. Of more than the 16 keys that a
 * client keeps, those that were trusted first give way: a client that follows every change is never cut off.
 */
export async function extendPins(
  suite: AwaitableSuite,
  input: {
    readonly tenantId: string;
    readonly pins: readonly SigningKeyInfo[];
    readonly document: ParsedSigningKeyDocument;
  },
): Promise<readonly SigningKeyInfo[]> {
  const published = new Map(input.document.keys.map((key) => [key.kid, key]));
  const trusted = new Map(input.pins.map((pin) => [pin.kid, narrow(pin, published.get(pin.kid))]));
  // Maps iterate over what is added meanwhile, so successors of successors are reached too.
  for (const from of trusted.values()) {
    if (from.status === 'REVOKED') continue;
    const verifier = await suite.importVerifyingKey(from.publicKey);
    for (const transition of input.document.transitions) {
      const next = published.get(transition.to_kid);
      if (transition.from_kid !== from.kid || next === undefined || trusted.has(next.kid)) continue;
      if (!(await verifyTransition(verifier, input.tenantId, transition))) continue;
      trusted.set(next.kid, Object.freeze({ ...next, notBefore: transition.not_before }));
    }
  }
  return Object.freeze([...trusted.values()].slice(-ENVELOPE_LIMITS.maxSigningKeys));
}
