/**
 * What concurrent operations share of their reads: loads of single objects go out together as
 * `show_many`, identical reads of lists as one call. Only between callers of the same tenant,
 * integration, credential and rights; nothing is kept once it was answered, so there is nothing to
 * grow stale or to leak.
 */
import { z } from 'zod';
import type { Clock } from '../../base/index.ts';
import {
  type Coalescer,
  createCoalescer,
  createSharedFlight,
  type Participant,
  type SharedFlight,
  type SharedTerms,
  type ZendeskClient,
  type ZendeskQuery,
  type ZendeskResponse,
} from '../../zendesk/index.ts';
import { readBody, records, type ZendeskRecord } from '../catalogue/records.ts';

/** Who may share: everybody for whom all of this is the same. */
export interface SharingGroup {
  readonly tenantId: string;
  readonly integrationId: string;
  readonly subdomain: string;
  readonly credentialId: string;
  readonly credentialVersion: number;
  /** The operations that the caller may run on the integration, sorted. */
  readonly rights: readonly string[];
}

/** A participant with the client that makes the call, if it is the first of those who share it. */
export interface ReadParticipant extends Participant {
  readonly client: ZendeskClient;
}

export type LoadedKind = 'tickets' | 'users' | 'organizations';

export interface SharedReads {
  /** The objects of these ids in order: `null` where Zendesk shows none, an Error where its call failed. */
  loadMany(
    group: SharingGroup,
    kind: LoadedKind,
    ids: readonly number[],
    participant: ReadParticipant,
  ): Promise<readonly (ZendeskRecord | null | Error)[]>;
  /** The answer to a GET of `path`; its body is shared, so nobody changes it. */
  read(
    group: SharingGroup,
    path: string,
    query: ZendeskQuery,
    participant: ReadParticipant,
  ): Promise<ZendeskResponse>;
  /** Something was changed on the integration: what is under way may not show it, so nobody joins it any more. */
  noteChange(group: Pick<SharingGroup, 'tenantId' | 'integrationId'>): void;
}

/** One per process. */
export function createSharedReads(options: { readonly clock: Clock }): SharedReads {
  return new SharedReadsByGroup(options.clock);
}

interface Entry {
  readonly integration: string;
  readonly loads: Readonly<Record<LoadedKind, Coalescer<ZendeskRecord, ReadParticipant>>>;
  readonly flight: SharedFlight<ZendeskResponse, ReadParticipant>;
  /** Reads under way; the entry goes with the last of them. */
  uses: number;
}

class SharedReadsByGroup implements SharedReads {
  readonly #clock: Clock;
  /** Only groups that are reading just now, so as bounded as the reads themselves. */
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  loadMany(
    group: SharingGroup,
    kind: LoadedKind,
    ids: readonly number[],
    participant: ReadParticipant,
  ): Promise<readonly (ZendeskRecord | null | Error)[]> {
    return this.#use(group, ({ loads }) => loads[kind].loadMany(ids, participant));
  }

  read(
    group: SharingGroup,
    path: string,
    query: ZendeskQuery,
    participant: ReadParticipant,
  ): Promise<ZendeskResponse> {
    const key = JSON.stringify([path, query]);
    return this.#use(group, ({ flight }) =>
      flight.share(key, participant, (terms) => get(terms, path, query)),
    );
  }

  noteChange(group: Pick<SharingGroup, 'tenantId' | 'integrationId'>): void {
    const integration = integrationOf(group);
    for (const entry of this.#entries.values()) {
      if (entry.integration !== integration) continue;
      entry.flight.detach();
      for (const load of Object.values(entry.loads)) load.detach();
    }
  }

  async #use<T>(group: SharingGroup, work: (entry: Entry) => Promise<T>): Promise<T> {
    const key = keyOf(group);
    const entry = this.#entries.get(key) ?? this.#createEntry(group);
    this.#entries.set(key, entry);
    entry.uses += 1;
    try {
      return await work(entry);
    } finally {
      entry.uses -= 1;
      if (entry.uses === 0) this.#entries.delete(key);
    }
  }

  #createEntry(group: SharingGroup): Entry {
    const clock = this.#clock;
    const loadOf = (kind: LoadedKind) =>
      createCoalescer<ZendeskRecord, ReadParticipant>({
        clock,
        load: (ids, terms) => showMany(kind, ids, terms),
      });
    return {
      integration: integrationOf(group),
      loads: {
        tickets: loadOf('tickets'),
        users: loadOf('users'),
        organizations: loadOf('organizations'),
      },
      flight: createSharedFlight({ clock }),
      uses: 0,
    };
  }
}

const SHOW_MANY = {
  tickets: z.looseObject({ tickets: records }).transform((body) => body.tickets),
  users: z.looseObject({ users: records }).transform((body) => body.users),
  organizations: z.looseObject({ organizations: records }).transform((body) => body.organizations),
} as const;

/** Ids that Zendesk does not show are missing from its answer (zendesk-api §5). */
async function showMany(
  kind: LoadedKind,
  ids: readonly number[],
  terms: SharedTerms<ReadParticipant>,
): Promise<ReadonlyMap<number, ZendeskRecord>> {
  const response = await get(terms, `/api/v2/${kind}/show_many.json`, { ids: ids.join(',') });
  const shown = readBody(SHOW_MANY[kind], response);
  return new Map(shown.map((one) => [one.id, one]));
}

function get(
  { lead, signal, deadline, lane, callers, usage }: SharedTerms<ReadParticipant>,
  path: string,
  query: ZendeskQuery,
): Promise<ZendeskResponse> {
  return lead.client.request({
    method: 'GET',
    path,
    query,
    mutation: false,
    signal,
    deadline,
    lane,
    callers,
    usage,
  });
}

function keyOf({ rights, ...group }: SharingGroup): string {
  const { tenantId, integrationId, subdomain, credentialId, credentialVersion } = group;
  return JSON.stringify([tenantId, integrationId, subdomain, credentialId, credentialVersion, ...rights]);
}

function integrationOf({
  tenantId,
  integrationId,
}: Pick<SharingGroup, 'tenantId' | 'integrationId'>): string {
  return `${tenantId} ${integrationId}`;
}
