/** Inputs of lists. */
import { builder } from '../builder.ts';
import {
  SortDirection,
  TicketPriority,
  TicketSortField,
  TicketStatus,
  TicketType,
  UserRole,
} from './enums.ts';

export const TicketSortInput = builder.inputType('TicketSortInput', {
  description: 'The order of a list of tickets, or of a search.',
  fields: (t) => ({
    by: t.field({ type: TicketSortField, required: true, description: 'What to order by.' }),
    direction: t.field({
      type: SortDirection,
      required: true,
      defaultValue: 'DESC',
      description: 'Which end comes first.',
    }),
  }),
});

export const TicketFilterInput = builder.inputType('TicketFilterInput', {
  description:
    'Which tickets: all conditions must hold; of the values of one list any. Times are inclusive. What is left out does not filter.',
  fields: (t) => ({
    status: t.field({ type: [TicketStatus], required: false, description: 'Any of these.' }),
    priority: t.field({ type: [TicketPriority], required: false, description: 'Any of these.' }),
    type: t.field({ type: [TicketType], required: false, description: 'Any of these.' }),
    assigneeId: t.id({
      required: false,
      description: 'The agent in charge: Zendesk’s number or the global id.',
    }),
    requesterId: t.id({
      required: false,
      description: 'The person who asks: Zendesk’s number or the global id.',
    }),
    organizationId: t.id({
      required: false,
      description: 'The organization: Zendesk’s number or the global id.',
    }),
    groupId: t.id({ required: false, description: 'The group in charge: Zendesk’s number.' }),
    tags: t.stringList({ required: false, description: 'All of these tags.' }),
    externalId: t.string({ required: false, description: 'Your own reference.' }),
    createdFrom: t.field({ type: 'DateTime', required: false, description: 'Opened at this time or later.' }),
    createdTo: t.field({ type: 'DateTime', required: false, description: 'Opened at this time or earlier.' }),
    updatedFrom: t.field({
      type: 'DateTime',
      required: false,
      description: 'Last changed at this time or later.',
    }),
    updatedTo: t.field({
      type: 'DateTime',
      required: false,
      description: 'Last changed at this time or earlier.',
    }),
  }),
});

export const UserFilterInput = builder.inputType('UserFilterInput', {
  description: 'Which people. What is left out does not filter.',
  fields: (t) => ({
    role: t.field({ type: [UserRole], required: false, description: 'Any of these.' }),
    externalId: t.string({ required: false, description: 'Your own reference.' }),
    query: t.string({
      required: false,
      description:
        'Zendesk’s user search, such as a name or `email:ada@example.com`; not together with the others.',
    }),
  }),
});
