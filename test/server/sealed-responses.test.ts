/** Whole GraphQL answers in envelopes: what is bound into them, what the log says of them, and what never leaves. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { QUERY_LIMITS } from '../../schema/builder.ts';
import { listOpenIntents } from '../../src/audit/index.ts';
import { createEnvelopeOpener } from '../../src/client/index.ts';
import { sweepIntents } from '../../src/service/index.ts';
import { openRig, type Rig } from '../proxy/rig.ts';
import { codeOf, zendeskCalls } from '../service/house.ts';
import { SEALED_ACCEPT, type SealedGraphqlOptions, sealedGraphql } from '../support/sealed-graphql.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { createTestApiKey, dataOf, openTestClientKey, suite, type TestTenant } from '../support/tenant.ts';

const SEALED_TYPE = 'application/vnd.sealdesk.envelope+json';
const PLAIN_TYPE = 'application/graphql-response+json; charset=utf-8';
/** Stands in what Zendesk answers, and so in nothing that leaves in the clear. */
const CANARY = 'sternschnuppe';
const TICKET = `query ($id: ID!, $ticket: ID!) {
  integration(id: $id) { ticket(id: $ticket) { id subject requester { id name } } }
}`;
const UPDATE =
  'mutation ($input: UpdateTicketInput!) { updateTicket(input: $input) { ticket { id subject } } }';
/** Longer than any revocation takes here. */
const SLOW = { kind: 'latency', milliseconds: 1_500 } as const;

