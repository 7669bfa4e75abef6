/**
 * People of the directory as the graph shows them. What a row says in the clear is there at once; texts are opened,
 * and groups, organizations and roles read for the whole page together, when they are asked for.
 */
import {
  type DirectoryKey,
  type DirectoryKeys,
  listMemberships,
  listNamedEntries,
  MAX_DIRECTORY_PAGE,
  type NamedTable,
  openDirectoryUser,
  openNamedEntry,
  type PersonalTexts,
  type SealedDirectoryUser,
  takesSeat,
} from '../../directory/index.ts';
import type { GraphDirectory, UsedResource } from '../../proxy/index.ts';
import type { Tx } from '../../store/index.ts';
import { once } from './once.ts';

/** A group, an organization or a role; without a name where the directory does not know it. */
export interface NamedView {
  readonly zendeskId: number;
  readonly name: string | null;
}

export interface PersonView extends Omit<SealedDirectoryUser, 'sealed' | 'sealedVersion'> {
  readonly integrationId: string;
  /** Whether the role takes up a paid seat. */
  readonly takesSeat: boolean;
  texts(): PersonalTexts;
  groups(): Promise<readonly NamedView[]>;
  organization(): Promise<NamedView | null>;
  customRole(): Promise<NamedView | null>;
}

/** The people of a page, in its order. `keys` are those that the rows were read with, for what `resource` says. */
export function createPeople(
  directory: GraphDirectory,
  resource: UsedResource,
  keys: DirectoryKeys,
  rows: readonly SealedDirectoryUser[],
): readonly PersonView[] {
  const { integrationId } = directory;
  const groups = once(() => readGroups(directory, resource, rows));
  const organizations = once(() =>
    readNames(directory, resource, 'directory_organizations', numbersOf(rows, 'organizationId')),
  );
  const roles = once(() =>
    readNames(directory, resource, 'directory_custom_roles', numbersOf(rows, 'customRoleId')),
  );
  return rows.map((row) => {
    const { sealed: _, sealedVersion: __, ...facts } = row;
    const { zendeskId, organizationId, customRoleId } = row;
    return Object.freeze<PersonView>({
      ...facts,
      integrationId,
      takesSeat: takesSeat(row),
      texts: once(() => openDirectoryUser(keys, { integrationId }, row)),
      groups: async () => (await groups()).get(zendeskId) ?? [],
      organization: async () =>
        organizationId === null ? null : nameIn(await organizations(), organizationId),
      customRole: async () => (customRoleId === null ? null : nameIn(await roles(), customRoleId)),
    });
  });
}

type Names = ReadonlyMap<number, NamedView>;

function nameIn(names: Names, zendeskId: number): NamedView {
  return names.get(zendeskId) ?? { zendeskId, name: null };
}

async function readGroups(
  directory: GraphDirectory,
  resource: UsedResource,
  rows: readonly SealedDirectoryUser[],
): Promise<ReadonlyMap<number, readonly NamedView[]>> {
  const ids = rows.map(({ zendeskId }) => zendeskId);
  return directory.read(resource, async (tx, keys) => {
    const memberships = await listMemberships(tx, directory, ids);
    const names = await openNames(tx, keys, directory, 'directory_groups', [
      ...new Set(memberships.map(({ groupId }) => groupId)),
    ]);
    const groups = Map.groupBy(memberships, ({ userId }) => userId);
    return new Map(
      [...groups].map(([userId, own]) => [userId, own.map(({ groupId }) => nameIn(names, groupId))]),
    );
  });
}

function readNames(
  directory: GraphDirectory,
  resource: UsedResource,
  table: NamedTable,
  ids: readonly number[],
): Promise<Names> {
  return directory.read(resource, (tx, keys) => openNames(tx, keys, directory, table, ids));
}

/** The entries of `ids`, opened. */
async function openNames(
  tx: Tx,
  keys: DirectoryKeys,
  key: DirectoryKey,
  table: NamedTable,
  ids: readonly number[],
): Promise<Names> {
  const names = new Map<number, NamedView>();
  for (let from = 0; from < ids.length; from += MAX_DIRECTORY_PAGE) {
    const some = ids.slice(from, from + MAX_DIRECTORY_PAGE);
    for (const entry of await listNamedEntries(tx, table, key, { ids: some })) {
      const { zendeskId, name } = openNamedEntry(keys, table, key, entry);
      names.set(zendeskId, { zendeskId, name });
    }
  }
  return names;
}

function numbersOf(
  rows: readonly SealedDirectoryUser[],
  member: 'organizationId' | 'customRoleId',
): readonly number[] {
  return [...new Set(rows.map((row) => row[member]).filter((id) => id !== null))];
}
