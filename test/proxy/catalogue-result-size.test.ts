/** Results that are too large, or would be: what customers wrote must not make a ticket unreadable. */
import { describe, expect, it } from 'vitest';
import { encodeUtf8, type JsonObject } from '../../src/base/index.ts';
import { ENVELOPE_LIMITS } from '../../src/envelope/index.ts';
import { CATALOGUE, OPERATION_NAMES } from '../../src/proxy/catalogue/catalogue.ts';
import { assertResultSize, jsonBytes, MAX_RESULT_BYTES } from '../../src/proxy/catalogue/result-size.ts';
import { createUsageMeter, type ZendeskClient, ZendeskError } from '../../src/zendesk/index.ts';

interface FakeThread {
  readonly count: number;
  readonly commentBytes: number;
  /** Comments on a page from which on it is larger than the gateway reads. */
  readonly oversizeFrom?: number;
  /** Characters of each author's name. */
  readonly nameLength?: number;
}

/** A Zendesk with one ticket whose comments are `count` down to 1, newest first; notes the page sizes asked for. */
function clientOf(thread: FakeThread): { readonly client: ZendeskClient; readonly sizes: number[] } {
  const { count, commentBytes, oversizeFrom = Number.POSITIVE_INFINITY, nameLength = 1 } = thread;
  const sizes: number[] = [];
  const answer = (body: JsonObject) => ({
    status: 200,
    body,
    rateLimit: { limit: null, remaining: null, resetsAt: null, endpoints: [] },
    servedAt: null,
    idempotencyLookup: null,
    calls: 1,
  });
  const client: ZendeskClient = {
    origin: 'https://example.zendesk.com',
    async request({ path, query = {} }) {
      if (!path.endsWith('/comments.json')) return answer({ ticket: { id: 7, subject: 'Tap' } });
      const size = Number(query['page[size]']);
      sizes.push(size);
      if (size >= oversizeFrom) {
        throw new ZendeskError('UPSTREAM_UNAVAILABLE', 'Too large.', { failure: 'OVERSIZE' });
      }
      const newest = Number(query['page[after]'] ?? count);
      const ids = Array.from({ length: Math.min(size, newest) }, (_, index) => newest - index);
      return answer({
        comments: ids.map((id) => ({ id, author_id: id, body: 'é'.repeat(commentBytes / 2) })),
        users: ids.map((id) => ({ id, name: 'n'.repeat(nameLength) })),
        meta: { has_more: newest > size, after_cursor: String(newest - size) },
      });
    },
  };
  return { client, sizes };
}

async function getTicket(thread: FakeThread, payload: object = {}) {
  const { client, sizes } = clientOf(thread);
  const prepared = CATALOGUE.get_ticket.prepare({ ticket_id: 7, ...payload }, null);
  const { result } = await prepared.run(client, {
    ...{ gate: null, usage: createUsageMeter(), isPermitted: () => true },
  });
  return { ...CATALOGUE.get_ticket.result.parse(result), bytes: jsonBytes(result), sizes };
}

const idsOf = (records: readonly { readonly id: number }[]): number[] => records.map(({ id }) => id);

describe('get_ticket', () => {
  it('keeps the newest comments that fit, stops asking, and says that older ones are missing', async () => {
    const {
      comments,
      comments_truncated: truncated,
      bytes,
      sizes,
    } = await getTicket({ count: 1_000, commentBytes: 64_000 });
    expect(bytes).toBeLessThanOrEqual(MAX_RESULT_BYTES);
    expect(bytes).toBeGreaterThan(MAX_RESULT_BYTES - 70_000);
    expect(truncated).toBe(true);
    expect(idsOf(comments)).toEqual(Array.from(comments, (_, index) => 1_001 - comments.length + index));
    expect(sizes).toEqual([100, 100]);
  });

  it('counts the authors too', async () => {
    const {
      bytes,
      users,
      comments_truncated: truncated,
    } = await getTicket({ count: 400, commentBytes: 2, nameLength: 50_000 });
    expect(bytes).toBeLessThanOrEqual(MAX_RESULT_BYTES);
    expect(users.length).toBeGreaterThan(100);
    expect(truncated).toBe(true);
  });

  it('of a thread that fits shows it whole', async () => {
    const { comments, comments_truncated: truncated } = await getTicket({ count: 120, commentBytes: 60_000 });
    expect(comments).toHaveLength(120);
    expect(truncated).toBe(false);
  });

  it('walks in small pages from where a page is larger than the gateway reads', async () => {
    const {
      comments,
      comments_truncated: truncated,
      sizes,
    } = await getTicket({ count: 35, commentBytes: 10, oversizeFrom: 20 });
    expect(idsOf(comments)).toEqual(Array.from({ length: 35 }, (_, index) => index + 1));
    expect(truncated).toBe(false);
    expect(sizes).toEqual([100, 10, 10, 10, 10]);
  });

  it('in small pages still loads no more than it was asked for', async () => {
    const { comments, comments_truncated: truncated } = await getTicket(
      { count: 100, commentBytes: 10, oversizeFrom: 20 },
      { max_comments: 25 },
    );
    expect(idsOf(comments)).toEqual(Array.from({ length: 25 }, (_, index) => 76 + index));
    expect(truncated).toBe(true);
  });

  it('fails where even a small page is too large', async () => {
    const failing = getTicket({ count: 35, commentBytes: 10, oversizeFrom: 5 });
    await expect(failing).rejects.toMatchObject({ failure: 'OVERSIZE' });
  });
});

describe('the largest result', () => {
  it('fits into an envelope, and that envelope into another', () => {
    expect(Math.ceil(MAX_RESULT_BYTES / 3) * 4 + 64 * 1024).toBeLessThan(ENVELOPE_LIMITS.maxPlaintext);
  });

  it('is measured in bytes', () => {
    expect(jsonBytes({ a: 'é' })).toBe(encodeUtf8('{"a":"é"}').length);
  });

  it.each(OPERATION_NAMES)('of %s is accepted, and one byte more refused with what to do', (name) => {
    const operation = CATALOGUE[name];
    expect(() => assertResultSize(operation, MAX_RESULT_BYTES)).not.toThrow();
    const path = ['per_page', 'max_comments'].find((field) => field in operation.fields);
    expect(() => assertResultSize(operation, MAX_RESULT_BYTES + 1)).toThrow(
      expect.objectContaining(
        path === undefined
          ? { code: 'PAYLOAD_TOO_LARGE', message: expect.stringContaining('8 MiB') }
          : { code: 'VALIDATION_FAILED', details: { fields: [expect.objectContaining({ path })] } },
      ),
    );
  });
});
