/** Documents and arguments that ask too much or contradict themselves, and a Zendesk that fails in part. */
import { expect, it } from 'vitest';
import { QUERY_LIMITS } from '../../../schema/builder.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { errorsOf, fieldsOf, useDesk } from './desk.ts';

const inAccount = (selection: string) => `query($int: ID!) { integration(id: $int) { ${selection} } }`;
const PERSON = 'id name photo email role active suspended tags createdAt updatedAt';
/** Longer than any cursor. */
const LONG = 'x'.repeat(5_000);
const nest = (depth: number): string =>
  depth === 0 ? 'id' : `requester { requestedTickets(first: 1) { nodes { ${nest(depth - 1)} } } }`;

describeOnBothDatabases('a document to the graph of a Zendesk account', (database) => {
  const desk = useDesk(database);

  it.each<[string, string, string, number, string?]>([
    ['too deep', inAccount(`ticket(id: "4") { ${nest(5)} }`), 'depth', QUERY_LIMITS.depth],
    [
      'too wide',
      inAccount(
        Array.from(
          { length: QUERY_LIMITS.breadth / 2 + 1 },
          (_, at) => `t${at}: ticket(id: "4") { id }`,
        ).join(' '),
      ),
      'breadth',
      QUERY_LIMITS.breadth,
    ],
    [
      'of the comments of a hundred tickets',
      inAccount('tickets(first: 100) { nodes { comments(first: 1) { nodes { id } } } }'),
      'complexity',
      QUERY_LIMITS.complexity,
      'integration.tickets.nodes.comments, with 25200.',
    ],
    [
      'of a hundred tickets with comments by a fragment, beside what is cheap',
      `query($int: ID!) { integration(id: $int) { name all: tickets(first: 100) { ...page } ticket(id: "4") { id } } }
        fragment page on TicketConnection { totalCount nodes { id said: comments(first: 1) { nodes { id } } } }`,
      'complexity',
      QUERY_LIMITS.complexity,
      'integration.all.nodes.said, with 25200.',
    ],
    [
      'of the tickets of a hundred people',
      inAccount('users(first: 100) { nodes { requestedTickets(first: 1) { nodes { id } } } }'),
      'complexity',
      QUERY_LIMITS.complexity,
    ],
    [
      'of the people of a hundred organizations',
      inAccount('organizations(first: 100) { edges { node { users(first: 1) { totalCount } } } }'),
      'complexity',
      QUERY_LIMITS.complexity,
    ],
    [
      'of the incidents of a hundred problems',
      inAccount('tickets(first: 100) { nodes { incidents(first: 1) { totalCount } } }'),
      'complexity',
      QUERY_LIMITS.complexity,
    ],
  ])('%s is refused, naming what it has and what it may', async (_what, document, subject, limit, part = '') => {
    const { result, calls } = await desk().watch(document);
    expect(calls).toEqual([]);
    expect(errorsOf(result)[0]).toMatch(/^QUERY_TOO_COMPLEX/);
    const [{ message, extensions }] = result.errors;
    expect(extensions.subject).toBe(subject);
    const [measured = 0, named] = (message.match(/\d+/g) ?? []).map(Number);
    expect(named).toBe(limit);
    expect(measured).toBeGreaterThan(limit);
    expect(message).toContain(part);
    const { cost } = result.extensions;
    expect(cost.limit).toBe(QUERY_LIMITS.complexity);
    if (subject === 'complexity') expect(cost.used).toBe(measured);
  });

  it('that names more than a hundred custom fields is refused by their argument', async () => {
    const document = `query($int: ID!, $ids: [ID!]) { integration(id: $int) { ticket(id: "4") { customFields(ids: $ids) { fieldId } } } }`;
    const ids = Array.from({ length: 101 }, (_, at) => String(at + 1));
    expect(fieldsOf(await desk().ask(document, { ids }))).toEqual({ ids: 'must name at most 100 fields' });
    expect((await desk().ask(document, { ids: ids.slice(1) })).errors).toBeUndefined();
  });

  it('of a hundred comments by their ids is refused, of a hundred other objects is not', async () => {
    const { watch, id, integrationId } = desk();
    const NODES =
      'query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Ticket { subject status priority type tags createdAt } } }';
    const ids = Array.from({ length: 100 }, (_, at) => at + 4);
    const comments = await watch(NODES, { ids: ids.map((at) => `${integrationId}:comment:${at}.1`) });
    expect(errorsOf(comments.result)).toEqual(['QUERY_TOO_COMPLEX at nodes']);
    expect(comments.calls).toEqual([]);
    expect(errorsOf((await watch(NODES, { ids: ids.map((at) => id('ticket', at)) })).result)).toEqual([]);
  });

  it.each([
    [
      'the screen of an agent',
      `tickets(first: 100) { pageInfo { hasNextPage endCursor } nodes { id zendeskId subject status priority type tags createdAt updatedAt groupId
      requester { ${PERSON} } submitter { ${PERSON} } assignee { ${PERSON} } collaborators { ${PERSON} }
      organization { id name externalId domainNames details notes tags groupId createdAt updatedAt } } }`,
    ],
    [
      'ten conversations',
      'tickets(first: 10) { nodes { id subject comments(first: 20) { nodes { id body public createdAt author { id name photo } attachments { fileName size } } } } }',
    ],
  ])('of %s fits', async (_what, selection) => {
    const { result, calls } = await desk().watch(inAccount(selection));
    expect(errorsOf(result)).toEqual([]);
    expect(calls.length).toBeLessThanOrEqual(11);
  });

  it.each([
    ['tickets(first: 0) { totalCount }', { first: 'must be at least 1' }],
    ['tickets(first: -1) { totalCount }', { first: 'must be at least 1' }],
    [
      'tickets(first: 101) { totalCount }',
      { first: 'must be at most 100; ask for the next page with after' },
    ],
    ['users(first: 101) { totalCount }', { first: expect.any(String) }],
    ['organizations(first: 1000) { totalCount }', { first: expect.any(String) }],
    ['search(query: "x", first: 101) { totalCount }', { first: expect.any(String) }],
    ['tickets(after: "") { totalCount }', { after: expect.any(String) }],
    ['tickets(after: "nonsense") { totalCount }', { after: expect.any(String) }],
    ['tickets(after: "$long") { totalCount }', { after: expect.any(String) }],
    ['search(query: "x", after: "bm9uc2Vuc2U") { totalCount }', { after: expect.any(String) }],
    ['search(query: "  ") { totalCount }', { query: expect.any(String) }],
    ['search(query: "type:user x", type: TICKET) { totalCount }', { type: expect.stringContaining('type:') }],
    ['ticket(id: "x") { id }', { id: expect.stringContaining('ticket') }],
    ['ticket(id: "0") { id }', { id: expect.any(String) }],
    ['user(id: "1.5") { id }', { id: expect.any(String) }],
    ['organization(id: "-4") { id }', { id: expect.any(String) }],
    [
      `tickets(filter: { createdFrom: "2026-02-01T00:00:00Z", createdTo: "2026-01-01T00:00:00Z",
         updatedFrom: "2026-02-01T00:00:00Z", updatedTo: "2026-01-01T00:00:00Z" }) { totalCount }`,
      {
        'filter.createdTo': 'must not be before createdFrom',
        'filter.updatedTo': expect.stringContaining('must not be before'),
      },
    ],
    ['tickets(filter: { status: [] }) { totalCount }', { 'filter.status': expect.any(String) }],
    [
      'tickets(filter: { status: [OPEN, OTHER] }) { totalCount }',
      { 'filter.status.1': expect.stringContaining('OTHER') },
    ],
    [
      'tickets(filter: { priority: [OTHER] }) { totalCount }',
      { 'filter.priority.0': expect.stringContaining('OTHER') },
    ],
    [
      'tickets(filter: { tags: ["a b", "c"], externalId: " " }) { totalCount }',
      { 'filter.tags.0': expect.any(String), 'filter.externalId': expect.any(String) },
    ],
    [
      'tickets(filter: { externalId: "a\\" status:closed \\"" }) { totalCount }',
      { 'filter.externalId': expect.any(String) },
    ],
    [
      'tickets(filter: { assigneeId: "me", groupId: "7x" }) { totalCount }',
      { 'filter.assigneeId': expect.any(String), 'filter.groupId': expect.any(String) },
    ],
    [
      'users(filter: { query: "ada", role: [AGENT], externalId: "7" }) { totalCount }',
      {
        'filter.role': expect.stringContaining('query'),
        'filter.externalId': expect.stringContaining('query'),
      },
    ],
    [
      'users(filter: { role: [OTHER] }) { totalCount }',
      { 'filter.role.0': expect.stringContaining('OTHER') },
    ],
  ])('with %s is refused by field, and Zendesk is not asked', async (selection, fields) => {
    const { result, calls } = await desk().watch(inAccount(selection.replace('$long', LONG)));
    expect(calls).toEqual([]);
    expect(errorsOf(result)).toEqual([`VALIDATION_FAILED at integration.${/^\w+/.exec(selection)?.[0]}`]);
    expect(fieldsOf(result)).toEqual(fields);
  });

  it('with arguments of a nested list out of bounds fails there only', async () => {
    const { result } = await desk().watch(
      inAccount(
        'ticket(id: "4") { subject comments(first: 0) { totalCount } requester { name assignedTickets(after: "x") { totalCount } } }',
      ),
    );
    expect(errorsOf(result).toSorted()).toEqual([
      'VALIDATION_FAILED at integration.ticket.comments',
      'VALIDATION_FAILED at integration.ticket.requester.assignedTickets',
    ]);
    expect(result.data.integration.ticket).toMatchObject({ subject: expect.any(String), comments: null });
  });

  it('with the cursor of another list, or of another integration’s object, is refused', async () => {
    const { ask, watch, house } = desk();
    const { data } = await ask(inAccount('tickets(first: 1) { pageInfo { endCursor } }'));
    const cursor = data.integration.tickets.pageInfo.endCursor;
    for (const selection of [
      `users(after: "${cursor}") { totalCount }`,
      `tickets(after: "${cursor}", filter: { status: [OPEN] }) { totalCount }`,
      `tickets(after: "${cursor.slice(0, -2)}") { totalCount }`,
      `ticket(id: "${house.other.integrationId}:ticket:4") { id }`,
      `tickets(filter: { requesterId: "${house.other.integrationId}:user:4" }) { totalCount }`,
    ]) {
      const { result, calls } = await watch(inAccount(selection));
      expect(errorsOf(result)[0], selection).toMatch(/^VALIDATION_FAILED/);
      expect(calls).toEqual([]);
    }
  });

  it('of another tenant’s integration meets nothing', async () => {
    const { watch, house } = desk();
    const { result, calls } = await watch(
      'query($id: ID!) { integration(id: $id) { tickets { totalCount } } }',
      {
        id: house.other.integrationId,
      },
    );
    expect(errorsOf(result)).toEqual(['NOT_FOUND at integration']);
    expect(calls).toEqual([]);
  });

  it('gets what Zendesk answered when one of three calls fails, and an error where the rest belongs', async () => {
    const { watch, house } = desk();
    const { faults } = house.gateway.simulator;
    const fault = faults.add({
      path: '/api/v2/organizations/show_many',
      effect: { kind: 'status', status: 500 },
    });
    const { result } = await watch(
      inAccount('tickets(first: 5) { nodes { id requester { email } organization { name tags } } }'),
    );
    faults.remove(fault);
    const { nodes } = result.data.integration.tickets;
    expect(nodes).toHaveLength(5);
    for (const { requester, organization } of nodes) {
      expect(requester.email).toContain('@');
      expect(organization).toBeNull();
    }
    expect(errorsOf(result).length).toBeGreaterThan(0);
    for (const error of errorsOf(result)) {
      expect(error).toMatch(/^UPSTREAM_UNAVAILABLE at integration\.tickets\.nodes\.\d\.organization$/);
    }
  });

  it('gets the other conversations when one cannot be had', async () => {
    const { watch, house } = desk();
    const { faults } = house.gateway.simulator;
    const fault = faults.add({ path: '/api/v2/tickets/5/comments', effect: { kind: 'status', status: 500 } });
    const { result } = await watch(
      inAccount(
        'a: ticket(id: "4") { comments { nodes { id } } } b: ticket(id: "5") { id comments { nodes { id } } }',
      ),
    );
    faults.remove(fault);
    expect(errorsOf(result)).toEqual(['UPSTREAM_UNAVAILABLE at integration.b.comments']);
    expect(result.data.integration.a.comments.nodes.length).toBeGreaterThan(0);
    expect(result.data.integration.b).toMatchObject({ id: expect.any(String), comments: null });
  });
});
