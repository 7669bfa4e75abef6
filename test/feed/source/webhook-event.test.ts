import { describe, expect, test } from 'vitest';
import {
  decodeHint,
  encodeHint,
  isSignedBy,
  isTimely,
  mergeHints,
  parseWebhookEvent,
} from '../../../src/feed/index.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('The signature of a webhook', () => {
  // zendesk-api §9: Zendesk's static test secret, with the signature of a body under it.
  const secret = 'dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==';
  const timestamp = '2021-03-25T05:09:27Z';
  const body = bytes('{"event":"ticket.updated","id":123}');
  const signature = 'S/RDdU2ERmj7LHDDoWJ2onPYH+t7/f2+LTM4dL7UiLM=';

  test('is the documented one', () => {
    expect(isSignedBy(secret, { body, timestamp, signature })).toBe(true);
  });

  test.each([
    ['another body', { body: bytes('{"event":"ticket.updated","id":124}') }],
    ['another time', { timestamp: '2021-03-25T05:09:28Z' }],
    ['no time', { timestamp: null }],
    ['no signature', { signature: null }],
    ['an empty signature', { signature: '' }],
    ['one bit changed', { signature: 'S/RDdU2ERmj7LHDDoWJ2onPYH+t7/f2+LTM4dL7UiLI=' }],
    ['half a signature', { signature: 'S/RDdU2ERmj7LHDDoWJ2og==' }],
    ['the wrong alphabet', { signature: signature.replaceAll('/', '_').replaceAll('+', '-') }],
    ['no bytes but zeros', { signature: Buffer.alloc(32).toString('base64') }],
  ])('with %s is refused', (_what, change) => {
    expect(isSignedBy(secret, { body, timestamp, signature, ...change })).toBe(false);
  });

  test('of another secret is refused, and an empty body can be signed', () => {
    expect(isSignedBy(`${secret}x`, { body, timestamp, signature })).toBe(false);
  });

  test.each([
    [-300_000, true],
    [300_000, true],
    [-300_001, false],
    [300_001, false],
  ])('made %i ms from the present is timely: %s', (distance, timely) => {
    const now = Date.parse(timestamp);
    expect(isTimely(timestamp, { now: () => now - distance })).toBe(timely);
  });

  test.each([
    null,
    '',
    'yesterday',
    '1616648967',
    '2021-03-25',
    '2021-03-25T05:09:27',
  ])('made at %j is made at no time', (text) => {
    expect(isTimely(text, { now: () => Date.parse(timestamp) })).toBe(false);
  });
});

/** When the events come, a second after what they tell of. */
const NOW = Date.parse('2026-01-08T14:25:31Z');

function eventOf(name: string, event: object = {}, detail: object = {}): Uint8Array {
  return bytes(
    JSON.stringify({
      ...{ id: 'e-1', type: `zen:event-type:ticket.${name}`, unknown: { of: 'no interest' } },
      detail: { id: '5158', updated_at: '2026-01-08T14:25:30.900Z', ...detail },
      event,
    }),
  );
}

