import { describe, expect, it } from 'vitest';
import { idsAt, listAt, objectAt, openSession, type Session } from './client.ts';
import { openIds } from './feed.ts';

const statusesOf = async (session: Session, ids: string): Promise<unknown[]> =>
  listAt((await session.call(`/api/v2/tickets/show_many?ids=${ids}`)).body, 'tickets').map(
    (ticket) => ticket['status'],
  );

describe('deleting and restoring', () => {
  it('puts a ticket into the trash and takes it out again as it was', async () => {
    await using session = await openSession({ tickets: 20 });
    const before = objectAt((await session.call('/api/v2/tickets/9')).body, 'ticket');
    session.clock.advance(5000);
    expect((await session.call('/api/v2/tickets/9', { method: 'DELETE' })).status).toBe(204);
    expect((await session.call('/api/v2/tickets/9')).status).toBe(404);
    const trash = await session.call('/api/v2/deleted_tickets.json');
    expect(listAt(trash.body, 'deleted_tickets')).toMatchObject([
      {
        id: 9,
        subject: before['subject'],
        previous_state: before['status'],
        deleted_at: '2026-11-21T06:00:05Z',
        actor: { name: 'Demo Admin' },
      },
    ]);
    session.clock.advance(5000);
    expect((await session.call('/api/v2/deleted_tickets/9/restore', { method: 'PUT' })).status).toBe(200);
    const restored = objectAt((await session.call('/api/v2/tickets/9')).body, 'ticket');
    expect(restored).toEqual({
      ...before,
      updated_at: '2026-11-21T06:00:10Z',
      generated_timestamp: Number(session.clock.now()) / 1000,
    });
    expect((await session.call('/api/v2/deleted_tickets/9/restore', { method: 'PUT' })).status).toBe(404);
  });

  it('pages the trash both ways', async () => {
    await using session = await openSession({ tickets: 20 });
    for (const id of [4, 5, 6]) session.simulator.tickets.delete(id);
    const first = await session.call('/api/v2/deleted_tickets?page[size]=2');
    expect(idsAt(first.body, 'deleted_tickets')).toEqual([4, 5]);
    const cursor = String(objectAt(first.body, 'meta')['after_cursor']);
    const rest = await session.call(
      `/api/v2/deleted_tickets?page[size]=2&page[after]=${encodeURIComponent(cursor)}`,
    );
    expect(idsAt(rest.body, 'deleted_tickets')).toEqual([6]);
    const offset = await session.call('/api/v2/deleted_tickets?per_page=2&page=2');
    expect(idsAt(offset.body, 'deleted_tickets')).toEqual([6]);
    expect(offset.headers.get('zendesk-ratelimit-deleted-tickets-index')).toContain('total=10;');
  });

  it('scrubs a deleted ticket for good', async () => {
    await using session = await openSession({ tickets: 20 });
    expect((await session.call('/api/v2/deleted_tickets/9', { method: 'DELETE' })).status).toBe(404);
    session.simulator.tickets.delete(9);
    const scrubbed = await session.call('/api/v2/deleted_tickets/9', { method: 'DELETE' });
    const job = objectAt(scrubbed.body, 'job_status');
    expect(job).toMatchObject({ status: 'queued', results: null });
    expect(job['id']).toMatch(/^V3-[0-9a-f]{32}$/);
    const done = await session.call(`/api/v2/job_statuses/${job['id']}.json`);
    expect(objectAt(done.body, 'job_status')).toMatchObject({
      status: 'completed',
      results: { success: true },
    });
    expect((await session.call('/api/v2/deleted_tickets/9/restore', { method: 'PUT' })).status).toBe(404);
    expect(listAt((await session.call('/api/v2/deleted_tickets')).body, 'deleted_tickets')).toEqual([]);
    expect((await session.call('/api/v2/job_statuses/V3-none')).status).toBe(404);
  });
});

describe('merging', () => {
  it('closes the sources with a comment and a tag, and tells the target', async () => {
    await using session = await openSession();
    const [target = 0, first = 0, second = 0] = openIds(session, 3);
    const before = session.simulator.tickets.comments(target).length;
    const answer = await session.call(`/api/v2/tickets/${target}/merge`, { body: { ids: [first, second] } });
    expect(answer.status).toBe(200);
    const job = await session.call(`/api/v2/job_statuses/${objectAt(answer.body, 'job_status')['id']}`);
    expect(listAt(objectAt(job.body, 'job_status'), 'results')).toMatchObject([
      { id: first, success: true },
      { id: second, success: true },
    ]);
    expect(await statusesOf(session, `${first},${second}`)).toEqual(['closed', 'closed']);
    expect(session.simulator.tickets.get(first)?.tags).toContain('closed_by_merge');
    expect(session.simulator.tickets.comments(first).at(-1)?.body).toContain(`#${target}`);
    expect(session.simulator.tickets.comments(first).at(-1)?.public).toBe(false);
    expect(session.simulator.tickets.comments(target)).toHaveLength(before + 1);
    expect(session.simulator.tickets.comments(target).at(-1)?.body).toContain(`#${first}, #${second}`);
  });

  it('takes texts of the caller’s own', async () => {
    await using session = await openSession();
    const [target = 0, source = 0] = openIds(session, 2);
    await session.call(`/api/v2/tickets/${target}/merge`, {
      body: {
        ids: [source],
        source_comment: 'Closing here.',
        source_comment_is_public: true,
        target_comment: 'Going on here.',
      },
    });
    expect(session.simulator.tickets.comments(source).at(-1)).toMatchObject({
      body: 'Closing here.',
      public: true,
    });
    expect(session.simulator.tickets.comments(target).at(-1)?.body).toBe('Going on here.');
  });

  it('names in the job what it could not merge, and merges the rest', async () => {
    await using session = await openSession();
    const [target = 0, source = 0] = openIds(session, 2);
    const closed = session.simulator.tickets.all().find((row) => row.status === 'closed')?.id ?? 0;
    const answer = await session.call(`/api/v2/tickets/${target}/merge`, {
      body: { ids: [closed, 99_999, target, source] },
    });
    const job = await session.call(`/api/v2/job_statuses/${objectAt(answer.body, 'job_status')['id']}`);
    const results = listAt(objectAt(job.body, 'job_status'), 'results');
    expect(results.map((result) => result['error'] ?? result['status'])).toEqual([
      'RecordInvalid',
      'TicketNotFound',
      'TicketNotFound',
      'Merged',
    ]);
    expect(session.simulator.tickets.get(target)?.status).not.toBe('closed');
    const into = await session.call(`/api/v2/tickets/${closed}/merge`, { body: { ids: [target] } });
    expect(into.status).toBe(422);
    expect((await session.call(`/api/v2/tickets/${target}/merge`, { body: { ids: 'all' } })).status).toBe(
      400,
    );
    expect((await session.call('/api/v2/tickets/99999/merge', { body: { ids: [1] } })).status).toBe(404);
  });
});
