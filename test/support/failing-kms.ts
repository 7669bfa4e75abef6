/** A local KMS that answers nothing while it is down, and counts what it is asked. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SealdeskError } from '../../src/base/index.ts';
import { type Kms, openLocalKms } from '../../src/kms/index.ts';

export interface FailingKms extends Kms {
  down: boolean;
  calls: number;
}

export async function openFailingKms(): Promise<FailingKms> {
  const folder = await mkdtemp(join(tmpdir(), 'sealdesk-outage-'));
  const local = await openLocalKms({ file: join(folder, 'kms.key'), createIfMissing: true });
  const answer = async <T>(work: () => Promise<T>): Promise<T> => {
    kms.calls += 1;
    if (kms.down) throw new SealdeskError('KMS_UNAVAILABLE', 'The key management service does not answer.');
    return work();
  };
  const kms: FailingKms = {
    name: 'local',
    down: false,
    calls: 0,
    generateDataKey: (wish) => answer(() => local.generateDataKey(wish)),
    decryptDataKey: (wish) => answer(() => local.decryptDataKey(wish)),
    describeKey: (wish) => answer(() => local.describeKey(wish)),
    async [Symbol.asyncDispose]() {
      await local[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return kms;
}
