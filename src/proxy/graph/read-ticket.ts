/** Tickets and comments of Zendesk as the typed graph shows them. */
import type { JsonObject } from '../../base/index.ts';
import type { ZendeskRecord } from '../catalogue/records.ts';
import {
  idsOf,
  integerOf,
  isTrue,
  labelOf,
  objectOf,
  objectsOf,
  sizeOf,
  textOf,
  textsOf,
  timeOf,
} from './record-fields.ts';
import type { AttachmentView, CommentView, SatisfactionView, TicketView, ViaView } from './views.ts';

/** Where a record belongs, and whether the caller sees how to reach the people in it. */
export interface Showing {
  readonly integrationId: string;
  /** Names and addresses of senders: for callers who may list users. */
  readonly showsContacts: boolean;
}

export function toTicketView(of: ZendeskRecord, showing: Showing): TicketView {
  return {
    integrationId: showing.integrationId,
    id: of.id,
    externalId: textOf(of, 'external_id'),
    subject: textOf(of, 'subject'),
    description: textOf(of, 'description'),
    status: textOf(of, 'status'),
    customStatusId: integerOf(of, 'custom_status_id'),
    priority: textOf(of, 'priority'),
    type: textOf(of, 'type'),
    via: viaOf(of, showing),
    requesterId: integerOf(of, 'requester_id'),
    submitterId: integerOf(of, 'submitter_id'),
    assigneeId: integerOf(of, 'assignee_id'),
    organizationId: integerOf(of, 'organization_id'),
    groupId: integerOf(of, 'group_id'),
    brandId: integerOf(of, 'brand_id'),
    ticketFormId: integerOf(of, 'ticket_form_id'),
    collaboratorIds: idsOf(of, 'collaborator_ids'),
    followerIds: idsOf(of, 'follower_ids'),
    emailCcIds: idsOf(of, 'email_cc_ids'),
    problemId: integerOf(of, 'problem_id'),
    hasIncidents: isTrue(of, 'has_incidents'),
    isPublic: isTrue(of, 'is_public'),
    tags: textsOf(of, 'tags'),
    customFields: objectsOf(of, 'custom_fields').flatMap((field) => {
      const id = integerOf(field, 'id');
      return id === null ? [] : [{ id, value: field['value'] ?? null }];
    }),
    satisfaction: satisfactionOf(of),
    dueAt: timeOf(of, 'due_at'),
    createdAt: timeOf(of, 'created_at'),
    updatedAt: timeOf(of, 'updated_at'),
  };
}

export function toCommentView(of: ZendeskRecord, ticketId: number, showing: Showing): CommentView {
  return {
    integrationId: showing.integrationId,
    ticketId,
    id: of.id,
    authorId: integerOf(of, 'author_id'),
    public: isTrue(of, 'public'),
    body: textOf(of, 'body'),
    htmlBody: textOf(of, 'html_body'),
    plainBody: textOf(of, 'plain_body'),
    via: viaOf(of, showing),
    attachments: objectsOf(of, 'attachments').flatMap(attachmentOf),
    createdAt: timeOf(of, 'created_at'),
  };
}

function attachmentOf(of: JsonObject): readonly AttachmentView[] {
  const id = integerOf(of, 'id');
  if (id === null) return [];
  return [
    {
      id,
      fileName: textOf(of, 'file_name'),
      contentType: textOf(of, 'content_type'),
      size: sizeOf(of, 'size'),
      contentUrl: textOf(of, 'content_url'),
      inline: isTrue(of, 'inline'),
    },
  ];
}

function viaOf(of: JsonObject, { showsContacts }: Showing): ViaView | null {
  const via = objectOf(of, 'via');
  if (via === null) return null;
  const source = objectOf(via, 'source');
  const from = showsContacts && source !== null ? objectOf(source, 'from') : null;
  return {
    channel: labelOf(via, 'channel'),
    fromName: from === null ? null : textOf(from, 'name'),
    fromAddress: from === null ? null : textOf(from, 'address'),
  };
}

function satisfactionOf(of: JsonObject): SatisfactionView | null {
  const rating = objectOf(of, 'satisfaction_rating');
  const score = rating === null ? null : textOf(rating, 'score');
  if (rating === null || score === null) return null;
  return { score, comment: textOf(rating, 'comment'), reason: textOf(rating, 'reason') };
}
