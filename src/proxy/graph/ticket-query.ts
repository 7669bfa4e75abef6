/**
 * Filters of ticket lists in Zendesk's search syntax. Every value stays one value: enumerations are
 * words, ids are numbers, times are written by us, and other text is quoted. Zendesk documents no way
 * to escape a quote, so text that could end its quotes or act as a wildcard is refused, not altered.
 */
import { type FieldIssue, SealdeskError } from '../../base/index.ts';
import { MAX_ENCODED_QUERY_LENGTH } from '../catalogue/payload-fields.ts';
import type { TicketFilter } from './list-request.ts';

const WORD = /^[a-z][a-z0-9_-]{0,63}$/;
/** Quotes of any script, the escape character, the wildcard, and whatever ends a line or cannot be seen. */
const UNSAFE = /["\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02\\*\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const UNSAFE_TAG = /[\s,]/u;

/**
 * The query for the tickets that `filter` lets through. Throws VALIDATION_FAILED naming the members
 * that Zendesk's search cannot take, or `filter` where it makes the query too long.
 */
export function ticketQueryOf(filter: TicketFilter): string {
  const issues: FieldIssue[] = [];
  const refuse = (member: string, message: string): void => {
    issues.push({ path: `filter.${member}`, message });
  };
  const words = (member: string, field: string, values: readonly string[] = []): readonly string[] => {
    if (values.every((value) => WORD.test(value))) return values.map((value) => `${field}:${value}`);
    refuse(member, 'must be words of Zendesk in lower case');
    return [];
  };
  const id = (field: string, value: number | undefined): readonly string[] =>
    value === undefined ? [] : [`${field}:${value}`];
  const quoted = (member: string, field: string, value: string | undefined): readonly string[] => {
    if (value === undefined) return [];
    if (value.trim() !== '' && value.isWellFormed() && !UNSAFE.test(value)) return [`${field}:"${value}"`];
    refuse(member, 'cannot hold quotes, backslashes, asterisks or control characters here');
    return [];
  };
  const tags = filter.tags ?? [];
  if (tags.some((tag) => UNSAFE_TAG.test(tag))) refuse('tags', 'cannot hold spaces or commas');
  const terms = [
    'type:ticket',
    ...words('status', 'status', filter.status),
    ...words('priority', 'priority', filter.priority),
    ...words('type', 'ticket_type', filter.type),
    ...id('assignee', filter.assigneeId),
    ...id('requester', filter.requesterId),
    ...id('organization', filter.organizationId),
    ...id('group', filter.groupId),
    // Several tags in one pair of quotes must all be there; repeated, the keyword would mean any of them.
    ...quoted('tags', 'tags', tags.length === 0 ? undefined : tags.join(' ')),
    ...quoted('externalId', 'external_id', filter.externalId),
    ...timeTerm('created>=', filter.createdFrom, Math.ceil),
    ...timeTerm('created<=', filter.createdTo, Math.floor),
    ...timeTerm('updated>=', filter.updatedFrom, Math.ceil),
    ...timeTerm('updated<=', filter.updatedTo, Math.floor),
  ];
  const query = terms.join(' ');
  if (issues.length === 0 && encodeURIComponent(query).length > MAX_ENCODED_QUERY_LENGTH) {
    issues.push({ path: 'filter', message: "is longer than Zendesk's search takes" });
  }
  if (issues.length > 0) {
    throw new SealdeskError('VALIDATION_FAILED', "Zendesk's search cannot take the filter; see its fields.", {
      fields: issues,
    });
  }
  return query;
}

/** Whether `filter` lets every ticket through. */
export function isOpenFilter(filter: TicketFilter): boolean {
  return Object.values(filter).every(
    (value) => value === undefined || (Array.isArray(value) && value.length === 0),
  );
}

/** Zendesk counts in whole seconds. */
function timeTerm(
  operator: string,
  time: Date | undefined,
  round: (seconds: number) => number,
): readonly string[] {
  if (time === undefined) return [];
  const seconds = round(time.getTime() / 1000);
  return [`${operator}${new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')}`];
}
