/** The groups, organizations and custom roles of an account: an id and sealed texts each. */
import type { Tx } from '../store/index.ts';
import { type DirectoryKey, type DirectoryKeys, placeOf } from './directory-keys.ts';
import { MAX_DIRECTORY_PAGE } from './find-users.ts';

export type NamedTable = 'directory_groups' | 'directory_organizations' | 'directory_custom_roles';

/** What is sealed at rest. */
export interface NamedTexts {
  readonly name: string | null;
  readonly description: string | null;
}

export interface SealedNamedEntry {
  readonly zendeskId: number;
  readonly changedAt: Date;
  readonly sealed: Uint8Array | null;
  readonly sealedVersion: number;
}

export interface NamedEntry extends NamedTexts {
  readonly zendeskId: number;
  readonly changedAt: Date;
}

/** The entries that there are, in the order of their ids after `after`; only those of `ids` where it is given. */
export async function listNamedEntries(
  tx: Tx,
  table: NamedTable,
  { tenantId, integrationId }: DirectoryKey,
  {
    ids,
    after = 0,
    limit = MAX_DIRECTORY_PAGE,
  }: {
    readonly ids?: readonly number[] | undefined;
    readonly after?: number | undefined;
    readonly limit?: number | undefined;
  } = {},
): Promise<readonly SealedNamedEntry[]> {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_DIRECTORY_PAGE) {
    throw new RangeError(`"limit" must be 1 to ${MAX_DIRECTORY_PAGE}, got ${limit}`);
  }
  if (ids?.length === 0) return [];
  let query = tx
    .selectFrom(table)
    .select(['zendesk_id', 'changed_at', 'sealed', 'sealed_version'])
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .where('deleted_at', 'is', null)
    .where('zendesk_id', '>', after);
  if (ids !== undefined) query = query.where('zendesk_id', 'in', [...ids]);
  const rows = await query.orderBy('zendesk_id').limit(limit).execute();
  return rows.map((row) => ({
    zendeskId: row.zendesk_id,
    changedAt: row.changed_at,
    sealed: row.sealed,
    sealedVersion: row.sealed_version,
  }));
}

/** The entry in the clear. Throws INTERNAL where the row was altered. */
export function openNamedEntry(
  keys: DirectoryKeys,
  table: NamedTable,
  key: Pick<DirectoryKey, 'integrationId'>,
  { zendeskId, changedAt, sealed, sealedVersion }: SealedNamedEntry,
): NamedEntry {
  const place = placeOf(table, key, zendeskId, sealedVersion);
  const texts = sealed === null ? {} : (JSON.parse(keys.openText(place, sealed)) as Partial<NamedTexts>);
  return Object.freeze({ zendeskId, changedAt, name: null, description: null, ...texts });
}
