/**
 * Taking a page of users into the directory, in one transaction: a hundred after the other, what is known of them
 * is read, what is new or changed is sealed and written in one statement. Of a user that comes twice the last state
 * counts, an older one than the stored is passed over, and an erased user stays erased.
 */
import { sql } from 'kysely';
import { encodeBase64, type JsonObject } from '../base/index.ts';
import type { Tx } from '../store/index.ts';
import {
  type DirectoryKey,
  type DirectoryKeys,
  digestOf,
  emailIndexOf,
  externalIdIndexOf,
  placeOf,
} from './directory-keys.ts';
import { MAX_DIRECTORY_PAGE } from './find-users.ts';
import { type ReadUser, readUser, userIdOf } from './read-records.ts';
import { encodeRows, type RowValue } from './rows.ts';

/** What a page changed, in users. */
export interface PageCounts {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

export interface StorePage {
  readonly keys: DirectoryKeys;
  readonly key: DirectoryKey;
  readonly runId: string;
  readonly now: Date;
  /** Whether those that did not change are noted as seen: by runs that see everything. */
  readonly isFull: boolean;
}

/**
 * Users that are read, sealed and stored at once. What is made of a whole page, its statement among the large objects
 * of V8, would lie in the old generation until that is collected: with 1 000 at once a sync of 100 000 users peaked
 * at 180 to 211 MiB above idle, with 100 at 97 to 168.
 */
const STORED_AT_ONCE = 100;

interface KnownUser {
  readonly zendesk_id: number;
  readonly role: string;
  readonly custom_role_id: number | null;
  readonly updated_at: Date | null;
  readonly digest: Uint8Array | null;
  readonly sealed_version: number;
  readonly deleted_at: Date | null;
  readonly erased_at: Date | null;
}

/** Stores the users of `records`, at most a page of them, and tells what that changed. */
export async function storeUserRecords(
  tx: Tx,
  page: StorePage,
  records: readonly JsonObject[],
): Promise<PageCounts> {
  if (records.length > MAX_DIRECTORY_PAGE) throw new RangeError('"records" must be a page at most');
  const byId = new Map<number, JsonObject>();
  for (const record of records) {
    const id = userIdOf(record);
    if (id !== null) byId.set(id, record);
  }
  const last = [...byId.values()];
  const counts = { added: 0, changed: 0, removed: 0 };
  for (let from = 0; from < last.length; from += STORED_AT_ONCE) {
    const users = last.slice(from, from + STORED_AT_ONCE).map(readUser);
    const some = users.filter((user) => user !== null);
    const { added, changed, removed } = await storeUsers(tx, page, some);
    counts.added += added;
    counts.changed += changed;
    counts.removed += removed;
  }
  return counts;
}

/** Stores `users`, a hundred at most, and tells what that changed. */
export async function storeUsers(tx: Tx, page: StorePage, users: readonly ReadUser[]): Promise<PageCounts> {
  if (users.length > STORED_AT_ONCE) throw new RangeError(`"users" must be at most ${STORED_AT_ONCE}`);
  const byId = new Map(users.map((user) => [user.facts.zendeskId, user]));
  const known = await readKnown(tx, page.key, [...byId.keys()]);
  const counts = { added: 0, changed: 0, removed: 0 };
  const rows: Record<string, RowValue>[] = [];
  const roleChanges: Record<string, RowValue>[] = [];
  const unchanged: number[] = [];
  for (const [id, user] of byId) {
    const before = known.get(id) ?? null;
    const made = judge(page, user, before);
    if (made === 'UNCHANGED') unchanged.push(id);
    if (typeof made === 'string') continue;
    const wasPresent = before !== null && before.deleted_at === null;
    const isPresent = user.facts.status !== 'DELETED';
    if (isPresent) counts[wasPresent ? 'changed' : 'added'] += 1;
    else if (wasPresent) counts.removed += 1;
    rows.push(made);
    if (before !== null && isRoleChanged(before, user)) roleChanges.push(roleChangeOf(before, user));
  }
  if (rows.length > 0) await upsertUsers(tx, page, encodeRows(rows));
  if (roleChanges.length > 0) await insertRoleChanges(tx, page, encodeRows(roleChanges));
  if (page.isFull && unchanged.length > 0) await noteSeen(tx, page, unchanged);
  return counts;
}

/**
 * Removes from the answers those of `ids` that are there: Zendesk shows them no more. Whom it shows again comes back,
 * changed or not. Their number.
 */
export async function removeUsers(
  tx: Tx,
  { key, runId, now }: Pick<StorePage, 'key' | 'runId' | 'now'>,
  ids: readonly number[],
): Promise<number> {
  const { rows } = await sql`
    UPDATE directory_users SET status = 'DELETED', digest = NULL, deleted_at = ${now}, changed_at = ${now},
      seen_run = ${runId}
    WHERE tenant_id = ${key.tenantId} AND integration_id = ${key.integrationId}
      AND zendesk_id = ANY(${[...ids]}::bigint[]) AND deleted_at IS NULL
    RETURNING zendesk_id`.execute(tx);
  return rows.length;
}

/** Users with an id above `after` that the run `runId` has not seen, in order, `limit` at most. */
export async function findUnseenUsers(
  tx: Tx,
  { tenantId, integrationId }: DirectoryKey,
  { runId, after, limit }: { readonly runId: string; readonly after: number; readonly limit: number },
): Promise<readonly number[]> {
  const rows = await tx
    .selectFrom('directory_users')
    .select('zendesk_id')
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .where('deleted_at', 'is', null)
    .where('seen_run', '<>', runId)
    .where('zendesk_id', '>', after)
    .orderBy('zendesk_id')
    .limit(limit)
    .execute();
  return rows.map((row) => row.zendesk_id);
}

async function readKnown(
  tx: Tx,
  { tenantId, integrationId }: DirectoryKey,
  ids: readonly number[],
): Promise<ReadonlyMap<number, KnownUser>> {
  const { rows } = await sql<KnownUser>`
    SELECT zendesk_id, role, custom_role_id, updated_at, digest, sealed_version, deleted_at, erased_at
    FROM directory_users
    WHERE tenant_id = ${tenantId} AND integration_id = ${integrationId}
      AND zendesk_id = ANY(${[...ids]}::bigint[])`.execute(tx);
  return new Map(rows.map((row) => [row.zendesk_id, row]));
}

/** The row to write; `UNCHANGED` where it is there already, `PASSED` where nothing is to be kept of it. */
function judge(
  { keys, key }: StorePage,
  { facts, texts }: ReadUser,
  before: KnownUser | null,
): Record<string, RowValue> | 'UNCHANGED' | 'PASSED' {
  if (before === null ? facts.status === 'DELETED' : before.erased_at !== null) return 'PASSED';
  if (before !== null && isOlder(facts.updatedAt, before.updated_at)) return 'UNCHANGED';
  const { integrationId } = key;
  const { zendeskId } = facts;
  const version = (before?.sealed_version ?? 0) + 1;
  const place = placeOf('directory_users', key, zendeskId, version);
  const content = JSON.stringify([facts, texts]);
  const digest = digestOf(keys, place, content);
  if (before?.digest != null && Buffer.compare(before.digest, digest) === 0) return 'UNCHANGED';
  return {
    zendesk_id: zendeskId,
    role: facts.role,
    role_type: facts.roleType,
    custom_role_id: facts.customRoleId,
    status: facts.status,
    organization_id: facts.organizationId,
    default_group_id: facts.defaultGroupId,
    has_two_factor: facts.hasTwoFactor,
    last_seen_at: facts.lastSeenAt,
    created_at: facts.createdAt,
    updated_at: facts.updatedAt,
    sealed: encodeBase64(keys.sealText(place, JSON.stringify(texts))),
    sealed_version: version,
    digest: encodeBase64(digest),
    email_index: texts.email === null ? null : encodeBase64(emailIndexOf(keys, integrationId, texts.email)),
    external_id_index:
      texts.externalId === null
        ? null
        : encodeBase64(externalIdIndexOf(keys, integrationId, texts.externalId)),
  };
}

function isOlder(updatedAt: Date | null, stored: Date | null): boolean {
  return updatedAt !== null && stored !== null && updatedAt.getTime() < stored.getTime();
}

function isRoleChanged(before: KnownUser, { facts }: ReadUser): boolean {
  return before.role !== facts.role || before.custom_role_id !== facts.customRoleId;
}

function roleChangeOf(before: KnownUser, { facts }: ReadUser): Record<string, RowValue> {
  return {
    zendesk_id: before.zendesk_id,
    from_role: before.role,
    from_custom_role_id: before.custom_role_id,
    to_role: facts.role,
    to_custom_role_id: facts.customRoleId,
  };
}

async function upsertUsers(tx: Tx, { key, runId, now }: StorePage, rows: string): Promise<void> {
  await sql`
    INSERT INTO directory_users AS u (integration_id, tenant_id, zendesk_id, role, role_type, custom_role_id,
      role_since, status, organization_id, default_group_id, has_two_factor, last_seen_at, created_at, updated_at,
      first_seen_run, sealed, sealed_version, digest, seen_run, changed_at, deleted_at, email_index,
      external_id_index)
    SELECT ${key.integrationId}, ${key.tenantId}, r.zendesk_id, r.role, r.role_type, r.custom_role_id,
      ${now}::timestamptz, r.status, r.organization_id, r.default_group_id, r.has_two_factor, r.last_seen_at,
      r.created_at, r.updated_at, ${runId}, decode(r.sealed, 'base64'), r.sealed_version,
      decode(r.digest, 'base64'), ${runId}, ${now}::timestamptz,
      CASE WHEN r.status = 'DELETED' THEN ${now}::timestamptz END,
      decode(r.email_index, 'base64'), decode(r.external_id_index, 'base64')
    FROM jsonb_to_recordset(${rows}::jsonb) AS r(zendesk_id bigint, role text, role_type smallint,
      custom_role_id bigint, status text, organization_id bigint, default_group_id bigint,
      has_two_factor boolean, last_seen_at timestamptz, created_at timestamptz, updated_at timestamptz,
      sealed text, sealed_version integer, digest text, email_index text, external_id_index text)
    ON CONFLICT (integration_id, zendesk_id) DO UPDATE SET
      role = excluded.role, role_type = excluded.role_type, custom_role_id = excluded.custom_role_id,
      is_role_since_exact = CASE WHEN u.role IS DISTINCT FROM excluded.role
        OR u.custom_role_id IS DISTINCT FROM excluded.custom_role_id THEN true ELSE u.is_role_since_exact END,
      role_since = CASE WHEN u.role IS DISTINCT FROM excluded.role
        OR u.custom_role_id IS DISTINCT FROM excluded.custom_role_id THEN excluded.role_since ELSE u.role_since END,
      status = excluded.status, organization_id = excluded.organization_id,
      default_group_id = excluded.default_group_id, has_two_factor = excluded.has_two_factor,
      last_seen_at = excluded.last_seen_at, created_at = excluded.created_at, updated_at = excluded.updated_at,
      sealed = excluded.sealed, sealed_version = excluded.sealed_version, digest = excluded.digest,
      seen_run = excluded.seen_run, changed_at = excluded.changed_at,
      deleted_at = CASE WHEN excluded.deleted_at IS NULL THEN NULL
        ELSE coalesce(u.deleted_at, excluded.deleted_at) END,
      email_index = excluded.email_index, external_id_index = excluded.external_id_index
    WHERE u.erased_at IS NULL`.execute(tx);
}

/** Of those whose row took the change: not of whom was erased since the page was compared with it. */
async function insertRoleChanges(tx: Tx, { key, runId, now }: StorePage, rows: string): Promise<void> {
  await sql`
    INSERT INTO directory_role_changes (integration_id, tenant_id, zendesk_id, seen_at, run_id, from_role,
      from_custom_role_id, to_role, to_custom_role_id)
    SELECT ${key.integrationId}, ${key.tenantId}, r.zendesk_id, ${now}::timestamptz, ${runId}, r.from_role,
      r.from_custom_role_id, r.to_role, r.to_custom_role_id
    FROM jsonb_to_recordset(${rows}::jsonb) AS r(zendesk_id bigint, from_role text, from_custom_role_id bigint,
      to_role text, to_custom_role_id bigint)
    WHERE EXISTS (SELECT 1 FROM directory_users u WHERE u.integration_id = ${key.integrationId}
      AND u.zendesk_id = r.zendesk_id AND u.is_role_since_exact AND u.role_since = ${now})
    ON CONFLICT (integration_id, zendesk_id, seen_at) DO NOTHING`.execute(tx);
}

async function noteSeen(tx: Tx, { key, runId }: StorePage, ids: readonly number[]): Promise<void> {
  await sql`
    UPDATE directory_users SET seen_run = ${runId}
    WHERE tenant_id = ${key.tenantId} AND integration_id = ${key.integrationId}
      AND zendesk_id = ANY(${[...ids]}::bigint[]) AND erased_at IS NULL`.execute(tx);
}
