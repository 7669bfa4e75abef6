import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
// The form is a promise of its own, made before anything reaches a database.
import { leafTextOf, parseLeaf } from '../../src/audit/audit-event.ts';
import { encodeLeaf, MAX_AUDIT_ENVELOPES, type NewAuditEvent } from '../../src/audit/index.ts';
import { createId, encodeBase64Url, encodeUtf8, parseUtf8 } from '../../src/base/index.ts';
import { intent, outcomeOf, single } from './tenant-log.ts';

const hash = encodeBase64Url(new Uint8Array(32).fill(255));
const integrationId = createId('integration');
const full: NewAuditEvent = {
  ...outcomeOf(createId('auditEvent')),
  parentId: createId('auditEvent'),
  integrationId,
  operation: 'search',
  resource: `${integrationId}:comment:42.43`,
  requestId: 'req_01-Ab',
  requestSha256: hash,
  ip: '2001:db8::1',
  upstreamStatus: 422,
  durationMs: 12,
  denialReason: 'UPSTREAM_REJECTED',
  clientKey: {
    ...{ kemKid: hash, sigKid: hash, predecessorId: createId('clientKey'), mode: 'OVERLAP' },
    ...{ vouchedBy: 'ADMIN', expiresAt: '2026-11-21T07:00:00.000Z', endReason: 'KEY_COMPROMISE' },
    login: { roles: ['AGENT'], allowedOperations: ['search'] },
  },
  envelopes: [{ keyId: createId('clientKey'), sequence: 0, sha256: hash }],
};
const tenantId = createId('tenant');
/** As untyped input reaches the log. */
const textOf = (event: object) => leafTextOf(event as NewAuditEvent, tenantId, 7);
const accepts = (event: object): boolean => {
  try {
    textOf(event);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return false;
  }
};

