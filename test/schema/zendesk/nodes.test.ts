/** Objects of Zendesk by their global ids, alone and many at once. */
import { expect, it } from 'vitest';
import { createId } from '../../../src/base/index.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { createTestApiKey } from '../../support/tenant.ts';
import { errorsOf, useDesk } from './desk.ts';

const NODE = `query($id: ID!) { node(id: $id) { __typename id
  ... on Ticket { subject } ... on Comment { body } ... on User { name email } ... on Organization { name tags } } }`;
const NODES = 'query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Ticket { subject } } }';
const USER = 6_130_907_993_352;
const ORGANIZATION = 6_130_907_500_004;

describeOnBothDatabases('an object of Zendesk', (database) => {
  const desk = useDesk(database);

  it('of each type is found again by its id', async () => {
    const { ask, id, integrationId } = desk();
    const { data } = await ask(
      `query($int: ID!) { integration(id: $int) { ticket(id: "4") { id comments(first: 2) { nodes { id body } } } } }`,
    );
    const [, comment] = data.integration.ticket.comments.nodes;
    const ids = {
      Ticket: id('ticket', 4),
      Comment: comment.id,
      User: id('user', USER),
      Organization: id('organization', ORGANIZATION),
      Integration: integrationId,
    };
    for (const [typename, own] of Object.entries(ids)) {
      const result = await ask(NODE, { id: own });
      expect(errorsOf(result), typename).toEqual([]);
      expect(result.data.node).toMatchObject({ __typename: typename, id: own });
    }
    const all = await ask(NODES, { ids: Object.values(ids) });
    expect(all.data.nodes.map(({ __typename }: { __typename: string }) => __typename)).toEqual(
      Object.keys(ids),
    );
    expect((await ask(NODE, { id: comment.id })).data.node.body).toBe(comment.body);
  });

  it('by Zendesk’s number or the global id is the same', async () => {
    const { ask, id } = desk();
    const { data, ...rest } = await ask(
      `query($int: ID!, $ticket: ID!, $user: ID!, $organization: ID!) { integration(id: $int) {
        ticket(id: "4") { id } again: ticket(id: $ticket) { id }
        user(id: "${USER}") { id } person: user(id: $user) { id }
        organization(id: "${ORGANIZATION}") { id } customer: organization(id: $organization) { id } } }`,
      { ticket: id('ticket', 4), user: id('user', USER), organization: id('organization', ORGANIZATION) },
    );
    expect(errorsOf(rest)).toEqual([]);
    const { ticket, again, user, person, organization, customer } = data.integration;
    expect([again, person, customer]).toEqual([ticket, user, organization]);
  });

  it('that Zendesk does not show is null, without an error', async () => {
    const { ask, id, integrationId } = desk();
    for (const unknown of [
      id('ticket', 999_999),
      id('user', 1),
      id('organization', 1),
      `${integrationId}:comment:4.1`,
    ]) {
      const result = await ask(NODE, { id: unknown });
      expect(result).toMatchObject({ data: { node: null } });
      expect(errorsOf(result)).toEqual([]);
    }
    const { data, errors } = await ask(
      'query($int: ID!) { integration(id: $int) { ticket(id: "999999") { id } user(id: "1") { id } organization(id: "1") { id } } }',
    );
    expect(errors).toBeUndefined();
    expect(data.integration).toEqual({ ticket: null, user: null, organization: null });
  });

  it('among many loads with all others of its kind in one call', async () => {
    const { watch, id } = desk();
    const numbers = Array.from({ length: 100 }, (_, at) => at + 4);
    const { result, calls } = await watch(NODES, { ids: numbers.map((number) => id('ticket', number)) });
    expect(errorsOf(result)).toEqual([]);
    expect(result.data.nodes.filter((node: unknown) => node !== null).length).toBeGreaterThan(90);
    expect(calls.map(({ path }) => path)).toEqual(['/api/v2/tickets/show_many']);
  });

  it('beside more than 200 is refused by name, and nothing is asked', async () => {
    const { watch, id } = desk();
    const idsOf = (count: number) => Array.from({ length: count }, (_, at) => id('ticket', at + 4));
    const most = await watch(NODES, { ids: idsOf(200) });
    expect(errorsOf(most.result)).toEqual([]);
    expect(most.calls).toHaveLength(2);
    for (const count of [201, 3_990]) {
      const { result, calls } = await watch(NODES, { ids: idsOf(count) });
      expect(result.errors).toMatchObject([
        { extensions: { code: 'VALIDATION_FAILED', fields: [{ path: 'ids' }] } },
      ]);
      expect(calls).toEqual([]);
    }
  });

  it('costs a call for each started hundred, so that a document leads to at most 80', async () => {
    const { ask, id } = desk();
    const ids = Array.from({ length: 101 }, (_, at) => id('ticket', at + 4));
    const documentOf = (lists: number) => {
      const fields = Array.from({ length: lists }, (_, at) => `n${at}: nodes(ids: $ids) { id }`);
      return `query($ids: [ID!]!) { ${fields.join(' ')} }`;
    };
    expect(errorsOf(await ask(documentOf(20), { ids }))).toEqual([]);
    const refused = await ask(documentOf(40), { ids });
    expect(refused.errors).toMatchObject([{ extensions: { code: 'QUERY_TOO_COMPLEX' } }]);
  });

  it('that is missing, foreign or no object takes nothing from those asked for beside it', async () => {
    const { ask, id, house } = desk();
    const ids = [
      id('ticket', 4),
      id('ticket', 999_999),
      `${house.other.integrationId}:ticket:4`,
      `${createId('integration')}:ticket:4`,
      'nonsense',
      id('ticket', 5),
      house.tenant.credentialId,
    ];
    const result = await ask(NODES, { ids });
    const [first, missing, foreign, nobody, nonsense, second, credential] = result.data.nodes;
    expect([first.id, second.id]).toEqual([ids[0], ids[5]]);
    expect([missing, foreign, nobody, nonsense, credential]).toEqual([null, null, null, null, null]);
    expect(errorsOf(result).toSorted()).toEqual([
      'FORBIDDEN at nodes.6',
      'NOT_FOUND at nodes.2',
      'NOT_FOUND at nodes.3',
      'NOT_FOUND at nodes.4',
    ]);
    // What is foreign and what is not there are told apart by nobody.
    const [theirs, none] = result.errors.filter(
      ({ path }: { path: readonly unknown[] }) => path[1] === 2 || path[1] === 3,
    );
    expect(theirs.message).toBe(none.message);
  });

  it('of a kind that the caller may not list is refused alone', async () => {
    const { house, watch, id } = desk();
    const narrow = await createTestApiKey(house.gateway, house.tenant.keys.admin, {
      roles: ['AGENT'],
      clientKeyId: house.tenant.keyFile.key_id,
      allowedOperations: ['get_ticket'],
    });
    const { result, calls } = await watch(
      NODES,
      { ids: [id('ticket', 4), id('user', USER), id('organization', ORGANIZATION)] },
      narrow,
    );
    expect(result.data.nodes.map((node: { id: string } | null) => node?.id ?? null)).toEqual([
      id('ticket', 4),
      null,
      null,
    ]);
    expect(errorsOf(result).toSorted()).toEqual([
      'OPERATION_NOT_ALLOWED at nodes.1',
      'OPERATION_NOT_ALLOWED at nodes.2',
    ]);
    expect(calls.map(({ path }) => path)).toEqual(['/api/v2/tickets/show_many']);
  });
});
