/** Rights are read from the document, once, before anything is fetched. */
import { beforeAll, expect, it } from 'vitest';
import { describeOnBothDatabases } from '../../support/store.ts';
import { createTestApiKey } from '../../support/tenant.ts';
import { errorsOf, useDesk } from './desk.ts';

describeOnBothDatabases('a document beyond the rights of its caller', (database) => {
  const desk = useDesk(database);
  const keys = new Map<string, string>();
  beforeAll(async () => {
    for (const allowed of [
      'list_tickets',
      'get_ticket',
      'search',
      'list_tickets get_ticket',
      'list_tickets list_users',
    ]) {
      const { gateway, tenant } = desk().house;
      keys.set(
        allowed,
        await createTestApiKey(gateway, tenant.keys.admin, {
          roles: ['AGENT'],
          clientKeyId: tenant.keyFile.key_id,
          allowedOperations: allowed.split(' '),
        }),
      );
    }
  });
  /** `$no` in a selection is a variable that is false; `person` a fragment that asks for an address. */
  const askAs = (allowed: string, selection: string) => {
    const declared = selection.includes('$no') ? '($int: ID!, $no: Boolean = false)' : '($int: ID!)';
    const fragments = selection.includes('...person')
      ? 'fragment person on User { id name ...more } fragment more on User { email }'
      : '';
    const document = `query${declared} { integration(id: $int) { ${selection} } } ${fragments}`;
    return desk().watch(document, {}, keys.get(allowed));
  };

  it.each([
    ['list_tickets', 'tickets { nodes { requester { name email } } }', 'list_users'],
    ['list_tickets', 'tickets { edges { node { assignee { ...person } } } }', 'list_users'],
    [
      'list_tickets',
      'tickets { nodes { ... on Node { id ... on Ticket { organization { tags } } } } }',
      'list_organizations',
    ],
    ['list_tickets', 'tickets { nodes { comments { nodes { id } } } }', 'get_ticket'],
    ['list_tickets', 'tickets { nodes { problem { id } } }', 'get_ticket'],
    ['list_tickets', 'tickets { nodes { via { fromAddress } } }', 'list_users'],
    [
      'list_tickets',
      'tickets { nodes { requester { organizations { nodes { id } } } } }',
      'list_organizations',
    ],
    ['list_tickets', 'tickets { nodes { organization { users { nodes { id } } } } }', 'list_users'],
    ['list_tickets', 'search(query: "x") { nodes { __typename } }', 'search'],
    ['list_tickets', 'user(id: "1") { id }', 'list_users'],
    ['list_tickets', 'organizations { totalCount }', 'list_organizations'],
    ['get_ticket', 'ticket(id: "4") { requester { requestedTickets { nodes { id } } } }', 'list_tickets'],
    ['get_ticket', 'ticket(id: "4") { incidents { nodes { id } } }', 'list_tickets'],
    ['search', 'search(query: "x") { nodes { ... on User { email } } }', 'list_users'],
    [
      'search',
      'search(query: "x", type: ORGANIZATION) { nodes { ... on Node { ... on Organization { notes } } } }',
      'list_organizations',
    ],
  ])('with %s asking for { %s } needs %s too', async (allowed, selection, needed) => {
    const { result, calls } = await askAs(allowed, selection);
    const field = /^\w+/.exec(selection)?.[0];
    expect(errorsOf(result)).toEqual([`OPERATION_NOT_ALLOWED at integration.${field}`]);
    expect(result.errors[0].message).toContain(needed);
    expect(result.data.integration[field ?? '']).toBeNull();
    expect(calls).toEqual([]);
  });

  it.each([
    [
      'list_tickets',
      'tickets { nodes { requester { id zendeskId name photo } organization { id name } collaborators { name } } }',
    ],
    ['list_tickets', 'tickets { nodes { requester { email @include(if: $no) name } } }'],
    ['list_tickets', 'tickets { nodes { requester { name } comments @skip(if: true) { nodes { id } } } }'],
    ['list_tickets', 'tickets { nodes { requester { name requestedTickets(first: 1) { nodes { id } } } } }'],
    [
      'search',
      'search(query: "Beacon", type: TICKET) { nodes { ... on User { email } ... on Ticket { subject } } }',
    ],
    [
      'search',
      'search(query: "Beacon") { nodes { ... on User { name } ... on Organization { name } ... on Ticket { requester { name } } } }',
    ],
    ['get_ticket', 'ticket(id: "4") { comments { nodes { author { name } ticket { id } } } }'],
  ])('with %s may ask for { %s }', async (allowed, selection) => {
    const { result } = await askAs(allowed, selection);
    expect(errorsOf(result)).toEqual([]);
  });

  it('leaves alone what is asked beside it', async () => {
    const { result, calls } = await askAs(
      'list_tickets',
      'name denied: tickets { nodes { requester { email } } } allowed: tickets(first: 2) { nodes { id } }',
    );
    expect(errorsOf(result)).toEqual(['OPERATION_NOT_ALLOWED at integration.denied']);
    expect(result.data.integration).toMatchObject({
      name: expect.any(String),
      denied: null,
      allowed: { nodes: [{}, {}] },
    });
    expect(calls).toHaveLength(1);
  });

  it('is refused whole where its answer could not leave', async () => {
    const { house, integrationId } = desk();
    const before = house.gateway.simulator.requests.total;
    const { json } = await house.gateway.graphql(
      'query($int: ID!) { integration(id: $int) { tickets { totalCount } } }',
      {
        apiKey: house.tenant.keys.agent,
        variables: { int: integrationId },
      },
    );
    expect(json.errors[0].extensions.code).toBe('SEALED_RESPONSE_REQUIRED');
    expect(json.data ?? null).toBeNull();
    expect(house.gateway.simulator.requests.total).toBe(before);
  });
});
