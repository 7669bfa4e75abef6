/**
 * Authorizations at Zendesk in the database, from the address that an admin is sent to until the account is
 * connected or is not:
 *
 * - PENDING: begun; the browser is at Zendesk. Left when its state comes back, by {@link claimAuthorization}, or when
 *   its time is over: EXPIRED.
 * - EXCHANGING: the state is used up, and one process exchanges the code. A process that dies here may have been
 *   granted tokens that nobody holds: FAILED, and `left_until` says for how long.
 * - GRANTED: the tokens are here, sealed, and being looked at. A process that dies here loses nothing: another goes
 *   on, by {@link takeOver}.
 * - CONNECTED, DENIED, FAILED, EXPIRED: over. Nothing secret is left in the row.
 *
 * Every move is conditional on the state it leaves, so that of two processes one makes it. No call to outside.
 */
import type { Selectable } from 'kysely';
import type { AuthorizationStatus, Tx, ZendeskAuthorizationsTable } from '../../store/index.ts';

/** An authorization as it may be told. */
export interface Authorization {
  readonly id: string;
  readonly tenantId: string;
  readonly integrationId: string;
  readonly requestedBy: string;
  readonly status: AuthorizationStatus;
  readonly scopes: readonly string[];
  readonly failure: string | null;
  readonly missingScopes: readonly string[];
  readonly credentialId: string | null;
  readonly replacedCredentialId: string | null;
  readonly leftUntil: Date | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly finishedAt: Date | null;
}

/** One that is under way, with what is needed to finish it. */
export interface OpenAuthorization extends Authorization {
  readonly secrets: Uint8Array;
  /** `null` before the code was exchanged. */
  readonly pair: Uint8Array | null;
}

export interface AuthorizationKey {
  readonly tenantId: string;
  readonly id: string;
}

/** The place that a column of a row is sealed for. */
export function authorizationLocation(id: string, column: 'secrets' | 'pair') {
  return { table: 'zendesk_authorizations', rowId: id, column, version: 1 } as const;
}