describe('An audit event', () => {
  test('comes back from its leaf with every member, none of them and each phase', () => {
    for (const event of [full, single(), intent(), { ...single(), ip: undefined }]) {
      const placed = { ...event, tenantId, index: 2 ** 40 };
      const leaf = encodeLeaf(placed);
      expect(leafTextOf(event, tenantId, 2 ** 40)).toBe(parseUtf8(leaf));
      expect(parseLeaf(leaf)).toEqual(placed);
      expect(parseUtf8(leaf)).not.toMatch(/null|undefined/);
    }
  });

  test('is written as a general encoder of RFC 8785 writes it, whatever it leaves out', () => {
    const needed = ['id', 'occurredAt', 'actor', 'action', 'phase', 'outcome', 'intentId'];
    const names = Object.keys(full).filter((name) => !needed.includes(name));
    fc.assert(
      fc.property(fc.subarray(names), fc.nat(), (left, index) => {
        const entries = Object.entries(full).filter(([name]) => !left.includes(name));
        const event = Object.fromEntries(entries) as NewAuditEvent;
        const expected = parseUtf8(encodeLeaf({ ...event, tenantId, index }));
        expect(leafTextOf(event, tenantId, index)).toBe(expected);
      }),
    );
  });

  test('has as leaf the RFC 8785 bytes: members sorted, no white space', () => {
    const event = single({ durationMs: 5 });
    const { id, occurredAt, actor } = event;
    expect(textOf(event)).toBe(
      `{"action":"proxy.outbound","actor":{"id":"${actor.id}","type":"API_KEY"},"durationMs":5,"id":"${id}",` +
        `"index":7,"occurredAt":"${occurredAt}","outcome":"SUCCEEDED","phase":"SINGLE","tenantId":"${tenantId}"}`,
    );
  });

  test.each([
    'ticket',
    'ticket:1234567890',
    'comment:1.2',
    `${integrationId}:ticket:1`,
    createId('credential'),
    `query:${hash}`,
  ])('names the resource %s', (resource) => {
    expect(accepts(single({ resource }))).toBe(true);
  });

  test.each([
    ['resource', 'printer on fire'],
    ['resource', 'jane@example.com'],
    ['resource', 'ticket:abc'],
    ['resource', 'query:status'],
    ['resource', `${integrationId}:`],
    ['resource', `${createId('tenant')}:ticket:1`],
    ['resource', 'x'.repeat(33)],
    ['action', 'has space'],
    ['action', ''],
    ['action', 'a'.repeat(65)],
    ['operation', 'Search'],
    ['operation', 'search tickets'],
    ['outcome', 'OK'],
    ['phase', 'OTHER'],
    ['denialReason', 'because I say so'],
    ['denialReason', 'lower'],
    ['requestId', 'a b'],
    ['requestId', 'x'.repeat(65)],
    ['requestSha256', `${hash}A`],
    ['requestSha256', 'ff'.repeat(32)],
    ['ip', 'localhost'],
    ['ip', '1.2.3.4.5'],
    ['ip', `fe80::1%${'a'.repeat(100)}`],
    ['upstreamStatus', 99],
    ['upstreamStatus', '200'],
    ['durationMs', -1],
    ['durationMs', 1.5],
    ['durationMs', Number.NaN],
    ['occurredAt', '2026-01-02'],
    ['occurredAt', '2026-01-02T03:04:05Z'],
    ['occurredAt', '2026-01-02T03:04:05.678+00:00'],
    ['id', createId('apiKey')],
    ['id', 'aud_1'],
    ['parentId', 'root'],
    ['integrationId', createId('tenant')],
    ['actor', { type: 'API_KEY', id: createId('clientKey') }],
    ['actor', { type: 'SYSTEM', id: 'Jane Doe' }],
    ['actor', { type: 'SYSTEM', id: 'sweeper', name: 'Jane' }],
    ['actor', { type: 'USER', id: 'jane' }],
    ['clientKey', { kemKid: hash }],
    ['clientKey', { kemKid: hash, sigKid: 'x' }],
    ['clientKey', { kemKid: hash, sigKid: hash, name: 'Jane' }],
    ['clientKey', { kemKid: hash, sigKid: hash, endReason: 'she left us' }],
    ['clientKey', { kemKid: hash, sigKid: hash, mode: 'GENTLE' }],
    ['clientKey', { kemKid: hash, sigKid: hash, login: { roles: ['ROOT'] } }],
    ['envelopes', [{ keyId: createId('clientKey'), sha256: 'x' }]],
    ['envelopes', [{ keyId: 'key', sha256: hash }]],
    [
      'envelopes',
      Array.from({ length: MAX_AUDIT_ENVELOPES + 1 }, () => ({ keyId: createId('clientKey'), sha256: hash })),
    ],
    ['subject', 'printer on fire'],
    ['index', 3],
    ['tenantId', createId('tenant')],
    ['intentId', createId('auditEvent')],
    ['durationMs', null],
  ])('is refused with a %s like %o', (member, value) => {
    expect(accepts(single())).toBe(true);
    expect(accepts({ ...single(), [member]: value })).toBe(false);
  });

  test('tells of a time as it is written by toISOString only, on days that exist', () => {
    const digits = (count: number) => fc.stringMatching(new RegExp(`^\\d{${count}}$`));
    const number = (min: number, max: number) =>
      fc.integer({ min, max }).map((value) => String(value).padStart(2, '0'));
    const date = fc.tuple(digits(4), number(0, 13), number(0, 32)).map((parts) => parts.join('-'));
    const time = fc.tuple(number(0, 25), number(0, 61), number(0, 61)).map((parts) => parts.join(':'));
    const isWritten = (text: string) => new Date(text).toJSON() === text;
    fc.assert(
      fc.property(date, time, digits(3), (day, at, thousandths) => {
        const occurredAt = `${day}T${at}.${thousandths}Z`;
        expect(accepts({ ...single(), occurredAt })).toBe(isWritten(occurredAt));
      }),
      { numRuns: 2_000 },
    );
    const months = Array.from({ length: 12 }, (_, month) => String(month + 1).padStart(2, '0'));
    const ends = ['1900', '2000', '2026', '2028'].flatMap((year) =>
      months.flatMap((month) => ['28', '29', '30', '31'].map((day) => `${year}-${month}-${day}`)),
    );
    for (const day of ends) {
      const occurredAt = `${day}T00:00:00.000Z`;
      expect(accepts({ ...single(), occurredAt }), day).toBe(isWritten(occurredAt));
    }
  });

  test('is refused where an object in it has members that are hidden', () => {
    const { actor } = single();
    const hidden = Object.defineProperty({ ...actor }, 'name', { value: 'Jane' });
    expect(accepts({ ...single(), actor: hidden })).toBe(false);
    const halfHidden = Object.defineProperty({ type: actor.type, name: 'Jane' }, 'id', { value: actor.id });
    expect(accepts({ ...single(), actor: halfHidden as never })).toBe(false);
  });

  test('is refused where its members are not its own, or not those of a plain object', () => {
    const { actor } = single();
    for (const strange of [
      Object.create(actor),
      Object.assign([], actor),
      Object.assign(Object.create({ toJSON: () => 'printer on fire' }), actor),
    ]) {
      expect(accepts({ ...single(), actor: strange })).toBe(false);
    }
    expect(accepts({ ...single(), actor: Object.assign(Object.create(null), actor) })).toBe(true);
    expect(accepts('printer on fire' as never)).toBe(false);
  });

  test('is refused without what its phase needs', () => {
    const { intentId: _, ...noIntent } = outcomeOf(createId('auditEvent'));
    const { outcome: __, ...noOutcome } = single();
    expect(accepts(noIntent)).toBe(false);
    expect(accepts(noOutcome)).toBe(false);
    expect(accepts({ ...intent(), outcome: 'SUCCEEDED' })).toBe(false);
  });

  test('is refused by the names of its members and never by their values', () => {
    const secret = 'printer on fire';
    const event = { ...single(), resource: secret, [secret]: 1 };
    expect(() => textOf(event)).toThrow(/: resource, unrecognized_keys$/);
    expect(() => textOf({ ...single(), phase: secret })).toThrow(/: phase$/);
    expect(() => textOf({ ...single(), index: 3 })).toThrow(/: unrecognized_keys$/);
  });

  test('is not read from bytes that are no leaf', () => {
    const leaf = encodeLeaf({ ...full, tenantId, index: 0 });
    expect(parseLeaf(leaf)).not.toBeNull();
    const text = parseUtf8(leaf) ?? '';
    for (const bytes of [
      encodeUtf8(text.replace(':', ': ')),
      encodeUtf8(text.replace('"index":0', '"index":0,"index":0')),
      encodeUtf8(text.replace('"index":0', '"index":0.0')),
      encodeUtf8(text.replace('"index":0', '"index":-0')),
      encodeUtf8(text.replace('OUTCOME', '\\u004fUTCOME')),
      encodeUtf8(text.replace(/^\{("action":"[^"]*"),(.*)\}$/, '{$2,$1}')),
      leaf.subarray(1),
      new Uint8Array(0),
      encodeUtf8('{}'),
      Uint8Array.of(255),
      encodeUtf8('null'),
    ]) {
      expect(parseLeaf(bytes)).toBeNull();
    }
  });
});