describeOnBothDatabases('a sealed GraphQL answer', (database) => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig({ database, transport: { headersTimeout: 20_000 } });
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  /** Everything that has left in the clear. */
  const leftInClear: string[] = [];
  const sealedFor = async (tenant: TestTenant, query: string, options: SealedGraphqlOptions = {}) => {
    const answer = await sealedGraphql(rig.gateway, tenant, query, options);
    if (answer.header === null) leftInClear.push(JSON.stringify(answer.json));
    return answer;
  };
  const sealed = (query: string, options: SealedGraphqlOptions = {}) => sealedFor(rig.tenant, query, options);
  const plain: Rig['gateway']['graphql'] = async (query, options) => {
    const answer = await rig.gateway.graphql(query, options);
    leftInClear.push(JSON.stringify(answer.json));
    return answer;
  };
  const ticketOf = (ticket: number) => ({ id: rig.tenant.integrationId, ticket: String(ticket) });
  const changeOf = (ticket: number, subject: string) => ({
    input: { ticketId: `${rig.tenant.integrationId}:ticket:${ticket}`, subject },
  });
  /** The events since there were `count`. */
  const eventsSince = async (count: number) => (await rig.events()).slice(count);
  const countEvents = async () => (await rig.events()).length;

  /** An agent of its own, bound to a client key of its own. */
  async function secondAgent() {
    const { admin } = rig.tenant.keys;
    const keyFile = await openTestClientKey(rig.gateway, admin, admin);
    const apiKey = await createTestApiKey(rig.gateway, admin, {
      roles: ['AGENT'],
      clientKeyId: keyFile.key_id,
    });
    return {
      keyId: keyFile.key_id,
      apiKey,
      tenant: { ...rig.tenant, opener: createEnvelopeOpener(suite, keyFile) },
    };
  }

  const revokeClientKey = async (keyId: string) =>
    dataOf(
      await plain(
        'mutation($id: ID!) { revokeClientKey(keyId: $id, reason: KEY_COMPROMISE) { clientKey { id } } }',
        { apiKey: rig.tenant.keys.admin, variables: { id: keyId } },
      ),
    );

  async function revokeApiKey(apiKey: string) {
    const { json } = await plain('{ viewer { apiKey { id } } }', { apiKey });
    return dataOf(
      await plain('mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }', {
        apiKey: rig.tenant.keys.admin,
        variables: { id: json.data.viewer.apiKey.id },
      }),
    );
  }

  /** Runs `meanwhile` when the next request of `method` has reached Zendesk, which then takes its time. */
  async function during<T>(method: string, ask: () => Promise<T>, meanwhile: () => unknown): Promise<T> {
    const { simulator } = rig.gateway;
    simulator.faults.add({ method, count: 1, effect: SLOW });
    const arrived = simulator
      .waitForRequest((request) => request.method === method, { after: simulator.requests.total })
      .then(meanwhile);
    const [answer] = await Promise.all([ask(), arrived]);
    return answer;
  }

  it('holds the ordinary result, bound to its request, and the last event of its group carries its hash', async () => {
    const { keyFile, integrationId } = rig.tenant;
    const before = await countEvents();
    const answer = await sealed(TICKET, { variables: ticketOf(295) });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, SEALED_TYPE]);
    expect(Object.keys(answer.json).toSorted()).toEqual([
      'audit_event_id',
      'encrypted',
      'signature',
      'success',
    ]);
    expect(answer.result.errors).toBeUndefined();
    expect(answer.result.data.integration.ticket).toMatchObject({
      id: `${integrationId}:ticket:295`,
      subject: expect.any(String),
    });
    expect(answer.header).toMatchObject({
      purpose: 'graphql.result',
      request_target: 'POST /graphql',
      recipient_key_id: keyFile.key_id,
      content_type: 'application/json',
      audit_event_id: answer.result.extensions.auditEventId,
    });
    expect(answer.result.extensions).toEqual({
      auditEventId: answer.json.audit_event_id,
      requestId: answer.headers['x-request-id'],
      zendesk: {
        calls: expect.any(Number),
        remaining: expect.any(Number),
        resetsAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      },
      cost: { used: expect.any(Number), limit: QUERY_LIMITS.complexity },
    });
    const events = await eventsSince(before);
    const own = events.at(-1);
    expect(own).toMatchObject({
      id: answer.json.audit_event_id,
      action: 'query.integration',
      phase: 'SINGLE',
      outcome: 'SUCCEEDED',
      envelopes: [{ keyId: keyFile.key_id, sha256: answer.transcriptSha256 }],
    });
    expect(events.length).toBeGreaterThan(1);
    for (const part of events.slice(0, -1)) {
      expect(part).toMatchObject({ action: 'zendesk.call', outcome: 'SUCCEEDED', parentId: own?.id });
    }
  });

  it('is given whatever the document selects, to the bound key or to the one that is named', async () => {
    const { id, keys, keyFile } = rig.tenant;
    const ours = await sealed('{ viewer { tenant { id } } }');
    expect(ours.result).toEqual({
      data: { viewer: { tenant: { id } } },
      extensions: {
        auditEventId: ours.json.audit_event_id,
        requestId: ours.headers['x-request-id'],
        zendesk: { calls: 0, remaining: null, resetsAt: null },
        cost: { used: 3, limit: QUERY_LIMITS.complexity },
      },
    });
    const named = await sealed('{ viewer { tenant { id } } }', {
      apiKey: keys.admin,
      headers: { 'x-sealdesk-key': keyFile.key_id },
    });
    expect(named.header?.recipient_key_id).toBe(keyFile.key_id);
  });

  it('is not given to callers without a key, who are answered in the clear', async () => {
    const answer = await plain(
      'mutation($id: ID!) { confirmClientKey(input: { keyId: $id, mac: "" }) { clientKey { id } } }',
      { headers: { accept: SEALED_ACCEPT }, variables: { id: rig.tenant.keyFile.key_id } },
    );
    expect(answer.headers['content-type']).toBe(PLAIN_TYPE);
    expect(codeOf(answer)).toBe('VALIDATION_FAILED');
  });

  it.each([
    ['a syntax error', '{ viewer', 400, 'VALIDATION_FAILED'],
    ['a field that is not there', '{ viewer { nothing } }', 400, 'VALIDATION_FAILED'],
    ['too many tokens', `{ ${'__typename '.repeat(2_001)} }`, 400, 'QUERY_TOO_COMPLEX'],
    ['a forbidden field', '{ auditEvents { edges { node { id } } } }', 403, 'FORBIDDEN'],
    ['an integration that is not there', '{ integration(id: "int_x") { id } }', 404, 'NOT_FOUND'],
  ])('holds errors too: of %s, with the status of the code', async (_what, document, status, code) => {
    const answer = await sealed(document);
    expect([answer.status, answer.headers['content-type']]).toEqual([status, SEALED_TYPE]);
    expect(answer.result.data ?? null).toBeNull();
    expect(answer.result.errors[0].extensions.code).toBe(code);
    expect(await rig.eventOf(answer.json.audit_event_id)).toMatchObject({
      denialReason: code,
      envelopes: [{ sha256: answer.transcriptSha256 }],
    });
  });

  it('holds the words of Zendesk in full, which no answer in the clear does', async () => {
    const { faults } = rig.gateway.simulator;
    const body = JSON.stringify({ error: 'RecordInvalid', description: `${CANARY} is not accepted` });
    const refusal = { kind: 'status', status: 422, body, contentType: 'application/json' } as const;
    faults.add({ method: 'PUT', count: 2, effect: refusal });
    const answer = await sealed(UPDATE, { variables: changeOf(294, 'x') });
    const [error] = answer.result.errors;
    expect([answer.status, error.extensions.code]).toEqual([422, 'UPSTREAM_REJECTED']);
    expect(error.path).toEqual(['updateTicket']);
    expect(error.extensions).toMatchObject({
      upstreamError: 'RecordInvalid',
      mutation: 'NOT_SENT',
      upstream: { status: 422, body: JSON.parse(body), truncated: false },
    });
    const apiKey = await createTestApiKey(rig.gateway, rig.tenant.keys.admin, {
      roles: ['AGENT'],
      delivery: 'PLAINTEXT',
    });
    const short = await plain(UPDATE, { apiKey, variables: changeOf(294, 'x') });
    expect([short.status, codeOf(short)]).toEqual([422, 'UPSTREAM_REJECTED']);
    expect(short.json.errors[0].extensions).toMatchObject({ upstreamError: 'RecordInvalid' });
    expect(short.json.errors[0].extensions).not.toHaveProperty('upstream');
  });

  it('tells outside when to come again', async () => {
    const apiKey = await createTestApiKey(rig.gateway, rig.tenant.keys.admin, {
      roles: ['AGENT'],
      clientKeyId: rig.tenant.keyFile.key_id,
      requestsPerMinute: 2,
    });
    const twice = `mutation ($a: ProxyOutboundInput!) { ${['a', 'b', 'c']
      .map((alias) => `${alias}: proxyOutbound(input: $a) { auditEventId }`)
      .join(' ')} }`;
    const variables = {
      a: { integrationId: rig.tenant.integrationId, operation: 'nothing', payload: {} },
    };
    await sealed(twice, { apiKey, variables });
    const refused = await sealed('{ viewer { tenant { id } } }', { apiKey });
    expect([refused.status, refused.header]).toEqual([429, null]);
    expect(refused.headers['retry-after']).toMatch(/^\d+$/);
  });

  it.each([
    ['a field', TICKET],
    ['a fragment', 'query ($id: ID!, $ticket: ID) { node(id: $id) { ...f } } fragment f on Ticket { id }'],
    [
      'what is skipped',
      'query ($id: ID!, $ticket: ID!) { integration(id: $id) { ticket(id: $ticket) @skip(if: true) { id } } }',
    ],
  ])('is what protected types need: in the clear %s of them is refused before Zendesk is asked', async (_what, document) => {
    const before = zendeskCalls(rig.gateway);
    const query = document.replace(', $ticket: ID)', ')');
    for (const apiKey of [rig.tenant.keys.agent, rig.tenant.keys.admin]) {
      const answer = await plain(query, { apiKey, variables: ticketOf(295) });
      expect([answer.status, codeOf(answer)]).toEqual([406, 'SEALED_RESPONSE_REQUIRED']);
      expect(answer.json.errors[0].message).toContain(SEALED_TYPE);
      expect(answer.json.data ?? null).toBeNull();
      expect(await rig.eventOf(answer.json.extensions.auditEventId)).toMatchObject({
        outcome: 'DENIED',
        denialReason: 'SEALED_RESPONSE_REQUIRED',
      });
    }
    expect(zendeskCalls(rig.gateway)).toBe(before);
  });

  it('needs a recipient: without one the failure is plain, without data, and Zendesk is not asked', async () => {
    const { admin, agent } = rig.tenant.keys;
    const unmapped = (await openTestClientKey(rig.gateway, admin, null)).key_id;
    const free = await createTestApiKey(rig.gateway, admin, { roles: ['AGENT'] });
    const before = zendeskCalls(rig.gateway);
    for (const [apiKey, key, status, code] of [
      [free, null, 406, 'SEALED_RESPONSE_REQUIRED'],
      [free, unmapped, 403, 'CLIENT_KEY_NOT_MAPPED'],
      [free, 'key_00000000000000000000000000', 404, 'NOT_FOUND'],
      [agent, unmapped, 403, 'FORBIDDEN'],
    ] as const) {
      const answer = await sealed(TICKET, {
        apiKey,
        headers: key === null ? {} : { 'x-sealdesk-key': key },
        variables: ticketOf(295),
      });
      expect([answer.status, codeOf(answer), answer.header]).toEqual([status, code, null]);
      expect(answer.headers['content-type']).toBe(PLAIN_TYPE);
      expect(answer.json).not.toHaveProperty('data');
      expect(await rig.eventOf(answer.json.extensions.auditEventId)).toMatchObject({ denialReason: code });
    }
    expect(zendeskCalls(rig.gateway)).toBe(before);
  });

  it('does not leave for a client key or an API key that was revoked meanwhile', async () => {
    for (const revoked of ['KEY_REVOKED', 'UNAUTHENTICATED'] as const) {
      const { apiKey, keyId, tenant } = await secondAgent();
      const revoke = () => (revoked === 'KEY_REVOKED' ? revokeClientKey(keyId) : revokeApiKey(apiKey));
      const answer = await during(
        'GET',
        () => sealedFor(tenant, TICKET, { apiKey, variables: ticketOf(292) }),
        revoke,
      );
      expect([answer.header, codeOf(answer)]).toEqual([null, revoked]);
      expect(answer.json).not.toHaveProperty('data');
      const event = await rig.eventOf(answer.json.extensions.auditEventId);
      expect(event).toMatchObject({ action: 'query.integration', outcome: 'DENIED', denialReason: revoked });
      expect(event).not.toHaveProperty('envelopes');
    }
  });

  it('tells of a change whose answer does not leave that it was made', async () => {
    const { apiKey, keyId, tenant } = await secondAgent();
    const before = await countEvents();
    const answer = await during(
      'PUT',
      () => sealedFor(tenant, UPDATE, { apiKey, variables: changeOf(291, CANARY) }),
      () => revokeClientKey(keyId),
    );
    expect([answer.header, codeOf(answer)]).toEqual([null, 'KEY_REVOKED']);
    const { mutation, intentId } = answer.json.errors[0].extensions;
    expect(mutation).toBe('APPLIED');
    expect(rig.gateway.simulator.tickets.get(291)?.subject).toBe(CANARY);
    const [outcome, own] = (await eventsSince(before)).slice(-2);
    expect(outcome).toMatchObject({ phase: 'OUTCOME', intentId, outcome: 'APPLIED', parentId: own?.id });
    expect(own).toMatchObject({ action: 'mutation.updateTicket', outcome: 'DENIED' });
  });

  it('leaves of a change its intent, and then its outcome together with the event of the answer', async () => {
    const before = await countEvents();
    const answer = await sealed(UPDATE, { variables: changeOf(290, 'Changed') });
    expect(answer.result.data.updateTicket.ticket.subject).toBe('Changed');
    const events = await eventsSince(before);
    expect(events.map(({ phase, action }) => `${phase} ${action}`)).toEqual([
      'INTENT zendesk.call',
      'OUTCOME zendesk.call',
      'SINGLE mutation.updateTicket',
    ]);
    expect(events[1]).toMatchObject({
      intentId: events[0]?.id,
      outcome: 'SUCCEEDED',
      parentId: events[2]?.id,
    });
    expect(events[2]).toMatchObject({ envelopes: [{ sha256: answer.transcriptSha256 }] });
  });

  it('does not leave while the log cannot be written, and tells then what became of a change', async () => {
    const answer = await during(
      'PUT',
      () => sealed(UPDATE, { variables: changeOf(289, CANARY) }),
      () => rig.outage.begin(),
    );
    rig.outage.end();
    expect([answer.status, answer.header, codeOf(answer)]).toEqual([503, null, 'AUDIT_UNAVAILABLE']);
    expect(answer.json).not.toHaveProperty('data');
    expect(answer.json.errors[0].extensions).toMatchObject({
      mutation: 'APPLIED',
      intentId: expect.stringMatching(/^aud_/),
    });
  });

  it('leaves although an intent was closed meanwhile, which stays so, with the truth beside it', async () => {
    const { deps, store } = rig.gateway;
    const sweep = () =>
      sweepIntents({ ...deps, clock: { ...deps.clock, now: () => deps.clock.now() + 600_000 } });
    await sweep();
    const before = await countEvents();
    const document = `mutation ($a: UpdateTicketInput!, $b: UpdateTicketInput!) {
      a: updateTicket(input: $a) { ticket { id } } b: updateTicket(input: $b) { ticket { id } } }`;
    const [a, b] = [changeOf(288, 'First').input, changeOf(287, 'Second').input];
    const answer = await during('PUT', () => sealed(document, { variables: { a, b } }), sweep);
    expect(answer.result.errors).toBeUndefined();
    const events = await eventsSince(before);
    expect(events.map(({ phase }) => phase)).toEqual([
      'INTENT',
      'OUTCOME',
      'INTENT',
      'SINGLE',
      'OUTCOME',
      'SINGLE',
    ]);
    expect(events[1]).toMatchObject({ outcome: 'UNKNOWN', intentId: events[0]?.id });
    expect(events[3]).toMatchObject({ outcome: 'SUCCEEDED', parentId: events[0]?.id });
    expect(events[4]).toMatchObject({ outcome: 'SUCCEEDED', intentId: events[2]?.id });
    const intents = events.filter(({ phase }) => phase === 'INTENT').map(({ id }) => id);
    const open = await store.withTenant(rig.tenant.id, (tx) => listOpenIntents(tx, rig.tenant.id, intents));
    expect(open.size).toBe(0);
  });

  it('has its entries in the log also where the caller went away before Zendesk answered', async () => {
    const before = await countEvents();
    const leaving = new AbortController();
    const answer = await during(
      'PUT',
      () => sealed(UPDATE, { variables: changeOf(285, 'Changed'), signal: leaving.signal }),
      () => leaving.abort(),
    );
    expect(answer.result.errors).toBeUndefined();
    const events = await eventsSince(before);
    expect(events.map(({ phase }) => phase)).toEqual(['INTENT', 'OUTCOME', 'SINGLE']);
    expect(events[1]).toMatchObject({ outcome: 'SUCCEEDED', parentId: events[2]?.id });
    const leavingToo = new AbortController();
    await during(
      'GET',
      () => sealed(TICKET, { variables: ticketOf(283), signal: leavingToo.signal }),
      () => leavingToo.abort(),
    );
    const [read, own] = (await eventsSince(before)).slice(-2);
    expect([read?.action, read?.parentId, own?.action]).toEqual([
      'zendesk.call',
      own?.id,
      'query.integration',
    ]);
  });

  it('ends what is under way for it, so that nothing is done which the log does not tell', async () => {
    const { simulator } = rig.gateway;
    const before = await countEvents();
    const calls = simulator.requests.total;
    simulator.faults.add({ method: 'GET', count: 1, effect: SLOW });
    // One root field fails while the other waits for Zendesk; neither may be null, so there is no data.
    const answer = await sealed(
      `query ($id: ID!, $ticket: ID!) {
        integration(id: $id) { ticket(id: $ticket) { id requester { email } } }
        other: integration(id: "int_00000000000000000000000000") { id }
      }`,
      { variables: ticketOf(282) },
    );
    expect([answer.status, answer.result.errors[0].extensions.code]).toEqual([404, 'NOT_FOUND']);
    const later = simulator.waitForRequest(() => true, {
      after: calls + 1,
      signal: AbortSignal.timeout(2 * SLOW.milliseconds),
    });
    await expect(later).rejects.toMatchObject({ name: 'TimeoutError' });
    const events = await eventsSince(before);
    const told = events.filter(({ action }) => action === 'zendesk.call');
    expect(simulator.requests.total - calls).toBeLessThanOrEqual(told.length);
    expect(events.at(-1)?.id).toBe(answer.json.audit_event_id);
  });

  it('is refused where it would be too large, with what to do', async () => {
    const { faults } = rig.gateway.simulator;
    const ticket = { id: 286, subject: 'Long', description: CANARY.repeat(60_000) };
    const effect = {
      kind: 'status',
      status: 200,
      body: JSON.stringify({ ticket, tickets: [ticket] }),
      contentType: 'application/json',
    } as const;
    faults.add({ path: '/api/v2/tickets/**', count: 1, effect });
    const many = Array.from({ length: 12 }, (_, at) => `d${at}: description`).join(' ');
    const answer = await sealed(
      `query ($id: ID!, $ticket: ID!) { integration(id: $id) { ticket(id: $ticket) { ${many} } } }`,
      { variables: ticketOf(286) },
    );
    expect([answer.status, answer.header?.purpose]).toEqual([413, 'graphql.result']);
    expect(answer.result.data ?? null).toBeNull();
    expect(answer.result.errors[0]).toMatchObject({
      message: expect.stringContaining('smaller pages'),
      extensions: { code: 'PAYLOAD_TOO_LARGE' },
    });
    expect(await rig.eventOf(answer.json.audit_event_id)).toMatchObject({
      outcome: 'FAILED',
      denialReason: 'PAYLOAD_TOO_LARGE',
    });
  });

  it('is the only thing that has shown a word of Zendesk', () => {
    expect(leftInClear.length).toBeGreaterThan(20);
    expect(leftInClear.filter((text) => text.includes(CANARY))).toEqual([]);
  });
});
