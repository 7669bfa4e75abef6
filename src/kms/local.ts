/**
 * A key management service made of one key file, for development and single machines. Whoever reads
 * the file can unwrap everything, and nothing records its use: it cannot be disabled or audited as a
 * real service can. A former key beside it, in the file with `.previous` at the end of its name, unwraps
 * what it wrapped and wraps nothing more, so that the key can be changed.
 *
 * Wrapped data key: `0x01` ‖ nonce (12) ‖ AES-256-GCM ciphertext (32) ‖ tag (16), with the RFC 8785
 * bytes of {key, purpose, tenant} as additional data. Random nonces: good for 2^32 data keys a file
 * (NIST SP 800-38D §8.3).
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { type Bytes, concatBytes, encodeHex } from '../base/index.ts';
import { readFormerKeyFile, readKeyFile } from './key-file.ts';
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
const FORMER_SUFFIX = '.previous';

export interface OpenLocalKmsOptions {
  /** Path of the key file: 32 bytes, mode 0600, owned by the user that runs us. */
  readonly file: string;
  /** Make the file where it is missing. Default false, so that a lost key is noticed. */
  readonly createIfMissing?: boolean;
}

/** Reads (or makes) the key file, and the former one where there is one. Throws KeyFileError where it must not be used. */
export async function openLocalKms(options: OpenLocalKmsOptions): Promise<Kms> {
  const key = await readKeyFile(options.file, options.createIfMissing ?? false);
  const former = await readFormerKeyFile(`${options.file}${FORMER_SUFFIX}`);
  return new LocalKms(createLocalKey(key), former === null ? null : createLocalKey(former));
}

interface LocalKey {
  readonly bytes: Bytes;
  readonly keyRef: string;
}

function createLocalKey(bytes: Bytes): LocalKey {
  const digest = createHash('sha256').update('sealdesk/local-kms/v1\0').update(bytes).digest();
  return { bytes, keyRef: `local:${encodeHex(digest.subarray(0, FINGERPRINT_SIZE))}` };
}

class LocalKms implements Kms {
  readonly name = 'local';
  readonly #key: LocalKey;
  readonly #former: LocalKey | null;
  #disposed = false;

  constructor(key: LocalKey, former: LocalKey | null) {
    this.#key = key;
    this.#former = former;
  }

  async generateDataKey({ keyRef, context, signal }: GenerateDataKeyInput): Promise<DataKey> {
    const key = this.#present(keyRef, signal);
    assertKeyContext(context);
    const plaintext = new Uint8Array(randomBytes(DATA_KEY_SIZE));
    const nonce = randomBytes(NONCE_SIZE);
    const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce, { authTagLength: TAG_SIZE });
    cipher.setAAD(encodeKeyContext(key.keyRef, context));
    const ciphertext = [cipher.update(plaintext), cipher.final()];
    const encrypted = concatBytes(Uint8Array.of(FORMAT), nonce, ...ciphertext, cipher.getAuthTag());
    return { plaintext, encrypted, keyRef: key.keyRef };
  }

  async decryptDataKey({ encrypted, keyRef, context, signal }: DecryptDataKeyInput): Promise<Bytes> {
    const key =
      keyRef === this.#former?.keyRef ? this.#usable(this.#former, signal) : this.#present(keyRef, signal);
    assertKeyContext(context);
    if (encrypted.length !== ENCRYPTED_SIZE || encrypted[0] !== FORMAT) throw misfit();
    const nonce = encrypted.subarray(1, 1 + NONCE_SIZE);
    const end = ENCRYPTED_SIZE - TAG_SIZE;
    const decipher = createDecipheriv('aes-256-gcm', key.bytes, nonce, { authTagLength: TAG_SIZE });
    decipher.setAAD(encodeKeyContext(key.keyRef, context)).setAuthTag(encrypted.subarray(end));
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
    return { keyRef: this.#present(keyRef, signal).keyRef, enabled: true };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#key.bytes.fill(0);
    this.#former?.bytes.fill(0);
  }

  #present(keyRef: string | null, signal: AbortSignal | undefined): LocalKey {
    const key = this.#usable(this.#key, signal);
    if (keyRef !== null && keyRef !== key.keyRef) {
      throw unavailable('The key that is asked for is not the one in the local key file.');
    }
    return key;
  }

  #usable(key: LocalKey, signal: AbortSignal | undefined): LocalKey {
    if (this.#disposed) throw new TypeError('"kms" was used after it was disposed');
    signal?.throwIfAborted();
    return key;
  }
}
