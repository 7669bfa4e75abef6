import { createApiKeySecret, insertApiKey, insertTenant, type Role, type Tenant } from '../access/index.ts';
import { appendAuditEvents, createAuditHead, type NewAuditEvent } from '../audit/index.ts';
import { createId } from '../base/index.ts';
import type { TenantKind } from '../store/index.ts';
import { insertTenantSecrets, prepareTenantSecrets } from '../vault/index.ts';
import type { ServiceDeps } from './service-deps.ts';
import type { ApiKeyView } from './views.ts';

export interface TenantToFound {
  readonly id: string;
  readonly kind: TenantKind;
  readonly name: string;
  readonly kmsKeyRef: string | null;
  /** The first API key, if there is to be one. */
  readonly firstKey: { readonly name: string; readonly role: Role } | null;
  /** Who founds it: an API key's id or the name of a command. */
  readonly createdBy: string;
  readonly actor: NewAuditEvent['actor'];
}

export interface FoundedTenant {
  readonly tenant: Tenant;
  readonly apiKey: ApiKeyView | null;
  /** The text of the first API key, shown this once. */
  readonly secret: string | null;
}

/**
 * Makes a tenant whole, in one transaction after six KMS calls: its row, its sealed secrets, its audit
 * log with the first entry, its first API key. Throws CONFLICT for a second INSTALLATION.
 */
export async function foundTenant(
  deps: Pick<ServiceDeps, 'store' | 'kms' | 'keyring' | 'clock'>,
  founding: TenantToFound,
): Promise<FoundedTenant> {
  const { store, kms, keyring, clock } = deps;
  const { id, kind, name, kmsKeyRef, firstKey, createdBy, actor } = founding;
  const now = clock.now();
  const prepared = await prepareTenantSecrets({
    kms,
    suite: keyring.suite,
    tenantId: id,
    keyRef: kmsKeyRef,
    now: new Date(now),
  });
  const headKey = prepared.auditHeadKey;
  const apiKeyId = createId('apiKey', now);
  const secret = firstKey === null ? null : createApiKeySecret(apiKeyId);
  try {
    return await store.withSystem('tenant-administration', async (tx) => {
      const tenant = await insertTenant(tx, { id, kind, name, kmsKeyRef, now });
      await insertTenantSecrets(tx, prepared);
      await createAuditHead(tx, { tenantId: id, headKey });
      const apiKey =
        firstKey === null || secret === null
          ? null
          : await insertApiKey(tx, {
              id: apiKeyId,
              tenantId: id,
              name: firstKey.name,
              secretSha256: secret.secretSha256,
              roles: [firstKey.role],
              createdBy,
              now,
            });
      const event: NewAuditEvent = {
        id: createId('auditEvent', now),
        occurredAt: new Date(now).toISOString(),
        actor,
        phase: 'SINGLE',
        outcome: 'SUCCEEDED',
        action: 'tenant.create',
        resource: id,
      };
      await appendAuditEvents(tx, { tenantId: id, headKey, events: [event] });
      return { tenant, apiKey, secret: secret?.text ?? null };
    });
  } finally {
    headKey.fill(0);
  }
}
