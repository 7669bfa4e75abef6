/**
 * Which keys have ended, for who asks again and again on behalf of many connections: one look for all of them.
 * `now` is in milliseconds since 1970.
 */
import { SealdeskError } from '../base/index.ts';
import type { Tx } from '../store/index.ts';
import { receivingAt } from './active-keys.ts';
import { parseClientKey } from './client-key.ts';
import { explainRefusal } from './recipient.ts';

/** Of the given keys of a tenant, those that have ended, each with the failure that its holder gets. */
export async function findEndedKeys(
  tx: Tx,
  tenantId: string,
  keys: { readonly apiKeyIds: readonly string[]; readonly clientKeyIds: readonly string[] },
  now: number,
): Promise<ReadonlyMap<string, SealdeskError>> {
  const { apiKeyIds, clientKeyIds } = keys;
  const ended = new Map<string, SealdeskError>();
  if (apiKeyIds.length > 0) {
    const rows = await tx
      .selectFrom('api_keys')
      .select(['id', 'revoked_at', 'expires_at'])
      .where('tenant_id', '=', tenantId)
      .where('id', 'in', [...apiKeyIds])
      .execute();
    const valid = rows.filter(
      ({ revoked_at, expires_at }) =>
        revoked_at === null && (expires_at === null || expires_at.getTime() > now),
    );
    const validIds = new Set(valid.map(({ id }) => id));
    for (const id of apiKeyIds) if (!validIds.has(id)) ended.set(id, apiKeyEnded());
  }
  if (clientKeyIds.length > 0) {
    const rows = await tx
      .selectFrom('client_keys')
      .selectAll()
      .where('tenant_id', '=', tenantId)
      .where('id', 'in', [...clientKeyIds])
      .where((row) => row.not(receivingAt(now)))
      .execute();
    for (const row of rows) ended.set(row.id, await explainRefusal(tx, parseClientKey(row, now), now));
  }
  return ended;
}

function apiKeyEnded(): SealdeskError {
  return new SealdeskError('UNAUTHENTICATED', 'The API key was revoked or has expired.');
}
