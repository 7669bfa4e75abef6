import { describe, expect, it } from 'vitest';
import { basic, listAt, objectAt, openSession, type Session } from './client.ts';

const TICKET = {
  ticket: { subject: 'Lamp hums', comment: { body: 'It hums.' }, priority: 'high', tags: ['hum'] },
};

const firstOpen = (session: Session): number =>
  session.simulator.tickets.all().find((row) => row.status === 'open')?.id ?? Number.NaN;

describe('creating tickets', () => {
  it('answers 201 with location, ticket and audit, and keeps the ticket', async () => {
    await using session = await openSession({ tickets: 20 });
    const answer = await session.call('/api/v2/tickets.json', {
      body: {
        ticket: { ...TICKET.ticket, requester: { name: 'New Person', email: 'new@x.test' }, bogus: 1 },
      },
    });
    expect(answer.status).toBe(201);
    const ticket = objectAt(answer.body, 'ticket');
    expect(answer.headers.get('location')).toBe(`${session.simulator.url}/api/v2/tickets/21.json`);
    expect(ticket).toMatchObject({
      id: 21,
      subject: 'Lamp hums',
      status: 'new',
      priority: 'high',
      description: 'It hums.',
    });
    expect(objectAt(answer.body, 'audit')['ticket_id']).toBe(21);
    expect(answer.headers.get('x-zendesk-api-warn')).toContain(':unpermitted_keys=>["ticket.bogus"]');
    expect(answer.headers.get('x-idempotency-lookup')).toBeNull();
    const stored = session.simulator.tickets.get(21);
    expect(session.simulator.users.get(stored?.requesterId ?? 0)?.email).toBe('new@x.test');
  });

  it('makes one ticket per idempotency key', async () => {
    await using session = await openSession({ tickets: 20 });
    const create = (body: unknown) =>
      session.call('/api/v2/tickets', { body, headers: { 'idempotency-key': 'k1' } });
    const first = await create(TICKET);
    const second = await create(TICKET);
    expect(first.headers.get('x-idempotency-lookup')).toBe('miss');
    expect(second.headers.get('x-idempotency-lookup')).toBe('hit');
    expect(second.status).toBe(201);
    expect(second.text).toBe(first.text);
    expect(session.simulator.tickets.count).toBe(21);
    const other = await create({ ticket: { comment: { body: 'other' } } });
    expect(other.status).toBe(400);
    expect(other.body).toEqual({
      error: 'IdempotentRequestError',
      description: "Request parameters don't match the given idempotency key",
    });
    session.clock.advance(2 * 3_600_000);
    expect((await create(TICKET)).headers.get('x-idempotency-lookup')).toBe('miss');
    expect(session.simulator.tickets.count).toBe(22);
  });

  it.each([
    ['no comment', { ticket: { subject: 'x' } }, 'base', 'BlankValue'],
    ['a blank comment', { ticket: { comment: { body: '  ' } } }, 'base', 'BlankValue'],
    [
      'an unknown priority',
      { ticket: { comment: { body: 'x' }, priority: 'huge' } },
      'priority',
      'InvalidValue',
    ],
    ['an unknown status', { ticket: { comment: { body: 'x' }, status: 'done' } }, 'status', 'InvalidValue'],
    [
      'an assignee of nobody',
      { ticket: { comment: { body: 'x' }, assignee_id: 5 } },
      'assignee_id',
      'InvalidValue',
    ],
    [
      'a due date that is none',
      { ticket: { comment: { body: 'x' }, due_at: 'soon' } },
      'due_at',
      'InvalidValue',
    ],
    [
      'a suspended requester',
      { ticket: { comment: { body: 'x' }, requester: { email: 'blocked@example.test' } } },
      'requester',
      undefined,
    ],
  ])('refuses %s as RecordInvalid', async (_what, body, field, error) => {
    await using session = await openSession({ tickets: 20 });
    const answer = await session.call('/api/v2/tickets', { body });
    expect(answer.status).toBe(422);
    expect(answer.body['error']).toBe('RecordInvalid');
    expect(listAt(objectAt(answer.body, 'details'), field)[0]?.['error']).toBe(error);
    expect(session.simulator.tickets.count).toBe(20);
  });

  it('localizes the descriptions, not the codes', async () => {
    await using session = await openSession({ tickets: 20, language: 'de' });
    const answer = await session.call('/api/v2/tickets', { body: { ticket: { subject: 'x' } } });
    expect(answer.body['description']).toBe('Fehler bei der Datensatzprüfung');
    expect(listAt(objectAt(answer.body, 'details'), 'base')[0]?.['error']).toBe('BlankValue');
  });

  it('cuts a comment of more than 64 kB without a word', async () => {
    await using session = await openSession({ tickets: 20 });
    await session.call('/api/v2/tickets', { body: { ticket: { comment: { body: 'y'.repeat(70_000) } } } });
    expect(session.simulator.tickets.comments(21)[0]?.body).toHaveLength(65_536);
  });
});

