/** The catalogue's names of ticket fields, which are Zendesk's, and how the typed graph calls them. */
import { type FieldIssue, isSealdeskError, type SealdeskError } from '../../base/index.ts';
import { invalidInput } from '../input.ts';

/** Where Zendesk speaks of the record as a whole, or the catalogue of its payload. */
const WHOLE = /^(?:payload|base)(?:\.|$)/;
const SNAKE = /\b[a-z]+(?:_[a-z]+)+\b/g;
const CUSTOM_FIELD_ID = /^(customFields\.\d+)\.id$/;
const TYPE = /\b(?:task|incident)\b/g;

/** Names of the payloads of `create_ticket` and `update_ticket` that the graph can fill. */
export type CatalogueField =
  | 'subject'
  | 'status'
  | 'custom_status_id'
  | 'priority'
  | 'type'
  | 'tags'
  | 'custom_fields'
  | 'requester_id'
  | 'requester'
  | 'assignee_id'
  | 'group_id'
  | 'organization_id'
  | 'brand_id'
  | 'ticket_form_id'
  | 'problem_id'
  | 'external_id'
  | 'due_at'
  | 'comment'
  | 'expected_updated_at';

/** How one input of the graph speaks of its fields; paths begin with the argument, `input`. */
export interface GraphWords {
  /** VALIDATION_FAILED for fields of the input; nothing was sent then. */
  refusal(issues: readonly FieldIssue[]): SealdeskError;
  /** A failure of the change, its fields as the input names them. */
  translate(error: unknown): unknown;
}

/** Inputs that hold the fields of a ticket. */
export const TICKET_FIELDS: GraphWords = createWords((path) => path);
/** The input that is itself a comment. */
export const COMMENT_FIELDS: GraphWords = createWords((path) => path.replace(/^comment(?:\.|$)/, ''));

function createWords(nameOf: (path: string) => string): GraphWords {
  const rename = (issue: FieldIssue): FieldIssue => {
    const name = nameOf(issue.path);
    return { ...issue, path: name === '' ? 'input' : `input.${name}` };
  };
  return Object.freeze({
    refusal: (issues: readonly FieldIssue[]) =>
      invalidInput(issues.map(rename)).with({ mutation: 'NOT_SENT' }),
    translate(error: unknown): unknown {
      if (!isSealdeskError(error) || error.details.fields === undefined) return error;
      return error.with({ fields: error.details.fields.map((issue) => rename(graphIssue(issue))) });
    },
  });
}

/** A refused field of a payload, or of Zendesk's own answer, in the graph's words. */
export function graphIssue(issue: FieldIssue): FieldIssue {
  return {
    ...issue,
    path: camelNames(issue.path).replace(WHOLE, '').replace(CUSTOM_FIELD_ID, '$1.fieldId'),
    message: camelNames(issue.message).replaceAll(TYPE, (type) => type.toUpperCase()),
  };
}

function camelNames(text: string): string {
  return text.replaceAll(SNAKE, (name) =>
    name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  );
}
