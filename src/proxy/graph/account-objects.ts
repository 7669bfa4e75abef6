/**
 * Single objects of one account, each loaded once in a session: what its lists brought along is kept,
 * what is missing goes out together with the loads of others. Records here are as Zendesk sends them;
 * how much of them is shown is decided by who asks.
 */
import DataLoader from 'dataloader';
import type { ZendeskRecord } from '../catalogue/records.ts';
import { isWhole } from './read-people.ts';
import type { LoadedKind } from './shared-reads.ts';

/** Objects of these ids in order, as `SharedReads.loadMany` answers them. */
export type LoadMany = (
  kind: LoadedKind,
  ids: readonly number[],
) => Promise<readonly (ZendeskRecord | null | Error)[]>;

type Loader = DataLoader<number, ZendeskRecord | null>;

export class AccountObjects {
  readonly #loaders: Readonly<Record<LoadedKind, Loader>>;
  /** Side-loaded with lists: enough for a name, possibly not all. */
  readonly #partial: Readonly<Record<'users' | 'organizations', Map<number, ZendeskRecord>>> = {
    users: new Map(),
    organizations: new Map(),
  };

  constructor(loadMany: LoadMany) {
    const loaderOf = (kind: LoadedKind): Loader => new DataLoader((ids) => loadMany(kind, ids));
    this.#loaders = {
      tickets: loaderOf('tickets'),
      users: loaderOf('users'),
      organizations: loaderOf('organizations'),
    };
  }

  /** The whole object, `null` where Zendesk shows none. */
  load(kind: LoadedKind, id: number): Promise<ZendeskRecord | null> {
    return this.#loaders[kind].load(id);
  }

  /** What was side-loaded of an object, `null` where nothing was. */
  partial(kind: 'users' | 'organizations', id: number): ZendeskRecord | null {
    return this.#partial[kind].get(id) ?? null;
  }

  /** Keeps whole objects. */
  keep(kind: LoadedKind, records: readonly ZendeskRecord[]): void {
    for (const record of records) this.#loaders[kind].prime(record.id, record);
  }

  /** Keeps what was side-loaded: where it is as of now and nothing is missing, it need not be loaded any more. */
  keepPartial(
    kind: 'users' | 'organizations',
    records: readonly ZendeskRecord[],
    { isCurrent }: { readonly isCurrent: boolean },
  ): void {
    for (const record of records) {
      this.#partial[kind].set(record.id, record);
      if (isCurrent && isWhole(kind, record)) this.#loaders[kind].prime(record.id, record);
    }
  }

  /** Forgets all tickets: a change may have been made to any of them. */
  forgetTickets(): void {
    this.#loaders.tickets.clearAll();
  }
}
