import { encodeOrigin, encodeVerifierKey } from '../../tlog/index.ts';
import type { ServiceDeps } from '../service-deps.ts';

/** The keys that verify the checkpoints of a tenant's log in an epoch: Ed25519, then ML-DSA-65. */
export async function verifierKeysOf(
  { keyring }: Pick<ServiceDeps, 'keyring'>,
  tenantId: string,
  epoch: number,
): Promise<readonly string[]> {
  const keys = await keyring.keysOf(tenantId);
  return keys.checkpointSigner().verifiersOf(encodeOrigin({ tenantId, epoch })).map(encodeVerifierKey);
}
