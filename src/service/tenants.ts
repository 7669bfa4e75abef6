/** Use cases around tenants: creating and reading them, and who the caller is. */
import { z } from 'zod';
import {
  findApiKey,
  findClientKey,
  findTenant,
  listTenants as listTenantRows,
  ROLES,
} from '../access/index.ts';
import { createId, isId } from '../base/index.ts';
import { assertAuthenticated, type Call } from '../proxy/index.ts';
import { audited, notFound } from './audited.ts';
import { foundTenant } from './found-tenant.ts';
import { invalidInput, kmsKeyArnField, nameField, parseInput } from './input.ts';
import { type Connection, type PageInput, parsePage, toConnection } from './page.ts';
import { readOwn } from './read.ts';
import type { ServiceDeps } from './service-deps.ts';
import { type ApiKeyView, type TenantView, toClientKeyView, type Viewer } from './views.ts';

const CreateTenantInput = z.object({
  name: nameField,
  kmsKeyArn: kmsKeyArnField.nullish(),
});

export interface CreatedTenant {
  readonly tenant: TenantView;
  readonly adminApiKey: ApiKeyView;
  /** The text of the ADMIN key, shown this once. */
  readonly adminApiKeySecret: string;
}

/** Creates a tenant with its keys, its log and its first ADMIN key. For OPERATOR. */
export async function createTenant(deps: ServiceDeps, call: Call, input: unknown): Promise<CreatedTenant> {
  const id = createId('tenant', deps.clock.now());
  const act = { action: 'tenant.create', roles: ['OPERATOR'], resource: id } as const;
  return audited(deps, call, act, async (step, { caller }) => {
    const { name, kmsKeyArn = null } = parseInput(CreateTenantInput, input);
    if (kmsKeyArn !== null && deps.kms.name !== 'aws') {
      throw invalidInput([{ path: 'kmsKeyArn', message: 'needs a gateway that runs with SEALDESK_KMS=aws' }]);
    }
    await step.assertCallerValid();
    const { tenant, apiKey, secret } = await foundTenant(deps, {
      id,
      kind: 'CUSTOMER',
      name,
      kmsKeyRef: kmsKeyArn,
      firstKey: { name: 'first admin', role: 'ADMIN' },
      createdBy: caller.id,
      actor: { type: caller.kind, id: caller.id },
    });
    if (apiKey === null || secret === null) throw new TypeError('"firstKey" was asked for and not made');
    await step.commit(async () => undefined);
    return { tenant, adminApiKey: apiKey, adminApiKeySecret: secret };
  });
}

/** Who the caller is. For everybody who has logged in. */
export function getViewer(deps: ServiceDeps, call: Call): Promise<Viewer> {
  return readOwn(deps, call, ROLES, async (tx, tenantId, { caller: { kind, id } }) => {
    const tenant = await findTenant(tx, tenantId);
    if (tenant === null) throw notFound('tenant');
    if (kind === 'API_KEY') {
      const apiKey = await findApiKey(tx, tenantId, id);
      if (apiKey === null) throw notFound('API key');
      return { apiKey, clientKey: null, tenant };
    }
    const clientKey = await findClientKey(tx, tenantId, id, deps.clock.now());
    if (clientKey === null) throw notFound('client key');
    return { apiKey: null, clientKey: toClientKeyView(deps.keyring.suite, clientKey), tenant };
  });
}

/** The caller's own tenant, or, for an OPERATOR, the one named. */
export async function getTenant(deps: ServiceDeps, call: Call, id: string | null): Promise<TenantView> {
  assertAuthenticated(call);
  const { caller } = call;
  const wanted = id ?? caller.tenantId;
  if (!isId('tenant', wanted)) throw notFound('tenant');
  if (wanted !== caller.tenantId && !caller.roles.includes('OPERATOR')) throw notFound('tenant');
  const tenant = await deps.store.withTenant(wanted, (tx) => findTenant(tx, wanted));
  if (tenant === null) throw notFound('tenant');
  return tenant;
}

/** All tenants, oldest first. For OPERATOR. */
export async function listTenants(
  deps: ServiceDeps,
  call: Call,
  input: PageInput,
): Promise<Connection<TenantView>> {
  // Asserts the role before the unscoped read.
  await readOwn(deps, call, ['OPERATOR'], async () => undefined);
  const page = parsePage(input);
  const rows = await deps.store.withSystem('tenant-administration', (tx) => listTenantRows(tx, page));
  return toConnection(
    rows,
    page,
    (tenant) => tenant.id,
    (tenant) => tenant,
  );
}
