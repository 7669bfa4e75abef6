import { readEpoch } from '../../audit/index.ts';
import { isId } from '../../base/index.ts';
import { encodeOrigin, encodeVerifierKey } from '../../tlog/index.ts';
import { notFound } from '../audited.ts';
import type { ServiceDeps } from '../service-deps.ts';

/** Epochs that the document lists, the newest ones; more than a log ever has. */
const MAX_EPOCHS = 100;

/** `audit-keys.json`: the keys that verify a tenant's checkpoints, as C2SP verifier keys. */
export interface AuditKeyDocument {
  readonly tenant_id: string;
  /** Oldest first; more than one where a restore was accepted. */
  readonly logs: readonly {
    readonly epoch: number;
    readonly origin: string;
    /** Ed25519, then ML-DSA-65. A checkpoint bears the signatures of both. */
    readonly verifier_keys: readonly string[];
  }[];
}

/** `audit-keys.json` of a tenant; public. NOT_FOUND where there is no such tenant. */
export async function getAuditKeyDocument(
  { store, keyring }: Pick<ServiceDeps, 'store' | 'keyring'>,
  tenantId: string,
): Promise<AuditKeyDocument> {
  if (!isId('tenant', tenantId)) throw notFound('tenant');
  const signer = (await keyring.keysOf(tenantId)).checkpointSigner();
  const newest = await store.withTenant(tenantId, (tx) => readEpoch(tx, tenantId));
  const count = Math.min(newest, MAX_EPOCHS);
  const logs = Array.from({ length: count }, (_, at) => {
    const epoch = newest - count + 1 + at;
    const origin = encodeOrigin({ tenantId, epoch });
    return { epoch, origin, verifier_keys: signer.verifiersOf(origin).map(encodeVerifierKey) };
  });
  return { tenant_id: tenantId, logs };
}