describe('updating tickets', () => {
  it('adds a comment and changes fields, and writes down what changed', async () => {
    await using session = await openSession();
    const id = firstOpen(session);
    const before = session.simulator.tickets.comments(id).length;
    const answer = await session.call(`/api/v2/tickets/${id}.json`, {
      method: 'PUT',
      body: { ticket: { status: 'pending', tags: ['a', 'b'], comment: { body: 'Noted.', public: false } } },
    });
    expect(answer.status).toBe(200);
    expect(objectAt(answer.body, 'ticket')).toMatchObject({
      status: 'pending',
      tags: ['a', 'b'],
      updated_at: '2026-11-21T06:00:00Z',
    });
    const events = listAt(objectAt(answer.body, 'audit'), 'events').map(
      (event) => event['field_name'] ?? event['type'],
    );
    expect(events).toEqual(expect.arrayContaining(['Comment', 'status', 'tags']));
    const comments = session.simulator.tickets.comments(id);
    expect(comments).toHaveLength(before + 1);
    expect(comments.at(-1)).toMatchObject({ body: 'Noted.', public: false });
  });

  it('refuses a safe update with an old stamp and takes one with the newest', async () => {
    await using session = await openSession();
    const id = firstOpen(session);
    const update = (stamp: unknown) =>
      session.call(`/api/v2/tickets/${id}`, {
        method: 'PUT',
        body: { ticket: { priority: 'low', safe_update: true, updated_stamp: stamp } },
      });
    const shown = await session.call(`/api/v2/tickets/${id}`);
    const stamp = objectAt(shown.body, 'ticket')['updated_at'];
    expect((await update('2020-01-01T00:00:00Z')).status).toBe(409);
    const missing = await update(undefined);
    expect(missing.body['error']).toBe('UpdateConflict');
    expect((await update(stamp)).status).toBe(200);
    expect((await update(stamp)).status).toBe(409);
  });

  it('keeps a closed ticket as it is, but lets a follow-up be made', async () => {
    await using session = await openSession();
    const closed = session.simulator.tickets.all().find((row) => row.status === 'closed');
    const answer = await session.call(`/api/v2/tickets/${closed?.id}`, {
      method: 'PUT',
      body: { ticket: { status: 'open' } },
    });
    expect(answer.status).toBe(422);
    expect(objectAt(answer.body, 'details')['status']).toEqual([
      { description: 'Status: closed prevents ticket update' },
    ]);
    const followup = { ticket: { comment: { body: 'again' }, via_followup_source_id: closed?.id } };
    expect((await session.call('/api/v2/tickets', { body: followup })).status).toBe(201);
  });

  it('hides a deleted ticket', async () => {
    await using session = await openSession({ tickets: 20 });
    expect((await session.call('/api/v2/tickets/5', { method: 'DELETE' })).status).toBe(204);
    const shown = await session.call('/api/v2/tickets/5');
    expect(shown.status).toBe(404);
    expect(shown.body).toEqual({ error: 'RecordNotFound', description: 'Not found' });
    expect(session.simulator.tickets.count).toBe(19);
    expect((await session.call('/api/v2/tickets/5', { method: 'DELETE' })).status).toBe(404);
  });
});

