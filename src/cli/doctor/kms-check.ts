/** Whether the key that wraps everything can be used. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { isSealdeskError } from '../../base/index.ts';
import type { Config } from '../../config.ts';
import { KeyFileError, type Kms, openAwsKms, openLocalKms } from '../../kms/index.ts';
import { type Finding, note, ok, wrong } from './finding.ts';

export interface KmsCheck {
  readonly finding: Finding;
  /** The default key; `null` where it cannot be used. */
  readonly keyRef: string | null;
}

export async function checkKms({ kms, databaseUrl, dataDir }: Config): Promise<KmsCheck> {
  if (kms.kind === 'local' && !(await isPresent(kms.keyFile))) {
    // An embedded database that was started once was sealed under a key that existed then.
    const finding =
      databaseUrl === null && (await isPresent(join(dataDir, 'pgdata')))
        ? wrong(
            `KMS: the local key file ${kms.keyFile} is missing; what the database holds is lost without it. Restore it.`,
          )
        : note(
            `KMS: there is no local key file ${kms.keyFile}; a first start makes it, a later one needs the old one.`,
          );
    return { finding, keyRef: null };
  }
  try {
    await using opened = await openConfigured(kms);
    const { keyRef, enabled } = await opened.describeKey({ keyRef: null });
    if (!enabled) {
      return {
        finding: wrong(`KMS: the key ${keyRef} is disabled. Enable it, or name another.`),
        keyRef: null,
      };
    }
    const finding = ok(
      kms.kind === 'local'
        ? `KMS: local key file ${kms.keyFile}, mode 0600; for development only`
        : `KMS: AWS key ${keyRef} answers and is enabled`,
    );
    return { finding, keyRef };
  } catch (error) {
    if (!(error instanceof KeyFileError) && !isSealdeskError(error)) throw error;
    return { finding: wrong(`KMS: ${error.message}`), keyRef: null };
  }
}

async function openConfigured(kms: Config['kms']): Promise<Kms> {
  if (kms.kind === 'local') return openLocalKms({ file: kms.keyFile, createIfMissing: false });
  return openAwsKms({
    defaultKeyArn: kms.keyArn,
    ...(kms.endpoint === null ? {} : { endpoint: kms.endpoint }),
  });
}

async function isPresent(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    (error: unknown) => !(error instanceof Error && 'code' in error && error.code === 'ENOENT'),
  );
}
