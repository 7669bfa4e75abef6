import { describe, expect, it } from 'vitest';
import { idsAt, listAt, objectAt, type Session } from './client.ts';
import { createWebhook, openFeedSession, openIds } from './feed.ts';
import { openReceiver } from './receiver.ts';

const control = (session: Session, method: string, path: string, body?: unknown) =>
  session.call(`/__simulator${path}`, {
    method,
    authorization: null,
    ...(body === undefined ? {} : { body }),
  });

describe('tickets through the control API', () => {
  it('are made, changed, deleted, restored, scrubbed and merged, past login, limits and log', async () => {
    await using session = await openFeedSession({ accountLimit: 1 });
    const [first = 0, second = 0] = openIds(session, 2);
    const made = await control(session, 'POST', '/tickets', { comment: { body: 'hello' }, subject: 'New' });
    expect(made.status).toBe(201);
    const id = Number(objectAt(made.body, 'ticket')['id']);
    const changed = await control(session, 'POST', `/tickets/${id}`, { priority: 'urgent' });
    expect(objectAt(changed.body, 'ticket')).toMatchObject({ subject: 'New', priority: 'urgent' });
    expect((await control(session, 'DELETE', `/tickets/${id}`)).status).toBe(204);
    expect((await control(session, 'POST', `/tickets/${id}/restore`)).status).toBe(200);
    expect((await control(session, 'POST', `/tickets/${id}/scrub`)).status).toBe(200);
    expect((await control(session, 'POST', `/tickets/${first}/merge`, { ids: [second] })).status).toBe(200);
    expect((await control(session, 'POST', `/tickets/${first}/system_update`)).status).toBe(204);
    const current = await control(session, 'GET', `/tickets?ids=${id},${second},99999`);
    expect(idsAt(current.body, 'tickets')).toEqual([id, second]);
    expect(listAt(current.body, 'tickets').map((ticket) => ticket['status'])).toEqual(['deleted', 'closed']);
    const one = await control(session, 'GET', `/tickets/${first}`);
    expect(objectAt(one.body, 'ticket')['id']).toBe(first);
    const history = await control(session, 'GET', `/tickets/${id}/history`);
    expect(listAt(history.body, 'versions').map((version) => version['action'])).toEqual([
      'created',
      'updated',
      'deleted',
      'restored',
      'deleted',
      'scrubbed',
    ]);
    expect(session.simulator.requests.total).toBe(0);
  });

  it('are refused what the API refuses, and what is not there', async () => {
    await using session = await openFeedSession();
    const closed = session.simulator.tickets.all().find((row) => row.status === 'closed')?.id;
    expect((await control(session, 'POST', `/tickets/${closed}`, { subject: 'x' })).status).toBe(422);
    expect((await control(session, 'POST', '/tickets/9999', { subject: 'x' })).status).toBe(404);
    expect((await control(session, 'GET', '/tickets/9999')).status).toBe(404);
    expect((await control(session, 'GET', '/tickets/9999/history')).status).toBe(404);
    expect((await control(session, 'POST', '/tickets/9999/system_update')).status).toBe(404);
    expect((await control(session, 'POST', '/tickets/1/explode')).status).toBe(404);
    expect((await control(session, 'GET', '/tickets')).status).toBe(400);
    expect((await control(session, 'POST', '/tickets/1/merge', { ids: [] })).status).toBe(400);
    expect(() => session.simulator.tickets.change(9999, {})).toThrow(RangeError);
    expect(() => session.simulator.tickets.systemUpdate(9999)).toThrow(RangeError);
  });
});

describe('webhooks through the control API', () => {
  it('are disturbed, paused, resumed and waited for', async () => {
    await using receiver = await openReceiver();
    await using session = await openFeedSession();
    const { id, secret } = await createWebhook(session, { endpoint: receiver.url });
    const [ticket = 0] = openIds(session, 1);
    expect((await control(session, 'POST', '/webhooks/pause')).status).toBe(204);
    await control(session, 'DELETE', `/tickets/${ticket}`);
    const early = await control(session, 'POST', '/webhooks/settle', { timeoutMs: 1 });
    expect(early.body).toMatchObject({ pending: 1, paused: true });
    expect((await control(session, 'POST', '/webhooks/resume')).status).toBe(204);
    const settled = await control(session, 'POST', '/webhooks/settle', {});
    expect(settled.body).toMatchObject({ pending: 0, paused: false, deliveries: { delivered: 1 } });
    expect(receiver.requests).toHaveLength(1);
    const disturbed = await control(session, 'POST', '/webhooks/disturbance', { loss: 1, seed: 3 });
    expect(disturbed.body['disturbance']).toEqual({ loss: 1, duplicate: 0, disorder: 0, seed: 3 });
    await control(session, 'POST', `/tickets/${ticket}/restore`);
    const status = await control(session, 'GET', '/webhooks');
    expect(listAt(status.body, 'webhooks')).toMatchObject([{ id, secret }]);
    expect(status.body['deliveries']).toEqual({ delivered: 1, lost: 1 });
    const log = await control(session, 'GET', '/webhooks/deliveries');
    expect(listAt(log.body, 'deliveries')).toMatchObject([
      { type: 'zen:event-type:ticket.soft_deleted', state: 'delivered', ticketId: ticket },
      { type: 'zen:event-type:ticket.undeleted', state: 'lost', attempts: [] },
    ]);
    expect((await control(session, 'DELETE', '/webhooks/disturbance')).status).toBe(204);
    expect(session.simulator.webhooks.disturbance).toBeNull();
    const stats = await control(session, 'GET', '/stats');
    expect(objectAt(stats.body, 'webhooks')['deliveries']).toEqual({ delivered: 1, lost: 1 });
    await control(session, 'POST', '/reset', {});
    expect(session.simulator.webhooks.deliveries).toEqual([]);
    expect(session.simulator.webhooks.list()).toHaveLength(1);
  });

  it('refuse a disturbance that is none', async () => {
    await using session = await openFeedSession();
    expect((await control(session, 'POST', '/webhooks/disturbance', { loss: 2 })).status).toBe(400);
    expect((await control(session, 'POST', '/webhooks/disturbance', { chaos: 1 })).status).toBe(400);
  });
});
