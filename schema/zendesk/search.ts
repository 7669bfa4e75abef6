/** What a search finds: tickets, people and organizations, in Zendesk's order. */
import type { Found, SearchResultView, Slice } from '../../src/service/index.ts';
import { builder } from '../builder.ts';
import { createConnection, toConnectionObject } from './connection.ts';
import {
  type OrganizationObject,
  organizationObject,
  type TicketObject,
  type UserObject,
  userObject,
} from './objects.ts';
import { Organization, Ticket, User } from './refs.ts';
import type { Narrowed } from './selection.ts';

const TYPE_NAMES = { TICKET: 'Ticket', USER: 'User', ORGANIZATION: 'Organization' } as const;

/** An object of the graph, which tells its type by `__typename`. */
type SearchResultObject =
  | (TicketObject & { readonly __typename: 'Ticket' })
  | (UserObject & { readonly __typename: 'User' })
  | (OrganizationObject & { readonly __typename: 'Organization' });

export const SearchResult = builder.unionType('SearchResult', {
  description: 'One hit of a search.',
  types: [Ticket, User, Organization],
  resolveType: (hit) => (hit as SearchResultObject).__typename,
});

export const SearchResultConnection = createConnection('SearchResult', SearchResult, {
  what: 'hits',
  count: 'Zendesk’s own count, also of hits beyond the 1 000 that can be reached.',
});

export function searchResultList(
  found: Found<Slice<SearchResultView>>,
  { after }: { readonly after?: string | null | undefined },
) {
  return toConnectionObject(found, after, toObject);
}

function toObject({ account, view }: Found<SearchResultView>): SearchResultObject {
  switch (view.kind) {
    case 'ticket':
      return { __typename: 'Ticket', account, view: view.ticket };
    case 'user':
      return { __typename: 'User', ...userObject({ account, view: view.user }) };
    case 'person': {
      const { id, name, photo } = view.person;
      return { __typename: 'User', account, id, name, photo, full: null };
    }
    case 'organization':
      return { __typename: 'Organization', ...organizationObject({ account, view: view.organization }) };
    case 'organizationReference': {
      const { id, name } = view.organization;
      return { __typename: 'Organization', account, id, name, full: null };
    }
    default:
      return view satisfies never;
  }
}

/** The types that a search of `type` can answer. */
export function searchedTypes(type: keyof typeof TYPE_NAMES | null | undefined): Narrowed {
  return type == null ? {} : { SearchResult: [TYPE_NAMES[type]] };
}
