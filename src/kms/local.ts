/**
 * A key management service made of one key file, for development and single machines. Whoever reads
 * the file can unwrap everything, and nothing records its use: it cannot be disabled, rotated or
 * audited as a real service can.
 *
 * Wrapped data key: `0x01` ‖ nonce (12) ‖ AES-256-GCM ciphertext (32) ‖ tag (16), with the RFC 8785
 * bytes of {key, purpose, tenant} as additional data. Random nonces: good for 2^32 data keys a file
 * (NIST SP 800-38D §8.3).
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { type Bytes, concatBytes, encodeHex } from '../base/index.ts';
import { readKeyFile } from './key-file.ts';
import {
  assertKeyContext,
  DATA_KEY_SIZE,
  type DataKey,
  type DecryptDataKeyInput,
  type DescribeKeyInput,
  encodeKeyContext,
  type GenerateDataKeyInput,
  type KeyDescription,
  type Kms,
  misfit,
  unavailable,
} from './kms.ts';

const FORMAT = 0x01;
const NONCE_SIZE = 12;
const TAG_SIZE = 16;
const ENCRYPTED_SIZE = 1 + NONCE_SIZE + DATA_KEY_SIZE + TAG_SIZE;
const FINGERPRINT_SIZE = 16;

export interface OpenLocalKmsOptions {
  /** Path of the key file: 32 bytes, mode 0600, owned by the user that runs us. */
  readonly file: string;
  /** Make the file where it is missing. Default false, so that a lost key is noticed. */
  readonly createIfMissing?: boolean;
}

/** Reads (or makes) the key file. Throws KeyFileError where it must not be used. */
export async function openLocalKms(options: OpenLocalKmsOptions): Promise<Kms> {
  return new LocalKms(await readKeyFile(options.file, options.createIfMissing ?? false));
}

class LocalKms implements Kms {
  readonly name = 'local';
  readonly #key: Bytes;
  readonly #keyRef: string;
  #disposed = false;

  constructor(key: Bytes) {
    this.#key = key;
    const digest = createHash('sha256').update('sealdesk/local-kms/v1\0').update(key).digest();
    this.#keyRef = `local:${encodeHex(digest.subarray(0, FINGERPRINT_SIZE))}`;
  }

  async generateDataKey({ keyRef, context, signal }: GenerateDataKeyInput): Promise<DataKey> {
    this.#assertUsable(keyRef, signal);
    assertKeyContext(context);
    const plaintext = new Uint8Array(randomBytes(DATA_KEY_SIZE));
    const nonce = randomBytes(NONCE_SIZE);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: TAG_SIZE });
    cipher.setAAD(encodeKeyContext(this.#keyRef, context));
    const ciphertext = [cipher.update(plaintext), cipher.final()];
    const encrypted = concatBytes(Uint8Array.of(FORMAT), nonce, ...ciphertext, cipher.getAuthTag());
    return { plaintext, encrypted, keyRef: this.#keyRef };
  }

  async decryptDataKey({ encrypted, keyRef, context, signal }: DecryptDataKeyInput): Promise<Bytes> {
    this.#assertUsable(keyRef, signal);
    assertKeyContext(context);
    if (encrypted.length !== ENCRYPTED_SIZE || encrypted[0] !== FORMAT) throw misfit();
    const nonce = encrypted.subarray(1, 1 + NONCE_SIZE);
    const end = ENCRYPTED_SIZE - TAG_SIZE;
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: TAG_SIZE });
    decipher.setAAD(encodeKeyContext(this.#keyRef, context)).setAuthTag(encrypted.subarray(end));
    const plaintext = decipher.update(encrypted.subarray(1 + NONCE_SIZE, end));
    try {
      decipher.final();
      return new Uint8Array(plaintext);
    } catch (cause) {
      throw misfit(cause);
    } finally {
      plaintext.fill(0);
    }
  }

  async describeKey({ keyRef, signal }: DescribeKeyInput): Promise<KeyDescription> {
    this.#assertUsable(keyRef, signal);
    return { keyRef: this.#keyRef, enabled: true };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#key.fill(0);
  }

  #assertUsable(keyRef: string | null, signal: AbortSignal | undefined): void {
    if (this.#disposed) throw new TypeError('"kms" was used after it was disposed');
    signal?.throwIfAborted();
    if (keyRef !== null && keyRef !== this.#keyRef) {
      throw unavailable('The key that is asked for is not the one in the local key file.');
    }
  }
}
