/** `list_users`: the people of the account with all that Zendesk tells of them. */
import { z } from 'zod';
import { MAX_OFFSET_RECORDS, MAX_PAGE_SIZE, nextCursor, readOffsetPage } from '../../zendesk/index.ts';
import { defineOperation } from './operation.ts';
import { pageOfCursor, pageOfOffset, pageResult } from './page-result.ts';
import { oneOrMore, page, pageCursor, perPage, query, text } from './payload-fields.ts';
import { readBody, record } from './records.ts';
import { MAX_EXTERNAL_ID_LENGTH } from './ticket-fields.ts';

const ROLES = ['end-user', 'agent', 'admin'] as const;

const payload = z
  .strictObject({
    role: oneOrMore(ROLES)
      .optional()
      .describe(`One role or a list of them: ${ROLES.join(', ')}.`),
    external_id: text(MAX_EXTERNAL_ID_LENGTH).optional().describe('Your own reference of the user.'),
    query: query.optional().describe("Zendesk's user search, such as a name or email:a@example.com."),
    page,
    per_page: perPage,
    cursor: pageCursor,
  })
  .superRefine((value, context) => {
    const refuse = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    if (value.query !== undefined && value.role !== undefined) {
      refuse('role', 'cannot be combined with query; write role:agent into the query');
    }
    if (value.query !== undefined && value.external_id !== undefined) {
      refuse('external_id', 'cannot be combined with query; write external_id:… into the query');
    }
    if (value.query !== undefined && value.cursor !== undefined) {
      refuse('cursor', 'cannot be combined with query');
    }
    if (value.page !== undefined && value.cursor !== undefined) {
      refuse('cursor', 'cannot be combined with page');
    }
    if ((value.page ?? 1) * (value.per_page ?? MAX_PAGE_SIZE) > MAX_OFFSET_RECORDS) {
      refuse(
        'page',
        `reaches beyond the first ${MAX_OFFSET_RECORDS} users; narrow the list or walk by cursor`,
      );
    }
  });

const result = z.strictObject({
  /** As Zendesk sends them. */
  users: z.array(record),
  /** Zendesk's own total; `null` in a cursor walk, where it tells none. */
  count: z.number().nullable(),
  page: pageResult,
});

const usersBody = z.looseObject({ users: z.array(record) });

export const listUsers = defineOperation({
  name: 'list_users',
  description:
    'Lists users by role or external id, or finds them with Zendesk’s user search, with all their fields.',
  mutation: false,
  permits: ['User', 'PersonReference'],
  payload,
  result,
  resource: () => 'user',
  async run(call, input): Promise<z.infer<typeof result>> {
    const pageNumber = input.page ?? 1;
    const size = input.per_page ?? MAX_PAGE_SIZE;
    const walks = input.cursor !== undefined;
    const response = await call({
      method: 'GET',
      path: input.query === undefined ? '/api/v2/users.json' : '/api/v2/users/search.json',
      query: {
        query: input.query,
        'role[]': input.role,
        external_id: input.external_id,
        ...(walks
          ? { 'page[size]': size, 'page[after]': input.cursor ?? undefined }
          : { page: pageNumber, per_page: size }),
      },
    });
    const { users } = readBody(usersBody, response);
    const body = response.body ?? {};
    if (walks) return { users, count: null, page: pageOfCursor(nextCursor(body)) };
    const offset = readOffsetPage(body, pageNumber, size, MAX_OFFSET_RECORDS);
    return { users, count: offset.count, page: pageOfOffset(offset) };
  },
});
