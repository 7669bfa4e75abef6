/** How versions are told apart, and what an answer of Zendesk's means for a marked ticket. */
import { describe, expect, test } from 'vitest';
import { type KnownTicket, orderOf, readTicket, type TicketMark } from '../../../src/feed/index.ts';
import { type Found, judgeTicket, MAX_MARK_TRIES } from '../../../src/service/feed/judge-tickets.ts';

const AT = new Date('2026-11-21T08:00:00Z');
const later = (seconds: number) => new Date(AT.getTime() + seconds * 1_000);
const known: KnownTicket = {
  ticketId: 5,
  state: 'PRESENT',
  updatedAt: AT,
  generatedAt: 100,
  hash: 'a',
  place: null,
};

describe('A version that Zendesk shows', () => {
  test.each([
    ['NEWER', 'the first of its ticket', null, {}],
    ['SAME', 'of the same content', known, {}],
    ['SAME', 'of the same content, which the system touched', known, { generatedAt: 101 }],
    ['NEWER', 'of other content in the same second', known, { hash: 'b' }],
    ['NEWER', 'of other content, later', known, { hash: 'b', generatedAt: 101 }],
    ['OLDER', 'of an earlier second', known, { hash: 'b', generatedAt: 99 }],
    [
      'OLDER',
      'of an earlier second, though the update is later',
      known,
      { hash: 'b', generatedAt: 99, updatedAt: later(1) },
    ],
    ['OLDER', 'of an earlier update in the same second', known, { hash: 'b', updatedAt: later(-1) }],
    [
      'OLDER',
      'of an earlier update, without a time of the system',
      known,
      { hash: 'b', generatedAt: null, updatedAt: later(-1) },
    ],
    [
      'NEWER',
      'of a later update, without a time of the system',
      known,
      { hash: 'b', generatedAt: null, updatedAt: later(1) },
    ],
    ['NEWER', 'of a ticket that was gone', { ...known, state: 'DELETED' as const }, {}],
    [
      'OLDER',
      'of a ticket from before it was gone',
      { ...known, state: 'DELETED' as const },
      { generatedAt: 99 },
    ],
  ])('is %s: %s', (order, _what, before, change) => {
    const found = { updatedAt: AT, generatedAt: 100, hash: 'a', ...change };
    expect(orderOf(before, found)).toBe(order);
  });
});

const record = {
  ...{ id: 5, status: 'open', subject: 'Lamp', tags: ['b', 'a'], generated_timestamp: 101, raw: 'not told' },
  ...{ created_at: '2026-11-01T08:00:00Z', updated_at: '2026-11-21T08:00:01.000Z', via: { channel: 'web' } },
  ...{
    custom_fields: [{ id: 9, value: null }, { id: 8, value: ['x'] }, 'nonsense'],
    collaborator_ids: [7, 6, 'x'],
  },
};
const mark: TicketMark = {
  ...{ ticketId: 5, generation: 1, byWebhook: true, byExport: false, tries: 0, gone: null },
  ...{ expectedAt: null, exportedAt: null },
};
const judge = (change: {
  readonly mark?: Partial<TicketMark>;
  readonly known?: KnownTicket | null;
  readonly found?: Found;
}) =>
  judgeTicket(
    {
      ...{ mark: { ...mark, ...change.mark }, known: change.known === undefined ? known : change.known },
      found: change.found ?? { kind: 'SHOWN', record },
      hints: [{ change: 'STATUS', previous: { status: 'new' } }],
    },
    () => 'b',
  );

