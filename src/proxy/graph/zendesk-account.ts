/**
 * One Zendesk account within a session. Each method is admitted under its own operation of the
 * catalogue; what a record shows is decided here, by the caller's rights, whatever was loaded.
 */
import { type JsonObject, SealdeskError } from '../../base/index.ts';
import type { Tx } from '../../store/index.ts';
import { MAX_PAGE_SIZE, type ZendeskResponse } from '../../zendesk/index.ts';
import type { OperationName } from '../catalogue/catalogue.ts';
import type { ZendeskRecord } from '../catalogue/records.ts';
import { noSuchTicket, ScopeGate } from '../scope/scope-gate.ts';
import { noteShown } from '../scope/shown-tickets.ts';
import { AccountObjects } from './account-objects.ts';
import { AccountReads, type Get } from './account-reads.ts';
import type { RecordSlice } from './cursor-list.ts';
import type { GraphAccount, GraphChange } from './graph-session.ts';
import type { IntegrationAccess } from './integration-access.ts';
import type {
  CommentListRequest,
  OrganizationListRequest,
  SearchRequest,
  Slice,
  TicketListRequest,
  UserListRequest,
} from './list-request.ts';
import {
  commentSource,
  organizationSource,
  scopedTicketSource,
  searchSource,
  ticketSource,
  userSource,
} from './list-source.ts';
import type { OperationUse, UsedResource } from './operation-use.ts';
import { toOrganizationReference, toOrganizationView, toPersonReference, toUserView } from './read-people.ts';
import { type Showing, toCommentView, toTicketView } from './read-ticket.ts';
import type { SessionContext } from './session-context.ts';
import type { LoadedKind, ReadParticipant } from './shared-reads.ts';
import { type ChangeOperation, TicketChange } from './ticket-change.ts';
import type {
  CommentView,
  OrganizationReferenceView,
  OrganizationView,
  PersonReferenceView,
  SearchResultView,
  TicketView,
  UserView,
} from './views.ts';

/** Zendesk keeps at most 5 000 comments of a ticket. */
const MAX_COMMENT_PAGES = 50;

/** Under which operation a reference is loaded: one that is for its kind, else one that shows tickets. */
const REFERENCE_OPERATIONS: Readonly<Record<LoadedKind, readonly OperationName[]>> = {
  tickets: ['get_ticket'],
  users: ['list_users', 'list_tickets', 'get_ticket', 'search', 'create_ticket', 'update_ticket'],
  organizations: [
    'list_organizations',
    'list_tickets',
    'get_ticket',
    'search',
    'list_users',
    'create_ticket',
    'update_ticket',
  ],
};

export class ZendeskAccount implements GraphAccount {
  readonly integrationId: string;
  readonly #context: SessionContext;
  readonly #access: IntegrationAccess;
  readonly #objects: AccountObjects;
  readonly #reads: AccountReads;
  /** What everything passes on its way to a restricted client key. */
  readonly #gate: ScopeGate | null;

  constructor(context: SessionContext, access: IntegrationAccess) {
    this.integrationId = access.integrationId;
    this.#context = context;
    this.#access = access;
    this.#gate = context.restricted === null ? null : new ScopeGate(context.restricted.restriction);
    this.#objects = new AccountObjects((kind, ids) => this.#loadMany(kind, ids));
    this.#reads = new AccountReads(this.integrationId, this.#objects, context.allowance);
  }

