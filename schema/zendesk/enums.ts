/**
 * Enums as Zendesk has them. Zendesk may add values at any time; those are answered as OTHER, so that a
 * client's exhaustive switch meets no surprise, and OTHER is never taken as an input.
 */
import { ANSWERED_ONLY } from '../../src/service/index.ts';
import { builder } from '../builder.ts';

const OTHER = {
  OTHER: {
    description: 'A value that Zendesk has added and this schema does not know. Only answered.',
    extensions: ANSWERED_ONLY,
  },
} as const;

export const TicketStatus = builder.enumType('TicketStatus', {
  description: 'Where a ticket stands. Of a ticket with a custom status it is that status’s category.',
  values: {
    NEW: { description: 'Nobody has taken it up yet.' },
    OPEN: { description: 'An agent works on it.' },
    PENDING: { description: 'Waits for the requester.' },
    HOLD: { description: 'Waits for somebody outside; only in accounts that have switched it on.' },
    SOLVED: { description: 'An agent has solved it; the requester may reopen it.' },
    CLOSED: { description: 'Final: a closed ticket cannot be changed any more.' },
    DELETED: {
      description: 'Deleted, and kept by Zendesk for 30 days. Only answered.',
      extensions: ANSWERED_ONLY,
    },
    ...OTHER,
  },
});

export const TicketPriority = builder.enumType('TicketPriority', {
  description: 'How urgent a ticket is.',
  values: {
    LOW: { description: 'Can wait.' },
    NORMAL: { description: 'In its turn.' },
    HIGH: { description: 'Before others.' },
    URGENT: { description: 'At once.' },
    ...OTHER,
  },
});

export const TicketType = builder.enumType('TicketType', {
  description: 'What kind of request a ticket is.',
  values: {
    PROBLEM: { description: 'A cause that several incidents share.' },
    INCIDENT: { description: 'One case of a problem.' },
    QUESTION: { description: 'A question.' },
    TASK: { description: 'Something to be done, perhaps by a date.' },
    ...OTHER,
  },
});

export const UserRole = builder.enumType('UserRole', {
  description: 'What a person is in the Zendesk account.',
  values: {
    END_USER: { description: 'A customer: asks, and sees own tickets.' },
    AGENT: { description: 'Answers tickets.' },
    ADMIN: { description: 'Answers tickets and manages the account.' },
    ...OTHER,
  },
});

export const SearchType = builder.enumType('SearchType', {
  description: 'What a search looks for.',
  values: {
    TICKET: { description: 'Tickets only.' },
    USER: { description: 'People only.' },
    ORGANIZATION: { description: 'Organizations only.' },
  },
});

export const TicketSortField = builder.enumType('TicketSortField', {
  description: 'What a list is ordered by.',
  values: {
    CREATED_AT: { description: 'When it was created.' },
    UPDATED_AT: { description: 'When it was last changed.' },
    PRIORITY: { description: 'How urgent it is.' },
    STATUS: { description: 'Where it stands.' },
  },
});

export const SortDirection = builder.enumType('SortDirection', {
  description: 'Which end of a list comes first.',
  values: {
    ASC: { description: 'Oldest, lowest first.' },
    DESC: { description: 'Newest, highest first.' },
  },
});

export const CommentOrder = builder.enumType('CommentOrder', {
  description: 'Which end of a conversation comes first.',
  values: {
    OLDEST_FIRST: { description: 'As it was written.' },
    NEWEST_FIRST: { description: 'The latest word first.' },
  },
});

export const CreationIdempotency = builder.enumType('CreationIdempotency', {
  description: 'What became of the idempotency key of a creation.',
  values: {
    CREATED: { description: 'A new ticket, under the key.' },
    REPLAYED: { description: 'The ticket of an earlier call with the same key: no second one was made.' },
    NOT_APPLIED: {
      description: 'Zendesk did not confirm the key: an earlier try may have made a second ticket.',
    },
    NOT_REQUESTED: { description: 'No key was sent.' },
  },
});

const STATUSES = {
  new: 'NEW',
  open: 'OPEN',
  pending: 'PENDING',
  hold: 'HOLD',
  solved: 'SOLVED',
  closed: 'CLOSED',
  deleted: 'DELETED',
} as const;
const PRIORITIES = { low: 'LOW', normal: 'NORMAL', high: 'HIGH', urgent: 'URGENT' } as const;
const TYPES = { problem: 'PROBLEM', incident: 'INCIDENT', question: 'QUESTION', task: 'TASK' } as const;
const ROLES = { 'end-user': 'END_USER', agent: 'AGENT', admin: 'ADMIN' } as const;
const IDEMPOTENCIES = {
  created: 'CREATED',
  replayed: 'REPLAYED',
  not_applied: 'NOT_APPLIED',
  not_requested: 'NOT_REQUESTED',
} as const;

export const statusOf = createReader(STATUSES);
export const priorityOf = createReader(PRIORITIES);
export const typeOf = createReader(TYPES);
export const roleOf = createReader(ROLES);

/** `null` where nothing is told of the key. */
export function idempotencyOf(word: string | null) {
  return word !== null && word in IDEMPOTENCIES ? IDEMPOTENCIES[word as keyof typeof IDEMPOTENCIES] : null;
}

/** Reads Zendesk's word for a value: OTHER where it is new to us. */
function createReader<Value extends string>(values: Readonly<Record<string, Value>>) {
  const known = new Map(Object.entries(values));
  return (word: string | null): Value | 'OTHER' | null =>
    word === null ? null : (known.get(word) ?? 'OTHER');
}
