import { readFileSync } from 'node:fs';
import type {
  ConfirmationClaim,
  ExpectedHeader,
  HybridCryptoEnvelope,
  PrivateJwk,
  ProtectedHeader,
  PublicJwk,
  RegistrationClaim,
  RotationClaim,
  SigningKeyDocument,
  SigningKeyJwk,
} from '../../src/envelope/index.ts';

/** The file as `docs/envelope.md` describes it. */
export interface EnvelopeVectors {
  readonly format: string;
  readonly keys: {
    readonly recipient: readonly [PrivateJwk, PrivateJwk];
    readonly mac_key: string;
    readonly signing_keys: readonly SigningKeyJwk[];
  };
  readonly expected: ExpectedHeader;
  readonly first_hpke: Readonly<Record<string, string>>;
  readonly first_transcript: string;
  readonly valid: readonly {
    readonly name: string;
    readonly envelope: HybridCryptoEnvelope;
    readonly header: ProtectedHeader;
    readonly plaintext: string;
    readonly transcript_sha256: string;
  }[];
  readonly invalid: {
    readonly base: HybridCryptoEnvelope;
    readonly cases: readonly {
      readonly reason: string;
      readonly envelope?: unknown;
      readonly merge_patch?: unknown;
      readonly signing_keys?: readonly SigningKeyJwk[];
      readonly expected?: ExpectedHeader;
    }[];
  };
  readonly welcome: readonly {
    readonly name: string;
    readonly envelope: HybridCryptoEnvelope;
    readonly plaintext: string;
    readonly transcript_sha256: string;
  }[];
  readonly invalid_welcome: readonly {
    readonly reason: string;
    readonly envelope: unknown;
    readonly signing_keys?: readonly SigningKeyJwk[];
    readonly signing_kid?: string;
    readonly tenant_id?: string;
  }[];
  readonly jwk_sets: {
    readonly valid: { readonly keys: readonly [PublicJwk, PublicJwk] };
    readonly invalid: readonly { readonly reason: string; readonly jwks: unknown }[];
  };
  readonly registration: {
    readonly claim: RegistrationClaim;
    readonly message: string;
    readonly proof: string;
  };
  readonly confirmation: {
    readonly claim: ConfirmationClaim;
    readonly message: string;
    readonly mac: string;
  };
  readonly rotation: {
    readonly claim: RotationClaim;
    readonly message: string;
    readonly proof: string;
  };
  readonly signing_keys: {
    readonly pins: readonly SigningKeyJwk[];
    readonly document: SigningKeyDocument;
    readonly accepted_kids: readonly string[];
    readonly not_accepted: readonly { readonly reason: string; readonly document: SigningKeyDocument }[];
  };
}

export function readVectors(): EnvelopeVectors {
  return JSON.parse(readFileSync(new URL('../vectors/envelope-v1.json', import.meta.url), 'utf8'));
}

/** RFC 7396. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const merged = new Map(typeof target === 'object' && target !== null ? Object.entries(target) : []);
  for (const [member, value] of Object.entries(patch)) {
    if (value === null) merged.delete(member);
    else merged.set(member, mergePatch(merged.get(member), value));
  }
  return Object.fromEntries(merged);
}
