/** What an agent's screen shows, page by page, and what it costs Zendesk. */
import { expect, it } from 'vitest';
import { CUSTOMER_EMAIL, FIRST_GROUP_ID, ORDER_FIELD_ID } from '../../../simulator/index.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { errorsOf, type Result, useDesk } from './desk.ts';

const TICKET_FIELDS = `id zendeskId externalId subject description status customStatusId priority type
  via { channel } groupId brandId ticketFormId hasIncidents isPublic tags
  customFields { fieldId value } satisfaction { score comment reason } dueAt createdAt updatedAt`;
const PERSON = 'id zendeskId name photo email role active suspended tags createdAt';
const PEOPLE = ['requester', 'submitter', 'assignee', 'collaborators', 'followers', 'emailCcs'];
const SCREEN = `${TICKET_FIELDS}
  ${PEOPLE.map((who) => `${who} { ${PERSON} }`).join(' ')}
  organization { id zendeskId name externalId domainNames details notes tags sharedTickets sharedComments }`;

interface TicketPage {
  readonly nodes: readonly { readonly id: string; readonly status: string; readonly type: string }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly endCursor: string;
    readonly truncated: boolean;
  };
  readonly totalCount: number;
}

describeOnBothDatabases('the screen of an agent', (database) => {
  const desk = useDesk(database);

  it('shows a ticket with all its fields, its people, its problem and its conversation', async () => {
    const { ask, integrationId, id } = desk();
    const created = await ask(
      `mutation($int: ID!) {
        problem: createTicket(input: { integrationId: $int, subject: "Hub offline", type: PROBLEM,
          comment: { body: "All hubs are offline.", public: false } }) { ticket { id zendeskId } }
      }`,
    );
    const problem = created.data.problem.ticket;
    const made = await ask(
      `mutation($input: CreateTicketInput!) { createTicket(input: $input) { idempotency ticket { id zendeskId updatedAt } } }`,
      {
        input: {
          integrationId,
          subject: 'My hub is offline',
          requester: { email: CUSTOMER_EMAIL },
          status: 'OPEN',
          priority: 'HIGH',
          type: 'INCIDENT',
          problemId: problem.id,
          groupId: String(FIRST_GROUP_ID),
          externalId: 'shop-7',
          tags: ['hub', 'vip'],
          customFields: [{ fieldId: String(ORDER_FIELD_ID), value: 'LO-1' }],
          comment: { body: 'It blinks red.', public: true },
        },
      },
    );
    expect(errorsOf(made)).toEqual([]);
    const ticketId = made.data.createTicket.ticket.id;
    await ask(
      `mutation($id: ID!) { addComment(input: { ticketId: $id, body: "Known problem.", public: false }) { ticket { id } } }`,
      { id: ticketId },
    );
    const { data, ...rest } = await ask(
      `query($int: ID!, $id: ID!) { integration(id: $int) { ticket(id: $id) { ${SCREEN}
        one: customFields(ids: ["${ORDER_FIELD_ID}"]) { value }
        problem { id subject hasIncidents incidents { nodes { id } } }
        comments { pageInfo { hasNextPage } nodes {
          id zendeskId public body plainBody htmlBody createdAt via { channel }
          author { id name role } ticket { id } attachments { fileName size } } }
        newest: comments(first: 1, order: NEWEST_FIRST) { pageInfo { hasNextPage endCursor } nodes { body public } }
      } } }`,
      { id: ticketId },
    );
    expect(errorsOf(rest)).toEqual([]);
    const { ticket } = data.integration;
    expect(ticket).toMatchObject({
      id: ticketId,
      subject: 'My hub is offline',
      description: 'It blinks red.',
      status: 'OPEN',
      priority: 'HIGH',
      type: 'INCIDENT',
      externalId: 'shop-7',
      tags: ['hub', 'vip'],
      groupId: String(FIRST_GROUP_ID),
      isPublic: true,
      via: { channel: 'api' },
      one: [{ value: 'LO-1' }],
      requester: { email: CUSTOMER_EMAIL, role: 'END_USER', suspended: false },
      submitter: { role: 'ADMIN' },
      collaborators: [],
      problem: {
        id: problem.id,
        subject: 'Hub offline',
        hasIncidents: true,
        incidents: { nodes: [{ id: ticketId }] },
      },
      newest: { pageInfo: { hasNextPage: true }, nodes: [{ body: 'Known problem.', public: false }] },
    });
    expect(ticket.id).toBe(id('ticket', ticket.zendeskId));
    expect(ticket.requester.id).toBe(id('user', ticket.requester.zendeskId));
    expect(ticket.customFields).toContainEqual({ fieldId: String(ORDER_FIELD_ID), value: 'LO-1' });
    expect(new Date(ticket.updatedAt).getTime()).toBeGreaterThan(Date.now() - 600_000);
    expect(ticket.comments.nodes).toMatchObject([
      {
        public: true,
        body: 'It blinks red.',
        author: { role: 'END_USER' },
        ticket: { id: ticketId },
        attachments: [],
      },
      { public: false, body: 'Known problem.', author: { role: 'ADMIN' } },
    ]);
    for (const comment of ticket.comments.nodes) {
      expect(comment.id).toBe(`${integrationId}:comment:${ticket.zendeskId}.${comment.zendeskId}`);
    }
    const older = await ask(
      `query($int: ID!, $id: ID!, $after: String!) { integration(id: $int) { ticket(id: $id) {
        comments(first: 1, order: NEWEST_FIRST, after: $after) { pageInfo { hasNextPage hasPreviousPage } nodes { body } } } } }`,
      { id: ticketId, after: ticket.newest.pageInfo.endCursor },
    );
    expect(older.data.integration.ticket.comments).toEqual({
      pageInfo: { hasNextPage: false, hasPreviousPage: true },
      nodes: [{ body: 'It blinks red.' }],
    });
  });

  it('of a hundred tickets with all their people and organizations costs three calls', async () => {
    const { result, calls } = await desk().watch(
      `query($int: ID!) { integration(id: $int) { tickets(first: 100) { nodes { ${SCREEN} } } } }`,
    );
    expect(errorsOf(result)).toEqual([]);
    expect(result.data.integration.tickets.nodes).toHaveLength(100);
    expect(calls.map(({ endpoint }) => endpoint)).toEqual([
      'GET /api/v2/tickets',
      expect.stringContaining('show_many'),
      expect.stringContaining('show_many'),
    ]);
  });

  it('costs one call where names will do, or ids alone', async () => {
    const { watch } = desk();
    const list = (fields: string) =>
      `query($int: ID!) { integration(id: $int) { tickets(first: 100) { edges { node { ${fields} } } } } }`;
    const named = await watch(list('requester { id name photo } assignee { name } organization { id name }'));
    expect(errorsOf(named.result)).toEqual([]);
    expect(named.calls.map(({ path, query }) => `${path} ${query.includes('include=')}`)).toEqual([
      '/api/v2/tickets true',
    ]);
    const [{ node }] = named.result.data.integration.tickets.edges;
    expect(node.requester.name).toMatch(/\w/);
    const bare = await watch(list('requester { id } assignee { zendeskId } organization { __typename id }'));
    expect(bare.calls.map(({ path, query }) => `${path} ${query.includes('include=')}`)).toEqual([
      '/api/v2/tickets false',
    ]);
    expect(bare.result.data.integration.tickets.edges[0].node.requester).toEqual({ id: node.requester.id });
  });

  it('side-loads the people while it loads their organizations in full', async () => {
    const { result, calls } = await desk().watch(
      `query($int: ID!) { integration(id: $int) { tickets { nodes { requester { name } organization { name domainNames } } } } }`,
    );
    expect(errorsOf(result)).toEqual([]);
    expect(calls.map(({ path }) => path)).toEqual(['/api/v2/tickets', '/api/v2/organizations/show_many']);
    expect(result.data.integration.tickets.nodes.every(({ requester }: never) => requester !== null)).toBe(
      true,
    );
  });

  it('pages a filtered list to its end, meeting each ticket once', async () => {
    const { ask } = desk();
    const seen: string[] = [];
    let after: string | null = null;
    let total = 0;
    do {
      const result: Result = await ask(
        `query($int: ID!, $after: String) { integration(id: $int) {
          tickets(first: 7, after: $after, filter: { status: [OPEN, PENDING], type: [QUESTION, INCIDENT] },
            sort: { by: CREATED_AT, direction: ASC }) {
            totalCount pageInfo { hasNextPage endCursor truncated } nodes { id status type } } } }`,
        { after },
      );
      const { nodes, pageInfo, totalCount }: TicketPage = result.data.integration.tickets;
      seen.push(...nodes.map((node) => node.id));
      for (const { status, type } of nodes) {
        expect(['OPEN', 'PENDING']).toContain(status);
        expect(['QUESTION', 'INCIDENT']).toContain(type);
      }
      expect(pageInfo.truncated).toBe(false);
      total = totalCount;
      after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    } while (after !== null);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toHaveLength(total);
    expect(total).toBeGreaterThan(7);
  });

  it('leads from a person to tickets and organizations, and from an organization to its people', async () => {
    const { ask } = desk();
    const { data, ...rest } = await ask(
      `query($int: ID!) { integration(id: $int) {
        users(first: 3, filter: { query: "email:${CUSTOMER_EMAIL}" }) { totalCount nodes {
          ${PERSON} phone customRoleId externalId defaultGroupId verified twoFactorEnabled locale timeZone details notes
          lastLoginAt updatedAt organization { id name } organizations { nodes { id } }
          requestedTickets(first: 2) { nodes { id requester { email } } } assignedTickets { nodes { id } } } }
        agents: users(filter: { role: [AGENT] }) { nodes { role assignedTickets(first: 1) { nodes { assignee { id } } } id } }
        organizations(first: 2) { pageInfo { hasNextPage } nodes { id name groupId createdAt updatedAt
          users(first: 1) { nodes { organization { id } } } tickets(first: 1) { nodes { organization { id } } } } }
      } }`,
    );
    expect(errorsOf(rest)).toEqual([]);
    const { users, agents, organizations } = data.integration;
    const [person] = users.nodes;
    expect(person).toMatchObject({ email: CUSTOMER_EMAIL, role: 'END_USER' });
    if (person.organization !== null) {
      expect(person.organizations.nodes).toEqual([{ id: person.organization.id }]);
    }
    expect(agents.nodes.length).toBeGreaterThan(3);
    for (const agent of agents.nodes) {
      expect(agent.role).toBe('AGENT');
      for (const ticket of agent.assignedTickets.nodes) expect(ticket.assignee.id).toBe(agent.id);
    }
    expect(organizations.nodes).toHaveLength(2);
    for (const { id, users: people, tickets } of organizations.nodes) {
      for (const { organization } of [...people.nodes, ...tickets.nodes]) expect(organization.id).toBe(id);
    }
  });

  it('finds tickets, people and organizations by Zendesk’s search', async () => {
    const { ask } = desk();
    const hit = `__typename ... on Ticket { subject status } ... on User { name email } ... on Organization { name domainNames }`;
    const { data, ...rest } = await ask(
      `query($int: ID!) { integration(id: $int) {
        tickets: search(query: "status:open", type: TICKET, first: 3, sort: { by: UPDATED_AT }) { totalCount pageInfo { truncated } nodes { ${hit} } }
        people: search(query: "role:admin", type: USER) { nodes { ${hit} } }
        organizations: search(query: "Logistics", type: ORGANIZATION) { nodes { ${hit} } }
        quoted: search(query: "\\"type:user\\" status:open", type: TICKET) { totalCount }
        all: search(query: "Beacon") { edges { cursor node { ${hit} } } }
      } }`,
    );
    expect(errorsOf(rest)).toEqual([]);
    const { tickets, people, organizations, all } = data.integration;
    expect(tickets.nodes).toHaveLength(3);
    expect(tickets.totalCount).toBeGreaterThan(3);
    for (const { __typename, status } of tickets.nodes)
      expect([__typename, status]).toEqual(['Ticket', 'OPEN']);
    expect(people.nodes.length).toBeGreaterThan(0);
    for (const { __typename, email } of people.nodes)
      expect([__typename, email]).toEqual(['User', expect.stringContaining('@')]);
    for (const { __typename } of organizations.nodes) expect(__typename).toBe('Organization');
    expect(organizations.nodes.length).toBeGreaterThan(0);
    expect(all.edges.length).toBeGreaterThan(0);
  });
});
