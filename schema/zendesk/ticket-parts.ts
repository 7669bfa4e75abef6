/** Small types that tickets and comments are made of. */
import {
  type AttachmentView,
  type CustomFieldView,
  needsOperation,
  PROTECTED,
  type SatisfactionView,
  type ViaView,
} from '../../src/service/index.ts';
import { builder } from '../builder.ts';

export const Via = builder.objectRef<ViaView>('Via').implement({
  description: 'How something reached Zendesk.',
  extensions: PROTECTED,
  fields: (t) => ({
    channel: t.exposeString('channel', {
      nullable: true,
      description:
        'Such as `email`, `web`, `api`, `mobile`, `chat`, `rule`; Zendesk adds to them, so it is text.',
    }),
    fromName: t.exposeString('fromName', {
      nullable: true,
      extensions: needsOperation('list_users'),
      description: 'The sender’s name. Needs `list_users`.',
    }),
    fromAddress: t.exposeString('fromAddress', {
      nullable: true,
      extensions: needsOperation('list_users'),
      description: 'The sender’s address. Needs `list_users`.',
    }),
  }),
});

export const CustomField = builder.objectRef<CustomFieldView>('CustomField').implement({
  description: 'The value of one custom field.',
  extensions: PROTECTED,
  fields: (t) => ({
    fieldId: t.id({
      description: 'Zendesk’s id of the field, the same in all tickets.',
      resolve: (field) => String(field.id),
    }),
    value: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'Text, a number, true, false, or a list of texts, as the field’s kind has it; null when empty.',
      resolve: (field) => field.value,
    }),
  }),
});

export const Satisfaction = builder.objectRef<SatisfactionView>('Satisfaction').implement({
  description: 'What the requester thought of the answer.',
  extensions: PROTECTED,
  fields: (t) => ({
    score: t.exposeString('score', {
      description: 'Such as `offered`, `unoffered`, `good`, `bad`; Zendesk adds to them, so it is text.',
    }),
    comment: t.exposeString('comment', { nullable: true, description: 'What the requester wrote to it.' }),
    reason: t.exposeString('reason', { nullable: true, description: 'The reason chosen for a bad score.' }),
  }),
});

export const Attachment = builder.objectRef<AttachmentView>('Attachment').implement({
  description: 'A file that hangs on a comment. The gateway tells of it and does not carry it.',
  extensions: PROTECTED,
  fields: (t) => ({
    zendeskId: t.id({
      description: 'Zendesk’s own id of it.',
      resolve: (attachment) => String(attachment.id),
    }),
    fileName: t.exposeString('fileName', { nullable: true, description: 'The name it was sent with.' }),
    contentType: t.exposeString('contentType', {
      nullable: true,
      description: 'The media type it claims to have; do not trust it.',
    }),
    size: t.exposeInt('size', { nullable: true, description: 'Bytes.' }),
    contentUrl: t.exposeString('contentUrl', {
      nullable: true,
      description:
        'Where Zendesk serves it. Whoever holds the address may be able to read it: treat it as a secret.',
    }),
    inline: t.exposeBoolean('inline', { description: 'Whether it is shown within the text of the comment.' }),
  }),
});
