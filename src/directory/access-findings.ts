/**
 * What a review of access looks at first, told by one condition each, so that what is counted, what is listed and
 * what is said of a single person are the same. Staff is whoever has another role than that of an end user.
 */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Tx } from '../store/index.ts';
import type { DirectoryKey } from './directory-keys.ts';
import { MAX_DIRECTORY_PAGE, presentUsers } from './find-users.ts';

/**
 * DORMANT: may sign in, and has not since a time. NO_TWO_FACTOR: signs in with a password alone.
 * TWO_FACTOR_UNKNOWN: Zendesk does not tell. SUSPENDED_WITH_SEAT: may not sign in, and holds a paid seat.
 * NO_GROUP: of the staff, but in no group.
 */
export const ACCESS_FINDINGS = [
  'DORMANT',
  'NO_TWO_FACTOR',
  'TWO_FACTOR_UNKNOWN',
  'SUSPENDED_WITH_SEAT',
  'NO_GROUP',
] as const;
export type AccessFinding = (typeof ACCESS_FINDINGS)[number];

/** Light agents and contributors: staff that Zendesk takes no seat for. */
const SEATLESS_ROLE_TYPES: readonly number[] = [1, 3];

export interface FindingTimes {
  /** Who has not signed in since then is dormant. */
  readonly dormantSince: Date;
}

/** Whether somebody of the role takes up a paid seat, suspended or not. */
export function takesSeat({
  role,
  roleType,
}: {
  readonly role: string;
  readonly roleType: number | null;
}): boolean {
  return role !== 'end-user' && (roleType === null || !SEATLESS_ROLE_TYPES.includes(roleType));
}

export const IS_STAFF: RawBuilder<SqlBool> = sql<SqlBool>`role <> 'end-user'`;

const TAKES_SEAT = sql<SqlBool>`(${IS_STAFF} AND
  (role_type IS NULL OR role_type NOT IN (${sql.join([...SEATLESS_ROLE_TYPES])})))`;

/** Whether a row of `directory_users` is found, never NULL. Who never signed in is as old as the account's record. */
export function isFound(finding: AccessFinding, { dormantSince }: FindingTimes): RawBuilder<SqlBool> {
  switch (finding) {
    case 'DORMANT':
      return sql<SqlBool>`(${IS_STAFF} AND status = 'ACTIVE' AND
        coalesce(last_seen_at, directory_users.created_at, '-infinity') < ${dormantSince}::timestamptz)`;
    case 'NO_TWO_FACTOR':
      return sql<SqlBool>`(${IS_STAFF} AND has_two_factor IS FALSE)`;
    case 'TWO_FACTOR_UNKNOWN':
      return sql<SqlBool>`(${IS_STAFF} AND has_two_factor IS NULL)`;
    case 'SUSPENDED_WITH_SEAT':
      return sql<SqlBool>`(${TAKES_SEAT} AND status = 'SUSPENDED')`;
    case 'NO_GROUP':
      return sql<SqlBool>`(${IS_STAFF} AND NOT EXISTS (SELECT 1 FROM directory_memberships m
        WHERE m.integration_id = directory_users.integration_id AND m.user_id = directory_users.zendesk_id))`;
    default:
      return finding satisfies never;
  }
}

/** How many of the staff each finding is true of. */
export async function countAccessFindings(
  tx: Tx,
  key: DirectoryKey,
  times: FindingTimes,
): Promise<ReadonlyMap<AccessFinding, number>> {
  const row = await presentUsers(tx, key)
    .where(IS_STAFF)
    .select(
      ACCESS_FINDINGS.map((name) => sql<number>`count(*) FILTER (WHERE ${isFound(name, times)})`.as(name)),
    )
    .executeTakeFirstOrThrow();
  return new Map(ACCESS_FINDINGS.map((name) => [name, Number(row[name])]));
}

/** What is found of each of these people. */
export async function listAccessFindings(
  tx: Tx,
  key: DirectoryKey,
  zendeskIds: readonly number[],
  times: FindingTimes,
): Promise<ReadonlyMap<number, readonly AccessFinding[]>> {
  if (zendeskIds.length > MAX_DIRECTORY_PAGE) throw new RangeError('"zendeskIds" must be a page at most');
  if (zendeskIds.length === 0) return new Map();
  const rows = await presentUsers(tx, key)
    .where('zendesk_id', 'in', [...zendeskIds])
    .select(ACCESS_FINDINGS.map((name) => isFound(name, times).as(name)))
    .select('zendesk_id')
    .execute();
  return new Map(rows.map((row) => [row.zendesk_id, ACCESS_FINDINGS.filter((name) => row[name] === true)]));
}
