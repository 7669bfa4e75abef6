/**
 * A checkpoint that was verified: signed by an Ed25519 key and by an ML-DSA-65 key of its log. Both must
 * hold, so that a forger has to break both. Signatures of keys that are not known (a witness's, say) are
 * passed over, as C2SP signed-note demands; one of a known key that fails refuses the note.
 */
import { encodeUtf8, equalBytes } from '../base/index.ts';
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts';
import type { Sha256 } from './hasher.ts';
import { type NoteSignature, parseSignedNote } from './signed-note.ts';
import { CHECKPOINT_CONTEXT, NOTE_KEY_FORMATS, type NoteKeyType, type NoteVerifier } from './verifier-key.ts';

/** The primitives that a verifier of the log needs; given, so that browsers can verify as well. */
export interface NoteSuite {
  readonly sha256: Sha256;
  /** RFC 8032, for a key of 32 and a signature of 64 bytes. */
  verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
  /** FIPS 204 Algorithm 3 (pure), for a key of 1952 and a signature of 3309 bytes. */
  verifyMlDsa65(
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
    context: Uint8Array,
  ): Promise<boolean>;
}

export interface SignedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** The keys whose signatures hold, Ed25519 first. */
  readonly signers: readonly [ed25519: NoteVerifier, mlDsa65: NoteVerifier];
}

/**
 * The checkpoint in `note`, or `null` unless it is canonical, and a key of each type among `keys` that is
 * named as its origin signed it.
 */
export async function openCheckpoint(
  suite: NoteSuite,
  note: string,
  keys: readonly NoteVerifier[],
): Promise<SignedCheckpoint | null> {
  const parsed = parseSignedNote(note);
  const checkpoint = parsed === null ? null : parseCheckpoint(parsed.text);
  if (parsed === null || checkpoint === null) return null;
  const message = encodeUtf8(parsed.text);
  const known = parsed.signatures.flatMap((signature) => {
    const key = keys.find(({ name, keyId }) => name === signature.name && equalBytes(keyId, signature.keyId));
    return key?.name === checkpoint.origin ? [{ key, signature }] : [];
  });
  const holds = await Promise.all(known.map(({ key, signature }) => verify(suite, key, message, signature)));
  const signerOf = (type: NoteKeyType): NoteVerifier | undefined =>
    known.find(({ key }) => key.type === type)?.key;
  const [ed25519, mlDsa65] = [signerOf('ED25519'), signerOf('ML_DSA_65')];
  if (holds.includes(false) || ed25519 === undefined || mlDsa65 === undefined) return null;
  return Object.freeze({ checkpoint, signers: [ed25519, mlDsa65] as const });
}

async function verify(
  suite: NoteSuite,
  { type, publicKey }: NoteVerifier,
  message: Uint8Array,
  { signature }: NoteSignature,
): Promise<boolean> {
  if (signature.length !== NOTE_KEY_FORMATS[type].signature) return false;
  switch (type) {
    case 'ED25519':
      return suite.verifyEd25519(publicKey, message, signature);
    case 'ML_DSA_65':
      return suite.verifyMlDsa65(publicKey, message, signature, CHECKPOINT_CONTEXT);
    default:
      return type satisfies never;
  }
}