describe('A marked ticket', () => {
  test('that is newer is told with what changed, in one form', () => {
    const { content, version, again } = judge({});
    expect(content).toMatchObject({
      ...{
        kind: 'CHANGED',
        ticket_id: 5,
        generated_timestamp: 101,
        changes: ['STATUS'],
        previous: { status: 'new' },
      },
      ticket: {
        ...{
          id: 5,
          subject: 'Lamp',
          tags: ['a', 'b'],
          via_channel: 'web',
          updated_at: '2026-11-21T08:00:01Z',
        },
        ...{
          custom_fields: [
            { id: 8, value: ['x'] },
            { id: 9, value: null },
          ],
          collaborator_ids: [6, 7],
        },
      },
    });
    expect(JSON.stringify(content)).not.toContain('not told');
    expect(version).toMatchObject({ state: 'PRESENT', generatedAt: 101, hash: 'b' });
    expect(again).toBe(false);
  });

  test('that is older than a source told of is told as far as it is new, and loaded again, but not for ever', () => {
    const expectedAt = later(60);
    const { content, again } = judge({ mark: { expectedAt } });
    // What was told belongs to the version that is still to come.
    expect(content).toMatchObject({ kind: 'CHANGED', changes: [], previous: {} });
    expect(again).toBe(true);
    expect(judge({ mark: { expectedAt, tries: MAX_MARK_TRIES } })).toMatchObject({ again: false });
  });

  test.each<[string, Parameters<typeof judge>[0], object | null, boolean]>([
    [
      'was deleted, as a source tells',
      { mark: { gone: 'DELETED' }, found: { kind: 'MISSING' } },
      { permanent: false },
      false,
    ],
    [
      'was erased, as a source tells',
      { mark: { gone: 'ERASED' }, found: { kind: 'MISSING' } },
      { permanent: true },
      false,
    ],
    ['is known and not there', { found: { kind: 'NOT_THERE' } }, { permanent: false }, false],
    [
      'was never seen, and is gone',
      { known: null, mark: { gone: 'DELETED' }, found: { kind: 'MISSING' } },
      { permanent: false },
      false,
    ],
    ['was never seen, and is not shown', { known: null, found: { kind: 'MISSING' } }, null, true],
    [
      'was never seen, and never shown',
      { known: null, mark: { tries: MAX_MARK_TRIES }, found: { kind: 'MISSING' } },
      null,
      false,
    ],
    [
      'is known to be deleted',
      { known: { ...known, state: 'DELETED' }, mark: { gone: 'DELETED' }, found: { kind: 'MISSING' } },
      null,
      false,
    ],
    [
      'is erased after it was deleted',
      { known: { ...known, state: 'DELETED' }, mark: { gone: 'ERASED' }, found: { kind: 'MISSING' } },
      { permanent: true },
      false,
    ],
    [
      'is known to be erased',
      { known: { ...known, state: 'ERASED' }, mark: { gone: 'DELETED' }, found: { kind: 'MISSING' } },
      null,
      false,
    ],
    [
      'is shown as deleted',
      { found: { kind: 'SHOWN', record: { ...record, status: 'deleted' } } },
      { permanent: false },
      false,
    ],
    [
      'is shown as a placeholder',
      { found: { kind: 'SHOWN', record: { ...record, status: 'deleted', subject: 'SCRUBBED' } } },
      { permanent: true },
      false,
    ],
    ['is shown in another shape', { found: { kind: 'SHOWN', record: { id: 5 } } }, null, true],
  ])('that %s is told so', (_what, ticket, content, again) => {
    const verdict = judge(ticket);
    expect(verdict.again).toBe(again);
    if (content === null) expect(verdict.content).toBeNull();
    else expect(verdict.content).toMatchObject({ kind: 'DELETED', ticket_id: 5, ...content });
  });

  test('that lacks everything but what every ticket has is read all the same', () => {
    const { created_at, updated_at } = record;
    expect(readTicket({ id: 5, status: 'new', created_at, updated_at })).toMatchObject({
      generatedAt: null,
      snapshot: {
        subject: null,
        tags: [],
        custom_fields: [],
        is_public: true,
        has_incidents: false,
        due_at: null,
      },
    });
    expect(readTicket({ id: 5, status: 'new', created_at, updated_at: 'soon' })).toBeNull();
  });
});
