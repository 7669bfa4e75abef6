/** Turning the feed on and off, and what Zendesk may refuse of it. */
import { describe, expect, test } from 'vitest';
import { isReachableBy } from '../../../src/service/feed/webhook-address.ts';
import { createServices, ensureInstallation } from '../../../src/service/index.ts';
import { codeOf, newestEvents } from '../../service/house.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { dataOf } from '../../support/tenant.ts';
import { eventually, type SourceRig, useSourceRigs } from './source-rig.ts';

const DELETE = 'mutation($id: ID!) { deleteIntegration(id: $id) { deletedId } }';

function asAdmin({ gateway, tenant }: SourceRig, document: string, variables: object = {}) {
  return gateway.graphql(document, {
    apiKey: tenant.keys.admin,
    variables: { id: tenant.integrationId, ...variables },
  });
}

describeOnBothDatabases('A change feed', (kind) => {
  const open = useSourceRigs(kind);

  test('is turned on with one webhook for all events, mended by turning it on again, and turned off', async () => {
    await using rig = await open();
    const { simulator, tenant, url } = rig;
    const first = await rig.enable();
    expect(first.feed).toMatchObject({
      ...{ status: 'ENABLED', webhook: { state: 'ACTIVE', fault: null }, export: { state: 'NOT_YET' } },
      ...{ appended: 0, repaired: 0, waiting: 0, streams: 0, leaseHolder: null, loadFault: null },
    });
    const [webhook] = simulator.webhooks.list();
    expect(webhook).toMatchObject({
      ...{ endpoint: `${url}/webhooks/zendesk/${tenant.integrationId}`, status: 'active' },
      subscriptions: expect.arrayContaining([
        'zen:event-type:ticket.created',
        'zen:event-type:ticket.merged',
      ]),
    });
    expect(webhook?.subscriptions).toHaveLength(37);
    await rig.enable();
    expect(simulator.webhooks.list()).toEqual([webhook]);
    const events = await newestEvents(rig.gateway, tenant.keys.auditor);
    expect(
      events.filter(({ action }) => action === 'feed.enable').map(({ phase, outcome }) => [phase, outcome]),
    ).toEqual([
      ['INTENT', null],
      ['OUTCOME', 'SUCCEEDED'],
      ['INTENT', null],
      ['OUTCOME', 'SUCCEEDED'],
    ]);
    expect(events.find(({ id }) => id === first.auditEventId)).toMatchObject({ phase: 'OUTCOME' });
    expect(codeOf(await asAdmin(rig, DELETE))).toBe('CONFLICT');

    const off = await rig.disable();
    expect(off.feed).toMatchObject({ status: 'DISABLED', webhook: { state: 'NONE', fault: null } });
    expect(simulator.webhooks.list()).toEqual([]);
    expect(dataOf(await asAdmin(rig, DELETE))).toEqual({
      deleteIntegration: { deletedId: tenant.integrationId },
    });
  });

  test('goes on from where it was when it was turned off', async () => {
    await using rig = await open();
    const { simulator } = rig;
    await rig.enable();
    const follower = await rig.follow();
    const worker = rig.startWorker();
    const id = simulator.tickets.create({ subject: 'Before', comment: { body: 'It flickers.' } });
    await follower.until((change) => change.kind === 'CHANGED' && change.ticket_id === id);
    await eventually(rig.status, ({ waiting }) => waiting === 0);
    await rig.disable();
    await worker[Symbol.asyncDispose]();
    simulator.tickets.change(id, { subject: 'While it was off' });
    await rig.enable();
    const next = await rig.follow();
    rig.startWorker();
    expect(await next.until((change) => change.kind === 'CHANGED' && change.ticket_id === id)).toMatchObject({
      ticket: { subject: 'While it was off' },
    });
    expect(await rig.status()).toMatchObject({ appended: 2, repaired: 1 });
  });

  test('needs its operation in the policy, and an admin', async () => {
    await using rig = await open({ allowedOperations: ['get_ticket'] });
    const { services, tenant, simulator } = rig;
    const { integrationId } = tenant;
    await expect(rig.enable()).rejects.toMatchObject({
      code: 'OPERATION_NOT_ALLOWED',
      details: { subject: 'subscribe_tickets', auditEventId: expect.stringMatching(/^aud_/) },
    });
    await expect(rig.disable()).rejects.toMatchObject({ code: 'CONFLICT' });
    const agent = await rig.callOf(tenant.keys.agent);
    await expect(services.enableTicketFeed(agent, { integrationId })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    const admin = await rig.callOf(tenant.keys.admin);
    await expect(services.enableTicketFeed(admin, { integrationId: 'x' })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    expect(await services.getFeedStatus(agent, integrationId)).toBeNull();
    expect(simulator.webhooks.list()).toEqual([]);
  });

  test('is on without a webhook where Zendesk refuses one, and not on where Zendesk cannot be asked', async () => {
    await using rig = await open();
    const { simulator, services, tenant } = rig;
    const rule = { path: '/api/v2/webhooks', count: 1 };
    simulator.faults.add({ ...rule, effect: { kind: 'status', status: 403 } });
    expect((await rig.enable()).feed).toMatchObject({
      ...{ status: 'ENABLED', webhook: { state: 'FAULTY', fault: 'UPSTREAM_FORBIDDEN' } },
    });
    await rig.disable();
    simulator.faults.add({ path: '/api/v2/webhooks', effect: { kind: 'status', status: 500 } });
    const failure: Error = (await rig.enable().catch((error: Error) => error)) as Error;
    expect(failure).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', details: { mutation: 'UNKNOWN' } });
    expect(await rig.status()).toMatchObject({ status: 'DISABLED' });
    const [last] = (await newestEvents(rig.gateway, tenant.keys.auditor, 1)) ?? [];
    expect(last).toMatchObject({ action: 'feed.enable', phase: 'OUTCOME', outcome: 'UNKNOWN' });
    simulator.faults.clear();
    await rig.enable();
    expect(simulator.webhooks.list()).toHaveLength(1);

    // Without an answer to whether the webhook is gone, the feed is off all the same and says so.
    simulator.faults.add({ path: '/api/v2/webhooks', effect: { kind: 'status', status: 500 } });
    expect((await rig.disable()).feed).toMatchObject({
      ...{ status: 'DISABLED', webhook: { state: 'FAULTY', fault: 'UPSTREAM_UNAVAILABLE' } },
    });
    const [webhook] = simulator.webhooks.list();
    expect(webhook).toBeDefined();
    simulator.faults.clear();
    await services.enableTicketFeed(await rig.callOf(tenant.keys.admin), {
      integrationId: tenant.integrationId,
    });
    expect(simulator.webhooks.list()).toEqual([webhook]);
  });

  test('that Zendesk cannot call, for want of a public address, is on without a webhook', async () => {
    await using rig = await open();
    const { connections } = rig.deps;
    const deps = {
      ...rig.deps,
      publicUrl: 'https://gateway.internal',
      connections: {
        clientFor: (...wish: Parameters<typeof connections.clientFor>) => ({
          ...connections.clientFor(...wish),
          origin: 'https://acme.zendesk.com',
        }),
      },
    };
    const services = createServices(deps, (await ensureInstallation(deps)).id);
    const call = await rig.callOf(rig.tenant.keys.admin);
    const { integrationId } = rig.tenant;
    const calls = rig.simulator.requests.total;
    expect((await services.enableTicketFeed(call, { integrationId })).feed).toMatchObject({
      ...{ status: 'ENABLED', webhook: { state: 'FAULTY', fault: 'NO_PUBLIC_ADDRESS' } },
    });
    expect(rig.simulator.requests.total).toBe(calls);
  });
});

describe('Zendesk', () => {
  test.each([
    ['https://gw.example.com', true],
    ['https://gw.example.com:8443', true],
    ['https://203.0.113.7', true],
    ['https://[2001:db8::7]', true],
    ['http://gw.example.com', false],
    ['https://localhost', false],
    ['https://gateway', false],
    ['https://gw.local', false],
    ['https://gw.internal.', false],
    ['https://127.0.0.1', false],
    ['https://10.1.2.3', false],
    ['https://172.31.0.1', false],
    ['https://192.168.1.1', false],
    ['https://169.254.169.254', false],
    ['https://[::1]', false],
    ['https://[fd00::1]', false],
    ['not a url', false],
  ])('can call %s: %s', (address, reachable) => {
    expect(isReachableBy('https://acme.zendesk.com', address)).toBe(reachable);
  });

  test('on this machine can call what is beside it', () => {
    expect(isReachableBy('http://127.0.0.1:4001', 'http://localhost:4000')).toBe(true);
    expect(isReachableBy('http://acme.localhost:4001', 'http://localhost:4000')).toBe(true);
  });
});
