/**
 * One GraphQL operation's way to Zendesk. It belongs to one caller and one request: what is allowed is
 * decided once for each integration, what is read is read once, and what was done is taken down for the
 * log. Where the answer could leave neither sealed nor, by the tenant's own choice, in the clear,
 * nothing is fetched at all.
 */
import type { Recipient } from '../../access/index.ts';
import type { NewAuditEvent } from '../../audit/index.ts';
import type { JsonObject } from '../../base/index.ts';
import type { Tx } from '../../store/index.ts';
import type { TenantKeys } from '../../vault/index.ts';
import type { ZendeskUsage } from '../../zendesk/index.ts';
import type { OperationName } from '../catalogue/catalogue.ts';
import type { Integration } from '../integrations.ts';
import type {
  CommentListRequest,
  OrganizationListRequest,
  SearchRequest,
  Slice,
  TicketListRequest,
  UserListRequest,
} from './list-request.ts';
import type { UsedResource } from './operation-use.ts';
import type {
  CommentView,
  OrganizationReferenceView,
  OrganizationView,
  PersonReferenceView,
  SearchResultView,
  TicketView,
  UserView,
} from './views.ts';

/** How the answer of the operation leaves. */
export type Delivery =
  | { readonly kind: 'SEALED'; readonly recipient: Recipient }
  /** The API key's tenant opted in to answers in the clear. */
  | { readonly kind: 'PLAINTEXT' }
  /** Neither: anything of Zendesk is SEALED_RESPONSE_REQUIRED. */
  | { readonly kind: 'NONE' };

export interface GraphSession {
  readonly delivery: Delivery;
  /**
   * The account of an integration, for a caller who may run every one of `operations` on it; asked
   * for before anything is fetched. Rejects with SEALED_RESPONSE_REQUIRED, NOT_FOUND, FORBIDDEN,
   * OPERATION_NOT_ALLOWED (naming the operation), CONFLICT, TOO_MANY_REQUESTS.
   */
  account(integrationId: string, operations: readonly OperationName[]): Promise<GraphAccount>;
  /**
   * The directory of an integration's account, for a caller who may run `sync_directory` on it; it needs no
   * credential. Rejects as `account` does.
   */
  directory(integrationId: string): Promise<GraphDirectory>;
  /** An integration of the caller's tenant, read once for this and for `account`; `null` where there is none. */
  integration(integrationId: string): Promise<Integration | null>;
  /**
   * Notes which tickets a restricted client key is shown, in the transaction that records the answer, before it takes
   * any lock of a key.
   */
  noteShown(tx: Tx): Promise<void>;
  /**
   * That every integration that was read still permits what was read, to be asked in the transaction that
   * records the answer. Rejects with NOT_FOUND, FORBIDDEN, OPERATION_NOT_ALLOWED or CONFLICT.
   */
  assertStillAllowed(tx: Tx): Promise<void>;
  /** Zendesk calls that the operation took part in, and what Zendesk last said is left. */
  usage(): ZendeskUsage;
  /**
   * The events of what was done so far, each with the operation's event as its parent: one for each
   * operation of the catalogue on each integration, and the outcome of each change. `ending` tells what
   * becomes of the answer: where it does not leave, changes are APPLIED, not SUCCEEDED. The ids of
   * events are the same whenever they are asked for. A change that is still under way, its caller gone,
   * is not among them: it writes its outcome by itself when it ends.
   */
  events(keys: TenantKeys, ending: { readonly answered: boolean }): readonly NewAuditEvent[];
}

/** The synced people of one account as the caller may read them. */
export interface GraphDirectory {
  readonly tenantId: string;
  readonly integrationId: string;
  /**
   * What `work` reads in a transaction of the caller's tenant, noted for the log as being about `resource`. Rejects
   * as `work` does and with KMS_UNAVAILABLE.
   */
  read<T>(resource: UsedResource, work: (tx: Tx, keys: TenantKeys) => Promise<T>): Promise<T>;
}

/** What of a change the graph is told. */
export interface GraphChange {
  readonly ticket: TicketView;
  /** Of a creation: created, replayed, not_applied or not_requested; of an update `null`. */
  readonly idempotency: string | null;
  /** Of an update with a comment, where Zendesk tells it. */
  readonly commentId: number | null;
}

/**
 * A Zendesk account as the caller may see it. Loads of single objects are deduplicated in the session
 * and merged with those of other callers of the same rights; `null` is an id that Zendesk does not
 * show. Rejects with the failures of Zendesk, BUDGET_EXHAUSTED, KMS_UNAVAILABLE, CREDENTIAL_EXPIRED.
 */
export interface GraphAccount {
  readonly integrationId: string;
  ticket(id: number): Promise<TicketView | null>;
  /** Needs `list_users` among the account's operations. */
  user(id: number): Promise<UserView | null>;
  /** Needs `list_organizations` among the account's operations. */
  organization(id: number): Promise<OrganizationView | null>;
  /** Name and photo: from what came with a ticket, else loaded. */
  person(id: number): Promise<PersonReferenceView | null>;
  organizationReference(id: number): Promise<OrganizationReferenceView | null>;
  tickets(request: TicketListRequest): Promise<Slice<TicketView>>;
  users(request: UserListRequest): Promise<Slice<UserView>>;
  organizations(request: OrganizationListRequest): Promise<Slice<OrganizationView>>;
  search(request: SearchRequest): Promise<Slice<SearchResultView>>;
  comments(request: CommentListRequest): Promise<Slice<CommentView>>;
  /** One comment of a ticket, found by walking them: Zendesk has no way to ask for one. */
  comment(ticketId: number, commentId: number): Promise<CommentView | null>;
  /**
   * Runs a change of the catalogue: intent, Zendesk, and its outcome with the operation's own event.
   * `payload` is checked as the catalogue does; VALIDATION_FAILED names its fields. Every failure tells
   * `mutation` and `intentId`.
   */
  change(
    operation: 'create_ticket' | 'update_ticket',
    payload: JsonObject,
    idempotencyKey: string | null,
  ): Promise<GraphChange>;
}
