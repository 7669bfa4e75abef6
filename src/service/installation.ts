/** The installation's own tenant, to which the operators belong, and what the command line does without a caller. */
import { z } from 'zod';
import { createApiKeySecret, findInstallationTenant, insertApiKey, type Tenant } from '../access/index.ts';
import { appendAuditEvents, type NewAuditEvent } from '../audit/index.ts';
import { createId, isSealdeskError } from '../base/index.ts';
import type { Store } from '../store/index.ts';
import type { CreatedApiKey } from './api-keys.ts';
import { type FoundedTenant, foundTenant } from './found-tenant.ts';
import { nameField, parseInput } from './input.ts';
import type { ServiceDeps } from './service-deps.ts';

const NameInput = z.strictObject({ name: nameField });

type InstallationDeps = Pick<ServiceDeps, 'store' | 'kms' | 'keyring' | 'clock'>;

/** Whether this database holds anything that was sealed. */
export async function isInstalled(store: Store): Promise<boolean> {
  return (await store.withSystem('tenant-administration', findInstallationTenant)) !== null;
}

/** The installation's tenant; made at the first start, by whichever process comes first. */
export async function ensureInstallation(deps: InstallationDeps): Promise<Tenant> {
  const present = await deps.store.withSystem('tenant-administration', findInstallationTenant);
  if (present !== null) return present;
  try {
    const { tenant } = await foundTenant(deps, {
      id: createId('tenant', deps.clock.now()),
      kind: 'INSTALLATION',
      name: 'installation',
      kmsKeyRef: null,
      firstKey: null,
      createdBy: 'start',
      actor: { type: 'SYSTEM', id: 'start' },
    });
    return tenant;
  } catch (error) {
    if (!isSealdeskError(error, 'CONFLICT')) throw error;
    const other = await deps.store.withSystem('tenant-administration', findInstallationTenant);
    if (other === null) throw error;
    return other;
  }
}

/** A new OPERATOR key, for whoever may run commands beside the database. */
export async function createOperatorKey(deps: InstallationDeps, name: string): Promise<CreatedApiKey> {
  const { store, keyring, clock } = deps;
  const installation = await ensureInstallation(deps);
  const now = clock.now();
  const id = createId('apiKey', now);
  const { text, secretSha256 } = createApiKeySecret(id);
  const keys = await keyring.keysOf(installation.id);
  const apiKey = await store.withTenant(installation.id, async (tx) => {
    const created = await insertApiKey(tx, {
      id,
      tenantId: installation.id,
      name: parseInput(NameInput, { name }).name,
      secretSha256,
      roles: ['OPERATOR'],
      createdBy: 'command-line',
      now,
    });
    const events = [commandLineEvent('api-key.create', id, now)];
    await appendAuditEvents(tx, { tenantId: installation.id, headKey: keys.auditHeadKey(), events });
    return created;
  });
  return { apiKey, secret: text };
}

/** A new tenant with its first ADMIN key, for whoever may run commands beside the database. */
export async function createTenantByCommand(
  deps: InstallationDeps,
  name: string,
  kmsKeyRef: string | null,
): Promise<FoundedTenant> {
  const { store, keyring, clock } = deps;
  const installation = await ensureInstallation(deps);
  const founded = await foundTenant(deps, {
    id: createId('tenant', clock.now()),
    kind: 'CUSTOMER',
    name: parseInput(NameInput, { name }).name,
    kmsKeyRef,
    firstKey: { name: 'first admin', role: 'ADMIN' },
    createdBy: 'command-line',
    actor: { type: 'COMMAND_LINE', id: 'tenant-create' },
  });
  const keys = await keyring.keysOf(installation.id);
  const events = [commandLineEvent('tenant.create', founded.tenant.id, clock.now())];
  await store.withTenant(installation.id, (tx) =>
    appendAuditEvents(tx, { tenantId: installation.id, headKey: keys.auditHeadKey(), events }),
  );
  return founded;
}

function commandLineEvent(action: string, resource: string, now: number): NewAuditEvent {
  return {
    id: createId('auditEvent', now),
    occurredAt: new Date(now).toISOString(),
    actor: { type: 'COMMAND_LINE', id: 'sealdesk' },
    phase: 'SINGLE',
    outcome: 'SUCCEEDED',
    action,
    resource,
  };
}
