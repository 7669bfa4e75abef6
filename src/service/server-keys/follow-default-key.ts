/**
 * A change of the installation's default KMS key, which is made in the configuration: what rests on the former
 * one, of tenants without a key of their own, is to come under the present one.
 */
import { holdTenant } from '../../access/index.ts';
import { countResting, findRunningRotation, findTenantsElsewhere, proveKmsKey } from '../../vault/index.ts';
import { appendEvents } from '../record-event.ts';
import { beginKmsRotation } from './rotate-kms-key.ts';
import type { RotationDeps } from './run-rotation.ts';
import { rotationEvent } from './system-event.ts';

const PAGE = 100;

/**
 * To be called once, when a process starts: while processes with the old and the new configuration run beside
 * each other, each would otherwise undo the other's work. Resolves to how many tenants are to be re-wrapped.
 */
export async function followDefaultKey(deps: RotationDeps, signal: AbortSignal): Promise<number> {
  const { store, kms } = deps;
  const { keyRef } = await kms.describeKey({ keyRef: null, signal });
  let [begun, after] = [0, ''];
  for (;;) {
    signal.throwIfAborted();
    const page = { keyRef, after, limit: PAGE };
    const tenants = await store.withSystem('key-rotation', (tx) => findTenantsElsewhere(tx, page));
    for (const tenantId of tenants) if (await begin(deps, tenantId, keyRef, signal)) begun += 1;
    after = tenants.at(-1) ?? '';
    if (tenants.length < PAGE) return begun;
  }
}

async function begin(
  { store, kms, keyring, clock }: RotationDeps,
  tenantId: string,
  keyRef: string,
  signal: AbortSignal,
): Promise<boolean> {
  await proveKmsKey({ kms, tenantId, keyRef: null, signal });
  const keys = await keyring.keysOf(tenantId, { signal });
  const now = clock.now();
  return store.withTenant(tenantId, async (tx) => {
    const tenant = await holdTenant(tx, tenantId);
    const running = await findRunningRotation(tx, tenantId, 'KMS');
    const resting = await countResting(tx, tenantId, { what: 'KMS', keyRef });
    if (tenant?.kmsKeyRef !== null || running?.to === keyRef || resting === 0) return false;
    await beginKmsRotation(tx, tenantId, keyRef, new Date(now));
    const event = rotationEvent('kms-key.rotate', tenantId, now);
    await appendEvents(tx, tenantId, keys.auditHeadKey(), [event]);
    return true;
  });
}
