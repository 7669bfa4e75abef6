/**
 * The five families of error bodies that Zendesk and its edge send (zendesk-api §10), reduced to
 * what may be told in the clear: the error token and the names of the refused fields. Descriptions
 * are localized and quote customer text; they are never read here.
 */
import type { FieldIssue, JsonObject, JsonValue } from '../base/index.ts';

export interface UpstreamProblem {
  /** Zendesk's short error word, such as `RecordInvalid`; `null` when the body has none. */
  readonly token: string | null;
  readonly fields: readonly FieldIssue[];
  /** Whether the body says that no account lives at this address. */
  readonly noHelpDesk: boolean;
}

const MAX_FIELDS = 50;
const TOKEN = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_.]{0,63}$/;
const NO_HELP_DESK = /^No help desk at /;

/** Reads any body; one of no known family gives no token and no fields. */
export function parseUpstreamProblem(body: JsonValue | undefined): UpstreamProblem {
  if (!isObject(body)) return { token: null, fields: [], noHelpDesk: false };
  const error = body['error'];
  const title = isObject(error) ? error['title'] : undefined;
  return {
    token:
      tokenOf(error) ?? tokenOf(codeOfFirst(body['errors'])) ?? (isObject(error) ? tokenOf(title) : null),
    fields: fieldsOf(body['details']),
    noHelpDesk: typeof title === 'string' && NO_HELP_DESK.test(title),
  };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function tokenOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && TOKEN.test(value) ? value : null;
}

function codeOfFirst(errors: JsonValue | undefined): JsonValue | undefined {
  const first: JsonValue | undefined = Array.isArray(errors) ? errors[0] : undefined;
  return isObject(first) ? first['code'] : undefined;
}

/** `details`: a map of field → list of `{description, error, ticket_field_id?}`. */
function fieldsOf(details: JsonValue | undefined): readonly FieldIssue[] {
  if (!isObject(details)) return [];
  const issues: FieldIssue[] = [];
  for (const [name, list] of Object.entries(details)) {
    for (const item of Array.isArray(list) ? list : [list]) {
      if (issues.length === MAX_FIELDS) return issues;
      issues.push(issueOf(FIELD_NAME.test(name) ? name : 'unnamed', item));
    }
  }
  return issues;
}

function issueOf(name: string, item: JsonValue | undefined): FieldIssue {
  const message = 'was refused by Zendesk';
  if (!isObject(item)) return { path: name, message };
  const fieldId = item['ticket_field_id'];
  const path = Number.isSafeInteger(fieldId) ? `${name}.ticket_fields.${fieldId}` : name;
  const token = tokenOf(item['error']);
  return token === null ? { path, message } : { path, message, token };
}
