/** Client libraries over `sealedFetch` against a whole gateway: they see plain typed data, the wire never does. */
import { parse } from 'graphql';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  clientKeyFromFile,
  createClient,
  encodeKeyFile,
  type SealdeskClient,
  sealedFetch,
  type WelcomedClientKey,
} from '../../src/client/index.ts';
import { type ListeningGateway, openListeningGateway } from '../support/listening-gateway.ts';
import { createTestApiKey, createTestTenant, openTestClientKey, type TestTenant } from '../support/tenant.ts';
import {
  CreateTicketDocument,
  ProxyTicketDocument,
  TicketAndPeopleDocument,
  TicketPageDocument,
  UpdateTicketDocument,
} from './documents.generated.ts';
import { LIBRARIES } from './libraries.ts';

const SUBJECT = 'Canary: the glass of lamp 4711 is cracked';
const MEMBERS = ['audit_event_id', 'encrypted', 'signature', 'success'];

let listening: ListeningGateway;
let tenant: TestTenant;
let clientKey: WelcomedClientKey;

beforeAll(async () => {
  // Most are closed long ago, thus archived, and in no list.
  listening = await openListeningGateway({ simulator: { tickets: 600 } });
  tenant = await createTestTenant(listening.gateway);
  clientKey = await welcomedKey(encodeKeyFile(tenant.keyFile));
});
afterAll(() => listening?.[Symbol.asyncDispose]());
beforeEach(() => {
  listening.sent.length = 0;
  listening.gateway.simulator.faults.clear();
});

/** Every answer so far was an envelope, and none showed any text of a ticket. */
function expectSealed(count: number): void {
  expect(listening.sent).toHaveLength(count);
  const subjects = listening.gateway.simulator.tickets.all().map(({ subject }) => subject ?? SUBJECT);
  for (const body of listening.sent) {
    expect(Object.keys(JSON.parse(body)).sort()).toEqual(MEMBERS);
    expect(subjects.filter((subject) => body.includes(subject))).toEqual([]);
  }
}

async function welcomedKey(text: string): Promise<WelcomedClientKey> {
  const key = await clientKeyFromFile(text);
  if (key.state !== 'WELCOMED') throw new Error('The text is that of a welcomed key');
  return key;
}

const own = () => ({ integrationId: tenant.integrationId });
const openClient = (): SealdeskClient =>
  createClient({ url: listening.url, apiKey: tenant.keys.agent, clientKey });

