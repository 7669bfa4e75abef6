/** What a tenant's keys are, and what still rests on an old one. */
import { assertRole, findTenant } from '../../access/index.ts';
import { assertAuthenticated, type Call } from '../../proxy/index.ts';
import {
  countByKmsKey,
  countByVaultKey,
  type KmsKeyUse,
  listKeyRotations,
  readSigningKeys,
  signingKeysAt,
  type VaultKeyUse,
} from '../../vault/index.ts';
import { notFound } from '../audited.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { KEY_MANAGERS, managedTenant } from './managed-tenant.ts';
import { type SigningKeyView, toSigningKeyView } from './rotate-signing-key.ts';
import { type KeyRotationView, toKeyRotationView } from './rotation-view.ts';

export interface KeyStatusView {
  readonly tenantId: string;
  /** The tenant's own KMS key, `null` for the default key of the configuration. */
  readonly kmsKeyArn: string | null;
  /** Every one that there was, oldest first. */
  readonly signingKeys: readonly SigningKeyView[];
  /** The versions that are stored, oldest first. */
  readonly vaultKeys: readonly VaultKeyUse[];
  readonly kmsKeys: readonly KmsKeyUse[];
  /** The newest rotations of vault key and KMS key, newest first. */
  readonly rotations: readonly KeyRotationView[];
}

/** For ADMIN of its own tenant, and OPERATOR of any. */
export async function getKeyStatus(
  deps: ServiceDeps,
  call: Call,
  wanted: string | null,
): Promise<KeyStatusView> {
  assertAuthenticated(call);
  assertRole(call.caller, ...KEY_MANAGERS);
  const tenantId = await managedTenant(deps, call.caller, wanted);
  if (tenantId === null) throw notFound('tenant');
  return deps.store.withTenant(tenantId, async (tx) => {
    const tenant = await findTenant(tx, tenantId);
    if (tenant === null) throw notFound('tenant');
    const signingKeys = signingKeysAt(await readSigningKeys(tx, tenantId), deps.clock.now());
    const rotations: KeyRotationView[] = [];
    for (const rotation of await listKeyRotations(tx, tenantId)) {
      rotations.push(await toKeyRotationView(tx, rotation));
    }
    return {
      tenantId,
      kmsKeyArn: tenant.kmsKeyRef,
      signingKeys: signingKeys.map(toSigningKeyView),
      vaultKeys: await countByVaultKey(tx, tenantId),
      kmsKeys: await countByKmsKey(tx, tenantId),
      rotations,
    };
  });
}
