/**
 * The search language of Zendesk Support as its reference describes it: `keyword:value` with `: < > <= >=`,
 * quotes, `-` to exclude, `*` at the end of a value, dates absolute and relative (`created>4hours` = within the
 * last four hours), `order_by:`/`sort:`. Words that are no keyword are plain text.
 * Source: "Using Zendesk Support advanced search" (support.zendesk.com, article 4408835086106).
 */
import { coded, Refusal } from './reply.ts';

export type Comparison = ':' | '<' | '>' | '<=' | '>=';
export const SEARCH_TYPES = ['ticket', 'user', 'organization', 'group'] as const;
export type SearchType = (typeof SEARCH_TYPES)[number];

export interface PropertyTerm {
  readonly kind: 'property';
  readonly field: string;
  readonly comparison: Comparison;
  readonly value: string;
  readonly quoted: boolean;
  readonly negated: boolean;
}

export interface TextTerm {
  readonly kind: 'text';
  readonly value: string;
  readonly quoted: boolean;
  readonly negated: boolean;
}

export type Term = PropertyTerm | TextTerm;

export interface SearchQuery {
  readonly terms: readonly Term[];
  /** Empty = all types. */
  readonly types: readonly SearchType[];
  /** True when the query itself names a type. */
  readonly namesType: boolean;
  readonly orderBy: string | null;
  readonly sort: 'asc' | 'desc' | null;
}

/** Spellings people use, by the field they mean. */
const KEYWORDS: Readonly<Record<string, string>> = {
  status: 'status',
  priority: 'priority',
  ticket_type: 'ticket_type',
  created: 'created',
  created_at: 'created',
  updated: 'updated',
  updated_at: 'updated',
  solved: 'solved',
  solved_at: 'solved',
  due_date: 'due',
  due_at: 'due',
  tags: 'tags',
  tag: 'tags',
  assignee: 'assignee',
  assignee_id: 'assignee',
  requester: 'requester',
  requester_id: 'requester',
  submitter: 'submitter',
  cc: 'cc',
  commenter: 'commenter',
  group: 'group',
  group_id: 'group',
  organization: 'organization',
  organization_id: 'organization',
  subject: 'subject',
  description: 'description',
  comment: 'comment',
  via: 'via',
  channel: 'via',
  external_id: 'external_id',
  id: 'id',
  ticket_id: 'id',
  satisfaction: 'satisfaction',
  has_attachment: 'has_attachment',
  brand: 'brand',
  custom_status_id: 'custom_status_id',
  fieldvalue: 'fieldvalue',
  name: 'name',
  email: 'email',
  role: 'role',
  phone: 'phone',
  notes: 'notes',
  details: 'details',
  is_suspended: 'is_suspended',
  is_verified: 'is_verified',
};

export const invalidSearch = (reason: string): Refusal =>
  new Refusal(coded(422, 'invalid', `Invalid search: ${reason}`));

/** -? keyword operator value | -? "phrase" | -? word */
const TERM =
  /(-?)(?:([A-Za-z][A-Za-z0-9_]*)(:>=|:<=|:>|:<|>=|<=|:|>|<)(?:"([^"]*)"?|([^\s"]+))|"([^"]*)"?|([^\s"]+))/gy;
const MAX_TERMS = 256;

const fieldOf = (keyword: string): string | null => {
  const lower = keyword.toLowerCase();
  if (/^custom_field_\d+$/.test(lower)) return lower;
  return Object.hasOwn(KEYWORDS, lower) ? (KEYWORDS[lower] ?? null) : null;
};

const TICKET_TYPE_NAMES = ['problem', 'incident', 'question', 'task'];

