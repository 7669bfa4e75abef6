/** `schema/ticket-change.schema.json`, by a validator that knows nothing of the feed. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { TICKET_CHANGES, type TicketChangeContent } from '../../../src/client/index.ts';
import { changed, snapshot } from './feed-log.ts';

const text = readFileSync(new URL('../../../schema/ticket-change.schema.json', import.meta.url), 'utf8');
const schema = JSON.parse(text);

/** The schema of one definition, or of the whole file. */
const validatorOf = (name?: string) =>
  z.fromJSONSchema(name === undefined ? schema : { $ref: `#/$defs/${name}`, $defs: schema.$defs });

const whole = validatorOf();
const accepts = (value: unknown, validator = whole): boolean => validator.safeParse(value).success;

const FULL = changed(1) as Extract<TicketChangeContent, { kind: 'CHANGED' }>;
const DELETED = { v: 1, kind: 'DELETED', ticket_id: 1, permanent: true, changes: ['DELETED'] };

const ENTERED = {
  ...{ v: 1, kind: 'ENTERED_SCOPE', ticket_id: 1, ticket: FULL.ticket },
  ...{ generated_timestamp: null, shortened: [] },
};
const LEFT = { v: 1, kind: 'LEFT_SCOPE', ticket_id: 1 };

const withTicket = (ticket: object) => ({ ...FULL, ticket: { ...FULL.ticket, ...ticket } });
const without = (value: object, member: string) =>
  Object.fromEntries(Object.entries(value).filter(([name]) => name !== member));

describe('the schema of the change feed', () => {
  it('is of draft 2020-12 and says of every definition and member what it is', () => {
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    const members = Object.entries(schema.$defs.TicketSnapshot.properties);
    expect(members.filter(([, member]) => Object(member).description === undefined)).toEqual([]);
  });

  it('names what the types name', () => {
    expect(schema.$defs.TicketChangeKind.enum).toEqual(TICKET_CHANGES);
    const members = Object.keys(snapshot(1));
    expect(Object.keys(schema.$defs.TicketSnapshot.properties)).toEqual(members);
    expect(schema.$defs.TicketSnapshot.required).toEqual(members);
    expect(schema.$defs.TicketChanged.properties.previous.propertyNames.enum).toEqual(members);
  });

  it.each([
    ['a change', FULL],
    ['a change without hints', { ...FULL, changes: [], previous: {}, generated_timestamp: null }],
    ['all kinds of change', { ...FULL, changes: TICKET_CHANGES }],
    ['previous values', { ...FULL, previous: { status: 'new', tags: ['a'], assignee_id: null } }],
    ['texts and times', withTicket({ subject: '', due_at: '2026-01-01T00:00:00.123Z', external_id: 'x' })],
    [
      'fields of any type',
      withTicket({
        custom_fields: [
          { id: 1, value: null },
          { id: 2, value: ['a', 1] },
        ],
      }),
    ],
    ['the largest id', { ...FULL, ticket_id: Number.MAX_SAFE_INTEGER }],
    ['a deletion', DELETED],
    ['a ticket that entered', ENTERED],
    ['a ticket that left', LEFT],
    ['a gap', { v: 1, kind: 'GAP', reason: 'NO_ACTIVE_KEY' }],
    ['a restart', { v: 1, kind: 'GAP', reason: 'SOURCE_RESTARTED' }],
    ['a position', { v: 1, complete_until: '2026-01-01T00:00:00Z' }],
    ['a position that does not tell', { v: 1, complete_until: null }],
  ])('takes %s', (_name, content) => {
    expect(accepts(content)).toBe(true);
  });

  it.each([
    ['another version', { ...FULL, v: 2 }],
    ['another kind', { ...FULL, kind: 'MOVED' }],
    ['a member more', { ...FULL, more: 1 }],
    ['a member of the ticket more', withTicket({ requester_email: 'a@example.com' })],
    ['an unknown change', { ...FULL, changes: ['MOVED'] }],
    ['a previous value of no field', { ...FULL, previous: { password: 'x' } }],
    ['an id as text', { ...FULL, ticket_id: '1' }],
    ['a negative id', { ...FULL, ticket_id: -1 }],
    ['an id with a fraction', { ...FULL, ticket_id: 1.5 }],
    ['an id beyond the safe integers', { ...FULL, ticket_id: 2 ** 53 }],
    ['a time of another zone', withTicket({ updated_at: '2026-01-01T00:00:00+01:00' })],
    ['a time that is none', withTicket({ updated_at: 'yesterday' })],
    ['a field without its value', withTicket({ custom_fields: [{ id: 1 }] })],
    ['a status that is null', withTicket({ status: null })],
    ['a deletion with a ticket', { ...DELETED, ticket: FULL.ticket }],
    ['one that entered, with previous values', { ...ENTERED, previous: {} }],
    ['one that left, with its ticket', { ...LEFT, ticket: FULL.ticket }],
    ['a gap for another reason', { v: 1, kind: 'GAP', reason: 'CURSOR_EXPIRED' }],
    ['a position with a sequence', { v: 1, complete_until: null, sequence: 1 }],
    ['nothing', {}],
    ['null', null],
    ['a list', [FULL]],
  ])('refuses %s', (_name, content) => {
    expect(accepts(content)).toBe(false);
  });

  it('refuses whatever lacks a member', () => {
    for (const member of Object.keys(FULL))
      expect([member, accepts(without(FULL, member))]).toEqual([member, false]);
    for (const member of Object.keys(FULL.ticket)) {
      const content = { ...FULL, ticket: without(FULL.ticket, member) };
      expect([member, accepts(content)]).toEqual([member, false]);
    }
    for (const member of Object.keys(DELETED))
      expect([member, accepts(without(DELETED, member))]).toEqual([member, false]);
    for (const member of Object.keys(ENTERED))
      expect([member, accepts(without(ENTERED, member))]).toEqual([member, false]);
  });

  it('tells entries and positions apart by their definitions', () => {
    const position = { v: 1, complete_until: null };
    expect(accepts(FULL, validatorOf('TicketChangeContent'))).toBe(true);
    expect(accepts(position, validatorOf('TicketChangeContent'))).toBe(false);
    expect(accepts(position, validatorOf('TicketPositionContent'))).toBe(true);
    expect(accepts(FULL, validatorOf('TicketPositionContent'))).toBe(false);
  });

  it('is part of the package, and can be imported from it', () => {
    const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
    expect(manifest.files).toContain('schema/ticket-change.schema.json');
    expect(manifest.exports['./schema/ticket-change.schema.json']).toBe('./schema/ticket-change.schema.json');
  });
});
