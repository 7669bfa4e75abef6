/** Reads of the typed graph, each from where a document enters an account or from an object in hand. */

import { z } from 'zod';
import type {
  CommentView,
  GraphAccount,
  OrganizationView,
  SearchResultView,
  Slice,
  TicketListRequest,
  TicketView,
  UserView,
} from '../../proxy/index.ts';
import { parseInput } from '../input.ts';
import { type Found, found, type GraphEntry, openAccount } from './entry.ts';
import { objectIdField } from './input-fields.ts';
import {
  commentListInput,
  myTicketsInput,
  searchInput,
  sliceInput,
  ticketListInput,
  userListInput,
} from './list-inputs.ts';
import type { NumberedKind } from './object-id.ts';

/** Arguments as they come from the document; untrusted. */
type Arguments = Readonly<Record<string, unknown>>;

/** Which tickets belong to another object. */
export type TicketsOf = Extract<TicketListRequest, { readonly id: number }>['of'];

function idIn(kind: NumberedKind, { integrationId }: GraphEntry, input: Arguments): number {
  return parseInput(z.strictObject({ id: objectIdField(kind, integrationId) }), input).id;
}

/** One ticket by Zendesk's id or its global one; `null` where Zendesk shows none. */
export async function findTicket(entry: GraphEntry, input: Arguments): Promise<Found<TicketView> | null> {
  const account = await openAccount(entry);
  return found(account, await account.ticket(idIn('ticket', entry, input)));
}

export async function findUser(entry: GraphEntry, input: Arguments): Promise<Found<UserView> | null> {
  const account = await openAccount(entry);
  return found(account, await account.user(idIn('user', entry, input)));
}

export async function findOrganization(
  entry: GraphEntry,
  input: Arguments,
): Promise<Found<OrganizationView> | null> {
  const account = await openAccount(entry);
  return found(account, await account.organization(idIn('organization', entry, input)));
}

export async function findComment(
  entry: GraphEntry,
  { ticketId, commentId }: { readonly ticketId: number; readonly commentId: number },
): Promise<Found<CommentView> | null> {
  const account = await openAccount(entry);
  return found(account, await account.comment(ticketId, commentId));
}

/** Tickets of the account; `sideLoad` as `TicketListRequest` says. */
export async function listTickets(
  entry: GraphEntry,
  input: Arguments,
  sideLoad: boolean,
): Promise<Found<Slice<TicketView>>> {
  const account = await openAccount(entry);
  const request = parseInput(ticketListInput(entry.integrationId), input);
  return { account, view: await account.tickets({ of: 'ACCOUNT', ...request, sideLoad }) };
}

/** The tickets that the caller's client key is restricted to. */
export async function listMyTickets(
  entry: GraphEntry,
  input: Arguments,
  sideLoad: boolean,
): Promise<Found<Slice<TicketView>>> {
  const account = await openAccount(entry);
  const request = parseInput(myTicketsInput, input);
  return { account, view: await account.tickets({ of: 'SCOPE', ...request, sideLoad }) };
}

/** Tickets of a person or an organization, or the incidents of a problem. */
export async function listTicketsOf(
  account: GraphAccount,
  owner: { readonly of: TicketsOf; readonly id: number },
  input: Arguments,
  sideLoad: boolean,
): Promise<Found<Slice<TicketView>>> {
  const slice = parseInput(sliceInput, input);
  return { account, view: await account.tickets({ ...owner, ...slice, sideLoad }) };
}

export async function listUsers(entry: GraphEntry, input: Arguments): Promise<Found<Slice<UserView>>> {
  const account = await openAccount(entry);
  return { account, view: await account.users({ of: 'ACCOUNT', ...parseInput(userListInput, input) }) };
}

/** The people of one organization. */
export async function listUsersOf(
  account: GraphAccount,
  organizationId: number,
  input: Arguments,
): Promise<Found<Slice<UserView>>> {
  const slice = parseInput(sliceInput, input);
  return { account, view: await account.users({ of: 'ORGANIZATION', id: organizationId, ...slice }) };
}

export async function listOrganizations(
  entry: GraphEntry,
  input: Arguments,
): Promise<Found<Slice<OrganizationView>>> {
  const account = await openAccount(entry);
  return { account, view: await account.organizations({ of: 'ACCOUNT', ...parseInput(sliceInput, input) }) };
}

/** The organizations that one person belongs to. */
export async function listOrganizationsOf(
  account: GraphAccount,
  userId: number,
  input: Arguments,
): Promise<Found<Slice<OrganizationView>>> {
  const slice = parseInput(sliceInput, input);
  return { account, view: await account.organizations({ of: 'USER', id: userId, ...slice }) };
}

/** Zendesk's search: at most 1 000 hits of any query, the newest changes minutes late; `sideLoad` as for tickets. */
export async function searchZendesk(
  entry: GraphEntry,
  input: Arguments,
  sideLoad: boolean,
): Promise<Found<Slice<SearchResultView>>> {
  const account = await openAccount(entry);
  return { account, view: await account.search({ ...parseInput(searchInput, input), sideLoad }) };
}

export async function listComments(
  account: GraphAccount,
  ticketId: number,
  input: Arguments,
): Promise<Found<Slice<CommentView>>> {
  const request = parseInput(commentListInput, input);
  return { account, view: await account.comments({ ticketId, ...request }) };
}
