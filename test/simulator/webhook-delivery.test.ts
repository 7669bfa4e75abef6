import { describe, expect, it } from 'vitest';
import { ACCOUNT_ID, signWebhook, TEST_WEBHOOK_SECRET } from '../../simulator/index.ts';
import { objectAt } from './client.ts';
import { openIds } from './feed.ts';
import type { ReceivedRequest, Receiver } from './receiver.ts';
import { COMMENTS, openRig } from './webhook-rig.ts';

const typeOf = ({ body }: ReceivedRequest): string =>
  String(body['type']).replace('zen:event-type:ticket.', '');
const eventOf = (receiver: Receiver, type: string): Record<string, unknown> =>
  objectAt(receiver.requests.find((request) => typeOf(request) === type)?.body, 'event');

describe('the signature', () => {
  it('is that of the recorded vector', () => {
    expect(
      signWebhook(TEST_WEBHOOK_SECRET, '2021-03-25T05:09:27Z', '{"event":"ticket.updated","id":123}'),
    ).toBe('S/RDdU2ERmj7LHDDoWJ2onPYH+t7/f2+LTM4dL7UiLM=');
  });

  it('holds over timestamp and raw body of every delivery, and a new secret is used at once', async () => {
    await using rig = await openRig();
    const { session, receiver, webhook } = rig;
    const expectSigned = (request: ReceivedRequest | undefined, secret: string): void => {
      const timestamp = String(request?.headers['x-zendesk-webhook-signature-timestamp']);
      expect(timestamp).toBe('2026-11-21T06:00:00Z');
      expect(request?.headers['x-zendesk-webhook-signature']).toBe(
        signWebhook(secret, timestamp, request?.raw ?? ''),
      );
    };
    session.simulator.tickets.delete(rig.ticket);
    await rig.delivered();
    expectSigned(receiver.requests[0], webhook.secret);
    const reset = await session.call(`/api/v2/webhooks/${webhook.id}/signing_secret`, { method: 'POST' });
    session.simulator.tickets.restore(rig.ticket);
    await rig.delivered();
    expectSigned(receiver.requests[1], String(objectAt(reset.body, 'signing_secret')['secret']));
  });
});

