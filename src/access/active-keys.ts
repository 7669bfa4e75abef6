/** Which client keys are sealed to, for who seals without being asked: the change feed. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Bytes } from '../base/index.ts';
import type { Tx } from '../store/index.ts';
import { parseRestriction, type Restriction } from './restriction.ts';

export interface ActiveKey {
  readonly keyId: string;
  readonly lineageId: string;
  /** The same for all keys of a lineage. */
  readonly restriction: Restriction | null;
}

/** `isReceiving` of a row of `client_keys`, never NULL, so that its opposite may be asked for; `now` in milliseconds since 1970. */
export function receivingAt(now: number): RawBuilder<SqlBool> {
  const time = new Date(now);
  return sql<SqlBool>`(
    (client_keys.status = 'ACTIVE' AND (client_keys.expires_at IS NULL OR client_keys.expires_at > ${time}))
    OR (client_keys.status = 'RETIRED' AND client_keys.overlap_until IS NOT NULL
      AND client_keys.overlap_until > ${time}))`;
}

/**
 * The keys of these lineages that are sealed to at `now`: the ACTIVE one, and those that overlap with it. In one
 * order for everybody; with `isHeld` nobody ends one until the transaction ends.
 */
export async function listActiveKeys(
  tx: Tx,
  tenantId: string,
  lineageIds: readonly string[],
  now: number,
  { isHeld = false }: { readonly isHeld?: boolean } = {},
): Promise<readonly ActiveKey[]> {
  if (lineageIds.length === 0) return [];
  const query = tx
    .selectFrom('client_keys')
    .select(['id', 'lineage_id', 'scope_integration_id', 'scope_organization_id', 'scope_requester_id'])
    .where('tenant_id', '=', tenantId)
    .where('lineage_id', 'in', [...lineageIds])
    .where(receivingAt(now))
    .orderBy('lineage_id')
    .orderBy('id');
  const rows = await (isHeld ? query.forShare() : query).execute();
  return rows.map((row) => ({
    keyId: row.id,
    lineageId: row.lineage_id,
    restriction: parseRestriction(row),
  }));
}

/** The ML-KEM-768 public keys (1184 bytes) of client keys, by id. A key's never change. */
export async function readKemPublicKeys(
  tx: Tx,
  tenantId: string,
  keyIds: readonly string[],
): Promise<ReadonlyMap<string, Bytes>> {
  if (keyIds.length === 0) return new Map();
  const rows = await tx
    .selectFrom('client_keys')
    .select(['id', 'kem_public_key'])
    .where('tenant_id', '=', tenantId)
    .where('id', 'in', [...keyIds])
    .execute();
  return new Map(rows.map((row) => [row.id, Uint8Array.from(row.kem_public_key)]));
}