export interface NewAuthorization extends AuthorizationKey {
  readonly integrationId: string;
  readonly requestedBy: string;
  readonly stateHash: Uint8Array;
  readonly scopes: readonly string[];
  readonly secrets: Uint8Array;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export async function insertAuthorization(tx: Tx, made: NewAuthorization): Promise<Authorization> {
  const row = await tx
    .insertInto('zendesk_authorizations')
    .values({
      id: made.id,
      tenant_id: made.tenantId,
      integration_id: made.integrationId,
      requested_by: made.requestedBy,
      state_hash: made.stateHash,
      status: 'PENDING',
      scopes: [...made.scopes],
      secrets: made.secrets,
      created_at: made.createdAt,
      expires_at: made.expiresAt,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return toAuthorization(row);
}

/** How many of the tenant wait for their state to come back. */
export async function countPending(tx: Tx, tenantId: string, now: Date): Promise<number> {
  const { count } = await tx
    .selectFrom('zendesk_authorizations')
    .select((column) => column.fn.countAll<string>().as('count'))
    .where('tenant_id', '=', tenantId)
    .where('status', '=', 'PENDING')
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function readAuthorization(tx: Tx, { tenantId, id }: AuthorizationKey) {
  const row = await tx
    .selectFrom('zendesk_authorizations')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst();
  return row === undefined ? null : toAuthorization(row);
}

export interface FoundAuthorization extends AuthorizationKey {
  /** Whether it may still be claimed, and why not. */
  readonly state: 'OPEN' | 'EXPIRED' | 'USED';
}

/** Whose authorization a state belongs to; `null` where it is nobody's. For `withSystem`. */
export async function findAuthorizationByState(
  tx: Tx,
  stateHash: Uint8Array,
  now: Date,
): Promise<FoundAuthorization | null> {
  const row = await tx
    .selectFrom('zendesk_authorizations')
    .select(['id', 'tenant_id', 'status', 'expires_at'])
    .where('state_hash', '=', stateHash)
    .executeTakeFirst();
  if (row === undefined) return null;
  const isOpen = row.status === 'PENDING' && row.expires_at > now;
  return { tenantId: row.tenant_id, id: row.id, state: isOpen ? 'OPEN' : endOf(row.status) };
}

export interface Claiming extends AuthorizationKey {
  readonly now: Date;
  readonly attendedUntil: Date;
}

/** Uses the state up: PENDING to EXCHANGING. What it is instead where it is not PENDING any more; `null` where it is gone. */
export async function claimAuthorization(
  tx: Tx,
  { tenantId, id, now, attendedUntil }: Claiming,
): Promise<OpenAuthorization | 'EXPIRED' | 'USED' | null> {
  const row = await tx
    .updateTable('zendesk_authorizations')
    .set({ status: 'EXCHANGING', attended_until: attendedUntil })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .where('status', '=', 'PENDING')
    .where('expires_at', '>', now)
    .returningAll()
    .executeTakeFirst();
  if (row !== undefined) return toOpen(row);
  const present = await readAuthorization(tx, { tenantId, id });
  if (present === null) return null;
  return endOf(present.status);
}

/** Why one that cannot be claimed cannot. */
function endOf(status: AuthorizationStatus): 'EXPIRED' | 'USED' {
  return status === 'PENDING' || status === 'EXPIRED' ? 'EXPIRED' : 'USED';
}

/** Takes over one whose process is taken to be dead; `null` where it is not, or another was faster. */
export async function takeOver(
  tx: Tx,
  { tenantId, id, now, attendedUntil }: Claiming,
): Promise<OpenAuthorization | null> {
  const row = await tx
    .updateTable('zendesk_authorizations')
    .set({ attended_until: attendedUntil })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .where('status', 'in', ['EXCHANGING', 'GRANTED'])
    .where('attended_until', '<=', now)
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? null : toOpen(row);
}

/** EXCHANGING to GRANTED; `false` where it is not EXCHANGING any more. */
export async function keepPair(
  tx: Tx,
  { tenantId, id, pair }: AuthorizationKey & { readonly pair: Uint8Array },
): Promise<boolean> {
  const row = await tx
    .updateTable('zendesk_authorizations')
    .set({ status: 'GRANTED', pair })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .where('status', '=', 'EXCHANGING')
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

export interface AuthorizationEnd {
  readonly status: 'CONNECTED' | 'DENIED' | 'FAILED';
  readonly at: Date;
  readonly failure?: string | null;
  readonly missingScopes?: readonly string[];
  readonly credentialId?: string | null;
  readonly replacedCredentialId?: string | null;
  readonly leftUntil?: Date | null;
}

/** Ends one that is under way and forgets its secrets; `null` where it has ended already. */
export async function endAuthorization(
  tx: Tx,
  { tenantId, id }: AuthorizationKey,
  end: AuthorizationEnd,
): Promise<Authorization | null> {
  const row = await tx
    .updateTable('zendesk_authorizations')
    .set({
      status: end.status,
      secrets: null,
      pair: null,
      attended_until: null,
      failure: end.failure ?? null,
      missing_scopes: [...(end.missingScopes ?? [])],
      credential_id: end.credentialId ?? null,
      replaced_credential_id: end.replacedCredentialId ?? null,
      left_until: end.leftUntil ?? null,
      finished_at: end.at,
    })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .where('status', 'in', ['EXCHANGING', 'GRANTED'])
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? null : toAuthorization(row);
}

/** Notes that nothing was left at Zendesk. */
export async function noteTakenBack(tx: Tx, { tenantId, id }: AuthorizationKey): Promise<void> {
  await tx
    .updateTable('zendesk_authorizations')
    .set({ left_until: null })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .execute();
}

/** Ends those whose state ran out, and deletes what ended before `keptSince`. For `withSystem`. */
export async function sweepAuthorizations(
  tx: Tx,
  { now, keptSince, limit }: { readonly now: Date; readonly keptSince: Date; readonly limit: number },
): Promise<void> {
  await tx
    .updateTable('zendesk_authorizations')
    .set({ status: 'EXPIRED', secrets: null, finished_at: now })
    .where('id', 'in', (from) =>
      from
        .selectFrom('zendesk_authorizations')
        .select('id')
        .where('status', '=', 'PENDING')
        .where('expires_at', '<=', now)
        .limit(limit),
    )
    .where('status', '=', 'PENDING')
    .execute();
  await tx
    .deleteFrom('zendesk_authorizations')
    .where('id', 'in', (from) =>
      from
        .selectFrom('zendesk_authorizations')
        .select('id')
        .where('created_at', '<', keptSince)
        .where('status', 'not in', ['EXCHANGING', 'GRANTED'])
        .limit(limit),
    )
    .execute();
}

/** Those under way whose process is taken to be dead. For `withSystem`. */
export async function findUnattended(
  tx: Tx,
  { now, limit }: { readonly now: Date; readonly limit: number },
): Promise<readonly AuthorizationKey[]> {
  return tx
    .selectFrom('zendesk_authorizations')
    .select(['tenant_id as tenantId', 'id'])
    .where('status', 'in', ['EXCHANGING', 'GRANTED'])
    .where('attended_until', '<=', now)
    .orderBy('attended_until')
    .limit(limit)
    .execute();
}

function toOpen(row: Selectable<ZendeskAuthorizationsTable>): OpenAuthorization {
  if (row.secrets === null) throw new TypeError('"row" must be of an authorization under way');
  return {
    ...toAuthorization(row),
    secrets: new Uint8Array(row.secrets),
    pair: row.pair === null ? null : new Uint8Array(row.pair),
  };
}

function toAuthorization(row: Selectable<ZendeskAuthorizationsTable>): Authorization {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    integrationId: row.integration_id,
    requestedBy: row.requested_by,
    status: row.status,
    scopes: row.scopes,
    failure: row.failure,
    missingScopes: row.missing_scopes,
    credentialId: row.credential_id,
    replacedCredentialId: row.replaced_credential_id,
    leftUntil: row.left_until,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    finishedAt: row.finished_at,
  };
}