describe('creating users', () => {
  it('makes a user and refuses the same address twice', async () => {
    await using session = await openSession({ tickets: 20 });
    const body = { user: { name: 'Ann', email: 'ann@x.test', external_id: 'A1' } };
    const made = await session.call('/api/v2/users', { body });
    expect(made.status).toBe(201);
    expect(objectAt(made.body, 'user')).toMatchObject({
      role: 'end-user',
      email: 'ann@x.test',
      external_id: 'A1',
    });
    const again = await session.call('/api/v2/users', { body });
    expect(again.status).toBe(422);
    expect(listAt(objectAt(again.body, 'details'), 'email')[0]?.['error']).toBe('DuplicateValue');
  });
});

describe('requests Zendesk cannot read', () => {
  it.each([
    ['an unknown endpoint', '/api/v2/nothing', {}, 404, 'InvalidEndpoint'],
    ['an unknown id', '/api/v2/tickets/999999.json', {}, 404, 'RecordNotFound'],
    [
      'a body that is not declared JSON',
      '/api/v2/tickets',
      { body: 'a=1', headers: { 'content-type': 'text/plain' } },
      415,
      'UnsupportedMediaType',
    ],
    [
      'a huge body',
      '/api/v2/tickets',
      { body: 'x'.repeat(4 * 1024 * 1024 + 1) },
      413,
      'RequestEntityTooLarge',
    ],
  ])('refuses %s', async (_what, path, options, status, error) => {
    await using session = await openSession({ tickets: 20 });
    const answer = await session.call(path, options);
    expect(answer.status).toBe(status);
    expect(answer.body['error']).toBe(error);
  });

  it('answers malformed JSON in plain text', async () => {
    await using session = await openSession({ tickets: 20 });
    const answer = await session.call('/api/v2/tickets', { body: '{"ticket":' });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('text/plain');
  });

  it('says 400 to an id that is no number and to a missing wrapper', async () => {
    await using session = await openSession({ tickets: 20 });
    expect(objectAt((await session.call('/api/v2/tickets/abc.json')).body, 'error')['title']).toBe(
      'Invalid attribute',
    );
    expect((await session.call('/api/v2/tickets', { body: { subject: 'x' } })).status).toBe(400);
  });

  it('leaves end users out of the tickets API', async () => {
    await using session = await openSession({ tickets: 20 });
    const answer = await session.call('/api/v2/tickets/1', { authorization: basic('customer@example.test') });
    expect(answer.status).toBe(403);
    expect(objectAt(answer.body, 'error')['title']).toBe('Forbidden');
  });
});

describe('whole objects', () => {
  it('carries the fields of a recorded ticket', async () => {
    await using session = await openSession({ tickets: 20 });
    const ticket = objectAt((await session.call('/api/v2/tickets/7.json')).body, 'ticket');
    for (const field of [
      'url',
      'external_id',
      'via',
      'raw_subject',
      'recipient',
      'submitter_id',
      'collaborator_ids',
      'follower_ids',
      'email_cc_ids',
      'problem_id',
      'has_incidents',
      'is_public',
      'due_at',
      'custom_fields',
      'fields',
      'satisfaction_rating',
      'sharing_agreement_ids',
      'custom_status_id',
      'ticket_form_id',
      'brand_id',
      'allow_channelback',
      'allow_attachments',
      'from_messaging_channel',
      'generated_timestamp',
      'support_type',
    ]) {
      expect(ticket).toHaveProperty(field);
    }
    expect(ticket['url']).toBe(`${session.simulator.url}/api/v2/tickets/7.json`);
  });

  it('puts the canonical origin into links when the account is host-mapped', async () => {
    await using session = await openSession({
      tickets: 200,
      canonicalOrigin: 'https://z3n-demo.zendesk.test',
    });
    const answer = await session.call('/api/v2/tickets?page[size]=5');
    expect(String(objectAt(answer.body, 'links')['next'])).toMatch(
      /^https:\/\/z3n-demo\.zendesk\.test\/api\/v2\/tickets\.json\?/,
    );
  });

  it('knows by its etag when nothing changed', async () => {
    await using session = await openSession({ tickets: 20 });
    const first = await session.call('/api/v2/tickets/7');
    const again = await session.call('/api/v2/tickets/7', {
      headers: { 'if-none-match': first.headers.get('etag') ?? '' },
    });
    expect(again.status).toBe(304);
  });
});
