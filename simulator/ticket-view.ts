/** The JSON of tickets and comments with the fields that real answers carry, and the side-loads of tickets. */
import { BRAND_ID, CUSTOM_FIELD_IDS, CUSTOM_STATUS_IDS, TICKET_FORM_ID } from './account.ts';
import type { World } from './call.ts';
import { groupView, isoTime, sideLoadedOrganization, sideLoadedUser } from './people-view.ts';
import type { CommentRow, TicketRow } from './records.ts';
import type { Store } from './store.ts';

const viaOf = (channel: string): Record<string, unknown> => ({
  channel,
  source: {
    from: channel === 'email' ? { address: null, name: null } : {},
    to: channel === 'email' ? { name: 'Lumen & Oak', address: 'support@lumenoak.example' } : {},
    rel: null,
  },
});

const satisfactionView = (ticket: TicketRow): Record<string, unknown> =>
  ticket.satisfaction === 'good' || ticket.satisfaction === 'bad'
    ? {
        score: ticket.satisfaction,
        id: 6_130_950_000_000 + ticket.id,
        comment: null,
        reason: 'No reason provided',
        reason_id: 0,
      }
    : { score: ticket.satisfaction };

/** The JSON of a ticket; a deleted one has the status `deleted`, as the export shows it. */
export const ticketView = (
  store: Store,
  ticket: Readonly<TicketRow>,
  origin: string,
): Record<string, unknown> => {
  const customFields = CUSTOM_FIELD_IDS.map((id) => ({ id, value: ticket.customFields.get(id) ?? null }));
  return {
    url: `${origin}/api/v2/tickets/${ticket.id}.json`,
    id: ticket.id,
    external_id: ticket.externalId,
    via: viaOf(ticket.channel),
    created_at: isoTime(ticket.createdAt),
    updated_at: isoTime(ticket.updatedAt),
    generated_timestamp: ticket.generatedAt,
    type: ticket.type,
    subject: ticket.subject,
    raw_subject: ticket.subject,
    description: store.description(ticket),
    priority: ticket.priority,
    status: ticket.deletedAt === null ? ticket.status : 'deleted',
    recipient: ticket.channel === 'email' ? 'support@lumenoak.example' : null,
    requester_id: ticket.requesterId,
    submitter_id: ticket.submitterId,
    assignee_id: ticket.assigneeId,
    organization_id: ticket.organizationId,
    group_id: ticket.groupId,
    collaborator_ids: ticket.collaboratorIds,
    follower_ids: [],
    email_cc_ids: ticket.collaboratorIds,
    forum_topic_id: null,
    problem_id: ticket.problemId,
    has_incidents: store.hasIncidents(ticket.id),
    is_public: ticket.isPublic,
    due_at: ticket.dueAt === null ? null : isoTime(ticket.dueAt),
    tags: ticket.tags,
    custom_fields: customFields,
    satisfaction_rating: satisfactionView(ticket),
    sharing_agreement_ids: [],
    custom_status_id: CUSTOM_STATUS_IDS[ticket.status],
    encoded_id: `${ticket.id.toString(36).toUpperCase().padStart(6, '0')}-LO`,
    fields: customFields,
    followup_ids: [],
    ticket_form_id: TICKET_FORM_ID,
    brand_id: BRAND_ID,
    allow_channelback: false,
    allow_attachments: true,
    from_messaging_channel: false,
    support_type: ticket.aiAgent ? 'ai_agent' : 'agent',
  };
};

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export const commentView = (comment: CommentRow): Record<string, unknown> => ({
  id: comment.id,
  type: 'Comment',
  author_id: comment.authorId,
  body: comment.body,
  html_body: `<div class="zd-comment" dir="auto"><p dir="auto">${escapeHtml(comment.body).replaceAll('\n', '<br>')}</p></div>`,
  plain_body: comment.body,
  public: comment.public,
  attachments: [],
  audit_id: comment.auditId,
  via: viaOf(comment.channel),
  created_at: isoTime(comment.createdAt),
  metadata: { system: { client: null, ip_address: '192.0.2.17', location: null }, custom: {} },
});

/** Zendesk's names of what can be side-loaded with tickets here. */
export const TICKET_SIDELOADS = [
  'users',
  'groups',
  'organizations',
  'comment_count',
  'custom_statuses',
] as const;

const distinct = (ids: Iterable<number | null>): number[] =>
  [...new Set([...ids].filter((id) => id !== null))].sort((a, b) => a - b);

/** Tickets with the side-loads asked for; unknown names are ignored, as Zendesk does. */
export const ticketsView = (
  { store, sideLoads }: Pick<World, 'store' | 'sideLoads'>,
  tickets: readonly TicketRow[],
  origin: string,
  wanted: ReadonlySet<string>,
): { tickets: Record<string, unknown>[]; sideloads: Record<string, unknown> } => {
  const views = tickets.map((ticket) => {
    const view = ticketView(store, ticket, origin);
    if (wanted.has('comment_count')) view['comment_count'] = ticket.commentCount;
    return view;
  });
  const sideloads: Record<string, unknown> = {};
  if (wanted.has('users')) {
    const ids = distinct(
      tickets.flatMap((ticket) => [
        ticket.requesterId,
        ticket.submitterId,
        ticket.assigneeId,
        ...ticket.collaboratorIds,
      ]),
    );
    sideloads['users'] = ids
      .map((id) => store.user(id))
      .filter((user) => user !== null)
      .map((user) => sideLoadedUser(user, origin, sideLoads));
  }
  if (wanted.has('groups')) {
    const ids = distinct(tickets.map((ticket) => ticket.groupId));
    sideloads['groups'] = ids
      .map((id) => store.group(id))
      .filter((group) => group !== null)
      .map((group) => groupView(group, origin));
  }
  if (wanted.has('organizations')) {
    const ids = distinct(tickets.map((ticket) => ticket.organizationId));
    sideloads['organizations'] = ids
      .map((id) => store.organization(id))
      .filter((organization) => organization !== null)
      .map((organization) => sideLoadedOrganization(organization, origin, sideLoads));
  }
  if (wanted.has('custom_statuses')) {
    sideloads['custom_statuses'] = [...new Set(tickets.map((ticket) => ticket.status))].map((status) => ({
      id: CUSTOM_STATUS_IDS[status],
      status_category: status === 'closed' ? 'solved' : status,
      agent_label: status.charAt(0).toUpperCase() + status.slice(1),
      end_user_label: status.charAt(0).toUpperCase() + status.slice(1),
      active: true,
      default: true,
    }));
  }
  return { tickets: views, sideloads };
};