  async ticket(id: number): Promise<TicketView | null> {
    const use = await this.#begin('get_ticket', { kind: 'OBJECT', type: 'ticket', id });
    const found = await use.watch(this.#objects.load('tickets', id));
    return found === null ? null : toTicketView(found, this.#showing());
  }

  async user(id: number): Promise<UserView | null> {
    const use = await this.#begin('list_users', { kind: 'OBJECT', type: 'user', id });
    const found = await use.watch(this.#objects.load('users', id));
    return found === null ? null : toUserView(this.integrationId, found);
  }

  async organization(id: number): Promise<OrganizationView | null> {
    const use = await this.#begin('list_organizations', { kind: 'OBJECT', type: 'organization', id });
    const found = await use.watch(this.#objects.load('organizations', id));
    return found === null ? null : toOrganizationView(this.integrationId, found);
  }

  async person(id: number): Promise<PersonReferenceView | null> {
    const found = await this.#reference('users', id);
    return found === null ? null : toPersonReference(this.integrationId, found);
  }

  async organizationReference(id: number): Promise<OrganizationReferenceView | null> {
    const found = await this.#reference('organizations', id);
    return found === null ? null : toOrganizationReference(this.integrationId, found);
  }

  async tickets(request: TicketListRequest): Promise<Slice<TicketView>> {
    const use = await this.#begin('list_tickets', { kind: 'TYPE', type: 'ticket' });
    const sourceOf = () =>
      this.#gate === null ? ticketSource(request) : scopedTicketSource(request, this.#gate.restriction);
    const slice = await use.watch(this.#slice(use, sourceOf, request));
    return sliceOf(slice, (one) => toTicketView(one, this.#showing()));
  }

  async users(request: UserListRequest): Promise<Slice<UserView>> {
    const use = await this.#begin('list_users', { kind: 'TYPE', type: 'user' });
    const slice = await use.watch(this.#slice(use, () => userSource(request), request));
    return sliceOf(slice, (one) => toUserView(this.integrationId, one));
  }

  async organizations(request: OrganizationListRequest): Promise<Slice<OrganizationView>> {
    const use = await this.#begin('list_organizations', { kind: 'TYPE', type: 'organization' });
    const slice = await use.watch(this.#slice(use, () => organizationSource(request), request));
    return sliceOf(slice, (one) => toOrganizationView(this.integrationId, one));
  }

  async search(request: SearchRequest): Promise<Slice<SearchResultView>> {
    const use = await this.#begin('search', { kind: 'QUERY', type: 'search', query: request.query });
    const source = () => searchSource(request, (name) => this.#access.isPermitted(name));
    const slice = await use.watch(this.#slice(use, source, request));
    return sliceOf(slice, (one) => this.#searchResult(one));
  }

  async comments(request: CommentListRequest): Promise<Slice<CommentView>> {
    const { ticketId } = request;
    const use = await this.#begin('get_ticket', { kind: 'OBJECT', type: 'ticket', id: ticketId });
    const read = async (): Promise<RecordSlice> => {
      if (!(await this.#isTicketWithin(ticketId))) throw noSuchTicket();
      return this.#slice(use, () => commentSource(request), request, inTurn);
    };
    const slice = await use.watch(read());
    return sliceOf(slice, (one) => toCommentView(one, ticketId, this.#showing()));
  }

  async comment(ticketId: number, commentId: number): Promise<CommentView | null> {
    const use = await this.#begin('get_ticket', { kind: 'OBJECT', type: 'ticket', id: ticketId });
    const read = async (): Promise<ZendeskRecord | null> =>
      (await this.#isTicketWithin(ticketId)) ? this.#findComment(use, ticketId, commentId) : null;
    const found = await use.watch(read());
    return found === null ? null : toCommentView(found, ticketId, this.#showing());
  }

  async change(
    operation: ChangeOperation,
    payload: JsonObject,
    idempotencyKey: string | null,
  ): Promise<GraphChange> {
    const open = await this.#access.admit(operation);
    const change = new TicketChange(this.#context, this.integrationId, {
      operation,
      payload,
      idempotencyKey,
      isPermitted: (name) => this.#access.isPermitted(name),
      gate: this.#gate,
    });
    const assertAllowed = this.#context.registerChange(change, `${this.integrationId} ${operation}`);
    try {
      const { ticket, idempotency, commentId } = await change.run(open, assertAllowed);
      this.#objects.forgetTickets();
      this.#objects.keep('tickets', [ticket]);
      return { ticket: toTicketView(ticket, this.#showing()), idempotency, commentId };
    } catch (error) {
      this.#objects.forgetTickets();
      throw error;
    } finally {
      this.#reads.forget();
    }
  }

  /** Notes the tickets that a restricted client key is shown. */
  async noteShown(tx: Tx): Promise<void> {
    const { restricted, call } = this.#context;
    if (restricted === null || this.#gate === null) return;
    const { restriction, lineageId } = restricted;
    const { tenantId } = call.caller;
    await noteShown(
      tx,
      { tenantId, integrationId: this.integrationId, lineageId },
      restriction,
      this.#gate.shown,
    );
  }

  /** A comment does not tell where its ticket belongs: that is asked before it is read. */
  async #isTicketWithin(ticketId: number): Promise<boolean> {
    return this.#gate === null || (await this.#objects.load('tickets', ticketId)) !== null;
  }

  async #begin(operation: OperationName, resource: UsedResource): Promise<OperationUse> {
    await this.#access.admit(operation);
    const use = this.#access.useOf(operation);
    use.note(resource);
    return use;
  }

  async #reference(kind: 'users' | 'organizations', id: number): Promise<ZendeskRecord | null> {
    const partial = this.#objects.partial(kind, id);
    if (partial !== null) return partial;
    const operation = this.#referenceOperation(kind);
    await this.#access.admit(operation);
    return this.#access.useOf(operation).watch(this.#objects.load(kind, id));
  }

  #referenceOperation(kind: LoadedKind): OperationName {
    const [, otherwise = 'get_ticket'] = REFERENCE_OPERATIONS[kind];
    return REFERENCE_OPERATIONS[kind].find((name) => this.#access.isAdmitted(name)) ?? otherwise;
  }

  async #loadMany(kind: LoadedKind, ids: readonly number[]) {
    const use = this.#access.useOf(this.#referenceOperation(kind));
    const { group, client } = await this.#access.admit(use.operation);
    const { deps, allowance } = this.#context;
    allowance.takeCalls(Math.ceil(ids.length / MAX_PAGE_SIZE));
    const loaded = await deps.sharedReads.loadMany(group, kind, ids, { ...this.#participantOf(use), client });
    const gate = this.#gate;
    const shown =
      gate === null
        ? loaded
        : loaded.map((one) => (one === null || one instanceof Error ? one : gate.pass(kind, one)));
    for (const one of shown) if (one !== null && !(one instanceof Error)) allowance.hold(one);
    return shown;
  }

  #participantOf(use: OperationUse): Omit<ReadParticipant, 'client'> {
    const { call, deadline, meter } = this.#context;
    return {
      signal: call.signal,
      deadline,
      lane: 'INTERACTIVE',
      caller: call.caller.id,
      meters: [meter, use.meter],
    };
  }

  #getFor(use: OperationUse): Get {
    return async (path, query) => {
      const { group, client } = await this.#access.admit(use.operation);
      const { sharedReads } = this.#context.deps;
      const reading = sharedReads.read(group, path, query, { ...this.#participantOf(use), client });
      return this.#gate === null ? reading : passRead(this.#gate, reading);
    };
  }

  async #slice(
    use: OperationUse,
    sourceOf: () => Parameters<AccountReads['slice']>[1],
    request: Parameters<AccountReads['slice']>[2],
    pace: Pace = atOnce,
  ): Promise<RecordSlice> {
    return this.#reads.slice(pace(this.#context, this.#getFor(use)), sourceOf(), request);
  }

  async #findComment(use: OperationUse, ticketId: number, commentId: number): Promise<ZendeskRecord | null> {
    const get = inTurn(this.#context, this.#getFor(use));
    const source = commentSource({ ticketId, newestFirst: true, first: MAX_PAGE_SIZE, after: null });
    let start: string | null = null;
    for (let pages = 0; pages < MAX_COMMENT_PAGES; pages += 1) {
      const page = await this.#reads.page(get, source, start, MAX_PAGE_SIZE);
      const found = page.records.find((one) => one.id === commentId);
      if (found !== undefined) return found;
      if (!page.hasMore || page.end === null || page.end === start) return null;
      start = page.end;
    }
    throw new SealdeskError(
      'QUERY_TOO_COMPLEX',
      `The comment is not on the newest ${MAX_COMMENT_PAGES} pages of its ticket. Read the comments of the ticket by their pages.`,
    );
  }

  #searchResult(one: ZendeskRecord): SearchResultView {
    const { integrationId } = this;
    if (one['result_type'] === 'user') {
      return this.#access.isPermitted('list_users')
        ? { kind: 'user', user: toUserView(integrationId, one) }
        : { kind: 'person', person: toPersonReference(integrationId, one) };
    }
    if (one['result_type'] === 'organization') {
      return this.#access.isPermitted('list_organizations')
        ? { kind: 'organization', organization: toOrganizationView(integrationId, one) }
        : { kind: 'organizationReference', organization: toOrganizationReference(integrationId, one) };
    }
    return { kind: 'ticket', ticket: toTicketView(one, this.#showing()) };
  }

  #showing(): Showing {
    const { integrationId } = this;
    return { integrationId, showsContacts: this.#access.isPermitted('list_users') };
  }
}

/** What others may have asked for as well, as far as this caller may see it. */
async function passRead(gate: ScopeGate, reading: Promise<ZendeskResponse>): Promise<ZendeskResponse> {
  return gate.passResponse(
    await reading.catch((error: unknown) => {
      throw gate.tell(error);
    }),
  );
}

/** How calls of one kind follow each other. */
type Pace = (context: SessionContext, get: Get) => Get;

const atOnce: Pace = (_context, get) => get;

/** Comments have no bulk endpoint: a few tickets of a session are asked for at a time. */
const inTurn: Pace =
  ({ call, commentTurns }, get) =>
  (path, query) =>
    commentTurns.run(call.signal, () => get(path, query));

function sliceOf<View>(slice: RecordSlice, show: (record: ZendeskRecord) => View): Slice<View> {
  const { records, hasNextPage, truncated, totalCount } = slice;
  return {
    edges: records.map(({ cursor, record }) => ({ cursor, node: show(record) })),
    hasNextPage,
    truncated,
    totalCount,
  };
}
