/**
 * The state NEEDS_RECONNECT of the integrations that rest on one credential.
 *
 * - *ACTIVE*, the normal state, is left by {@link markReconnect} when Zendesk has refused the credential for good.
 * - *NEEDS_RECONNECT*: no call is made to Zendesk. It is left by {@link clearReconnect}, when an admin has given
 *   the credential another secret, the integration another credential, or named the same again to have it tried, and
 *   when a pair is stored that was on its way when it turned.
 * - *DISABLED*, an admin's switch, keeps the reason: switched on again, the integration is what it was.
 *
 * These functions take a transaction and make no call to outside.
 */
import { sql } from 'kysely';
import type { IntegrationStatus, ReconnectReason, Tx } from '../store/index.ts';

export interface ReconnectKey {
  readonly tenantId: string;
  readonly credentialId: string;
}

export interface Refusal extends ReconnectKey {
  readonly credentialVersion: number;
  /** Of the access token that was refused, or could not be renewed; 0 is the credential's own. */
  readonly tokenVersion: number;
  /** The attempt to renew it that was refused, `null` where a call was. */
  readonly attempt: string | null;
  readonly reason: ReconnectReason;
  readonly now: Date;
}

/**
 * Turns the integrations that are called with the credential, and returns the ids of those that were ACTIVE; `null`,
 * and nothing is turned, where the credential was rotated, or a newer token stored, since what was refused was sent, or
 * where another attempt is under way, whose token may be good.
 */
export async function markReconnect(tx: Tx, refusal: Refusal): Promise<readonly string[] | null> {
  const { tenantId, credentialId, credentialVersion, tokenVersion, attempt, reason, now } = refusal;
  // Shared lock: a rotation waits for us and clears what we mark, or we see that it has been.
  const credential = await tx
    .selectFrom('credentials')
    .select('version')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', credentialId)
    .forShare()
    .executeTakeFirst();
  if (credential?.version !== credentialVersion) return null;
  const token = await tx
    .selectFrom('access_tokens')
    .select(['version', 'refresh_attempt', 'refresh_until'])
    .where('tenant_id', '=', tenantId)
    .where('credential_id', '=', credentialId)
    .where('credential_version', '=', credentialVersion)
    .forUpdate()
    .executeTakeFirst();
  if ((token?.version ?? 0) !== tokenVersion) return null;
  const other = token === undefined || token.refresh_attempt === attempt ? null : token.refresh_attempt;
  if (other !== null && (token?.refresh_until ?? now) > now) return null;
  const rows = await tx
    .updateTable('integrations as new')
    .from((from) =>
      from
        .selectFrom('integrations')
        .select(['id', 'status as old_status'])
        .where('tenant_id', '=', tenantId)
        .where('credential_id', '=', credentialId)
        .where('reconnect_reason', 'is', null)
        .orderBy('id')
        .forUpdate()
        .as('old'),
    )
    .set({
      reconnect_reason: reason,
      reconnect_since: now,
      status: sql<IntegrationStatus>`CASE old.old_status WHEN 'ACTIVE' THEN 'NEEDS_RECONNECT' ELSE old.old_status END`,
    })
    .whereRef('new.id', '=', 'old.id')
    .returning(['new.id as id', 'old.old_status as before'])
    .execute();
  return rows.flatMap(({ id, before }) => (before === 'ACTIVE' ? [id] : []));
}

/** Lets the integrations that are called with the credential be called again, as far as no admin switched them off. */
export async function clearReconnect(tx: Tx, { tenantId, credentialId }: ReconnectKey): Promise<void> {
  await tx
    .updateTable('integrations')
    .set({
      reconnect_reason: null,
      reconnect_since: null,
      status: sql<IntegrationStatus>`CASE status WHEN 'NEEDS_RECONNECT' THEN 'ACTIVE' ELSE status END`,
    })
    .where('tenant_id', '=', tenantId)
    .where('credential_id', '=', credentialId)
    .where('reconnect_reason', 'is not', null)
    .execute();
}

/** Why the credential is not to be used, `null` where it may be. */
export async function readReconnect(
  tx: Tx,
  { tenantId, credentialId }: ReconnectKey,
): Promise<{ readonly integrationId: string; readonly reason: ReconnectReason } | null> {
  const row = await tx
    .selectFrom('integrations')
    .select(['id', 'reconnect_reason'])
    .where('tenant_id', '=', tenantId)
    .where('credential_id', '=', credentialId)
    .where('reconnect_reason', 'is not', null)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined || row.reconnect_reason === null) return null;
  return { integrationId: row.id, reason: row.reconnect_reason };
}
