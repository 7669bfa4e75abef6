/** `search`: Zendesk's query syntax over tickets, users, organizations and groups. */
import { z } from 'zod';
import { MAX_PAGE_SIZE } from '../../zendesk/index.ts';
import { defineOperation } from './operation.ts';
import { pageOfOffset, pageResult } from './page-result.ts';
import {
  MAX_ENCODED_QUERY_LENGTH,
  MAX_QUERY_LENGTH,
  page,
  perPage,
  query,
  sortOrder,
} from './payload-fields.ts';
import {
  namedOf,
  namedReference,
  peopleOf,
  personOf,
  personReference,
  record,
  withoutContactData,
  type ZendeskRecord,
} from './records.ts';
import { SEARCH_SORTS, searchDepthIssue, searchPage } from './search-page.ts';
import { scopeSearch } from './search-scope.ts';

const payload = z
  .strictObject({
    query: query.describe(
      `Zendesk's search syntax, 1 to ${MAX_QUERY_LENGTH} characters, ${MAX_ENCODED_QUERY_LENGTH} when percent-encoded.`,
    ),
    sort_by: z
      .enum(SEARCH_SORTS)
      .optional()
      .describe(`${SEARCH_SORTS.join(', ')}; by relevance when left out.`),
    sort_order: sortOrder,
    page,
    per_page: perPage,
  })
  .superRefine((value, context) => {
    const message = searchDepthIssue(value.page ?? 1, value.per_page ?? MAX_PAGE_SIZE);
    if (message !== null) context.addIssue({ code: 'custom', path: ['page'], message });
    if (value.sort_order !== undefined && value.sort_by === undefined) {
      context.addIssue({ code: 'custom', path: ['sort_order'], message: 'needs sort_by' });
    }
  });

const result = z.strictObject({
  /** In Zendesk's order, each with `result_type`; people and organizations only where `list_users` and `list_organizations` are permitted. */
  results: z.array(record),
  users: z.array(personReference),
  organizations: z.array(namedReference),
  /** Zendesk's own total, also beyond the 1 000 results it answers. */
  count: z.number().nullable(),
  page: pageResult,
});

export const search = defineOperation({
  name: 'search',
  description:
    "Searches tickets, users, organizations and groups with Zendesk's query syntax; answers at most 1 000 results of any query. Without `list_users` and `list_organizations` it finds tickets, and those of the two kinds that may be listed.",
  mutation: false,
  permits: ['Ticket', 'PersonReference', 'OrganizationReference'],
  payload,
  result,
  resource: () => 'search',
  async run(call, input, context): Promise<z.infer<typeof result>> {
    const scope = scopeSearch(input.query, null, context.isPermitted);
    const found = await searchPage(call, {
      ...input,
      query: scope.query,
      page: input.page ?? 1,
      per_page: input.per_page ?? MAX_PAGE_SIZE,
    });
    const shows = {
      people: context.isPermitted('list_users'),
      organizations: context.isPermitted('list_organizations'),
    };
    const { kinds } = scope;
    const results = found.results.filter(
      (one) => kinds === null || kinds.some((kind) => kind === one['result_type']),
    );
    return {
      results: results.map((one) => shown(one, shows)),
      users: peopleOf(found.users),
      organizations: found.organizations.map(namedOf),
      // A count of what may not be found would tell of it.
      count: results.length === found.results.length ? found.page.count : null,
      page: pageOfOffset(found.page),
    };
  },
});

/** A result as far as the caller may see it; of a kind we do not know, id and kind only. */
function shown(
  one: ZendeskRecord,
  shows: { readonly people: boolean; readonly organizations: boolean },
): ZendeskRecord {
  const kind = one['result_type'];
  switch (kind) {
    case 'ticket':
      return shows.people ? one : withoutContactData(one);
    case 'user':
      return shows.people ? one : { ...personOf(one), result_type: kind };
    case 'organization':
      return shows.organizations ? one : { ...namedOf(one), result_type: kind };
    case 'group':
      return { ...namedOf(one), result_type: kind };
    default:
      return { id: one.id, result_type: typeof kind === 'string' ? kind : null };
  }
}
