/**
 * The port to a key management service: it makes data keys and unwraps them again, and never gives
 * out the key they are wrapped under. Two implementations: a key file (`local.ts`) and AWS KMS
 * (`aws.ts`). Neither keeps a data key, an answer or a failure.
 *
 * Every method rejects with
 * - `KMS_UNAVAILABLE` where the service does not answer, is too busy, does not know the key, or the
 *   key is disabled or closed to us. What may pass by itself was retried before, within a time limit;
 * - `INTERNAL` where a wrapped data key does not fit its key or its context: the stored bytes were
 *   altered or belong elsewhere, so trying again is of no use;
 * - the signal's own reason where the caller gave up.
 */
import { type Bytes, encodeCanonicalJson, SealdeskError } from '../base/index.ts';

/** Bytes of a data key: AES-256. */
export const DATA_KEY_SIZE = 32;
/** Most bytes of a wrapped data key, as AWS KMS limits `CiphertextBlob`. */
export const MAX_ENCRYPTED_DATA_KEY_SIZE = 6144;
const MAX_CONTEXT_VALUE_LENGTH = 128;

/** What a data key is for. Bound to the wrapped key; the service may log it in the clear. */
export interface KeyContext {
  readonly tenant: string;
  readonly purpose: string;
}

export interface DataKey {
  /** 32 bytes, the caller's to wipe. */
  readonly plaintext: Bytes;
  /** 1 to 6144 bytes, to be stored. */
  readonly encrypted: Bytes;
  /** The key that wrapped it, to be stored: an AWS key ARN, or `local:` and a fingerprint. */
  readonly keyRef: string;
}

export interface GenerateDataKeyInput {
  /** `null`: the default key of the configuration. */
  readonly keyRef: string | null;
  readonly context: KeyContext;
  readonly signal?: AbortSignal | undefined;
}

export interface DecryptDataKeyInput {
  readonly encrypted: Uint8Array;
  /** The key that must have wrapped it. */
  readonly keyRef: string;
  readonly context: KeyContext;
  readonly signal?: AbortSignal | undefined;
}

export interface DescribeKeyInput {
  /** `null`: the default key of the configuration. */
  readonly keyRef: string | null;
  readonly signal?: AbortSignal | undefined;
}

export interface KeyDescription {
  readonly keyRef: string;
  /** Whether it can make and unwrap data keys now. */
  readonly enabled: boolean;
}

export interface Kms extends AsyncDisposable {
  readonly name: 'local' | 'aws';
  generateDataKey(input: GenerateDataKeyInput): Promise<DataKey>;
  /** The 32 bytes of a data key, the caller's to wipe. */
  decryptDataKey(input: DecryptDataKeyInput): Promise<Bytes>;
  describeKey(input: DescribeKeyInput): Promise<KeyDescription>;
}

/** Throws TypeError unless `context` has exactly its two members, 1 to 128 characters each. */
export function assertKeyContext(context: KeyContext): void {
  const values: readonly unknown[] = [context.tenant, context.purpose];
  for (const value of values) {
    if (typeof value !== 'string' || value.length === 0 || value.length > MAX_CONTEXT_VALUE_LENGTH) {
      throw new TypeError(`"context" values must be 1 to ${MAX_CONTEXT_VALUE_LENGTH} characters of text`);
    }
  }
  if (Object.keys(context).length !== values.length) {
    throw new TypeError('"context" must be { tenant, purpose } and nothing else');
  }
}

/** RFC 8785 bytes of a context with the key it belongs to. */
export function encodeKeyContext(keyRef: string, { tenant, purpose }: KeyContext): Bytes {
  return encodeCanonicalJson({ key: keyRef, purpose, tenant });
}

/** The stored bytes are at fault: not retryable, and whoever watches the log should know. */
export function misfit(cause?: unknown): SealdeskError {
  return new SealdeskError(
    'INTERNAL',
    'A stored data key does not fit its key or its place: it was altered, or moved from elsewhere.',
    { cause },
  );
}

/** `reason` is a sentence of our own, without key names: it reaches callers. */
export function unavailable(reason: string, cause?: unknown): SealdeskError {
  return new SealdeskError('KMS_UNAVAILABLE', reason, { cause });
}
