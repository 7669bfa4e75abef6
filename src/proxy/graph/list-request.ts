/** What a list of the typed graph is asked for. All of it has been checked before it comes here. */

/** A slice of a list, forwards: the first `first` (1 to 100) after the place that `after` names. */
export interface SliceRequest {
  readonly first: number;
  /** An edge's cursor of the same list, `null` from the start. */
  readonly after: string | null;
}

export interface TicketFilter {
  readonly status?: readonly string[] | undefined;
  readonly priority?: readonly string[] | undefined;
  readonly type?: readonly string[] | undefined;
  readonly assigneeId?: number | undefined;
  readonly requesterId?: number | undefined;
  readonly organizationId?: number | undefined;
  readonly groupId?: number | undefined;
  /** All of them. */
  readonly tags?: readonly string[] | undefined;
  readonly externalId?: string | undefined;
  readonly createdFrom?: Date | undefined;
  readonly createdTo?: Date | undefined;
  readonly updatedFrom?: Date | undefined;
  readonly updatedTo?: Date | undefined;
}

export interface TicketSort {
  readonly by: 'CREATED_AT' | 'UPDATED_AT' | 'PRIORITY' | 'STATUS';
  readonly descending: boolean;
}

/**
 * Which tickets: all that the filter lets through, those of one person, organization or problem, or those that the
 * client key is restricted to.
 */
export type TicketListRequest = SliceRequest &
  (
    | { readonly of: 'ACCOUNT'; readonly filter: TicketFilter; readonly sort: TicketSort | null }
    | { readonly of: 'SCOPE'; readonly sort: TicketSort | null }
    | { readonly of: 'REQUESTER' | 'ASSIGNEE' | 'ORGANIZATION' | 'PROBLEM'; readonly id: number }
  ) & {
    /** Whether people and organizations of the tickets are to come along, as far as Zendesk sends them. */
    readonly sideLoad: boolean;
  };

export interface UserFilter {
  readonly role?: readonly string[] | undefined;
  readonly externalId?: string | undefined;
  /** Zendesk's user search; excludes the others. */
  readonly query?: string | undefined;
}

export type UserListRequest = SliceRequest &
  (
    | { readonly of: 'ACCOUNT'; readonly filter: UserFilter }
    | { readonly of: 'ORGANIZATION'; readonly id: number }
  );

export type OrganizationListRequest = SliceRequest &
  ({ readonly of: 'ACCOUNT' } | { readonly of: 'USER'; readonly id: number });

export interface SearchRequest extends SliceRequest {
  readonly query: string;
  readonly kind: 'ticket' | 'user' | 'organization' | null;
  /** By relevance where `null`. */
  readonly sort: TicketSort | null;
  /** As for lists of tickets; default false. */
  readonly sideLoad?: boolean;
}

export interface CommentListRequest extends SliceRequest {
  readonly ticketId: number;
  readonly newestFirst: boolean;
}

/** One slice, with a cursor for each edge. */
export interface Slice<View> {
  readonly edges: readonly { readonly cursor: string; readonly node: View }[];
  readonly hasNextPage: boolean;
  /** Whether more match than Zendesk ever answers of this list: narrow it. */
  readonly truncated: boolean;
  /** Zendesk's own count, `null` where it tells none. */
  readonly totalCount: number | null;
}
