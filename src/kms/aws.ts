/**
 * AWS KMS through the AWS SDK, which is loaded only when this is opened. Credentials, and region and
 * endpoint where they are not given, come by the SDK's standard environment (`AWS_*`, profiles,
 * instance and container roles). Needs `kms:GenerateDataKey`, `kms:Decrypt` and `kms:DescribeKey`.
 *
 * Trusts the service and the TLS connection to it. Every decryption names the key that must have
 * wrapped the data key, so a data key wrapped under a stranger's key is refused by the service.
 */
import type { KMSClient } from '@aws-sdk/client-kms';
import { type Bytes, type Clock, systemClock } from '../base/index.ts';
import { type AttemptLimits, attemptRepeatedly } from './attempts.ts';
import { isPassing, translateFailure } from './aws-failures.ts';
import {
  assertKeyContext,
  DATA_KEY_SIZE,
  type DataKey,
  type DecryptDataKeyInput,
  type DescribeKeyInput,
  type GenerateDataKeyInput,
  type KeyContext,
  type KeyDescription,
  type Kms,
  MAX_ENCRYPTED_DATA_KEY_SIZE,
  misfit,
  unavailable,
} from './kms.ts';

const DEFAULT_LIMITS: AttemptLimits = Object.freeze({
  maxAttempts: 4,
  attemptTimeout: 3_000,
  totalTimeout: 10_000,
});
const CONNECTION_TIMEOUT_MS = 2_000;

export interface OpenAwsKmsOptions extends Partial<AttemptLimits> {
  /** The key for tenants that have none of their own: the ARN of a symmetric encryption key, or of an alias. */
  readonly defaultKeyArn: string;
  readonly region?: string;
  /** Base URL instead of the region's own, for private endpoints. */
  readonly endpoint?: string;
  readonly clock?: Clock;
}

type Sdk = typeof import('@aws-sdk/client-kms');

/** Loads the SDK and makes a client. Makes no call; `describeKey` tells whether the key can be used. */
export async function openAwsKms(options: OpenAwsKmsOptions): Promise<Kms> {
  const sdk = await import('@aws-sdk/client-kms');
  const limits: AttemptLimits = {
    maxAttempts: options.maxAttempts ?? DEFAULT_LIMITS.maxAttempts,
    attemptTimeout: options.attemptTimeout ?? DEFAULT_LIMITS.attemptTimeout,
    totalTimeout: options.totalTimeout ?? DEFAULT_LIMITS.totalTimeout,
  };
  const client = new sdk.KMSClient({
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    // We repeat ourselves: the SDK's own repetition knows no limit on the whole time.
    maxAttempts: 1,
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, requestTimeout: limits.attemptTimeout },
  });
  return new AwsKms(sdk, client, options.defaultKeyArn, limits, options.clock ?? systemClock);
}

class AwsKms implements Kms {
  readonly name = 'aws';
  readonly #sdk: Sdk;
  readonly #client: KMSClient;
  readonly #defaultKeyArn: string;
  readonly #limits: AttemptLimits;
  readonly #clock: Clock;
  #disposed = false;

  constructor(sdk: Sdk, client: KMSClient, defaultKeyArn: string, limits: AttemptLimits, clock: Clock) {
    this.#sdk = sdk;
    this.#client = client;
    this.#defaultKeyArn = defaultKeyArn;
    this.#limits = limits;
    this.#clock = clock;
  }

  async generateDataKey({ keyRef, context, signal }: GenerateDataKeyInput): Promise<DataKey> {
    assertKeyContext(context);
    const answer = await this.#call(signal, (abortSignal) =>
      this.#client.send(
        new this.#sdk.GenerateDataKeyCommand({
          KeyId: keyRef ?? this.#defaultKeyArn,
          KeySpec: 'AES_256',
          EncryptionContext: encryptionContext(context),
        }),
        { abortSignal },
      ),
    );
    const { Plaintext: plaintext, CiphertextBlob: encrypted, KeyId: usedKey } = answer;
    if (usedKey === undefined || encrypted === undefined || !isEncryptedDataKey(encrypted)) {
      plaintext?.fill(0);
      throw malformedAnswer();
    }
    return { plaintext: takeDataKey(plaintext), encrypted: new Uint8Array(encrypted), keyRef: usedKey };
  }

  async decryptDataKey({ encrypted, keyRef, context, signal }: DecryptDataKeyInput): Promise<Bytes> {
    assertKeyContext(context);
    if (!isEncryptedDataKey(encrypted)) throw misfit();
    const answer = await this.#call(signal, (abortSignal) =>
      this.#client.send(
        new this.#sdk.DecryptCommand({
          KeyId: keyRef,
          CiphertextBlob: encrypted,
          EncryptionContext: encryptionContext(context),
        }),
        { abortSignal },
      ),
    );
    return takeDataKey(answer.Plaintext);
  }

  async describeKey({ keyRef, signal }: DescribeKeyInput): Promise<KeyDescription> {
    const answer = await this.#call(signal, (abortSignal) =>
      this.#client.send(new this.#sdk.DescribeKeyCommand({ KeyId: keyRef ?? this.#defaultKeyArn }), {
        abortSignal,
      }),
    );
    const { Arn: arn, Enabled: enabled } = answer.KeyMetadata ?? {};
    if (arn === undefined) throw malformedAnswer();
    return { keyRef: arn, enabled: enabled === true };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#client.destroy();
  }

  async #call<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#disposed) throw new TypeError('"kms" was used after it was disposed');
    try {
      return await attemptRepeatedly(
        { ...this.#limits, clock: this.#clock, isRetryable: isPassing, signal },
        work,
      );
    } catch (error) {
      signal?.throwIfAborted();
      throw translateFailure(error);
    }
  }
}

function encryptionContext({ tenant, purpose }: KeyContext): Record<string, string> {
  return { tenant, purpose };
}

function isEncryptedDataKey(encrypted: Uint8Array): boolean {
  return encrypted.length > 0 && encrypted.length <= MAX_ENCRYPTED_DATA_KEY_SIZE;
}

/** A copy of the key in a buffer of its own; the SDK's is wiped. */
function takeDataKey(plaintext: Uint8Array | undefined): Bytes {
  if (plaintext?.length !== DATA_KEY_SIZE) {
    plaintext?.fill(0);
    throw malformedAnswer();
  }
  const copy = new Uint8Array(plaintext);
  plaintext.fill(0);
  return copy;
}

function malformedAnswer(): Error {
  return unavailable('The key management service gave an answer that cannot be used.');
}
