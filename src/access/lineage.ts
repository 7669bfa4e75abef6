/** A client key and its successors: which of them stands for all. */
import type { Tx } from '../store/index.ts';
import { type ClientKey, isReceiving, parseClientKey } from './client-key.ts';

/** All keys of the lineage of the key `clientKeyId`, oldest first, as they are at `now` (milliseconds since 1970). */
export async function listLineage(
  tx: Tx,
  tenantId: string,
  clientKeyId: string,
  now: number,
): Promise<readonly ClientKey[]> {
  const rows = await tx
    .selectFrom('client_keys as own')
    .innerJoin('client_keys', (join) =>
      join
        .onRef('client_keys.tenant_id', '=', 'own.tenant_id')
        .onRef('client_keys.lineage_id', '=', 'own.lineage_id'),
    )
    .selectAll('client_keys')
    .where('own.tenant_id', '=', tenantId)
    .where('own.id', '=', clientKeyId)
    .orderBy('client_keys.id')
    .execute();
  return rows.map((row) => parseClientKey(row, now));
}

/**
 * The key that stands for the lineage of `clientKeyId`, or `null` where there is no such key: the ACTIVE one; else
 * one that overlaps; else the successor that is on its way; else the last one that was mapped; else the key itself.
 */
export async function findStandingKey(
  tx: Tx,
  tenantId: string,
  clientKeyId: string,
  now: number,
): Promise<ClientKey | null> {
  const keys = await listLineage(tx, tenantId, clientKeyId, now);
  return (
    keys.find(({ status }) => status === 'ACTIVE') ??
    keys.findLast(isReceiving) ??
    keys.findLast((key) => isSuccessor(key) && isWaiting(key, now)) ??
    lastMapped(keys) ??
    keys.find(({ id }) => id === clientKeyId) ??
    null
  );
}

/** The key of a lineage that was mapped last, ended or not. */
export function lastMapped(keys: readonly ClientKey[]): ClientKey | null {
  const mapped = keys.filter((key) => mappedAtOf(key) !== null);
  return mapped.toSorted((a, b) => (mappedAtOf(a) ?? 0) - (mappedAtOf(b) ?? 0)).at(-1) ?? null;
}

/** Whether it is registered and may still come to be mapped. */
export function isWaiting(key: ClientKey, now: number): boolean {
  return key.status === 'CONFIRMED' || (key.status === 'PENDING' && key.pendingUntil.getTime() > now);
}

function isSuccessor({ succession }: ClientKey): boolean {
  return succession !== null;
}

function mappedAtOf(key: ClientKey): number | null {
  return key.status === 'PENDING' || key.status === 'CONFIRMED' ? null : (key.mappedAt?.getTime() ?? null);
}
