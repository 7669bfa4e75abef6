/** Whether the key that wraps everything can be used. */
import { access } from 'node:fs/promises';
import { isSealdeskError } from '../../base/index.ts';
import type { Config } from '../../config.ts';
import { KeyFileError, type Kms, openAwsKms, openLocalKms } from '../../kms/index.ts';
import { type Finding, note, ok, wrong } from './finding.ts';

export async function checkKms({ kms }: Config): Promise<Finding> {
  if (kms.kind === 'local' && !(await isPresent(kms.keyFile))) {
    return note(`KMS: the local key file ${kms.keyFile} is made at the first start.`);
  }
  try {
    await using opened = await openConfigured(kms);
    const { keyRef, enabled } = await opened.describeKey({ keyRef: null });
    if (!enabled) return wrong(`KMS: the key ${keyRef} is disabled. Enable it, or name another.`);
    return ok(
      kms.kind === 'local'
        ? `KMS: local key file ${kms.keyFile}, mode 0600; for development only`
        : `KMS: AWS key ${keyRef} answers and is enabled`,
    );
  } catch (error) {
    if (!(error instanceof KeyFileError) && !isSealdeskError(error)) throw error;
    return wrong(`KMS: ${error.message}`);
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
