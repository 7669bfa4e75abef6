/**
 * Why the keys of a checkpoint are believed. The name of a key is that of its log and changes with the
 * epoch, so keys are compared by type and public key; a name of another tenant is another log.
 */
import { type Bytes, encodeHex, encodeUtf8, equalBytes } from '../base/index.ts';
import type { Sha256 } from './hasher.ts';
import { encodeVerifierKey, type NoteVerifier } from './verifier-key.ts';

/**
 * PINNED: the verifier named it. PREVIOUS: it signed what the verifier holds from before. FIRST_USE: only
 * the file itself says so.
 */
export type KeyTrust = 'PINNED' | 'PREVIOUS' | 'FIRST_USE';

export interface TrustedKey {
  readonly key: NoteVerifier;
  readonly trust: KeyTrust;
}

/** What a verifier knows of a log's keys beforehand. */
export interface KnownKeys {
  /** Named by the verifier; of a type that is here, no other is believed. */
  readonly pins: readonly NoteVerifier[];
  /** Of a bundle that was verified before; they count for the types that no pin has. */
  readonly previous: readonly NoteVerifier[];
}

/** Why `key` is believed, or `null` where a pin or the bundle before says another key. */
export function trustOf(key: NoteVerifier, { pins, previous }: KnownKeys): KeyTrust | null {
  const pinned = isAmong(key, pins);
  if (pinned !== null) return pinned ? 'PINNED' : null;
  const held = isAmong(key, previous);
  if (held !== null) return held ? 'PREVIOUS' : null;
  return 'FIRST_USE';
}

/** Whether `key` is one of `known`; `null` where none of those has its type. */
function isAmong(key: NoteVerifier, known: readonly NoteVerifier[]): boolean | null {
  const ofType = known.filter(({ type }) => type === key.type);
  return ofType.length === 0 ? null : ofType.some((one) => isSameKey(one, key));
}

/** Whether both are one key, under whatever names. */
export function isSameKey(a: NoteVerifier, b: NoteVerifier): boolean {
  return a.type === b.type && equalBytes(a.publicKey, b.publicKey);
}

/** SHA-256 of the verifier key's text: what two people compare, in hexadecimal. */
export function verifierFingerprint(sha256: Sha256, key: NoteVerifier): string {
  const digest: Bytes = sha256(encodeUtf8(encodeVerifierKey(key)));
  return encodeHex(digest);
}
