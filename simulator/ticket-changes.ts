/** Reads the fields of a ticket write into checked changes of a row. */
import { CUSTOM_FIELD_IDS, CUSTOM_STATUS_IDS } from './account.ts';
import type { Call } from './call.ts';
import { roleTypeOf } from './custom-roles.ts';
import { newEndUser } from './new-user.ts';
import {
  TICKET_PRIORITIES,
  TICKET_STATUSES,
  TICKET_TYPES,
  type TicketRow,
  type TicketStatus,
  type UserRow,
} from './records.ts';
import { isIdList, isRecord, isStringList, type Validation } from './validation.ts';

/** Keys of `{"ticket":{…}}` that take effect or are at least permitted. */
export const TICKET_KEYS: ReadonlySet<string> = new Set([
  'subject',
  'raw_subject',
  'comment',
  'description',
  'priority',
  'status',
  'custom_status_id',
  'type',
  'tags',
  'additional_tags',
  'remove_tags',
  'assignee_id',
  'assignee_email',
  'group_id',
  'organization_id',
  'requester_id',
  'requester',
  'submitter_id',
  'external_id',
  'due_at',
  'problem_id',
  'custom_fields',
  'fields',
  'collaborator_ids',
  'collaborators',
  'email_ccs',
  'followers',
  'safe_update',
  'updated_stamp',
  'via_followup_source_id',
  'metadata',
  'brand_id',
  'ticket_form_id',
  'macro_ids',
  'via',
  'sharing_agreement_ids',
  'satisfaction_rating',
]);

const choose = <T extends string>(
  input: Record<string, unknown>,
  key: string,
  choices: readonly T[],
  validation: Validation,
): T | null | undefined => {
  const value = input[key];
  if (value === undefined) return undefined;
  if (value === null || value === '') return null;
  const known = choices.find((choice) => choice === value);
  if (known === undefined) validation.invalid(key, key.charAt(0).toUpperCase() + key.slice(1), value);
  return known;
};

const reference = (
  input: Record<string, unknown>,
  key: string,
  label: string,
  exists: (id: number) => boolean,
  validation: Validation,
): number | null | undefined => {
  const value = input[key];
  if (value === undefined) return undefined;
  if (value === null || value === '') return null;
  const id = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof id === 'number' && exists(id)) return id;
  validation.invalid(key, label, value);
  return undefined;
};

const readTags = (
  call: Call,
  input: Record<string, unknown>,
  validation: Validation,
): string[] | undefined => {
  const tags = input['tags'];
  if (tags === undefined) return undefined;
  if (typeof tags === 'string')
    return tags
      .toLowerCase()
      .split(/[\s,]+/)
      .filter(Boolean);
  if (isStringList(tags)) return [...new Set(tags.map((tag) => tag.toLowerCase().replaceAll(' ', '_')))];
  validation.invalid('tags', 'Tags', call.method);
  return undefined;
};

const readStatus = (input: Record<string, unknown>, validation: Validation): TicketStatus | undefined => {
  const status = choose(input, 'status', TICKET_STATUSES, validation);
  if (status) return status;
  const custom = input['custom_status_id'];
  if (custom === undefined || custom === null) return undefined;
  const known = TICKET_STATUSES.find((candidate) => CUSTOM_STATUS_IDS[candidate] === custom);
  if (known === undefined) validation.invalid('custom_status_id', 'Custom status', custom);
  return known;
};

const readCustomFields = (
  input: Record<string, unknown>,
  previous: ReadonlyMap<number, unknown>,
): ReadonlyMap<number, unknown> | undefined => {
  const list = input['custom_fields'] ?? input['fields'];
  if (!Array.isArray(list)) return undefined;
  const fields = new Map(previous);
  for (const item of list) {
    // Fields the account doesn't have are ignored, as Zendesk does.
    if (isRecord(item) && typeof item['id'] === 'number' && CUSTOM_FIELD_IDS.includes(item['id'])) {
      fields.set(item['id'], item['value'] ?? null);
    }
  }
  return fields;
};

