import { isId } from '../base/index.ts';
import { encodeSigningKeyJwk, type SigningKeyDocument, type SigningKeyInfo } from '../envelope/index.ts';
import type { Tx } from '../store/index.ts';
import { notFound } from './audited.ts';
import type { ServiceDeps } from './service-deps.ts';

/** The public keys that sign a tenant's envelopes, oldest first. */
export async function listSigningKeys(tx: Tx, tenantId: string): Promise<readonly SigningKeyInfo[]> {
  const rows = await tx
    .selectFrom('signing_keys')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy('version')
    .execute();
  return rows.map((row) => ({
    kid: row.kid,
    publicKey: Uint8Array.from(row.public_key),
    status: row.status,
    notBefore: Math.floor(row.not_before.getTime() / 1000),
    notAfter: row.not_after === null ? null : Math.floor(row.not_after.getTime() / 1000),
  }));
}

/** `keys.json` of a tenant; public. NOT_FOUND where there is no such tenant. */
export async function getSigningKeyDocument(
  { store }: ServiceDeps,
  tenantId: string,
): Promise<SigningKeyDocument> {
  if (!isId('tenant', tenantId)) throw notFound('tenant');
  const keys = await store.withTenant(tenantId, (tx) => listSigningKeys(tx, tenantId));
  if (keys.length === 0) throw notFound('tenant');
  return { keys: keys.map(encodeSigningKeyJwk), transitions: [] };
}