describe('what is delivered', () => {
  it('is an envelope with ids as strings and enums in upper case, pretty-printed, under the documented headers', async () => {
    await using rig = await openRig();
    const { session, receiver, ticket } = rig;
    session.simulator.tickets.change(ticket, { priority: 'urgent', status: 'hold' });
    await rig.delivered();
    const request = receiver.requests.find((received) => typeOf(received) === 'status_changed');
    expect(request?.method).toBe('POST');
    expect(request?.headers).toMatchObject({
      'user-agent': 'Zendesk Webhook',
      'content-type': 'application/json; charset=utf-8',
      'x-zendesk-account-id': String(ACCOUNT_ID),
      'x-zendesk-webhook-id': rig.webhook.id,
    });
    expect(request?.raw).toBe(JSON.stringify(request?.body, null, 2));
    const row = session.simulator.tickets.get(ticket);
    expect(request?.body).toMatchObject({
      type: 'zen:event-type:ticket.status_changed',
      account_id: ACCOUNT_ID,
      zendesk_event_version: '2022-11-06',
      subject: `zen:ticket:${ticket}`,
      detail: {
        id: String(ticket),
        status: 'HOLD',
        priority: 'URGENT',
        requester_id: String(row?.requesterId),
        updated_at: '2026-11-21T06:00:00Z',
        via: { channel: expect.any(String) },
      },
      event: { current: 'HOLD', meta: { sequence: { position: 1 } } },
    });
    expect(request?.body['time']).toMatch(/^2026-11-21T06:00:00\.000\d{6}Z$/);
    expect(request?.body['id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is one event for each field that a change moves, all of one sequence', async () => {
    await using rig = await openRig();
    const { session, receiver, ticket } = rig;
    const row = session.simulator.tickets.get(ticket);
    const before = { tags: row?.tags ?? [], subject: row?.subject };
    session.simulator.tickets.change(ticket, {
      subject: 'New subject',
      tags: [...before.tags.slice(1), 'fresh'],
      comment: { body: 'Looking into it.', public: false },
      custom_fields: [{ id: 6_130_907_270_001, value: 'LO-1' }],
    });
    await rig.delivered();
    expect(receiver.requests.map(typeOf)).toEqual([
      'subject_changed',
      'tags_changed',
      'custom_field_changed',
      'comment_added',
    ]);
    const sequences = receiver.requests.map(({ body }) => objectAt(body, 'event', 'meta', 'sequence'));
    expect(new Set(sequences.map((sequence) => sequence['id'])).size).toBe(1);
    expect(sequences.map((sequence) => sequence['position'])).toEqual([1, 2, 3, 4]);
    expect(eventOf(receiver, 'subject_changed')).toMatchObject({
      current: 'New subject',
      previous: before.subject,
    });
    expect(eventOf(receiver, 'tags_changed')).toMatchObject({
      tags_added: ['fresh'],
      tags_removed: before.tags.slice(0, 1),
    });
    expect(eventOf(receiver, 'custom_field_changed')).toMatchObject({
      custom_field: { id: '6130907270001', title: 'Order number' },
      current: 'LO-1',
    });
    const comment = objectAt(eventOf(receiver, 'comment_added'), 'comment');
    expect(comment).toMatchObject({
      id: String(session.simulator.tickets.comments(ticket).at(-1)?.id),
      body: 'Looking into it.',
      is_public: false,
      author: { is_staff: true, name: 'Demo Admin' },
    });
  });

  it('tells of the whole life of a ticket, API calls and live activity alike', async () => {
    await using rig = await openRig();
    const { session, receiver } = rig;
    const [other = 0, third = 0] = openIds(session, 3).slice(1);
    const created = await session.call('/api/v2/tickets', {
      body: { ticket: { comment: { body: 'hello' } } },
    });
    const id = Number(objectAt(created.body, 'ticket')['id']);
    await session.call(`/api/v2/tickets/${id}`, { method: 'DELETE' });
    await session.call(`/api/v2/deleted_tickets/${id}/restore`, { method: 'PUT' });
    await session.call(`/api/v2/tickets/${id}`, { method: 'DELETE' });
    await session.call(`/api/v2/deleted_tickets/${id}`, { method: 'DELETE' });
    await session.call(`/api/v2/tickets/${other}/merge`, { body: { ids: [third] } });
    session.simulator.tickets.systemUpdate(other);
    await rig.delivered();
    const told = (ticket: number): string[] =>
      receiver.requests.filter(({ body }) => body['subject'] === `zen:ticket:${ticket}`).map(typeOf);
    expect(told(id)).toEqual(['created', 'soft_deleted', 'undeleted', 'soft_deleted', 'permanently_deleted']);
    expect(told(third)).toEqual([
      'merged',
      'status_changed',
      'custom_status_changed',
      'tags_changed',
      'comment_added',
    ]);
    expect(told(other)).toEqual(['comment_added']);
    expect(eventOf(receiver, 'merged')).toMatchObject({ target_ticket: { id: String(other) } });
    const statuses = receiver.requests
      .filter(({ body }) => body['subject'] === `zen:ticket:${id}`)
      .map(({ body }) => objectAt(body, 'detail')['status']);
    expect(statuses).toEqual(['NEW', 'DELETED', 'NEW', 'DELETED', 'SCRUBBED']);
    const before = receiver.requests.length;
    session.simulator.activity.step(20);
    await rig.delivered();
    expect(receiver.requests.length).toBeGreaterThan(before + 19);
  });

  it('goes to active webhooks that subscribed, with their own headers', async () => {
    const authentication = { type: 'api_key', data: { name: 'X-Gateway-Key', value: 'k1' } };
    await using rig = await openRig({}, undefined, {
      ...COMMENTS,
      authentication,
      custom_headers: { 'X-Region': 'eu' },
    });
    const { session, receiver, ticket, webhook } = rig;
    session.simulator.tickets.change(ticket, { priority: 'low', comment: { body: 'One' } });
    await rig.delivered();
    expect(receiver.requests.map(typeOf)).toEqual(['comment_added']);
    expect(receiver.requests[0]?.headers).toMatchObject({ 'x-gateway-key': 'k1', 'x-region': 'eu' });
    const path = `/api/v2/webhooks/${webhook.id}`;
    await session.call(path, { method: 'PATCH', body: { webhook: { status: 'inactive' } } });
    session.simulator.tickets.change(ticket, { comment: { body: 'Two' } });
    await rig.delivered();
    expect(receiver.requests).toHaveLength(1);
    await session.call(path, {
      method: 'PATCH',
      body: {
        webhook: { status: 'active', authentication: { type: 'bearer_token', data: { token: 't2' } } },
      },
    });
    session.simulator.tickets.change(ticket, { comment: { body: 'Three' } });
    await rig.delivered();
    expect(receiver.requests[1]?.headers['authorization']).toBe('Bearer t2');
  });

  it('is delivered by the thousand in seconds, to the last one', async () => {
    await using rig = await openRig({ webhooks: {} });
    rig.session.simulator.activity.step(1000);
    const due = rig.session.simulator.webhooks.pending;
    const began = performance.now();
    await rig.delivered();
    const perSecond = Math.round((due * 1000) / (performance.now() - began));
    console.log(`simulator delivered ${due} webhooks at ${perSecond} a second`);
    expect(rig.receiver.requests).toHaveLength(due);
    expect(rig.session.simulator.webhooks.counts()).toEqual({ delivered: due });
    expect(perSecond).toBeGreaterThan(50);
  });
});
