/** Every query of docs/graph.md, as it stands there, against the simulator. */
import { readFile } from 'node:fs/promises';
import { Kind, parse } from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import { QUERY_LIMITS } from '../../../schema/builder.ts';
import { CALL_COST } from '../../../schema/zendesk/costs.ts';
import { CUSTOMER_EMAIL } from '../../../simulator/index.ts';
import { errorsOf, type Result, useDesk } from './desk.ts';

const TEXT = await readFile(new URL('../../../docs/graph.md', import.meta.url), 'utf8');
const DOCUMENTS = [...TEXT.matchAll(/^```graphql\n(.*?)^```$/gms)].map(([, document = '']) => document);

function operationOf(document: string) {
  const [definition] = parse(document).definitions;
  if (definition?.kind !== Kind.OPERATION_DEFINITION) throw new Error('Each block holds one operation');
  return definition;
}

/** The id of an object of Zendesk: an answer without one says nothing. */
const OBJECT_ID = /"int_\w+:(?:ticket|user|organization|comment):[\d.]+"/;

describe('docs/graph.md', () => {
  const desk = useDesk('pglite');
  const variables: Record<string, unknown> = {};
  beforeAll(async () => {
    const { ask, integrationId } = desk();
    const open = async (input: Readonly<Record<string, unknown>>) => {
      const { data } = await ask(
        `mutation($input: CreateTicketInput!) { createTicket(input: $input) {
          ticket { id updatedAt requester { id } submitter { id } } } }`,
        { input: { integrationId, requester: { email: CUSTOMER_EMAIL }, ...input } },
      );
      return data.createTicket.ticket;
    };
    const comment = { body: 'Refund for LO-1 is lost.', public: true };
    const problem = await open({ subject: 'A lost refund', type: 'PROBLEM', comment });
    await open({ subject: 'Mine too', type: 'INCIDENT', priority: 'URGENT', problemId: problem.id, comment });
    await ask(
      'mutation($id: ID!) { addComment(input: { ticketId: $id, body: "Looking.", public: false }) { ticket { id } } }',
      { id: problem.id },
    );
    const { data } = await ask(
      `query($int: ID!, $id: ID!) { integration(id: $int) {
        tickets(first: 100, filter: { status: [OPEN, PENDING] }) { nodes { assignee { id } organization { id } } }
        ticket(id: $id) { updatedAt comments(first: 1, order: NEWEST_FIRST) { pageInfo { endCursor } } } } }`,
      { id: problem.id },
    );
    const { tickets, ticket } = data.integration;
    const assigned = tickets.nodes.find(
      ({ assignee, organization }: Result) => assignee !== null && organization !== null,
    );
    Object.assign(variables, {
      integration: integrationId,
      agent: assigned.assignee.id,
      organization: assigned.organization.id,
      person: problem.requester.id,
      ticket: problem.id,
      tickets: [problem.id],
      after: ticket.comments.pageInfo.endCursor,
      since: '2020-01-01T00:00:00Z',
      words: 'refund',
      key: 'docs-1',
      email: CUSTOMER_EMAIL,
      seen: ticket.updatedAt,
      text: 'Called back.',
    });
  });

  it('asks ten questions', () => {
    expect([...TEXT.matchAll(/^### (\d+)\. /gm)].map(([, number]) => Number(number))).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
    expect(DOCUMENTS.length).toBeGreaterThanOrEqual(10);
  });

  it.each(
    DOCUMENTS.map((document) => [operationOf(document).name?.value ?? '', document] as const),
  )('has an answer to %s', async (_name, document) => {
    const names = (operationOf(document).variableDefinitions ?? []).map(
      ({ variable }) => variable.name.value,
    );
    for (const name of names) expect(Object.keys(variables)).toContain(name);
    const result = await desk().ask(
      document,
      Object.fromEntries(names.map((name) => [name, variables[name]])),
    );
    expect(errorsOf(result)).toEqual([]);
    expect(JSON.stringify(result.data)).toMatch(OBJECT_ID);
  });

  it('names the limits as they are', () => {
    const { complexity, breadth, depth } = QUERY_LIMITS;
    expect(TEXT).toContain(
      `a Zendesk call of its own ${CALL_COST} more. The limit is ${complexity.toLocaleString('en').replace(',', ' ')},`,
    );
    expect(TEXT).toContain(`At most ${breadth} fields may be selected, ${depth} levels deep.`);
  });
});
