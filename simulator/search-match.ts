/**
 * Turns a parsed query into a test of rows, one per record type. Different keywords must all hold, several
 * values of one keyword are alternatives, excluded ones must all fail. A keyword that a type doesn't have
 * leaves that type out of the results.
 */
import { BRAND_ID, CUSTOM_STATUS_IDS } from './account.ts';
import {
  type GroupRow,
  type OrganizationRow,
  TICKET_PRIORITIES,
  TICKET_STATUSES,
  type TicketRow,
  type UserRow,
} from './records.ts';
import {
  type Comparison,
  compareTime,
  type PropertyTerm,
  parseSearchDate,
  type SearchQuery,
} from './search-query.ts';
import { textPattern, valuePattern } from './search-text.ts';
import type { Store } from './store.ts';

export interface SearchScope {
  readonly store: Store;
  readonly now: number;
  /** Who `me` is. */
  readonly callerId: number;
}

type Test<T> = (row: T) => boolean;

/** Gives the test for one property, or null when the record type has no such property. */
type PropertyTests<T> = (term: PropertyTerm) => Test<T> | null;

const negatable = <T>(term: PropertyTerm, test: Test<T>): Test<T> =>
  term.negated ? (row) => !test(row) : test;

/** Place of a value in its order; -1 when it isn't one. */
const rankOf = (order: readonly string[], value: string): number => order.indexOf(value);

const compareRank = (rank: number, comparison: Comparison, wanted: number): boolean => {
  if (wanted < 0) return false;
  switch (comparison) {
    case ':':
      return rank === wanted;
    case '<':
      return rank >= 0 && rank < wanted;
    case '>':
      return rank > wanted;
    case '<=':
      return rank >= 0 && rank <= wanted;
    case '>=':
      return rank >= wanted;
    default:
      throw comparison satisfies never;
  }
};

const dateTest = <T>(term: PropertyTerm, now: number, read: (row: T) => number | null): Test<T> => {
  if (term.value === 'none') return (row) => read(row) === null;
  const span = parseSearchDate(term.value, now);
  return (row) => {
    const time = read(row);
    return time !== null && compareTime(time, term.comparison, span);
  };
};

const tagsTest = <T extends { readonly tags: readonly string[] }>(term: PropertyTerm): Test<T> => {
  if (term.value === 'none') return (row) => row.tags.length === 0;
  const patterns = term.value
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(valuePattern);
  return (row) => patterns.every((pattern) => row.tags.some((tag) => pattern.test(tag)));
};

/** Ids of the users a value names: `me`, an id, an address or (part of) a name. */
const usersNamed = (scope: SearchScope, term: PropertyTerm): ReadonlySet<number> => {
  const { value } = term;
  if (value === 'me') return new Set([scope.callerId]);
  if (/^\d+$/.test(value)) return new Set([Number(value)]);
  if (value.includes('@')) {
    const pattern = valuePattern(value);
    return new Set(
      scope.store.users.filter((user) => user.email && pattern.test(user.email)).map((user) => user.id),
    );
  }
  const pattern = textPattern(value, term.quoted);
  return new Set(scope.store.users.filter((user) => pattern.test(user.name)).map((user) => user.id));
};

const named = (
  rows: readonly { readonly id: number; readonly name: string }[],
  term: PropertyTerm,
): ReadonlySet<number> => {
  if (/^\d+$/.test(term.value)) return new Set([Number(term.value)]);
  const pattern = textPattern(term.value, term.quoted);
  return new Set(rows.filter((row) => pattern.test(row.name)).map((row) => row.id));
};

const idTest = <T>(
  term: PropertyTerm,
  ids: () => ReadonlySet<number>,
  read: (row: T) => number | null,
): Test<T> => {
  if (term.value === 'none') return (row) => read(row) === null;
  const wanted = ids();
  return (row) => {
    const id = read(row);
    return id !== null && wanted.has(id);
  };
};

