/** One page of Zendesk's search, for `search` and for lists with filters that Zendesk's lists lack. */
import { z } from 'zod';
import { MAX_SEARCH_RECORDS, type OffsetPage, readOffsetPage } from '../../zendesk/index.ts';
import type { Call } from './operation.ts';
import { readBody, records, sideLoads, type ZendeskRecord } from './records.ts';

export const SEARCH_SORTS = ['created_at', 'updated_at', 'priority', 'status', 'ticket_type'] as const;

export interface SearchRequest {
  readonly query: string;
  readonly sort_by?: (typeof SEARCH_SORTS)[number] | undefined;
  readonly sort_order?: 'asc' | 'desc' | undefined;
  readonly page: number;
  readonly per_page: number;
}

export interface SearchPage {
  readonly results: readonly ZendeskRecord[];
  readonly users: readonly ZendeskRecord[];
  readonly organizations: readonly ZendeskRecord[];
  readonly page: OffsetPage;
}

/** What to say of a page beyond the 1 000 results that search answers; `null` when it is within. */
export function searchDepthIssue(page: number, perPage: number): string | null {
  return page * perPage <= MAX_SEARCH_RECORDS
    ? null
    : `reaches beyond the ${MAX_SEARCH_RECORDS} results that Zendesk's search answers; narrow the query`;
}

const searchBody = z.looseObject({ results: records, ...sideLoads });

export async function searchPage(call: Call, request: SearchRequest): Promise<SearchPage> {
  const response = await call({
    method: 'GET',
    path: '/api/v2/search.json',
    query: { ...request, include: 'tickets(users,organizations)' },
  });
  const body = readBody(searchBody, response);
  return {
    results: body.results,
    users: body.users ?? [],
    organizations: body.organizations ?? [],
    page: readOffsetPage(response.body ?? {}, request.page, request.per_page, MAX_SEARCH_RECORDS),
  };
}
