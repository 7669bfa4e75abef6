/** A ticket that is larger than an entry may be is told all the same, and says what of it is cut. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { MAX_CHANGE_BYTES, shortenChange } from '../../../src/service/feed/shorten-change.ts';
import { changed } from '../../client/feed/feed-log.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { openSourceRig } from './source-rig.ts';

const KIB = 1_024;
const schema = JSON.parse(
  readFileSync(new URL('../../../schema/ticket-change.schema.json', import.meta.url), 'utf8'),
);
const validator = z.fromJSONSchema({ $ref: '#/$defs/TicketChanged', $defs: schema.$defs });

function shortened(ticket: object) {
  const whole = changed(5);
  if (whole.kind !== 'CHANGED') throw new Error('A change was made');
  const change = { ...whole, ticket: { ...whole.ticket, ...ticket } };
  const cut = shortenChange(change);
  expect(Buffer.byteLength(JSON.stringify(cut))).toBeLessThanOrEqual(MAX_CHANGE_BYTES);
  expect(validator.safeParse(cut).success).toBe(true);
  return { change, cut };
}

const fields = (count: number, value: unknown) =>
  Array.from({ length: count }, (_, index) => ({ id: index + 1, value }));

describe('A version', () => {
  test('that just fits is told whole, and one byte more cuts its largest text alone', () => {
    const size = Buffer.byteLength(JSON.stringify(shortened({ description: '' }).change));
    const fits = shortened({ description: 'x'.repeat(MAX_CHANGE_BYTES - size) });
    expect(fits.cut).toBe(fits.change);
    const { change, cut } = shortened({ description: 'x'.repeat(MAX_CHANGE_BYTES - size + 1) });
    expect(cut).toEqual({
      ...change,
      shortened: ['description'],
      ticket: { ...change.ticket, description: expect.stringMatching(/^x{60000,}$/) },
    });
  });

  test.each<[string, object, readonly string[]]>([
    ['a text of 16 MiB', { description: 'x'.repeat(16 * KIB * KIB) }, ['description']],
    ['control characters', { subject: '\u0001'.repeat(300 * KIB) }, ['subject']],
    ['characters of four bytes', { description: '😀'.repeat(100 * KIB) }, ['description']],
    ['halves of characters', { description: '\ud83d'.repeat(100 * KIB) }, ['description']],
    ['many tags', { tags: Array.from({ length: 40 * KIB }, (_, index) => `tag-${index}`) }, ['tags']],
    [
      'many ids',
      { collaborator_ids: Array.from({ length: 60 * KIB }, (_, id) => id + 1) },
      ['collaborator_ids'],
    ],
    [
      'large fields beside small ones',
      { custom_fields: [...fields(1, 'x'.repeat(300 * KIB)), { id: 2, value: 'small' }] },
      ['custom_fields.1'],
    ],
    ['a list in a field', { custom_fields: fields(1, ['x'.repeat(300 * KIB)]) }, ['custom_fields.1']],
    ['too many fields', { custom_fields: fields(20 * KIB, 'short') }, ['custom_fields']],
  ])('of a ticket with %s fits, and says so', (_what, ticket, names) => {
    const { change, cut } = shortened(ticket);
    expect(cut.shortened).toEqual(names);
    expect(JSON.stringify(cut).isWellFormed()).toBe(true);
    expect(cut).toMatchObject({ ticket_id: 5, changes: change.changes, previous: change.previous });
  });

  test('keeps of each of many large values as much as of the others', () => {
    const { cut } = shortened({ custom_fields: fields(100, 'é'.repeat(8 * KIB)) });
    expect(cut.shortened).toHaveLength(100);
    const sizes = cut.ticket.custom_fields.map(({ value }) => String(value).length);
    expect(new Set(sizes).size).toBe(1);
    expect(sizes[0]).toBeGreaterThan(400);
  });
});

describeOnBothDatabases('A feed', (kind) => {
  test('tells of a ticket that is too large, and of what comes after it', async () => {
    await using rig = await openSourceRig(kind);
    const { simulator } = rig;
    await rig.enable();
    const follower = await rig.follow();
    rig.startWorker();
    const large = simulator.tickets.create({ subject: 'x'.repeat(400 * KIB), comment: { body: 'Large.' } });
    expect(
      await follower.until((change) => change.kind === 'CHANGED' && change.ticket_id === large),
    ).toMatchObject({ ticket: { description: 'Large.' }, shortened: ['subject'] });
    const next = simulator.tickets.create({ subject: 'Next', comment: { body: 'Small.' } });
    expect(
      await follower.until((change) => change.kind === 'CHANGED' && change.ticket_id === next),
    ).toMatchObject({ ticket: { subject: 'Next' }, shortened: [] });
  });
});