const ticketTests =
  (scope: SearchScope): PropertyTests<TicketRow> =>
  (term) => {
    const { store } = scope;
    const value = term.value.toLowerCase();
    const whole = (): RegExp => valuePattern(term.value);
    switch (term.field) {
      case 'status': {
        const wanted = rankOf(TICKET_STATUSES, value);
        return (row) => compareRank(TICKET_STATUSES.indexOf(row.status), term.comparison, wanted);
      }
      case 'priority': {
        if (value === 'none') return (row) => row.priority === null;
        const wanted = rankOf(TICKET_PRIORITIES, value);
        return (row) =>
          compareRank(
            row.priority === null ? -1 : TICKET_PRIORITIES.indexOf(row.priority),
            term.comparison,
            wanted,
          );
      }
      case 'ticket_type':
        return (row) => (value === 'none' ? row.type === null : row.type === value);
      case 'created':
        return dateTest(term, scope.now, (row) => row.createdAt);
      case 'updated':
        return dateTest(term, scope.now, (row) => row.updatedAt);
      case 'solved':
        return dateTest(term, scope.now, (row) => row.solvedAt);
      case 'due':
        return dateTest(term, scope.now, (row) => row.dueAt);
      case 'tags':
        return tagsTest(term);
      case 'assignee':
        return idTest(
          term,
          () => usersNamed(scope, term),
          (row) => row.assigneeId,
        );
      case 'requester':
        return idTest(
          term,
          () => usersNamed(scope, term),
          (row) => row.requesterId,
        );
      case 'submitter':
        return idTest(
          term,
          () => usersNamed(scope, term),
          (row) => row.submitterId,
        );
      case 'cc': {
        const wanted = usersNamed(scope, term);
        return (row) => row.collaboratorIds.some((id) => wanted.has(id));
      }
      case 'commenter': {
        const wanted = usersNamed(scope, term);
        return (row) => store.comments(row).some((comment) => wanted.has(comment.authorId));
      }
      case 'group':
        return idTest(
          term,
          () => named(store.groups, term),
          (row) => row.groupId,
        );
      case 'organization':
        return idTest(
          term,
          () => named(store.organizations, term),
          (row) => row.organizationId,
        );
      case 'subject': {
        const pattern = textPattern(term.value, term.quoted);
        return (row) => row.subject !== null && pattern.test(row.subject);
      }
      case 'description': {
        const pattern = textPattern(term.value, term.quoted);
        return (row) => pattern.test(store.description(row));
      }
      case 'comment': {
        const pattern = textPattern(term.value, term.quoted);
        return (row) => store.comments(row).some((comment) => pattern.test(comment.body));
      }
      case 'via':
        return (row) => row.channel === (value === 'mail' ? 'email' : value);
      case 'external_id': {
        const pattern = whole();
        return (row) => row.externalId !== null && pattern.test(row.externalId);
      }
      case 'id':
        return (row) => String(row.id) === value;
      case 'satisfaction':
        return (row) => row.satisfaction === value.replace('withoutcomment', '');
      case 'has_attachment':
        return () => value === 'false';
      case 'brand':
        return () => value === String(BRAND_ID);
      case 'custom_status_id':
        return (row) => String(CUSTOM_STATUS_IDS[row.status]) === value;
      case 'fieldvalue': {
        const pattern = whole();
        return (row) => row.customFields.values().some((field) => pattern.test(String(field)));
      }
      default:
        return customFieldTest(term);
    }
  };

const customFieldTest = (term: PropertyTerm): Test<TicketRow> | null => {
  if (!term.field.startsWith('custom_field_')) return null;
  const id = Number(term.field.slice('custom_field_'.length));
  if (term.value === 'none') return (row) => (row.customFields.get(id) ?? null) === null;
  const number = Number(term.value);
  if (term.comparison !== ':') {
    return (row) => {
      const value = Number(row.customFields.get(id) ?? Number.NaN);
      return !Number.isNaN(value) && compareTime(value, term.comparison, { from: number, to: number });
    };
  }
  const pattern = valuePattern(term.value);
  return (row) => pattern.test(String(row.customFields.get(id) ?? ''));
};

