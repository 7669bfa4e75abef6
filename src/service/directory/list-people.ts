/** Use case: the people of a directory that pass a filter, page by page. */
import {
  countDirectoryUsers,
  type DirectoryKeys,
  type DirectoryUserFilter,
  listDirectoryUsers,
  readSyncState,
} from '../../directory/index.ts';
import type { Call, GraphDirectory, GraphSession, UsedResource } from '../../proxy/index.ts';
import { type Connection, type PageInput, toConnection } from '../page.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { type PeopleFilter, parsePeopleFilter, parsePeoplePage, toUserFilter } from './directory-inputs.ts';
import { createPeople, type PersonView } from './people.ts';

/** What the log says that a reading was about. */
const DIRECTORY = Object.freeze({ kind: 'TYPE', type: 'directory' } as const);

export interface PeopleConnection extends Connection<PersonView> {
  /** Of all that pass the filter; counted when asked for. */
  readonly count: () => Promise<number>;
  /** When the last access sync that came to its end began; `null` before the first. */
  readonly syncedAt: () => Promise<Date | null>;
}

export interface DirectoryArguments extends PageInput {
  readonly integrationId: string;
  readonly filter?: object | null | undefined;
}

/** For a caller who may run `sync_directory` on the integration: an ADMIN whom its policy lets through. */
export async function listDirectory(
  _deps: ServiceDeps,
  _call: Call,
  session: GraphSession,
  { integrationId, filter: given, ...page }: DirectoryArguments,
): Promise<PeopleConnection> {
  const directory = await session.directory(integrationId);
  const filter = parsePeopleFilter(integrationId, given);
  return listPeople(directory, filter, page, (keys) => toUserFilter(keys, integrationId, filter));
}

/** The page of those who pass what `toFilter` gives; `filter` is what the log is told. */
export async function listPeople(
  directory: GraphDirectory,
  filter: PeopleFilter,
  input: PageInput,
  toFilter: (keys: DirectoryKeys) => DirectoryUserFilter,
): Promise<PeopleConnection> {
  const { page, after, before } = parsePeoplePage(input);
  const resource = resourceOf(filter);
  const { people } = await directory.read(resource, async (tx, keys) => {
    const { backwards, limit } = page;
    const rows = await listDirectoryUsers(tx, directory, toFilter(keys), { after, before, backwards, limit });
    return { people: createPeople(directory, resource, keys, rows) };
  });
  return {
    ...toConnection(
      people,
      page,
      ({ zendeskId }) => String(zendeskId),
      (person) => person,
    ),
    count: () => directory.read(resource, (tx, keys) => countDirectoryUsers(tx, directory, toFilter(keys))),
    syncedAt: () => directory.read(resource, async (tx) => (await readSyncState(tx, directory)).syncedAt),
  };
}

/** A look-up by address or reference is told by its keyed hash, the same for any case of them. */
function resourceOf({ email, externalId }: PeopleFilter): UsedResource {
  const looked = [email, externalId].filter((text) => text !== undefined);
  if (looked.length === 0) return DIRECTORY;
  const query = looked.map((text) => text.trim().normalize('NFKC').toLowerCase()).join(' ');
  return { kind: 'QUERY', type: DIRECTORY.type, query };
}