/** Fields named in the input; invalid ones are added to `validation` and left out. */
export const readChanges = (
  call: Call,
  input: Record<string, unknown>,
  validation: Validation,
): Partial<TicketRow> => {
  const { store } = call.world;
  const changes: Partial<TicketRow> = {};
  const current = store.ticket(Number(call.params[0] ?? 'NaN'));
  const isAgent = (id: number): boolean => {
    const user = store.user(id);
    return user?.active === true && user.role !== 'end-user' && !user.suspended && roleTypeOf(user) !== 1;
  };
  const subject = input['subject'];
  if (typeof subject === 'string' || subject === null) changes.subject = subject;
  const status = readStatus(input, validation);
  if (status !== undefined) changes.status = status;
  const priority = choose(input, 'priority', TICKET_PRIORITIES, validation);
  if (priority !== undefined) changes.priority = priority;
  const type = choose(input, 'type', TICKET_TYPES, validation);
  if (type !== undefined) changes.type = type;
  const email = input['assignee_email'];
  const assignee =
    typeof email === 'string'
      ? reference(
          { assignee_id: store.userByEmail(email)?.id ?? email },
          'assignee_id',
          'Assignee',
          isAgent,
          validation,
        )
      : reference(input, 'assignee_id', 'Assignee', isAgent, validation);
  if (assignee !== undefined) changes.assigneeId = assignee;
  const group = reference(input, 'group_id', 'Group', (id) => store.group(id) !== null, validation);
  if (group !== undefined) changes.groupId = group;
  const owner = reference(
    input,
    'organization_id',
    'Organization',
    (id) => store.organization(id) !== null,
    validation,
  );
  if (owner !== undefined) changes.organizationId = owner;
  const problem = reference(
    input,
    'problem_id',
    'Problem',
    (id) => store.ticket(id)?.type === 'problem',
    validation,
  );
  if (problem !== undefined) changes.problemId = problem;
  const externalId = input['external_id'];
  if (typeof externalId === 'string' || externalId === null) changes.externalId = externalId;
  const dueAt = input['due_at'];
  if (dueAt === null) changes.dueAt = null;
  else if (typeof dueAt === 'string') {
    const time = Date.parse(dueAt);
    if (Number.isNaN(time)) validation.invalid('due_at', 'Due at', dueAt);
    else changes.dueAt = time;
  }
  const collaborators = input['collaborator_ids'];
  if (isIdList(collaborators))
    changes.collaboratorIds = collaborators.filter((id) => store.user(id) !== null);
  const tags = readTags(call, input, validation);
  if (tags !== undefined) changes.tags = tags;
  const fields = readCustomFields(input, current?.customFields ?? new Map());
  if (fields !== undefined) changes.customFields = fields;
  return changes;
};

/** The requester named by `requester_id` or `requester {name, email}` (made when new); null when none is named. */
export const resolvePerson = (
  call: Call,
  input: Record<string, unknown>,
  validation: Validation,
): UserRow | null => {
  const { store, clock, messages } = call.world;
  const id = reference(input, 'requester_id', 'Requester', (user) => store.user(user) !== null, validation);
  if (typeof id === 'number') return store.user(id);
  const requester = input['requester'];
  if (!isRecord(requester)) return null;
  const email = typeof requester['email'] === 'string' ? requester['email'] : null;
  const known = email === null ? null : store.userByEmail(email);
  if (known) return known;
  const name =
    typeof requester['name'] === 'string' ? requester['name'].trim() : (email?.split('@')[0] ?? '');
  if (email !== null && !/^\S+@\S+\.\S+$/.test(email)) {
    validation.invalid('requester', 'Requester: Email', email);
    return null;
  }
  if (name === '') {
    validation.add('requester', {
      description: messages.tooShort('Requester: Name'),
      error: 'ValueTooShort',
    });
    return null;
  }
  const now = clock.now();
  return store.addUser(newEndUser(name, email, now));
};
