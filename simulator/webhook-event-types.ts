/** The event types a webhook can subscribe to (webhook event types page), and which of them happen here. */

const TICKET_EVENTS = [
  'created',
  'status_changed',
  'custom_status_changed',
  'comment_added',
  'comment_made_private',
  'comment_redacted',
  'attachment_linked_to_comment',
  'attachment_redacted_from_comment',
  'agent_assignment_changed',
  'group_assignment_changed',
  'requester_changed',
  'submitter_changed',
  'organization_changed',
  'priority_changed',
  'type_changed',
  'subject_changed',
  'description_changed',
  'tags_changed',
  'custom_field_changed',
  'brand_changed',
  'form_changed',
  'external_id_changed',
  'email_ccs_changed',
  'followers_changed',
  'problem_link_changed',
  'schedule_changed',
  'sla_policy_changed',
  'ola_policy_changed',
  'next_sla_breach_changed',
  'task_due_at_changed',
  'merged',
  'marked_as_spam',
  'soft_deleted',
  'permanently_deleted',
  'undeleted',
  'csat_requested',
  'csat_received',
] as const;
export type TicketEventName = (typeof TICKET_EVENTS)[number];

const OTHER_EVENTS = [
  'user.created',
  'user.deleted',
  'user.merged',
  'user.active_changed',
  'user.role_changed',
  'user.custom_role_changed',
  'user.suspended_changed',
  'user.external_id_changed',
  'user.identity_created',
  'user.identity_changed',
  'user.identity_deleted',
  'user.organization_membership_created',
  'user.organization_membership_deleted',
  'user.group_membership_created',
  'user.group_membership_deleted',
  'user.name_changed',
  'user.tags_changed',
  'user.custom_field_changed',
  'user.default_group_changed',
  'user.last_login_changed',
  'organization.created',
  'organization.deleted',
  'organization.name_changed',
  'organization.external_id_changed',
  'organization.tags_changed',
  'organization.custom_field_changed',
] as const;

export const ticketEventType = (name: TicketEventName): string => `zen:event-type:ticket.${name}`;

/** All ticket event types, `zen:event-type:ticket.created` and so on. */
export const TICKET_EVENT_TYPES: readonly string[] = TICKET_EVENTS.map(ticketEventType);

/** What triggers and automations fire; excludes event types in one webhook. */
export const CONDITIONAL_EVENTS = 'conditional_ticket_events';

/** Subscriptions a webhook may name; only ticket events are ever delivered here. */
export const KNOWN_SUBSCRIPTIONS: ReadonlySet<string> = new Set([
  CONDITIONAL_EVENTS,
  ...TICKET_EVENT_TYPES,
  ...OTHER_EVENTS.map((name) => `zen:event-type:${name}`),
]);
