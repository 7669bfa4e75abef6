import type { Selectable } from 'kysely';
import { isId, SealdeskError } from '../base/index.ts';
import { clausesOf, type KeysetPage, type TenantKind, type TenantsTable, type Tx } from '../store/index.ts';
import { assertName } from './fields.ts';

/** A customer, or, once, the installation itself, to which the operators belong. */
export interface Tenant {
  readonly id: string;
  readonly kind: TenantKind;
  readonly name: string;
  /** The key of the KMS that wraps the tenant's secrets, `null` for the installation's default. */
  readonly kmsKeyRef: string | null;
  readonly createdAt: Date;
}

export interface NewTenant {
  readonly id: string;
  readonly kind: TenantKind;
  readonly name: string;
  readonly kmsKeyRef?: string | null | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** For `withSystem('tenant-administration')`. Throws CONFLICT for a second installation, VALIDATION_FAILED for the name. */
export async function insertTenant(tx: Tx, tenant: NewTenant): Promise<Tenant> {
  const { id, kind, name, kmsKeyRef = null, now } = tenant;
  if (!isId('tenant', id)) throw new TypeError('"id" must be a tenant id');
  assertName(name);
  const row = await tx
    .insertInto('tenants')
    .values({ id, kind, name, kms_key_ref: kmsKeyRef, created_at: new Date(now) })
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) {
    throw new SealdeskError(
      'CONFLICT',
      'The tenant exists already. An installation has one INSTALLATION tenant.',
    );
  }
  return fromRow(row);
}

/** The tenant, or `null` where the transaction does not see it. */
export async function findTenant(tx: Tx, tenantId: string): Promise<Tenant | null> {
  const row = await tx.selectFrom('tenants').selectAll().where('id', '=', tenantId).executeTakeFirst();
  return row === undefined ? null : fromRow(row);
}

/** The tenant, locked until the transaction ends against whoever else changes its keys; `null` where there is none. */
export async function holdTenant(tx: Tx, tenantId: string): Promise<Tenant | null> {
  const row = await tx
    .selectFrom('tenants')
    .selectAll()
    .where('id', '=', tenantId)
    // Not FOR UPDATE: every row that refers to the tenant would wait, the log's too.
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row === undefined ? null : fromRow(row);
}

/** Names the key of the KMS that wraps what is stored from now on. */
export async function setTenantKmsKey(tx: Tx, tenantId: string, kmsKeyRef: string | null): Promise<void> {
  await tx.updateTable('tenants').set({ kms_key_ref: kmsKeyRef }).where('id', '=', tenantId).execute();
}

/** The tenant of the operators, or `null` before it was made. For `withSystem('tenant-administration')`. */
export async function findInstallationTenant(tx: Tx): Promise<Tenant | null> {
  const row = await tx
    .selectFrom('tenants')
    .selectAll()
    .where('kind', '=', 'INSTALLATION')
    .executeTakeFirst();
  return row === undefined ? null : fromRow(row);
}

/** For `withSystem('tenant-administration')`; within a tenant it lists that one. */
export async function listTenants(tx: Tx, page: KeysetPage): Promise<readonly Tenant[]> {
  const { within, order, limit } = clausesOf(page);
  const rows = await tx
    .selectFrom('tenants')
    .selectAll()
    .where(within)
    .orderBy('id', order)
    .limit(limit)
    .execute();
  return rows.map(fromRow);
}

function fromRow(row: Selectable<TenantsTable>): Tenant {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    kmsKeyRef: row.kms_key_ref,
    createdAt: row.created_at,
  };
}