const userTests =
  (scope: SearchScope): PropertyTests<UserRow> =>
  (term) => {
    const value = term.value.toLowerCase();
    const pattern = valuePattern(term.value);
    switch (term.field) {
      case 'name': {
        const words = textPattern(term.value, term.quoted);
        return (row) => words.test(row.name);
      }
      case 'email':
        return (row) =>
          scope.store.people.someAddress(
            row,
            (address) => pattern.test(address) || address.toLowerCase().endsWith(`@${value}`),
          );
      case 'role':
        return (row) => row.role === value;
      case 'external_id':
        return (row) => row.externalId !== null && pattern.test(row.externalId);
      case 'phone':
        return (row) => row.phone !== null && pattern.test(row.phone);
      case 'organization':
        return idTest(
          term,
          () => named(scope.store.organizations, term),
          (row) => row.organizationId,
        );
      case 'group':
        return idTest(
          term,
          () => named(scope.store.groups, term),
          (row) => row.defaultGroupId,
        );
      case 'tags':
        return tagsTest(term);
      case 'notes':
      case 'details': {
        const words = textPattern(term.value, term.quoted);
        const field = term.field;
        return (row) => words.test(row[field] ?? '');
      }
      case 'is_suspended':
        return (row) => String(row.suspended) === value;
      case 'is_verified':
        return (row) => String(row.verified) === value;
      case 'id':
        return (row) => String(row.id) === value;
      case 'created':
        return dateTest(term, scope.now, (row) => row.createdAt);
      case 'updated':
        return dateTest(term, scope.now, (row) => row.updatedAt);
      default:
        return null;
    }
  };

const namedTests =
  (now: number): PropertyTests<OrganizationRow | GroupRow> =>
  (term) => {
    const pattern = valuePattern(term.value);
    switch (term.field) {
      case 'name': {
        const words = textPattern(term.value, term.quoted);
        return (row) => words.test(row.name);
      }
      case 'external_id':
        return (row) => 'externalId' in row && row.externalId !== null && pattern.test(row.externalId);
      case 'tags': {
        const test = tagsTest<OrganizationRow>(term);
        return (row) => 'tags' in row && test(row);
      }
      case 'created':
        return dateTest(term, now, (row) => row.createdAt);
      case 'updated':
        return dateTest(term, now, (row) => row.updatedAt);
      default:
        return null;
    }
  };

/** Joins the terms; null when the query uses a property the type doesn't have. `texts` lists what plain words look in. */
const compile = <T extends { readonly id: number }>(
  query: SearchQuery,
  tests: PropertyTests<T>,
  texts: (row: T) => Iterable<string>,
): Test<T> | null => {
  const all: Test<T>[] = [];
  const alternatives = new Map<string, Test<T>[]>();
  const slow: Test<T>[] = [];
  for (const term of query.terms) {
    if (term.kind === 'text') {
      const pattern = textPattern(term.value.replaceAll('*', ''), term.quoted);
      const isId = /^#?\d+$/.test(term.value) ? term.value.replace('#', '') : null;
      const found = (row: T): boolean => {
        if (isId !== null && String(row.id) === isId) return true;
        for (const text of texts(row)) if (pattern.test(text)) return true;
        return false;
      };
      slow.push(term.negated ? (row) => !found(row) : found);
      continue;
    }
    const test = tests(term);
    if (test === null) return null;
    if (term.negated || term.comparison !== ':') all.push(negatable(term, test));
    else {
      const list = alternatives.get(term.field);
      if (list) list.push(test);
      else alternatives.set(term.field, [test]);
    }
  }
  const groups = [...alternatives.values()];
  return (row) =>
    all.every((test) => test(row)) &&
    groups.every((group) => group.some((test) => test(row))) &&
    slow.every((test) => test(row));
};

export const compileTicketTest = (query: SearchQuery, scope: SearchScope): Test<TicketRow> | null =>
  compile(query, ticketTests(scope), function* (row) {
    yield row.subject ?? '';
    yield row.tags.join(' ');
    yield scope.store.description(row);
    for (const comment of scope.store.comments(row)) yield comment.body;
  });

export const compileUserTest = (query: SearchQuery, scope: SearchScope): Test<UserRow> | null =>
  compile(query, userTests(scope), (row) => [
    row.name,
    row.email ?? '',
    row.tags.join(' '),
    row.notes ?? '',
    row.phone ?? '',
  ]);

export const compileOrganizationTest = (
  query: SearchQuery,
  scope: SearchScope,
): Test<OrganizationRow> | null =>
  compile<OrganizationRow>(query, namedTests(scope.now), (row) => [
    row.name,
    row.domain,
    row.tags.join(' '),
    row.details ?? '',
  ]);

export const compileGroupTest = (query: SearchQuery, scope: SearchScope): Test<GroupRow> | null =>
  compile<GroupRow>(query, namedTests(scope.now), (row) => [row.name]);
