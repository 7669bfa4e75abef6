/** Operations whose result cannot leave, or has nobody to go to: they are recorded, and what became of a change is told. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRig, type Rig } from '../proxy/rig.ts';
import { type SealedGraphqlOptions, sealedGraphql } from '../support/sealed-graphql.ts';

/** One text that an answer of Zendesk holds once, and a result as often as the document asks for it. */
const LONG = 'x'.repeat(60_000);
const OPEN_TICKET = 290;

describe('a result that cannot be answered', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig({ transport: { headersTimeout: 20_000 } });
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  const ask = (query: string, options: SealedGraphqlOptions = {}) =>
    sealedGraphql(rig.gateway, rig.tenant, query, options);
  const answerOnce = (path: string, body: unknown) =>
    rig.gateway.simulator.faults.add({
      path,
      count: 1,
      effect: { kind: 'status', status: 200, contentType: 'application/json', body: JSON.stringify(body) },
    });
  const longTickets = () =>
    answerOnce('/api/v2/users/*/tickets/requested', {
      tickets: Array.from({ length: 100 }, (_, at) => ({ id: at + 1, subject: 's', description: LONG })),
      meta: { has_more: false, after_cursor: null },
    });
  const aliases = (count: number) =>
    Array.from({ length: count }, (_, at) => `d${at}: description`).join(' ');
  const requested = (fields: string) => `requester { requestedTickets(first: 100) { nodes { ${fields} } } }`;
  const ticketId = () => `${rig.tenant.integrationId}:ticket:${OPEN_TICKET}`;

  it('is recorded with what was done also where aliases would make it longer than any string', async () => {
    const before = (await rig.events()).length;
    longTickets();
    const answer = await ask(
      `mutation ($id: ID!) { updateTicket(input: { ticketId: $id, subject: "Made" }) {
        ticket { ${requested(aliases(170))} } } }`,
      { variables: { id: ticketId() } },
    );
    expect([answer.status, answer.header?.purpose]).toEqual([413, 'graphql.result']);
    expect(rig.gateway.simulator.tickets.get(OPEN_TICKET)?.subject).toBe('Made');
    const [intent, ...events] = (await rig.events()).slice(before);
    expect(answer.result.errors[0].extensions).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      mutation: 'APPLIED',
    });
    const own = events.at(-1);
    expect(own).toMatchObject({
      id: answer.json.audit_event_id,
      action: 'mutation.updateTicket',
      outcome: 'FAILED',
      denialReason: 'PAYLOAD_TOO_LARGE',
    });
    const outcome = events.find(({ phase }) => phase === 'OUTCOME');
    expect(outcome).toMatchObject({ intentId: intent?.id, outcome: 'APPLIED', parentId: own?.id });
    expect(events.filter(({ action }) => action === 'zendesk.call').length).toBeGreaterThan(1);
  });

  it('tells NOT_SENT of a change that was refused, however large what stood in its way', async () => {
    answerOnce('/api/v2/tickets/show_many', {
      tickets: [{ id: OPEN_TICKET, description: 'x'.repeat(9 << 20) }],
    });
    const subject = rig.gateway.simulator.tickets.get(OPEN_TICKET)?.subject;
    const answer = await ask(
      `mutation ($id: ID!) { updateTicket(input: {
        ticketId: $id, subject: "Lost", expectedUpdatedAt: "2001-01-01T00:00:00Z"
      }) { current { description } } }`,
      { variables: { id: ticketId() } },
    );
    expect(answer.result.errors[0].extensions).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      mutation: 'NOT_SENT',
      intentId: expect.stringMatching(/^aud_/),
    });
    expect(rig.gateway.simulator.tickets.get(OPEN_TICKET)?.subject).toBe(subject);
  });

  it('tells APPLIED where one change was made after another that was not', async () => {
    longTickets();
    const answer = await ask(
      `mutation ($id: ID!) {
        a: addComment(input: { ticketId: $id, body: "", public: false }) { ticket { id } }
        b: updateTicket(input: { ticketId: $id, subject: "Made too" }) { ticket { ${requested(aliases(2))} } }
      }`,
      { variables: { id: ticketId() } },
    );
    expect(rig.gateway.simulator.tickets.get(OPEN_TICKET)?.subject).toBe('Made too');
    const { code, mutation, intentId } = answer.result.errors[0].extensions;
    expect([code, mutation]).toEqual(['PAYLOAD_TOO_LARGE', 'APPLIED']);
    const outcome = (await rig.events()).find(
      (event) => event.phase === 'OUTCOME' && event.intentId === intentId,
    );
    expect(outcome).toMatchObject({ outcome: 'APPLIED' });
  });

  it('does not come of one answer of Zendesk that many errors quote: it is told once, the rest is answered', async () => {
    rig.gateway.simulator.faults.add({
      path: '/api/v2/users/show_many',
      effect: { kind: 'status', status: 403, contentType: 'text/html', body: 'y'.repeat(40_000) },
    });
    const answer = await ask(
      `query ($id: ID!) { node(id: $id) { ... on Integration { tickets(first: 100) { nodes {
        subject requester { email } submitter { email } assignee { email } } } } } }`,
      { variables: { id: rig.tenant.integrationId } },
    );
    const { data, errors } = answer.result;
    expect(data.node.tickets.nodes.length).toBeGreaterThan(50);
    expect(errors.length).toBeGreaterThan(50);
    type Told = { extensions: { upstream?: { body: string }; upstreamStatus: number } };
    const bodies = errors.flatMap(({ extensions }: Told) => extensions.upstream?.body ?? []);
    expect(bodies[0]).toHaveLength(40_000);
    expect(bodies.join('').length).toBeLessThanOrEqual(64 * 1024);
    expect(errors.every(({ extensions }: Told) => extensions.upstreamStatus === 403)).toBe(true);
  });
});
