/** One ticket per idempotency key, whatever happens on the way. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTestApiKey, createTestTenant, dataOf } from '../support/tenant.ts';
import { NEW_TICKET, openRig, type Rig, refusalOf } from './rig.ts';

interface Created {
  readonly ticket: { readonly id: number };
  readonly idempotency: string;
}

describe('an idempotency key', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });
  afterEach(() => rig.gateway.simulator.faults.clear());
  afterAll(() => rig[Symbol.asyncDispose]());

  const create = (idempotencyKey?: string, payload: object = NEW_TICKET, apiKey?: string) =>
    rig.tenant.proxy('create_ticket', payload, {
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(apiKey === undefined ? {} : { apiKey }),
    });
  const created = async (answer: Awaited<ReturnType<typeof create>>): Promise<Created> => {
    expect(answer.status).toBe(200);
    return (await rig.tenant.open(answer.json)).value as Created;
  };
  const count = () => rig.gateway.simulator.tickets.count;
  const sentKeys = () =>
    rig.gateway.simulator.requests.entries
      .filter(({ method, path }) => method === 'POST' && path === '/api/v2/tickets')
      .map(({ headers }) => headers['idempotency-key']);

  it('makes one ticket of two calls, and says that the second is a replay', async () => {
    const before = count();
    const first = await created(await create('order-1'));
    const second = await created(await create('order-1'));
    expect(first.idempotency).toBe('created');
    expect(second).toMatchObject({ idempotency: 'replayed', ticket: { id: first.ticket.id } });
    expect(count()).toBe(before + 1);
  });

  it('makes one ticket of twenty calls at once', async () => {
    const before = count();
    const answers = await Promise.all(Array.from({ length: 20 }, () => create('order-many')));
    const ids = await Promise.all(answers.map(async (answer) => (await created(answer)).ticket.id));
    expect(new Set(ids).size).toBe(1);
    expect(count()).toBe(before + 1);
  });

  it('with another body is a CONFLICT, and nothing is made', async () => {
    await created(await create('order-2'));
    const before = count();
    const refusal = refusalOf(await create('order-2', { ...NEW_TICKET, subject: 'Another lamp' }));
    expect(refusal).toMatchObject({ status: 409, code: 'CONFLICT', details: { mutation: 'NOT_SENT' } });
    expect(count()).toBe(before);
  });

  it('reaches Zendesk as another text for every API key and integration, never as the caller’s', async () => {
    const { gateway, tenant } = rig;
    const other = await createTestApiKey(gateway, tenant.keys.admin, {
      roles: ['AGENT'],
      clientKeyId: tenant.keyFile.key_id,
    });
    const data: { createIntegration?: { integration: { id: string } } } = dataOf(
      await gateway.graphql(
        'mutation($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } } }',
        {
          apiKey: tenant.keys.admin,
          variables: {
            input: {
              systemType: 'ZENDESK',
              config: { subdomain: 'acme' },
              credentialId: tenant.credentialId,
              allowedOperations: ['create_ticket'],
            },
          },
        },
      ),
    );
    const stranger = await createTestTenant(gateway, { name: 'Stranger' });
    const start = sentKeys().length;
    await created(await create('order-3'));
    await created(await create('order-3'));
    await created(await create('order-3', NEW_TICKET, other));
    await gateway.send('/api/v2/proxy/outbound', {
      apiKey: tenant.keys.agent,
      json: {
        integration_id: data.createIntegration?.integration.id,
        operation: 'create_ticket',
        payload: NEW_TICKET,
        idempotency_key: 'order-3',
      },
    });
    await stranger.proxy('create_ticket', NEW_TICKET, { idempotencyKey: 'order-3' });
    const [first, again, ...others] = sentKeys().slice(start);
    expect(first).toMatch(/^[\w-]{43}$/);
    expect(again).toBe(first);
    expect(others).toHaveLength(3);
    expect(new Set([first, ...others]).size).toBe(4);
  });

  it.each([
    ['update_ticket', { ticket_id: 290, priority: 'low' }],
    ['get_ticket', { ticket_id: 290 }],
  ])('on %s is refused, and nothing is sent', async (operation, payload) => {
    const before = rig.calls();
    const refusal = refusalOf(await rig.tenant.proxy(operation, payload, { idempotencyKey: 'order-4' }));
    expect(refusal).toMatchObject({
      status: 400,
      code: 'VALIDATION_FAILED',
      details: { fields: [{ path: 'idempotencyKey', message: 'is for create_ticket only' }] },
    });
    expect(rig.calls()).toBe(before);
  });

  it.each(['', 'a b', 'ümlaut', 'x'.repeat(129), 'line\nbreak'])('of the form %j is refused', async (key) => {
    expect(refusalOf(await create(key))).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
  });

  it.each([
    ['closed', { kind: 'close', applied: true }],
    ['truncated', { kind: 'truncated' }],
    ['502', { kind: 'status', status: 502, applied: true }],
    ['silent', { kind: 'hang', applied: true }],
  ] as const)('lets the gateway send a creation again whose answer was %s, and one ticket is made', async (name, effect) => {
    for (const key of [`order-${name}`, undefined]) {
      const before = count();
      rig.gateway.simulator.faults.add({ method: 'POST', path: '/api/v2/tickets', count: 1, effect });
      expect((await created(await create(key))).idempotency).toBe('replayed');
      expect(count()).toBe(before + 1);
    }
  });

  it('lets the caller send a creation again whose outcome was unknown, and one ticket is made', async () => {
    const before = count();
    rig.gateway.simulator.faults.add({
      method: 'POST',
      path: '/api/v2/tickets',
      effect: { kind: 'close', applied: true },
    });
    const refusal = refusalOf(await create('order-5'));
    expect(refusal).toMatchObject({ code: 'OUTCOME_UNKNOWN', details: { mutation: 'UNKNOWN' } });
    rig.gateway.simulator.faults.clear();
    expect((await created(await create('order-5'))).idempotency).toBe('replayed');
    expect(count()).toBe(before + 1);
  });

  it('that was not given makes two calls two tickets', async () => {
    const before = count();
    await created(await create());
    await created(await create());
    expect(count()).toBe(before + 2);
  });
});
