/**
 * What of Zendesk a restricted client key may be shown: which tickets, and what of a ticket, a comment, a person or
 * an organization. Pure.
 *
 * A ticket is within the scope by its own `organization_id` or `requester_id`, and if any comment of it is public:
 * Zendesk shows others to nobody outside. What is shown of it is a list of members, not what is left after taking
 * some away: tags, followers, custom fields and links to other tickets are for agents, and the description is the
 * first comment, of which the ticket does not tell whether it is public.
 */
import type { Restriction } from '../../access/index.ts';
import type { JsonObject, JsonValue, TicketSnapshot } from '../../base/index.ts';
import {
  isObject,
  namedOf,
  type PersonReference,
  personOf,
  type ZendeskRecord,
} from '../catalogue/records.ts';

/** Where a ticket belongs, by Zendesk's names. */
export type PlacedTicket = Readonly<
  Partial<Record<'organization_id' | 'requester_id' | 'is_public', JsonValue | undefined>>
>;

/** Members of a ticket that are shown, of those that the feed tells too. */
export const SCOPED_TICKET_MEMBERS = Object.freeze([
  'id',
  'subject',
  'status',
  'custom_status_id',
  'priority',
  'type',
  'requester_id',
  'submitter_id',
  'assignee_id',
  'organization_id',
  'group_id',
  'brand_id',
  'ticket_form_id',
  'is_public',
  'due_at',
  'email_cc_ids',
  'created_at',
  'updated_at',
] as const satisfies readonly (keyof TicketSnapshot)[]);
const COMMENT_MEMBERS = [
  'id',
  'type',
  'author_id',
  'public',
  'body',
  'html_body',
  'plain_body',
  'attachments',
  'created_at',
] as const;
const PEOPLE_OF_TICKET = ['requester_id', 'submitter_id', 'assignee_id'] as const;

/** Whether a ticket is within what the key is restricted to. */
export function isWithin(restriction: Restriction, ticket: PlacedTicket): boolean {
  if (ticket.is_public !== true) return false;
  return restriction.kind === 'ORGANIZATION'
    ? ticket.organization_id === restriction.organizationId
    : ticket.requester_id === restriction.requesterId;
}

/** The endpoint that lists the tickets within the restriction. */
export function scopedTicketsPath(restriction: Restriction): string {
  return restriction.kind === 'ORGANIZATION'
    ? `/api/v2/organizations/${restriction.organizationId}/tickets.json`
    : `/api/v2/users/${restriction.requesterId}/tickets/requested.json`;
}

/** What is shown of a ticket that is within. */
export function scopedTicket(ticket: ZendeskRecord): ZendeskRecord {
  return { ...pick(ticket, SCOPED_TICKET_MEMBERS), ...scopedVia(ticket), id: ticket.id };
}

/** What is shown of a comment, `null` of one that is not public. */
export function scopedComment(comment: ZendeskRecord): ZendeskRecord | null {
  if (comment['public'] !== true) return null;
  return { ...pick(comment, COMMENT_MEMBERS), ...scopedVia(comment), id: comment.id };
}

export function scopedPerson(user: ZendeskRecord): PersonReference {
  return personOf(user);
}

export function scopedOrganization(organization: ZendeskRecord): ZendeskRecord {
  return { ...namedOf(organization) };
}

/** Ids of the people that a ticket, as it is shown, refers to. */
export function peopleOfTicket(ticket: ZendeskRecord): readonly number[] {
  const copied = ticket['email_cc_ids'];
  return [...PEOPLE_OF_TICKET.map((name) => ticket[name]), ...(Array.isArray(copied) ? copied : [])].filter(
    (id): id is number => Number.isSafeInteger(id),
  );
}

/** The channel alone: whence a message came names people and addresses. */
function scopedVia({ via }: ZendeskRecord): { readonly via?: JsonObject } {
  return isObject(via) && via['channel'] !== undefined ? { via: { channel: via['channel'] } } : {};
}

function pick(of: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = of[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
