/** Reading the users of a directory. Deleted and erased ones are in no answer. */
import { type Expression, type SqlBool, sql } from 'kysely';
import type { DirectoryUserStatus, Tx } from '../store/index.ts';
import type { DirectoryKey } from './directory-keys.ts';
import type { SealedDirectoryUser } from './directory-user.ts';

/** The most users of one reading. */
export const MAX_DIRECTORY_PAGE = 1_001;

/** Every member that is there narrows the answer. */
export interface DirectoryUserFilter {
  /** As Zendesk names them. */
  readonly roles?: readonly string[] | undefined;
  /** Zendesk's numbers for what a role stands for. */
  readonly roleTypes?: readonly number[] | undefined;
  readonly customRoleId?: number | undefined;
  readonly status?: Exclude<DirectoryUserStatus, 'DELETED'> | undefined;
  readonly organizationId?: number | undefined;
  /** Members of the group. */
  readonly groupId?: number | undefined;
  /** Logged in at or after. */
  readonly seenSince?: Date | undefined;
  /** Last logged in before, or never. */
  readonly notSeenSince?: Date | undefined;
  /** A sync found a change at or after. */
  readonly changedSince?: Date | undefined;
  /** `null`: Zendesk does not tell. */
  readonly hasTwoFactor?: boolean | null | undefined;
  /** By `emailIndexOf`. */
  readonly emailIndex?: Uint8Array | undefined;
  /** By `externalIdIndexOf`. */
  readonly externalIdIndex?: Uint8Array | undefined;
  /** Such as a finding of a review. */
  readonly condition?: Expression<SqlBool> | undefined;
}

/** Pages in the order of Zendesk's ids. */
export interface DirectoryPage {
  /** Only greater ids. */
  readonly after?: number | null | undefined;
  /** Only smaller ids. */
  readonly before?: number | null | undefined;
  /** Greatest ids first, from the end of what the bounds leave. */
  readonly backwards?: boolean | undefined;
  /** 1 to {@link MAX_DIRECTORY_PAGE}. */
  readonly limit: number;
}

/** How many users there are of a kind. */
export interface DirectoryCount {
  readonly role: string;
  readonly roleType: number | null;
  readonly customRoleId: number | null;
  readonly status: DirectoryUserStatus;
  readonly count: number;
}

const COLUMNS = [
  ...(['zendesk_id', 'role', 'role_type', 'custom_role_id', 'role_since', 'is_role_since_exact'] as const),
  ...(['status', 'organization_id', 'default_group_id', 'has_two_factor', 'last_seen_at'] as const),
  ...(['created_at', 'updated_at', 'changed_at', 'first_seen_run', 'sealed', 'sealed_version'] as const),
] as const;

/** The users that pass `filter`, a page of them. Throws RangeError for a limit out of bounds. */
export async function listDirectoryUsers(
  tx: Tx,
  key: DirectoryKey,
  filter: DirectoryUserFilter,
  { after, before, backwards = false, limit }: DirectoryPage,
): Promise<readonly SealedDirectoryUser[]> {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_DIRECTORY_PAGE) {
    throw new RangeError(`"limit" must be 1 to ${MAX_DIRECTORY_PAGE}, got ${limit}`);
  }
  let query = presentUsers(tx, key).where(({ and }) => and(clausesOf(key, filter)));
  if (after != null) query = query.where('zendesk_id', '>', after);
  if (before != null) query = query.where('zendesk_id', '<', before);
  const rows = await query
    .select(COLUMNS)
    .orderBy('zendesk_id', backwards ? 'desc' : 'asc')
    .limit(limit)
    .execute();
  return rows.map(userOf);
}

