import { z } from 'zod';
import { holdTenant } from '../../access/index.ts';
import { SealdeskError } from '../../base/index.ts';
import type { Call } from '../../proxy/index.ts';
import { notify } from '../../store/index.ts';
import {
  countByVaultKey,
  countResting,
  findRunningRotation,
  insertKeyRotation,
  insertSecretRows,
  makeTenantSecret,
} from '../../vault/index.ts';
import { idField, parseInput } from '../input.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { changeKeys, KEY_MANAGERS } from './managed-tenant.ts';
import { type KeyRotationView, toKeyRotationView } from './rotation-view.ts';

const TenantInput = z.object({ tenantId: z.string().nullish() });
const RotateInput = z.strictObject({ tenantId: idField('tenant').nullish() });

/**
 * Makes the next version of a tenant's vault key. What is sealed from now on is sealed to it; what is stored is
 * re-wrapped in the background, and readable all the while. For ADMIN, and OPERATOR in any tenant. Rejects with
 * CONFLICT while such a rotation is under way.
 */
export function rotateVaultKey(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<{ readonly rotation: KeyRotationView }> {
  const { store, kms, keyring, clock } = deps;
  const tenant = TenantInput.safeParse(input).data?.tenantId ?? null;
  const act = { action: 'vault-key.rotate', roles: KEY_MANAGERS, tenantId: tenant };
  return changeKeys(deps, call, act, async (step) => {
    parseInput(RotateInput, input);
    const { tenantId } = step;
    const now = new Date(clock.now());
    const keys = await keyring.keysOf(tenantId, { signal: call.signal });
    const known = await store.withTenant(tenantId, (tx) => countByVaultKey(tx, tenantId));
    const version = (known.at(-1)?.version ?? 0) + 1;
    const { row } = await makeTenantSecret({
      ...{ kms, suite: keyring.suite, tenantId, keyRef: keys.kmsKeyRef },
      ...{ purpose: 'vault', version, now, signal: call.signal },
    });
    const rotation = await step.commit(async (tx) => {
      await holdTenant(tx, tenantId);
      const present = await countByVaultKey(tx, tenantId);
      const running = await findRunningRotation(tx, tenantId, 'VAULT');
      if (running !== null || present.at(-1)?.version !== version - 1) {
        throw new SealdeskError(
          'CONFLICT',
          'A rotation of the vault key is under way. Wait for it to end: `keyStatus` tells how far it is.',
        );
      }
      await insertSecretRows(tx, tenantId, [row]);
      const begun = await insertKeyRotation(tx, {
        ...{ tenantId, what: 'VAULT', to: String(version), now },
        from: present.map((one) => String(one.version)),
        total: await countResting(tx, tenantId, { what: 'VAULT', version }),
      });
      await notify(tx, 'keys', tenantId);
      return toKeyRotationView(tx, begun);
    });
    keyring.forget(tenantId);
    return { rotation };
  });
}