describe.each(LIBRARIES)('%s over sealedFetch', (name, openLibrary) => {
  const open = () =>
    openLibrary(
      `${listening.url}/graphql`,
      sealedFetch(clientKey, { url: listening.url, apiKey: tenant.keys.agent }),
    );

  it('reads a hundred tickets with their people for three calls at most, none of it in the clear', async () => {
    const { simulator } = listening.gateway;
    const { total } = simulator.requests;
    const { data, errors, extensions } = await open().ask('query', TicketPageDocument, {
      ...own(),
      first: 100,
    });
    expect(errors).toEqual([]);
    const tickets = data?.integration.tickets?.nodes ?? [];
    expect(tickets).toHaveLength(100);
    for (const { zendeskId, subject, requester } of tickets) {
      const row = simulator.tickets.get(Number(zendeskId));
      expect(subject).toBe(row?.subject);
      expect(requester?.name).toBe(simulator.users.get(row?.requesterId ?? 0)?.name);
    }
    const calls = simulator.requests.total - total;
    expect(calls).toBeLessThanOrEqual(3);
    expect(extensions).toMatchObject({
      auditEventId: expect.stringMatching(/^aud_/),
      zendesk: { calls, remaining: expect.any(Number), resetsAt: expect.any(String) },
    });
    expectSealed(1);
  });

  it('creates and changes a ticket, and tells a change that came too late from one that was made', async () => {
    const library = open();
    const input = { ...own(), subject: `${SUBJECT} (${name})`, comment: { body: 'It is.', public: true } };
    const created = await library.ask('mutation', CreateTicketDocument, { input });
    const ticket = created.data?.createTicket?.ticket;
    expect(ticket?.subject).toBe(input.subject);
    const ticketId = ticket?.id ?? '';
    const first = await library.ask('mutation', UpdateTicketDocument, {
      input: { ticketId, status: 'PENDING', expectedUpdatedAt: ticket?.updatedAt },
    });
    expect(first.errors).toEqual([]);
    expect(first.data?.updateTicket?.ticket).toMatchObject({ id: ticketId, status: 'PENDING' });

    const late = await library.ask('mutation', UpdateTicketDocument, {
      input: { ticketId, status: 'SOLVED', expectedUpdatedAt: '2020-01-01T00:00:00Z' },
    });
    expect(late.errors).toMatchObject([
      { path: ['updateTicket', 'ticket'], extensions: { code: 'CONFLICT', mutation: 'NOT_SENT' } },
    ]);
    expect(late.data?.updateTicket).toMatchObject({ ticket: null, current: { status: 'PENDING' } });
    expect(listening.gateway.simulator.tickets.get(Number(ticketId.split(':').at(-1)))?.status).toBe(
      'pending',
    );
    expectSealed(3);
  });

  it('sees what there is beside what failed, with the error at its path', async () => {
    const ticketId = String(listening.gateway.simulator.tickets.all()[0]?.id);
    listening.gateway.simulator.faults.add({
      path: '/api/v2/users',
      effect: { kind: 'status', status: 403 },
    });
    const { data, errors } = await open().ask('query', TicketAndPeopleDocument, { ...own(), ticketId });
    expect(data?.integration.ticket?.subject).toEqual(expect.any(String));
    expect(data?.integration.users).toBeNull();
    expect(errors).toMatchObject([
      { path: ['integration', 'users'], extensions: { code: 'UPSTREAM_FORBIDDEN' } },
    ]);
    expectSealed(1);
  });

  it('sees which field was not accepted, and a message for it', async () => {
    const input = { ...own(), subject: 'x'.repeat(1_001), comment: { body: 'It is.', public: true } };
    const { data, errors } = await open().ask('mutation', CreateTicketDocument, { input });
    expect(data?.createTicket ?? null).toBeNull();
    expect(errors).toMatchObject([
      {
        extensions: {
          code: 'VALIDATION_FAILED',
          fields: [{ path: expect.stringContaining('subject'), message: expect.stringContaining('1000') }],
        },
      },
    ]);
    expectSealed(1);
  });

  it('sees a document that does not fit the schema refused', async () => {
    const { data, errors } = await open().ask('query', parse('{ viewer { nonsense } }'), {});
    expect(data ?? null).toBeNull();
    expect(errors).toMatchObject([
      { message: expect.stringContaining('nonsense'), extensions: { code: 'VALIDATION_FAILED' } },
    ]);
    expectSealed(1);
  });

  it('gives up a request that is aborted, and the gateway its call to Zendesk', async () => {
    const { simulator } = listening.gateway;
    simulator.faults.add({ path: '/api/v2/tickets', effect: { kind: 'hang' } });
    const { total } = simulator.requests;
    const abort = new AbortController();
    const asked = open().ask('query', TicketPageDocument, { ...own(), first: 7 }, abort.signal);
    const refused = expect(asked).rejects.toMatchObject({ name: 'AbortError' });
    await simulator.waitForRequest(({ sequence }) => sequence > total);
    abort.abort();
    await refused;
    await listening.untilIdle();
  }, 10_000);
});

describe('createClient against a gateway', () => {
  it('answers typed data with its audit event, and opens what proxyOutbound sealed', async () => {
    const client = openClient();
    const [row] = listening.gateway.simulator.tickets.all();
    const { data, auditEventId, extensions } = await client.request(ProxyTicketDocument, {
      input: { ...own(), operation: 'get_ticket', payload: { ticket_id: row?.id } },
    });
    expect(extensions?.['auditEventId']).toBe(auditEventId);
    const proxied = data?.proxyOutbound;
    const opened = await client.encryption.decrypt(proxied?.envelope, {
      purposes: ['proxy.result'],
      operation: 'get_ticket',
      integration_id: tenant.integrationId,
    });
    expect(opened.header.audit_event_id).toBe(proxied?.auditEventId);
    expect(opened.data).toMatchObject({ ticket: { id: row?.id, subject: row?.subject } });
    expectSealed(1);
  });

  it('is told in the clear, and without data, that its key is not mapped', async () => {
    const { keys } = tenant;
    const text = encodeKeyFile(await openTestClientKey(listening.gateway, keys.admin, null));
    const unmapped = await welcomedKey(text);
    const apiKey = await createTestApiKey(listening.gateway, keys.admin, { roles: ['AGENT'] });
    const client = createClient({ url: listening.url, apiKey, clientKey: unmapped });
    expect(await client.request(TicketPageDocument, { ...own(), first: 1 })).toMatchObject({
      data: null,
      errors: [{ extensions: { code: 'CLIENT_KEY_NOT_MAPPED' } }],
      auditEventId: null,
    });
  });
});