/** How many users pass `filter`. */
export async function countDirectoryUsers(
  tx: Tx,
  key: DirectoryKey,
  filter: DirectoryUserFilter = {},
): Promise<number> {
  const { count } = await presentUsers(tx, key)
    .where(({ and }) => and(clausesOf(key, filter)))
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** How many users there are of each role and status: seats, admins, end users. */
export async function countDirectoryRoles(tx: Tx, key: DirectoryKey): Promise<readonly DirectoryCount[]> {
  const rows = await presentUsers(tx, key)
    .select(({ fn }) => [
      ...(['role', 'role_type', 'custom_role_id', 'status'] as const),
      fn.countAll<number>().as('count'),
    ])
    .groupBy(['role', 'role_type', 'custom_role_id', 'status'])
    .orderBy('role')
    .execute();
  return rows.map((row) => ({
    role: row.role,
    roleType: row.role_type,
    customRoleId: row.custom_role_id,
    status: row.status,
    count: Number(row.count),
  }));
}

/** The users of these ids that there are, in the order of their ids; at most {@link MAX_DIRECTORY_PAGE}. */
export async function readDirectoryUsers(
  tx: Tx,
  key: DirectoryKey,
  ids: readonly number[],
): Promise<readonly SealedDirectoryUser[]> {
  if (ids.length > MAX_DIRECTORY_PAGE) throw new RangeError('"ids" must be a page at most');
  if (ids.length === 0) return [];
  const rows = await presentUsers(tx, key)
    .where('zendesk_id', 'in', [...ids])
    .select(COLUMNS)
    .orderBy('zendesk_id')
    .execute();
  return rows.map(userOf);
}

/** Those that there are, for the queries of this room. */
export function presentUsers(tx: Tx, { tenantId, integrationId }: DirectoryKey) {
  return tx
    .selectFrom('directory_users')
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .where('deleted_at', 'is', null);
}

function clausesOf({ integrationId }: DirectoryKey, filter: DirectoryUserFilter): Expression<SqlBool>[] {
  const { roles, roleTypes, customRoleId, status, organizationId, groupId, seenSince, notSeenSince } = filter;
  const { changedSince, hasTwoFactor, emailIndex, externalIdIndex, condition } = filter;
  const clauses: (Expression<SqlBool> | false)[] = [
    roles !== undefined && sql<SqlBool>`role = ANY(${[...roles]}::text[])`,
    roleTypes !== undefined && sql<SqlBool>`role_type = ANY(${[...roleTypes]}::smallint[])`,
    customRoleId !== undefined && sql<SqlBool>`custom_role_id = ${customRoleId}`,
    status !== undefined && sql<SqlBool>`status = ${status}`,
    organizationId !== undefined && sql<SqlBool>`organization_id = ${organizationId}`,
    groupId !== undefined &&
      sql<SqlBool>`EXISTS (SELECT 1 FROM directory_memberships m
        WHERE m.integration_id = ${integrationId} AND m.group_id = ${groupId}
          AND m.user_id = directory_users.zendesk_id)`,
    seenSince !== undefined && sql<SqlBool>`last_seen_at >= ${seenSince}`,
    notSeenSince !== undefined && sql<SqlBool>`(last_seen_at IS NULL OR last_seen_at < ${notSeenSince})`,
    changedSince !== undefined && sql<SqlBool>`changed_at >= ${changedSince}`,
    hasTwoFactor !== undefined && sql<SqlBool>`has_two_factor IS NOT DISTINCT FROM ${hasTwoFactor}::boolean`,
    emailIndex !== undefined && sql<SqlBool>`email_index = ${emailIndex}`,
    externalIdIndex !== undefined && sql<SqlBool>`external_id_index = ${externalIdIndex}`,
    condition ?? false,
  ];
  return clauses.filter((clause) => clause !== false);
}

interface UserRow {
  readonly zendesk_id: number;
  readonly role: string;
  readonly role_type: number | null;
  readonly custom_role_id: number | null;
  readonly role_since: Date;
  readonly is_role_since_exact: boolean;
  readonly status: DirectoryUserStatus;
  readonly organization_id: number | null;
  readonly default_group_id: number | null;
  readonly has_two_factor: boolean | null;
  readonly last_seen_at: Date | null;
  readonly created_at: Date | null;
  readonly updated_at: Date | null;
  readonly changed_at: Date;
  readonly first_seen_run: string;
  readonly sealed: Uint8Array | null;
  readonly sealed_version: number;
}

function userOf(row: UserRow): SealedDirectoryUser {
  return Object.freeze({
    zendeskId: row.zendesk_id,
    role: row.role,
    roleType: row.role_type,
    customRoleId: row.custom_role_id,
    roleSince: row.role_since,
    isRoleSinceExact: row.is_role_since_exact,
    status: row.status,
    organizationId: row.organization_id,
    defaultGroupId: row.default_group_id,
    hasTwoFactor: row.has_two_factor,
    lastSeenAt: row.last_seen_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    changedAt: row.changed_at,
    firstSeenRun: row.first_seen_run,
    sealed: row.sealed,
    sealedVersion: row.sealed_version,
  });
}
