/** Each operation from the request to the opened envelope and its entry in the log, recomputed by other means. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALL_OPERATIONS, createTestTenant } from '../support/tenant.ts';
import { NEW_TICKET, openRig, type Rig, transcriptSha256 } from './rig.ts';

const PAYLOADS: Readonly<Record<(typeof ALL_OPERATIONS)[number], object>> = {
  list_tickets: { status: ['open'], per_page: 5 },
  get_ticket: { ticket_id: 7 },
  create_ticket: NEW_TICKET,
  update_ticket: { ticket_id: 290, priority: 'high' },
  list_users: { per_page: 5 },
  list_organizations: { per_page: 3 },
  search: { query: 'type:ticket status:open', sort_by: 'created_at', sort_order: 'desc' },
};
const RESULT_MEMBER: Readonly<Record<string, string>> = {
  list_tickets: 'tickets',
  get_ticket: 'ticket',
  create_ticket: 'ticket',
  update_ticket: 'ticket',
  list_users: 'users',
  list_organizations: 'organizations',
  search: 'results',
};
const MUTATIONS = new Set(['create_ticket', 'update_ticket']);

describe('a proxied operation', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  it.each(
    ALL_OPERATIONS,
  )('%s is answered sealed, bound to its request, and recorded with the hash of the envelope', async (operation) => {
    const { gateway, tenant } = rig;
    const nonce = randomBytes(24).toString('base64url');
    // Spaces show that the hash is that of the bytes as sent.
    const body = JSON.stringify(
      { integration_id: tenant.integrationId, operation, payload: PAYLOADS[operation] },
      null,
      3,
    );
    const answer = await gateway.send('/api/v2/proxy/outbound', {
      apiKey: tenant.keys.agent,
      headers: { 'x-sealdesk-nonce': nonce },
      body,
    });
    expect(answer.status).toBe(200);
    const { header, value } = await tenant.open(answer.json);
    expect(value).toHaveProperty(RESULT_MEMBER[operation] ?? '');
    expect(header).toMatchObject({
      v: 1,
      purpose: 'proxy.result',
      tenant_id: tenant.id,
      recipient_key_id: tenant.keyFile.key_id,
      integration_id: tenant.integrationId,
      operation,
      request_target: 'POST /api/v2/proxy/outbound',
      request_sha256: createHash('sha256').update(body).digest('base64url'),
      client_nonce: nonce,
      audit_event_id: answer.json.audit_event_id,
      content_type: 'application/json',
    });
    const event = await rig.eventOf(answer.json.audit_event_id);
    expect(event).toMatchObject({
      action: 'zendesk.call',
      phase: MUTATIONS.has(operation) ? 'OUTCOME' : 'SINGLE',
      outcome: 'SUCCEEDED',
      operation,
      integrationId: tenant.integrationId,
      requestSha256: createHash('sha256').update(body).digest('base64url'),
      ip: '127.0.0.1',
      envelopes: [{ keyId: tenant.keyFile.key_id, sha256: transcriptSha256(answer.json) }],
    });
  });

  it('opens for nobody else', async () => {
    const { gateway, tenant } = rig;
    const other = await createTestTenant(gateway, { name: 'Other' });
    const { json } = await tenant.proxy('get_ticket', { ticket_id: 7 });
    await expect(other.open(json)).rejects.toThrow();
  });

  it('by GraphQL is bound to that request and its event is a child of the operation’s', async () => {
    const { gateway, tenant } = rig;
    const answer = await gateway.graphql(
      'mutation($input: ProxyOutboundInput!) { proxyOutbound(input: $input) { envelope auditEventId } }',
      {
        apiKey: tenant.keys.dashboard,
        variables: {
          input: { integrationId: tenant.integrationId, operation: 'get_ticket', payload: { ticket_id: 7 } },
        },
      },
    );
    const { envelope, auditEventId } = answer.json.data.proxyOutbound;
    const { header } = await tenant.open(envelope);
    expect(header).toMatchObject({ request_target: 'POST /graphql', audit_event_id: auditEventId });
    const event = await rig.eventOf(auditEventId);
    expect(event).toMatchObject({ resource: 'ticket:7', parentId: answer.json.extensions.auditEventId });
  });

  it('names what it was about: an id, the new id, or the query as a keyed hash', async () => {
    const { tenant } = rig;
    const resource = async (operation: string, payload: object) => {
      const { json } = await tenant.proxy(operation, payload);
      return (await rig.eventOf(json.audit_event_id)).resource;
    };
    expect(await resource('get_ticket', { ticket_id: 9 })).toBe('ticket:9');
    const created = await tenant.proxy('create_ticket', NEW_TICKET);
    const { value } = await tenant.open(created.json);
    expect((await rig.eventOf(created.json.audit_event_id)).resource).toBe(
      `ticket:${(value as { ticket: { id: number } }).ticket.id}`,
    );
    const first = await resource('search', { query: 'lamp' });
    expect(first).toMatch(/^query:[\w-]{43}$/);
    expect(await resource('search', { query: 'lamp' })).toBe(first);
    expect(await resource('search', { query: 'lamps' })).not.toBe(first);
  });

  it('leaves an INTENT before and one OUTCOME after a change, and a log without gaps', async () => {
    const { tenant } = rig;
    const { json } = await tenant.proxy('update_ticket', { ticket_id: 291, priority: 'low' });
    const outcome = await rig.eventOf(json.audit_event_id);
    if (outcome.phase !== 'OUTCOME') throw new Error('a change ends in an OUTCOME');
    const intent = await rig.eventOf(outcome.intentId);
    expect(intent).toMatchObject({ phase: 'INTENT', operation: 'update_ticket', resource: 'ticket:291' });
    expect(intent.index).toBeLessThan(outcome.index);
    expect(await rig.statusOf(outcome.intentId)).toEqual({ state: 'APPLIED', outcome: { id: outcome.id } });
    const events = await rig.events();
    expect(events.map(({ index }) => index)).toEqual(events.map((_, position) => position));
  });
});
