/**
 * `create_ticket`. With an idempotency key Zendesk creates one ticket however often the call is sent
 * within two hours; the result tells whether Zendesk applied the key.
 */
import { z } from 'zod';
import { assertRequesterWithin, holdCreation } from '../scope/scoped-creation.ts';
import { defineOperation } from './operation.ts';
import { comment, email, text, zendeskId } from './payload-fields.ts';
import { readBody, record, withoutContactData } from './records.ts';
import { given, ticketFields, ticketTypeIssues } from './ticket-fields.ts';

const requester = z
  .strictObject({ name: text(255).optional(), email })
  .optional()
  .describe('{name, email}: the person asking; Zendesk creates the user if new.');

const payload = z
  .strictObject({
    comment: comment.describe('{body or html_body, public, author_id?, uploads?}; public must be said.'),
    requester,
    requester_id: zendeskId
      .optional()
      .describe('The person asking, by id; the credential’s user when left out.'),
    ...ticketFields,
  })
  .superRefine((value, context) => {
    const refuse = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    if (value.requester !== undefined && value.requester_id !== undefined) {
      refuse('requester_id', 'cannot be combined with requester');
    }
    if (value.due_at != null && value.type === undefined) refuse('due_at', 'is for the type task only');
    if (value.problem_id != null && value.type === undefined) {
      refuse('problem_id', 'is for the type incident only');
    }
    for (const issue of ticketTypeIssues(value)) refuse(issue.path, issue.message);
  });

const result = z.strictObject({
  /** As Zendesk sends it. */
  ticket: record,
  /**
   * created: a new ticket under the key; replayed: the ticket of an earlier call with the key;
   * not_applied: Zendesk did not confirm the key, so an earlier try may have made a second ticket;
   * not_requested: no key was sent.
   */
  idempotency: z.enum(['created', 'replayed', 'not_applied', 'not_requested']),
});

const ticketBody = z.looseObject({ ticket: record });

export const createTicket = defineOperation({
  name: 'create_ticket',
  description: 'Creates a ticket with its first comment, once per idempotency key.',
  mutation: true,
  permits: ['TicketCreation', 'Ticket'],
  payload,
  result,
  restrict: holdCreation,
  resource: () => 'ticket',
  resourceOfResult: (done) => `ticket:${done.ticket.id}`,
  async run(call, input, context): Promise<z.infer<typeof result>> {
    const { comment: first, requester: person, ...fields } = input;
    if (context.gate !== null) {
      await assertRequesterWithin(call, input.requester_id, context.gate.restriction);
    }
    const response = await call({
      method: 'POST',
      path: '/api/v2/tickets.json',
      body: {
        ticket: given({
          ...fields,
          comment: given(first),
          ...(person === undefined
            ? {}
            : { requester: given({ ...person, name: person.name ?? person.email }) }),
        }),
      },
      idempotencyKey: context.idempotencyKey,
    });
    const { ticket } = readBody(ticketBody, response, true);
    return {
      ticket: context.isPermitted('list_users') ? ticket : withoutContactData(ticket),
      idempotency:
        context.idempotencyKey === undefined
          ? 'not_requested'
          : response.idempotencyLookup === null
            ? 'not_applied'
            : response.idempotencyLookup === 'hit'
              ? 'replayed'
              : 'created',
    };
  },
});
