/** What one operation may read of Zendesk: so many calls, and so much held of what they answer. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MAX_READ_CALLS, ReadAllowance, weighJson } from '../../../src/proxy/graph/read-allowance.ts';
import { openRig, type Rig } from '../rig.ts';
import { callCount, openSession } from './graph-rig.ts';

const COMMENTS = '/api/v2/tickets/*/comments';
const NOBODY = 999_999_999;

describe('the allowance of an operation', () => {
  it('ends with a failure that names the limit, of calls and of bytes', () => {
    const calls = new ReadAllowance({ maxCalls: 3 });
    calls.takeCalls(2);
    expect(() => calls.takeCalls(2)).toThrow(/3 Zendesk calls/);
    expect(() => calls.takeCalls(1)).not.toThrow();
    expect(() => calls.takeCalls(1)).toThrow(expect.objectContaining({ code: 'QUERY_TOO_COMPLEX' }));
    const bytes = new ReadAllowance({ maxBytes: 2 ** 20 });
    bytes.hold('x'.repeat(2 ** 19));
    expect(() => bytes.hold(['x'.repeat(2 ** 19)])).toThrow(/1 MiB/);
  });

  it('weighs texts by their characters, and does not take a thousand small objects for nothing', () => {
    expect(weighJson({ body: 'x'.repeat(1_000), more: ['y'.repeat(1_000)] })).toBeGreaterThan(2_000);
    expect(weighJson(Array.from({ length: 1_000 }, () => ({ id: 1, value: null })))).toBeGreaterThan(32_000);
  });
});

describe('an operation whose lists go on for ever', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig({ simulator: { accountLimit: 2_500 } });
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());
  beforeEach(() => rig.gateway.simulator.reset());

  const answerComments = (comments: () => readonly object[], pages = Number.POSITIVE_INFINITY) => {
    let page = 0;
    rig.gateway.simulator.faults.add({
      path: COMMENTS,
      effect: {
        kind: 'status',
        status: 200,
        contentType: 'application/json',
        get body() {
          page += 1;
          return JSON.stringify({
            comments: comments(),
            meta: { has_more: callCount(rig) < pages, after_cursor: `c${page}` },
          });
        },
      },
    });
  };

  it('makes no more calls than one may, for all its comments together', async () => {
    answerComments(() => [{ id: 1, public: true }]);
    const account = await (await openSession(rig)).account();
    const found = await Promise.allSettled(
      Array.from({ length: 10 }, (_, ticket) => account.comment(ticket + 1, NOBODY)),
    );
    expect(callCount(rig)).toBe(MAX_READ_CALLS);
    for (const one of found) {
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'QUERY_TOO_COMPLEX' } });
    }
  });

  it('walks the comments of a ticket once for all that are looked for at the same time', async () => {
    const ticketId =
      rig.gateway.simulator.tickets.all().find(({ commentCount }) => commentCount >= 3)?.id ?? 0;
    const account = await (await openSession(rig)).account();
    const found = await Promise.all([1, 2, 3, 4].map((id) => account.comment(ticketId, id)));
    expect(found).toEqual([null, null, null, null]);
    expect(callCount(rig)).toBe(1);
  });

  it('keeps no page that it only looks through, and refuses slices beyond what it may hold', async () => {
    const body = 'x'.repeat(1_000_000);
    const large = () => Array.from({ length: 10 }, (_, index) => ({ id: index + 1, public: true, body }));
    answerComments(large, 8);
    const account = await (await openSession(rig)).account();
    expect(await account.comment(1, NOBODY)).toBeNull();
    expect(callCount(rig)).toBeGreaterThanOrEqual(8);
    rig.gateway.simulator.reset();
    answerComments(large);
    const slices = await Promise.allSettled(
      Array.from({ length: 8 }, (_, ticket) =>
        account.comments({ ticketId: ticket + 1, newestFirst: false, first: 10, after: null }),
      ),
    );
    const refused = slices.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(2);
    for (const one of refused) expect(one).toMatchObject({ reason: { message: /64 MiB/ } });
  });
});
