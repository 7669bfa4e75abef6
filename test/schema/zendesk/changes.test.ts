/** Changes of tickets through the graph: what a form sends, what it is told, and what never happens. */
import { expect, it } from 'vitest';
import { AREA_FIELD_ID, CUSTOMER_EMAIL } from '../../../simulator/index.ts';
import { createId } from '../../../src/base/index.ts';
import { newestEvents, readEvent } from '../../service/house.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { createTestApiKey } from '../../support/tenant.ts';
import { errorsOf, fieldsOf, useDesk } from './desk.ts';

const CREATE = `mutation($input: CreateTicketInput!) { createTicket(input: $input) {
  idempotency ticket { id subject status updatedAt tags requester { id name } } } }`;
const UPDATE = `mutation($input: UpdateTicketInput!) { updateTicket(input: $input) {
  ticket { id subject status priority assignee { id } updatedAt tags customFields { fieldId value } }
  current { id subject status updatedAt } } }`;
const COMMENT = `mutation($input: AddCommentInput!) { addComment(input: $input) {
  comment { id body htmlBody public author { name } } ticket { id updatedAt } current { id updatedAt } } }`;

describeOnBothDatabases('a change of a ticket', (database) => {
  const desk = useDesk(database);
  const create = async (input: Readonly<Record<string, unknown>> = {}) => {
    const { ask, integrationId } = desk();
    const result = await ask(CREATE, {
      input: { integrationId, subject: 'Lamp', comment: { body: 'It is dark.', public: true }, ...input },
    });
    expect(errorsOf(result)).toEqual([]);
    return result.data.createTicket;
  };

  it('creates one ticket however often its idempotency key is sent', async () => {
    const idempotencyKey = `order-${database}-1`;
    const first = await create({ idempotencyKey, requester: { name: 'Ada', email: 'ada@example.test' } });
    const again = await create({ idempotencyKey, requester: { name: 'Ada', email: 'ada@example.test' } });
    const other = await create();
    expect([first.idempotency, again.idempotency]).toEqual(['CREATED', 'REPLAYED']);
    expect(other.idempotency).toMatch(/CREATED|NOT_REQUESTED/);
    expect(again.ticket.id).toBe(first.ticket.id);
    expect(other.ticket.id).not.toBe(first.ticket.id);
    expect(first.ticket.requester.name).toBe('Ada');
  });

  it('changes what is given, clears what is null, and leaves the rest', async () => {
    const { ask } = desk();
    const { ticket } = await create({ priority: 'HIGH', tags: ['a'], status: 'OPEN' });
    const result = await ask(UPDATE, {
      input: {
        ticketId: ticket.id,
        priority: null,
        subject: 'Lamp, again',
        customFields: [{ fieldId: String(AREA_FIELD_ID), value: 'cloud' }],
        comment: { htmlBody: '<p>Looking.</p>', public: false },
      },
    });
    expect(errorsOf(result)).toEqual([]);
    expect(result.data.updateTicket.ticket).toMatchObject({
      id: ticket.id,
      subject: 'Lamp, again',
      priority: null,
      status: 'OPEN',
      tags: ['a'],
    });
    expect(result.data.updateTicket.ticket.customFields).toContainEqual({
      fieldId: String(AREA_FIELD_ID),
      value: 'cloud',
    });
    expect(result.data.updateTicket.current).toMatchObject({ subject: 'Lamp, again', status: 'OPEN' });
  });

  it('adds a comment that says whether it is public, and answers it', async () => {
    const { ask } = desk();
    const { ticket } = await create();
    const result = await ask(COMMENT, {
      input: {
        ticketId: ticket.id,
        body: 'Try the other switch.',
        public: true,
        expectedUpdatedAt: ticket.updatedAt,
      },
    });
    expect(errorsOf(result)).toEqual([]);
    const { comment, current } = result.data.addComment;
    expect(comment).toMatchObject({ body: 'Try the other switch.', public: true });
    expect(comment.id).toContain(`${ticket.id.replace(':ticket:', ':comment:')}.`);
    expect(current.id).toBe(ticket.id);
  });

  it('that comes too late changes nothing, and shows the ticket as it is now', async () => {
    const { ask, watch, house } = desk();
    const { ticket } = await create();
    const stale = '2020-01-01T00:00:00Z';
    for (const [document, root, input] of [
      [UPDATE, 'updateTicket', { subject: 'Mine' }],
      [COMMENT, 'addComment', { body: 'Mine.', public: false }],
    ] as const) {
      const { result } = await watch(document, {
        input: { ticketId: ticket.id, expectedUpdatedAt: stale, ...input },
      });
      expect(errorsOf(result)).toEqual([`CONFLICT at ${root}.ticket`]);
      const { extensions } = result.errors[0];
      expect(extensions).toMatchObject({ mutation: 'NOT_SENT', intentId: expect.stringMatching(/^aud_/) });
      expect(result.data[root]).toMatchObject({
        ticket: null,
        current: { id: ticket.id, updatedAt: ticket.updatedAt },
      });
      const status = await ask('query($id: ID!) { operationStatus(intentId: $id) { state } }', {
        id: extensions.intentId,
      });
      expect(status.data.operationStatus.state).toBe('FAILED');
    }
    const { data } = await ask(
      `query($int: ID!, $id: ID!) { integration(id: $int) { ticket(id: $id) { subject comments { nodes { id } } } } }`,
      { id: ticket.id },
    );
    expect(data.integration.ticket).toMatchObject({ subject: 'Lamp', comments: { nodes: [{}] } });
    const events = await newestEvents(house.gateway, house.tenant.keys.auditor, 8);
    expect(events.some(({ action, outcome }) => action === 'zendesk.call' && outcome === 'FAILED')).toBe(
      true,
    );
  });

  it('that comes too late is told and recorded as refused, whatever is selected of it', async () => {
    const { ask, house } = desk();
    const { ticket } = await create();
    for (const [root, input] of [
      ['updateTicket', 'subject: "Mine"'],
      ['addComment', 'body: "Mine.", public: false'],
    ] as const) {
      for (const selection of [
        '__typename',
        'current { id }',
        '... @skip(if: true) { ticket { id } } __typename',
      ]) {
        const result = await ask(
          `mutation($id: ID!) { mine: ${root}(input: { ticketId: $id, expectedUpdatedAt: "2020-01-01T00:00:00Z", ${input} }) { ${selection} } }`,
          { id: ticket.id },
        );
        expect(errorsOf(result), selection).toEqual(['CONFLICT at mine']);
        expect(result.errors[0].extensions).toMatchObject({
          mutation: 'NOT_SENT',
          intentId: expect.stringMatching(/^aud_/),
        });
        expect(result.data.mine).toMatchObject(
          selection === 'current { id }'
            ? { current: { id: ticket.id } }
            : { __typename: expect.any(String) },
        );
        expect(
          await readEvent(house.gateway, house.tenant.keys.auditor, result.extensions.auditEventId),
        ).toMatchObject({ action: `mutation.${root}`, outcome: 'FAILED', denialReason: 'CONFLICT' });
      }
    }
  });

  it('is refused by field, in the words of the graph, before anything is sent', async () => {
    const { watch, integrationId, id, house } = desk();
    const foreign = `${house.other.integrationId}:user:6130907993352`;
    const { result, calls } = await watch(CREATE, {
      input: {
        integrationId,
        idempotencyKey: 'with space',
        subject: '   ',
        status: 'DELETED',
        priority: 'OTHER',
        type: 'QUESTION',
        dueAt: '2026-12-01T00:00:00Z',
        problemId: id('user', 7),
        assigneeId: foreign,
        groupId: 'x',
        requesterId: '7',
        requester: { email: 'nobody' },
        tags: ['two words'],
        customFields: [{ fieldId: '0', value: 1 }],
        comment: { body: 'a', htmlBody: 'b', public: true, authorId: '-1' },
      },
    });
    expect(calls).toEqual([]);
    expect(errorsOf(result)).toEqual(['VALIDATION_FAILED at createTicket']);
    const fields = fieldsOf(result);
    expect(Object.keys(fields).toSorted()).toEqual([
      'input.assigneeId',
      'input.comment.authorId',
      'input.customFields.0.fieldId',
      'input.groupId',
      'input.idempotencyKey',
      'input.priority',
      'input.problemId',
      'input.requester.email',
      'input.status',
      'input.subject',
      'input.tags.0',
    ]);
    expect(fields['input.assigneeId']).toBe('belongs to another integration');
    expect(fields['input.priority']).toContain('OTHER');
    expect(JSON.stringify(result)).not.toMatch(/nobody|two words/);
  });

  it.each([
    [
      'both bodies',
      { comment: { body: 'a', htmlBody: 'b', public: true } },
      'input.comment',
      'must have either body or htmlBody',
    ],
    ['no body', { comment: { public: true } }, 'input.comment', 'must have either body or htmlBody'],
    [
      'two requesters',
      { requesterId: '7', requester: { email: 'a@b.example' }, comment: { body: 'a', public: true } },
      'input.requesterId',
      'cannot be combined with requester',
    ],
    [
      'a due date on no task',
      { type: 'QUESTION', dueAt: '2026-12-01T00:00:00Z', comment: { body: 'a', public: true } },
      'input.dueAt',
      'is for the type TASK only',
    ],
  ])('with %s is refused', async (_what, input, path, message) => {
    const { watch, integrationId } = desk();
    const { result, calls } = await watch(CREATE, { input: { integrationId, ...input } });
    expect(calls).toEqual([]);
    expect(fieldsOf(result)).toEqual({ [path]: message });
  });

  it.each([
    ['nothing to change', {}, 'input'],
    ['a clearing of what cannot be cleared', { subject: null }, 'input.subject'],
    ['an id of another kind', { assigneeId: 'ticket' }, 'input.assigneeId'],
  ])('an update with %s is refused', async (_what, input, path) => {
    const { watch, id } = desk();
    const { result, calls } = await watch(UPDATE, { input: { ticketId: id('ticket', 4), ...input } });
    expect(calls).toEqual([]);
    expect(errorsOf(result)).toEqual(['VALIDATION_FAILED at updateTicket']);
    expect(Object.keys(fieldsOf(result))).toEqual([path]);
    expect(result.errors[0].extensions.mutation).toBe('NOT_SENT');
  });

  it('a comment is refused in its own words', async () => {
    const { watch, id } = desk();
    const both = await watch(COMMENT, {
      input: { ticketId: id('ticket', 4), body: 'a', htmlBody: 'b', public: true },
    });
    expect(fieldsOf(both.result)).toEqual({ input: 'must have either body or htmlBody' });
    const author = await watch(COMMENT, {
      input: { ticketId: id('ticket', 4), body: 'a', authorId: 'x', public: true },
    });
    expect(Object.keys(fieldsOf(author.result))).toEqual(['input.authorId']);
    const plain = await watch(COMMENT, { input: { ticketId: '4', body: 'a', public: true } });
    expect(Object.keys(fieldsOf(plain.result))).toEqual(['input.ticketId']);
    const silent = await watch(
      'mutation($id: ID!) { addComment(input: { ticketId: $id, body: "a" }) { ticket { id } } }',
      { id: id('ticket', 4) },
    );
    expect(errorsOf(silent.result)[0]).toContain('VALIDATION_FAILED');
    for (const { calls } of [both, author, plain, silent]) expect(calls).toEqual([]);
  });

  it('that Zendesk refuses names the field in the words of the graph', async () => {
    const { ask, id } = desk();
    const { ticket } = await create();
    const closed = await ask(UPDATE, { input: { ticketId: ticket.id, status: 'CLOSED' } });
    expect(errorsOf(closed)).toEqual([]);
    const result = await ask(UPDATE, { input: { ticketId: ticket.id, subject: 'Late' } });
    expect(errorsOf(result)).toEqual(['UPSTREAM_REJECTED at updateTicket']);
    expect(Object.keys(fieldsOf(result))).toEqual(['input.status']);
    const [{ message, extensions }] = result.errors;
    expect(message).toContain('extensions.upstream');
    expect(JSON.stringify(extensions.upstream.body)).toContain('closed');
    const missing = await ask(UPDATE, { input: { ticketId: id('ticket', 987_654), subject: 'Nobody' } });
    expect(errorsOf(missing)).toEqual(['NOT_FOUND at updateTicket']);
  });

  it('is not sent for a caller who may not see what its answer selects', async () => {
    const { watch, house, integrationId } = desk();
    const narrow = await createTestApiKey(house.gateway, house.tenant.keys.admin, {
      roles: ['AGENT'],
      clientKeyId: house.tenant.keyFile.key_id,
      allowedOperations: ['create_ticket'],
    });
    const input = {
      integrationId,
      requester: { email: CUSTOMER_EMAIL },
      comment: { body: 'x', public: true },
    };
    const denied = await watch(
      'mutation($input: CreateTicketInput!) { createTicket(input: $input) { ticket { id requester { email } } } }',
      { input },
      narrow,
    );
    expect(errorsOf(denied.result)).toEqual(['OPERATION_NOT_ALLOWED at createTicket']);
    expect(denied.calls).toEqual([]);
    const allowed = await watch(
      'mutation($input: CreateTicketInput!) { createTicket(input: $input) { ticket { id requester { id } } } }',
      { input },
      narrow,
    );
    expect(errorsOf(allowed.result)).toEqual([]);
    expect(allowed.calls.map(({ method }) => method)).toEqual(['POST']);
  });

  it('of another tenant’s ticket meets nothing, as that of an integration that is not there', async () => {
    const { watch, house } = desk();
    const errors: unknown[] = [];
    for (const integrationId of [house.other.integrationId, createId('integration')]) {
      const ticketId = `${integrationId}:ticket:4`;
      for (const [document, input] of [
        [CREATE, { integrationId, comment: { body: 'x', public: true } }],
        [UPDATE, { ticketId, subject: 'x' }],
        [COMMENT, { ticketId, body: 'x', public: true }],
      ] as const) {
        const { result, calls } = await watch(document, { input });
        expect(errorsOf(result)).toEqual([expect.stringMatching(/^NOT_FOUND at /)]);
        expect(calls).toEqual([]);
        errors.push(result.errors[0].message);
      }
    }
    expect(new Set(errors).size).toBe(1);
  });

  it('runs after the one before it, whose answer stays when it fails', async () => {
    const { ask, id } = desk();
    const { ticket } = await create();
    const result = await ask(
      `mutation($id: ID!, $none: ID!) {
        a: updateTicket(input: { ticketId: $id, subject: "One" }) { ticket { subject } }
        b: updateTicket(input: { ticketId: $none, subject: "Two" }) { ticket { subject } }
        c: updateTicket(input: { ticketId: $id, subject: "Three" }) { ticket { subject } current { subject } }
      }`,
      { id: ticket.id, none: id('ticket', 987_654) },
    );
    expect(result.data).toEqual({
      a: { ticket: { subject: 'One' } },
      b: null,
      c: { ticket: { subject: 'Three' }, current: { subject: 'Three' } },
    });
    expect(errorsOf(result)).toEqual(['NOT_FOUND at b']);
  });
});
