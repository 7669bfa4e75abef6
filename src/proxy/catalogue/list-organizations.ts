/** `list_organizations`: the organizations of the account with all that Zendesk tells of them. */
import { z } from 'zod';
import { MAX_OFFSET_RECORDS, MAX_PAGE_SIZE, nextCursor, readOffsetPage } from '../../zendesk/index.ts';
import { defineOperation } from './operation.ts';
import { pageOfCursor, pageOfOffset, pageResult } from './page-result.ts';
import { page, pageCursor, perPage, text } from './payload-fields.ts';
import { readBody, record } from './records.ts';
import { MAX_EXTERNAL_ID_LENGTH } from './ticket-fields.ts';

const payload = z
  .strictObject({
    external_id: text(MAX_EXTERNAL_ID_LENGTH).optional().describe('Your own reference of the organization.'),
    page,
    per_page: perPage,
    cursor: pageCursor,
  })
  .superRefine((value, context) => {
    const refuse = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    if (value.external_id !== undefined && value.cursor !== undefined) {
      refuse('cursor', 'cannot be combined with external_id');
    }
    if (value.page !== undefined && value.cursor !== undefined) {
      refuse('cursor', 'cannot be combined with page');
    }
    if ((value.page ?? 1) * (value.per_page ?? MAX_PAGE_SIZE) > MAX_OFFSET_RECORDS) {
      refuse('page', `reaches beyond the first ${MAX_OFFSET_RECORDS} organizations; walk by cursor instead`);
    }
  });

const result = z.strictObject({
  /** As Zendesk sends them. */
  organizations: z.array(record),
  /** Zendesk's own total; `null` in a cursor walk, where it tells none. */
  count: z.number().nullable(),
  page: pageResult,
});

const organizationsBody = z.looseObject({ organizations: z.array(record) });

export const listOrganizations = defineOperation({
  name: 'list_organizations',
  description: 'Lists organizations, or finds them by external id, with all their fields.',
  mutation: false,
  permits: ['Organization', 'OrganizationReference'],
  payload,
  result,
  resource: () => 'organization',
  async run(call, input): Promise<z.infer<typeof result>> {
    const pageNumber = input.page ?? 1;
    const size = input.per_page ?? MAX_PAGE_SIZE;
    const walks = input.cursor !== undefined;
    const response = await call({
      method: 'GET',
      path:
        input.external_id === undefined ? '/api/v2/organizations.json' : '/api/v2/organizations/search.json',
      query: {
        external_id: input.external_id,
        ...(walks
          ? { 'page[size]': size, 'page[after]': input.cursor ?? undefined }
          : { page: pageNumber, per_page: size }),
      },
    });
    const { organizations } = readBody(organizationsBody, response);
    const body = response.body ?? {};
    if (walks) return { organizations, count: null, page: pageOfCursor(nextCursor(body)) };
    const offset = readOffsetPage(body, pageNumber, size, MAX_OFFSET_RECORDS);
    return { organizations, count: offset.count, page: pageOfOffset(offset) };
  },
});
