/** Inputs of changes. Ids of people, organizations and tickets are Zendesk's numbers or global ids. */
import { builder } from '../builder.ts';
import { TicketPriority, TicketStatus, TicketType } from './enums.ts';

const CustomFieldInput = builder.inputType('CustomFieldInput', {
  description: 'A new value of one custom field.',
  fields: (t) => ({
    fieldId: t.id({ required: true, description: 'Zendesk’s id of the field.' }),
    value: t.field({
      type: 'JSON',
      required: false,
      description:
        'Text, a number, true, false, or a list of texts, as the field’s kind has it; null empties it.',
    }),
  }),
});

const RequesterInput = builder.inputType('RequesterInput', {
  description: 'A person by name and address; Zendesk creates one whom it does not know.',
  fields: (t) => ({
    name: t.string({ required: false, description: 'The name; the address where left out.' }),
    email: t.string({ required: true, description: 'The address.' }),
  }),
});

const NewCommentInput = builder.inputType('NewCommentInput', {
  description: 'A comment to be written: either `body` or `htmlBody`, and whether the requester sees it.',
  fields: (t) => ({
    body: t.string({ required: false, description: 'The text, up to 65 535 bytes.' }),
    htmlBody: t.string({ required: false, description: 'The text as HTML, up to 65 535 bytes.' }),
    public: t.boolean({
      required: true,
      description: 'true: the requester sees it and may get it by mail. false: an internal note.',
    }),
    authorId: t.id({
      required: false,
      description: 'Who is shown as its author; the credential’s own user where left out.',
    }),
    uploads: t.stringList({
      required: false,
      description: 'Tokens of files that were uploaded to Zendesk before.',
    }),
  }),
});

export const CreateTicketInput = builder.inputType('CreateTicketInput', {
  description: 'A new ticket. null is as good as left out.',
  fields: (t) => ({
    integrationId: t.id({ required: true, description: 'The integration in whose account it is opened.' }),
    idempotencyKey: t.string({
      required: false,
      description:
        'Your own name for this creation, 1 to 128 visible ASCII characters: sent again within two hours it makes no second ticket. Without one, a call sent again, such as after a lost answer, may open a second ticket.',
    }),
    comment: t.field({
      type: NewCommentInput,
      required: true,
      description: 'The first comment, which becomes the ticket’s description.',
    }),
    requester: t.field({
      type: RequesterInput,
      required: false,
      description:
        'The person who asks, by address; not together with `requesterId`. Where neither is given it is the credential’s own user, mostly an agent or a bot: name the customer.',
    }),
    requesterId: t.id({
      required: false,
      description: 'The person who asks; the credential’s own user where neither is given.',
    }),
    subject: t.string({ required: false, description: 'The subject line, up to 1 000 characters.' }),
    status: t.field({ type: TicketStatus, required: false, description: 'Where it stands.' }),
    customStatusId: t.id({
      required: false,
      description: 'Zendesk’s id of a custom status; sets the status too.',
    }),
    priority: t.field({ type: TicketPriority, required: false, description: 'How urgent it is.' }),
    type: t.field({ type: TicketType, required: false, description: 'What kind of request it is.' }),
    tags: t.stringList({ required: false, description: 'Its tags, without spaces or commas.' }),
    customFields: t.field({
      type: [CustomFieldInput],
      required: false,
      description: 'Values of custom fields.',
    }),
    assigneeId: t.id({ required: false, description: 'The agent in charge.' }),
    groupId: t.id({ required: false, description: 'Zendesk’s id of the group in charge.' }),
    organizationId: t.id({ required: false, description: 'The organization of the requester.' }),
    brandId: t.id({ required: false, description: 'Zendesk’s id of the brand.' }),
    ticketFormId: t.id({ required: false, description: 'Zendesk’s id of the ticket form.' }),
    problemId: t.id({ required: false, description: 'The problem behind it; for the type INCIDENT.' }),
    externalId: t.string({ required: false, description: 'Your own reference, up to 255 characters.' }),
    dueAt: t.field({ type: 'DateTime', required: false, description: 'When it is due; for the type TASK.' }),
  }),
});

const EXPECTED_UPDATED_AT =
  'The `updatedAt` that was last seen. If the ticket was changed since, nothing is changed and the answer is CONFLICT. Zendesk’s times are whole seconds, so that of two changes within one second the later one goes unnoticed.';

export const UpdateTicketInput = builder.inputType('UpdateTicketInput', {
  description:
    'What to change of a ticket; what is left out stays as it is. null clears a field where the field says so, and is refused elsewhere.',
  fields: (t) => ({
    ticketId: t.id({ required: true, description: 'The ticket’s global id.' }),
    expectedUpdatedAt: t.field({ type: 'DateTime', required: false, description: EXPECTED_UPDATED_AT }),
    comment: t.field({
      type: NewCommentInput,
      required: false,
      description: 'A comment to write with the change.',
    }),
    subject: t.string({ required: false, description: 'The subject line, up to 1 000 characters.' }),
    status: t.field({
      type: TicketStatus,
      required: false,
      description: 'Where it stands; CLOSED is final.',
    }),
    customStatusId: t.id({
      required: false,
      description: 'Zendesk’s id of a custom status; sets the status too.',
    }),
    priority: t.field({
      type: TicketPriority,
      required: false,
      description: 'How urgent it is; null clears it.',
    }),
    type: t.field({
      type: TicketType,
      required: false,
      description: 'What kind of request it is; null clears it.',
    }),
    tags: t.stringList({
      required: false,
      description: 'The whole list of tags, in place of the present one.',
    }),
    customFields: t.field({
      type: [CustomFieldInput],
      required: false,
      description: 'Values of custom fields; those that are not named stay.',
    }),
    requesterId: t.id({ required: false, description: 'Another requester.' }),
    assigneeId: t.id({ required: false, description: 'The agent in charge; null for nobody.' }),
    groupId: t.id({ required: false, description: 'Zendesk’s id of the group in charge; null for none.' }),
    organizationId: t.id({ required: false, description: 'The organization; null for none.' }),
    brandId: t.id({ required: false, description: 'Zendesk’s id of the brand.' }),
    ticketFormId: t.id({ required: false, description: 'Zendesk’s id of the ticket form.' }),
    problemId: t.id({ required: false, description: 'The problem behind an INCIDENT; null for none.' }),
    externalId: t.string({
      required: false,
      description: 'Your own reference, up to 255 characters; null clears it.',
    }),
    dueAt: t.field({ type: 'DateTime', required: false, description: 'When a TASK is due; null clears it.' }),
  }),
});

export const AddCommentInput = builder.inputType('AddCommentInput', {
  description: 'A comment on a ticket: either `body` or `htmlBody`, and whether the requester sees it.',
  fields: (t) => ({
    ticketId: t.id({ required: true, description: 'The ticket’s global id.' }),
    body: t.string({ required: false, description: 'The text, up to 65 535 bytes.' }),
    htmlBody: t.string({ required: false, description: 'The text as HTML, up to 65 535 bytes.' }),
    public: t.boolean({
      required: true,
      description: 'true: the requester sees it and may get it by mail. false: an internal note.',
    }),
    authorId: t.id({
      required: false,
      description: 'Who is shown as its author; the credential’s own user where left out.',
    }),
    uploads: t.stringList({
      required: false,
      description: 'Tokens of files that were uploaded to Zendesk before.',
    }),
    expectedUpdatedAt: t.field({ type: 'DateTime', required: false, description: EXPECTED_UPDATED_AT }),
  }),
});