/** Reads a query. Anything is readable; only dates and the number of terms can be refused (422 invalid). */
export const parseSearchQuery = (text: string): SearchQuery => {
  const terms: Term[] = [];
  const types: SearchType[] = [];
  let namesType = false;
  let orderBy: string | null = null;
  let sort: 'asc' | 'desc' | null = null;
  for (const chunk of scan(text)) {
    const { negated, keyword, operator, value, quoted } = chunk;
    const lower = keyword?.toLowerCase();
    if (lower === undefined || operator === undefined) {
      if (value.trim() !== '') terms.push({ kind: 'text', value, quoted, negated });
    } else if (lower === 'type' && operator === ':') {
      const type = SEARCH_TYPES.find((known) => known === value.toLowerCase());
      if (TICKET_TYPE_NAMES.includes(value.toLowerCase())) {
        terms.push({ kind: 'property', field: 'ticket_type', comparison: ':', value, quoted, negated });
      } else {
        namesType = true;
        if (type && !negated) types.push(type);
        else if (type) types.push(...SEARCH_TYPES.filter((known) => known !== type));
      }
    } else if (lower === 'order_by' && operator === ':') {
      orderBy = value.toLowerCase();
    } else if (lower === 'sort' && operator === ':') {
      sort = value.toLowerCase() === 'asc' ? 'asc' : 'desc';
    } else {
      const field = fieldOf(lower);
      const comparison = toComparison(operator);
      if (field === null) terms.push({ kind: 'text', value: `${keyword} ${value}`, quoted: true, negated });
      else terms.push({ kind: 'property', field, comparison, value, quoted, negated });
    }
    if (terms.length > MAX_TERMS) throw invalidSearch('too many terms');
  }
  // A type nobody has finds nothing rather than everything.
  return { terms: namesType && types.length === 0 ? [NOTHING] : terms, types, namesType, orderBy, sort };
};

const NOTHING: Term = {
  kind: 'property',
  field: 'nothing',
  comparison: ':',
  value: '',
  quoted: false,
  negated: false,
};

const toComparison = (operator: string): Comparison => {
  const bare = operator.length > 1 ? operator.replace(':', '') : operator;
  return bare === '<' || bare === '>' || bare === '<=' || bare === '>=' ? bare : ':';
};

interface Chunk {
  readonly negated: boolean;
  readonly keyword: string | undefined;
  readonly operator: string | undefined;
  readonly value: string;
  readonly quoted: boolean;
}

const scan = function* (text: string): Generator<Chunk> {
  let position = 0;
  while (position < text.length) {
    if (/\s/.test(text.charAt(position))) {
      position += 1;
      continue;
    }
    TERM.lastIndex = position;
    const match = TERM.exec(text);
    if (!match) {
      position += 1;
      continue;
    }
    position = TERM.lastIndex;
    const [, minus, keyword, operator, quotedValue, bareValue, phrase, word] = match;
    yield {
      negated: minus === '-',
      keyword,
      operator,
      value: quotedValue ?? bareValue ?? phrase ?? word ?? '',
      quoted: quotedValue !== undefined || phrase !== undefined,
    };
  }
};

const DAY = 86_400_000;
const UNITS: Readonly<Record<string, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: DAY,
  week: 7 * DAY,
  month: 30 * DAY,
  year: 365 * DAY,
};

/** A span of time [from, to) in milliseconds; `to` equals `from` for a point in time. */
export interface TimeSpan {
  readonly from: number;
  readonly to: number;
}

/** `2026-01-01` (a whole UTC day), `01/31/2026`, an ISO date and time, or `4hours`. Throws 422 on anything else. */
export const parseSearchDate = (value: string, now: number): TimeSpan => {
  const relative = /^(\d{1,6})(minute|hour|day|week|month|year)s?$/i.exec(value);
  if (relative) {
    const at = now - Number(relative[1]) * (UNITS[(relative[2] ?? '').toLowerCase()] ?? 0);
    return { from: at, to: at };
  }
  const american = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(value);
  const day = american
    ? `${american[3]}-${american[1]?.padStart(2, '0')}-${american[2]?.padStart(2, '0')}`
    : /^\d{4}-\d{2}-\d{2}$/.test(value)
      ? value
      : null;
  if (day !== null) {
    const from = Date.parse(`${day}T00:00:00Z`);
    if (!Number.isNaN(from)) return { from, to: from + DAY };
  } else if (/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(value)) {
    const at = Date.parse(/(Z|[+-]\d{2}:?\d{2})$/i.test(value) ? value : `${value}Z`);
    if (!Number.isNaN(at)) return { from: at, to: at };
  }
  throw invalidSearch(`${value.slice(0, 40)} is not a date`);
};

/** Days compare as a whole: `>2026-01-01` begins on the 2nd, `<=2026-01-01` includes the 1st. */
export const compareTime = (time: number, comparison: Comparison, span: TimeSpan): boolean => {
  const isDay = span.to > span.from;
  switch (comparison) {
    case ':':
      return isDay ? time >= span.from && time < span.to : time === span.from;
    case '<':
      return time < span.from;
    case '>=':
      return time >= span.from;
    case '>':
      return isDay ? time >= span.to : time > span.from;
    case '<=':
      return isDay ? time < span.to : time <= span.from;
    default:
      throw comparison satisfies never;
  }
};
