/**
 * Inputs of the changes of the typed graph, read field by field into payloads of the catalogue. Ids,
 * enums and times are read here; what a text may be and which fields exclude each other is the
 * catalogue's to say, whose complaints are told in the words of the graph. A form gets every refused
 * field at once, with its path; rules between fields are looked at once each of them is right.
 */
import { z } from 'zod';
import { type FieldIssue, isSealdeskError, type JsonObject, type JsonValue } from '../../base/index.ts';
import { findOperation } from '../../proxy/index.ts';
import { type CatalogueField, type GraphWords, graphIssue } from './field-names.ts';
import { objectIdField, statusField, valueField, zendeskIdField } from './input-fields.ts';

export type ChangeName = 'create_ticket' | 'update_ticket';

/** How one field is read, and what the catalogue calls it. */
interface FieldReader {
  readonly payload: CatalogueField;
  readonly schema: z.ZodType;
  /** Whether `null` clears it in Zendesk. */
  readonly clearable?: true;
}

export type FieldReaders = Readonly<Record<string, FieldReader>>;

const CANNOT_BE_CLEARED = 'cannot be cleared; leave it out to keep what it is';
const MAX_CUSTOM_FIELDS = 500;

const text = z.string();
const time = z.date().transform((date) => date.toISOString());
const customFields = z
  .array(z.object({ fieldId: zendeskIdField, value: z.unknown() }))
  .max(MAX_CUSTOM_FIELDS, `must have at most ${MAX_CUSTOM_FIELDS} elements`)
  // A value that is not given clears the field, as `null` does.
  .transform((fields) => fields.map(({ fieldId, value }) => ({ id: fieldId, value: value ?? null })));

function commentOf(integrationId: string) {
  return z
    .object({
      body: text.nullish(),
      htmlBody: text.nullish(),
      public: z.boolean(),
      authorId: objectIdField('user', integrationId).nullish(),
      uploads: z.array(text).nullish(),
    })
    .transform(({ body, htmlBody, public: isPublic, authorId, uploads }) =>
      given({ body, html_body: htmlBody, public: isPublic, author_id: authorId, uploads }),
    );
}

function ticketFields(integrationId: string): FieldReaders {
  const user = objectIdField('user', integrationId);
  return {
    subject: { payload: 'subject', schema: text },
    status: { payload: 'status', schema: statusField },
    customStatusId: { payload: 'custom_status_id', schema: zendeskIdField },
    priority: { payload: 'priority', schema: valueField, clearable: true },
    type: { payload: 'type', schema: valueField, clearable: true },
    tags: { payload: 'tags', schema: z.array(text) },
    customFields: { payload: 'custom_fields', schema: customFields },
    requesterId: { payload: 'requester_id', schema: user },
    assigneeId: { payload: 'assignee_id', schema: user, clearable: true },
    groupId: { payload: 'group_id', schema: zendeskIdField, clearable: true },
    organizationId: {
      payload: 'organization_id',
      schema: objectIdField('organization', integrationId),
      clearable: true,
    },
    brandId: { payload: 'brand_id', schema: zendeskIdField },
    ticketFormId: { payload: 'ticket_form_id', schema: zendeskIdField },
    problemId: { payload: 'problem_id', schema: objectIdField('ticket', integrationId), clearable: true },
    externalId: { payload: 'external_id', schema: text, clearable: true },
    dueAt: { payload: 'due_at', schema: time, clearable: true },
    comment: { payload: 'comment', schema: commentOf(integrationId) },
  };
}

/** Fields of `createTicket`, without integration and idempotency key. */
export function createTicketFields(integrationId: string): FieldReaders {
  const requester = z
    .object({ name: text.nullish(), email: text })
    .transform(({ name, email }) => given({ name, email }));
  return { ...ticketFields(integrationId), requester: { payload: 'requester', schema: requester } };
}

/** Fields of `updateTicket` and `addComment`, without the ticket's id. */
export function updateTicketFields(integrationId: string): FieldReaders {
  return {
    ...ticketFields(integrationId),
    expectedUpdatedAt: { payload: 'expected_updated_at', schema: time },
  };
}

export interface ReadOptions {
  readonly words: GraphWords;
  /** Members of the payload that no field of the input gives. */
  readonly rest?: JsonObject;
  /** What was refused before. */
  readonly issues?: readonly FieldIssue[];
}

/**
 * The catalogue's payload of `input`, with `rest` as it is. In a creation `null` is as good as left
 * out; in an update it clears the field, where Zendesk can. Throws VALIDATION_FAILED for all refused
 * fields at once, those that were refused before too.
 */
export function readPayload(
  operation: ChangeName,
  readers: FieldReaders,
  input: Readonly<Record<string, unknown>>,
  { words, rest = {}, issues: before = [] }: ReadOptions,
): JsonObject {
  const issues = [...before];
  const payload: Record<string, JsonValue | undefined> = { ...rest };
  for (const [name, { payload: field, schema, clearable }] of Object.entries(readers)) {
    const value = Object.hasOwn(input, name) ? input[name] : undefined;
    if (value === undefined || (value === null && operation === 'create_ticket')) continue;
    if (value === null) {
      if (clearable) payload[field] = null;
      else if (field !== 'comment' && field !== 'expected_updated_at') {
        issues.push({ path: name, message: CANNOT_BE_CLEARED });
      }
      continue;
    }
    const read = schema.safeParse(value);
    if (read.success) payload[field] = read.data as JsonValue;
    else issues.push(...read.error.issues.map((issue) => issueAt(name, issue)));
  }
  const refused = new Set(issues.map(({ path }) => path.split('.')[0]));
  const later = catalogueIssues(operation, payload).filter(
    // What has been refused above is missing below: that is no complaint of its own.
    ({ path }) => (path === '' ? refused.size === 0 : !refused.has(path.split('.')[0])),
  );
  issues.push(...later);
  if (issues.length > 0) throw words.refusal(issues);
  return payload;
}

function catalogueIssues(operation: ChangeName, payload: JsonObject): readonly FieldIssue[] {
  try {
    // What a restricted client key may choose is looked at with the change itself.
    findOperation(operation)?.prepare(payload, null);
    return [];
  } catch (error) {
    if (!isSealdeskError(error, 'VALIDATION_FAILED')) throw error;
    return (error.details.fields ?? []).map(graphIssue);
  }
}

function issueAt(name: string, issue: z.core.$ZodIssue): FieldIssue {
  return { path: [name, ...issue.path.map(String)].join('.'), message: issue.message };
}

function given(members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value != null));
}
