/** That a key of the KMS can do for a tenant all that will be asked of it, shown by doing it, before anything is put under it. */
import { equalBytes, SealdeskError } from '../base/index.ts';
import type { Kms } from '../kms/index.ts';
import { assertOutsideTransaction, type SecretPurpose } from '../store/index.ts';
import type { DataKeyPurpose } from './data-key.ts';
import { SECRET_SIZES } from './tenant-secrets.ts';

const DATA_KEY_PURPOSES: readonly DataKeyPurpose[] = ['credential', 'access-token'];

export interface ProveKmsKeyInput {
  readonly kms: Kms;
  readonly tenantId: string;
  /** `null`: the default key of the configuration. */
  readonly keyRef: string | null;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The key's own reference, as what it wraps will name it, after a data key was made and unwrapped with it in
 * the context of every purpose: 17 KMS calls. Throws what the KMS throws, and `KMS_UNAVAILABLE` where the key
 * is disabled or gives back something else.
 */
export async function proveKmsKey({ kms, tenantId, keyRef, signal }: ProveKmsKeyInput): Promise<string> {
  assertOutsideTransaction('proveKmsKey');
  const described = await kms.describeKey({ keyRef, signal });
  if (!described.enabled) {
    throw new SealdeskError('KMS_UNAVAILABLE', 'The KMS key is disabled. Enable it in KMS, or name another.');
  }
  const purposes = [...(Object.keys(SECRET_SIZES) as SecretPurpose[]), ...DATA_KEY_PURPOSES];
  await Promise.all(
    purposes.map(async (purpose) => {
      const context = { tenant: tenantId, purpose };
      const made = await kms.generateDataKey({ keyRef, context, signal });
      try {
        const { encrypted } = made;
        const unwrapped = await kms.decryptDataKey({ encrypted, keyRef: made.keyRef, context, signal });
        const isSame = equalBytes(unwrapped, made.plaintext) && made.keyRef === described.keyRef;
        unwrapped.fill(0);
        if (isSame) return;
        throw new SealdeskError('KMS_UNAVAILABLE', 'The KMS key does not give back what it wrapped.');
      } finally {
        made.plaintext.fill(0);
      }
    }),
  );
  return described.keyRef;
}
