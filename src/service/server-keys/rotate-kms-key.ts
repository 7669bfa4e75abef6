import { z } from 'zod';
import { holdTenant, type Role, setTenantKmsKey } from '../../access/index.ts';
import type { Call } from '../../proxy/index.ts';
import { notify, type Tx } from '../../store/index.ts';
import { countByKmsKey, countResting, insertKeyRotation, proveKmsKey } from '../../vault/index.ts';
import { idField, invalidInput, kmsKeyArnField, parseInput } from '../input.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { changeKeys } from './managed-tenant.ts';
import { type KeyRotationView, toKeyRotationView } from './rotation-view.ts';

const OPERATOR: readonly Role[] = ['OPERATOR'];
const TenantInput = z.object({ tenantId: z.string().nullish() });
const RotateInput = z.strictObject({
  tenantId: idField('tenant').nullish(),
  kmsKeyArn: kmsKeyArnField.nullish(),
});

/**
 * Names the key of the KMS for a tenant, the default key of the configuration where none is given, and has
 * everything of it re-wrapped in the background, each record readable under the key that it is under. Nothing
 * is changed unless the key is proven usable. For OPERATOR. Rejects with KMS_UNAVAILABLE where it is not.
 */
export function rotateKmsKey(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<{ readonly rotation: KeyRotationView }> {
  const { kms, keyring, clock } = deps;
  const tenant = TenantInput.safeParse(input).data?.tenantId ?? null;
  const act = { action: 'kms-key.rotate', roles: OPERATOR, tenantId: tenant };
  return changeKeys(deps, call, act, async (step) => {
    const { kmsKeyArn } = parseInput(RotateInput, input);
    const { tenantId } = step;
    const keyRef = kmsKeyArn ?? null;
    if (keyRef !== null && kms.name !== 'aws') {
      throw invalidInput([{ path: 'kmsKeyArn', message: 'needs a gateway that runs with SEALDESK_KMS=aws' }]);
    }
    const to = await proveKmsKey({ kms, tenantId, keyRef, signal: call.signal });
    const rotation = await step.commit(async (tx) => {
      await holdTenant(tx, tenantId);
      await setTenantKmsKey(tx, tenantId, keyRef);
      return toKeyRotationView(tx, await beginKmsRotation(tx, tenantId, to, new Date(clock.now())));
    });
    keyring.forget(tenantId);
    return { rotation };
  });
}

/** Records that everything of the tenant is to come under the key `to`, in the transaction that made it so. */
export async function beginKmsRotation(tx: Tx, tenantId: string, to: string, now: Date) {
  const uses = await countByKmsKey(tx, tenantId);
  const begun = await insertKeyRotation(tx, {
    ...{ tenantId, what: 'KMS', to, now },
    from: uses.flatMap(({ kmsKeyRef }) => (kmsKeyRef === to ? [] : kmsKeyRef)),
    total: await countResting(tx, tenantId, { what: 'KMS', keyRef: to }),
  });
  await notify(tx, 'keys', tenantId);
  return begun;
}