describe('A webhook’s body', () => {
  test.each([
    ['status_changed', { previous: 'OPEN', current: 'SOLVED' }, 'STATUS', { status: 'open' }],
    ['custom_status_changed', { previous: '77' }, 'CUSTOM_STATUS', { custom_status_id: 77 }],
    ['agent_assignment_changed', { previous: null, current: '9' }, 'ASSIGNEE', { assignee_id: null }],
    ['priority_changed', { previous: 'HIGH' }, 'PRIORITY', { priority: 'high' }],
    ['subject_changed', { previous: 'A lamp' }, 'SUBJECT', { subject: 'A lamp' }],
    ['subject_changed', { previous: 'x'.repeat(513) }, 'SUBJECT', {}],
    ['subject_changed', { previous: { not: 'text' } }, 'SUBJECT', {}],
    [
      'task_due_at_changed',
      { previous: '2026-01-31T08:00:00.000Z' },
      'DUE_AT',
      { due_at: '2026-01-31T08:00:00Z' },
    ],
    ['email_ccs_changed', { previous: ['5', '6'] }, 'EMAIL_CCS', { email_cc_ids: [5, 6] }],
    ['email_ccs_changed', { previous: ['5', 'x'] }, 'EMAIL_CCS', {}],
    ['comment_added', { comment: { body: 'secret' } }, 'COMMENT_ADDED', {}],
    ['csat_received', {}, 'SATISFACTION', {}],
    ['invented_tomorrow', { previous: 'x' }, 'OTHER', {}],
  ])('of %s tells what changed and what was before', (name, event, change, previous) => {
    const { type, mark, hint } = parseWebhookEvent(eventOf(name, event), NOW);
    expect({ type, mark, hint }).toEqual({
      type: `ticket.${name}`,
      mark: { ticketId: 5158, gone: null, expectedAt: new Date('2026-01-08T14:25:30Z'), exportedAt: null },
      hint: { change, previous },
    });
  });

  test('of tags_changed tells which there were', () => {
    const event = { tags_added: ['new'], tags_removed: ['old'] };
    const { hint } = parseWebhookEvent(eventOf('tags_changed', event, { tags: ['kept', 'new'] }), NOW);
    expect(hint).toEqual({ change: 'TAGS', previous: { tags: ['kept', 'old'] } });
  });

  test.each([
    ['soft_deleted', {}, 'DELETED'],
    ['permanently_deleted', {}, 'ERASED'],
    ['comment_added', { status: 'DELETED' }, 'DELETED'],
    ['comment_added', { status: 'SCRUBBED' }, 'ERASED'],
    ['undeleted', { status: 'OPEN' }, null],
  ])('of %s with %j says of the ticket’s end %s', (name, detail, gone) => {
    expect(parseWebhookEvent(eventOf(name, {}, detail), NOW).mark.gone).toBe(gone);
  });

  test.each([
    ['no JSON', bytes('{')],
    ['no UTF-8', Uint8Array.of(0xff)],
    ['nothing', bytes('')],
    ['a list', bytes('[]')],
    [
      'an event of users',
      eventOf('x', {}, {})
        .map((byte) => byte)
        .slice(1),
    ],
    ['an id beyond 2^53', eventOf('created', {}, { id: '9007199254740993' })],
    ['an id that is none', eventOf('created', {}, { id: '12x' })],
    ['no id', eventOf('created', {}, { id: null })],
    [
      'another kind of event',
      bytes(JSON.stringify({ id: 'e', type: 'zen:event-type:user.created', detail: { id: '1' } })),
    ],
  ])('with %s is refused without quoting it', (_what, body) => {
    expect(() => parseWebhookEvent(body, NOW)).toThrow(
      expect.objectContaining({ code: 'VALIDATION_FAILED' }),
    );
  });

  test.each([
    ['2026-01-08T14:30:31Z', new Date('2026-01-08T14:30:31Z')],
    ['2026-01-08T14:30:32Z', null],
    ['9999-12-31T23:59:59Z', null],
  ])('that tells of a change at %s is expected to show at %s', (updated_at, expectedAt) => {
    expect(parseWebhookEvent(eventOf('created', {}, { updated_at }), NOW).mark.expectedAt).toEqual(
      expectedAt,
    );
  });

  test('is kept with what was before where that is small, else with its kind alone', () => {
    const small = { change: 'TAGS', previous: { tags: ['x'.repeat(4_000)] } } as const;
    expect(decodeHint(encodeHint(small))).toEqual(small);
    const large = {
      change: 'TAGS',
      previous: { tags: Array.from({ length: 9 }, () => 'x'.repeat(512)) },
    } as const;
    expect(decodeHint(encodeHint(large))).toEqual({ change: 'TAGS', previous: {} });
  });

  test('together with others gives the oldest value of each field', () => {
    const hints = [
      { change: 'STATUS', previous: { status: 'new' } },
      { change: 'PRIORITY', previous: { priority: null } },
      { change: 'STATUS', previous: { status: 'open' } },
    ] as const;
    expect(mergeHints(hints)).toEqual({
      changes: ['STATUS', 'PRIORITY'],
      publicChanges: ['STATUS', 'PRIORITY'],
      previous: { status: 'new', priority: null },
    });
  });

  test('of a comment is told as public only where it says so, and is kept so', () => {
    const hintOf = (name: string, event: object) => {
      const { hint } = parseWebhookEvent(eventOf(name, event), NOW);
      return decodeHint(encodeHint(hint));
    };
    const status = hintOf('status_changed', { current: 'OPEN', previous: 'NEW' });
    for (const comment of [{ is_public: false }, { is_public: 'true' }, {}, undefined]) {
      const hints = [
        status,
        hintOf('comment_added', { comment }),
        hintOf('attachment_linked_to_comment', {}),
      ];
      expect(mergeHints(hints)).toMatchObject({
        changes: ['STATUS', 'COMMENT_ADDED', 'ATTACHMENT'],
        publicChanges: ['STATUS'],
      });
    }
    const told = [status, hintOf('comment_added', { comment: { is_public: true } })];
    expect(mergeHints(told).publicChanges).toEqual(['STATUS', 'COMMENT_ADDED']);
  });
});
