/**
 * `update_ticket`: fields, a comment, or both, of one ticket. With `expected_updated_at` Zendesk
 * refuses the update (CONFLICT) when somebody changed the ticket since. Several tickets at once are
 * not offered: Zendesk runs them as a background job whose items fail one by one.
 */
import { z } from 'zod';
import type { JsonObject } from '../../base/index.ts';
import { defineOperation } from './operation.ts';
import { comment, dateOrTime, zendeskId } from './payload-fields.ts';
import { isObject, readBody, record, withoutContactData } from './records.ts';
import { given, ticketFields, ticketTypeIssues } from './ticket-fields.ts';

const payload = z
  .strictObject({
    ticket_id: zendeskId.describe('The id of the ticket.'),
    comment: comment
      .optional()
      .describe('{body or html_body, public, author_id?, uploads?}; public must be said.'),
    requester_id: zendeskId.optional().describe('A new requester.'),
    expected_updated_at: dateOrTime
      .optional()
      .describe('The updated_at last seen; the update is refused if it is no longer so.'),
    ...ticketFields,
  })
  .superRefine((value, context) => {
    const { ticket_id: _id, expected_updated_at: expected, ...changes } = value;
    if (Object.values(changes).every((change) => change === undefined)) {
      context.addIssue({ code: 'custom', path: [], message: 'must change a field or add a comment' });
    }
    if (expected !== undefined && !expected.includes('T')) {
      context.addIssue({
        code: 'custom',
        path: ['expected_updated_at'],
        message: 'must be a time such as 2026-01-31T08:00:00Z',
      });
    }
    for (const { path, message } of ticketTypeIssues(value)) {
      context.addIssue({ code: 'custom', path: [path], message });
    }
  });

const result = z.strictObject({
  /** As Zendesk sends it, after the update. */
  ticket: record,
  /** The id of the new comment; `null` without one, or where Zendesk does not tell it. */
  comment_id: z.number().nullable(),
});

const ticketBody = z.looseObject({ ticket: record });

export const updateTicket = defineOperation({
  name: 'update_ticket',
  description:
    'Changes fields of one ticket, adds a comment, or both; refuses to overwrite newer changes if asked.',
  mutation: true,
  permits: ['TicketUpdate', 'Ticket'],
  payload,
  result,
  resource: (input) => `ticket:${input.ticket_id}`,
  async run(call, input, context): Promise<z.infer<typeof result>> {
    const { ticket_id: id, comment: added, expected_updated_at: stamp, ...fields } = input;
    const response = await call({
      method: 'PUT',
      path: `/api/v2/tickets/${id}.json`,
      body: {
        ticket: given({
          ...fields,
          ...(added === undefined ? {} : { comment: given(added) }),
          ...(stamp === undefined ? {} : { safe_update: true, updated_stamp: stamp }),
        }),
      },
    });
    const { ticket } = readBody(ticketBody, response, true);
    return {
      ticket: context.isPermitted('list_users') ? ticket : withoutContactData(ticket),
      comment_id: added === undefined ? null : commentIdOf(response.body?.['audit']),
    };
  },
});

/** The answer carries the audit of this update; the comment's event has the comment's id. */
function commentIdOf(audit: unknown): number | null {
  const events = isObject(audit) ? audit['events'] : undefined;
  if (!Array.isArray(events)) return null;
  const event = events.find((one): one is JsonObject => isObject(one) && one['type'] === 'Comment');
  return typeof event?.['id'] === 'number' ? event['id'] : null;
}
