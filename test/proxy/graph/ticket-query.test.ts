import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSearchQuery } from '../../../simulator/search-query.ts';
import { isSealdeskError } from '../../../src/base/index.ts';
import { ticketQueryOf } from '../../../src/proxy/graph/ticket-query.ts';

/** The names of the refused members. */
function refusedOf(filter: Parameters<typeof ticketQueryOf>[0]): readonly string[] {
  try {
    ticketQueryOf(filter);
    return [];
  } catch (error) {
    if (!isSealdeskError(error, 'VALIDATION_FAILED')) throw error;
    return (error.details.fields ?? []).map(({ path }) => path);
  }
}

describe('the query of a filter', () => {
  it('says each member in Zendesk’s words', () => {
    expect(
      ticketQueryOf({
        status: ['open', 'pending'],
        priority: ['high'],
        type: ['incident'],
        assigneeId: 1,
        requesterId: 2,
        organizationId: 3,
        groupId: 4,
        tags: ['vip', 'lamp'],
        externalId: 'A 1',
        createdFrom: new Date('2026-01-01T00:00:00.400Z'),
        createdTo: new Date('2026-01-31T00:00:00.400Z'),
        updatedFrom: new Date('2026-01-01T00:00:00Z'),
        updatedTo: undefined,
      }),
    ).toBe(
      'type:ticket status:open status:pending priority:high ticket_type:incident assignee:1 requester:2 organization:3 group:4 tags:"vip lamp" external_id:"A 1" created>=2026-01-01T00:00:01Z created<=2026-01-31T00:00:00Z updated>=2026-01-01T00:00:00Z',
    );
    expect(ticketQueryOf({})).toBe('type:ticket');
  });

  it('keeps every value one value, or refuses it by name', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.string({ unit: fc.constantFrom(...'ab"\\* \n\r\t:<>-,“”＂\u0000\u2028type'), maxLength: 20 }),
    );
    fc.assert(
      fc.property(text, fc.array(text, { minLength: 1, maxLength: 3 }), text, (externalId, tags, status) => {
        const filter = { externalId, tags, status: [status] };
        const refused = refusedOf(filter);
        for (const [name, member] of Object.entries(filter)) {
          if (refused.includes(`filter.${name}`)) continue;
          const { terms, types } = parseSearchQuery(ticketQueryOf({ [name]: member }));
          expect(types).toEqual(['ticket']);
          expect(terms).toHaveLength(1);
          expect(terms[0]).toMatchObject({ kind: 'property', comparison: ':', negated: false });
          expect(terms[0]?.value).toBe(
            name === 'tags' ? tags.join(' ') : name === 'status' ? status : externalId,
          );
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    'a"b',
    'a\\',
    'a*',
    'a\nb',
    '“a”',
    ' ',
    '',
    '\ud800',
    'a\u2028b',
    'a\u200bb',
  ])('refuses %j as an external id', (externalId) => {
    expect(refusedOf({ externalId })).toEqual(['filter.externalId']);
  });

  it('refuses tags that would be two, words that are none, and what is too long', () => {
    expect(refusedOf({ tags: ['a b'], status: ['open priority:low'] })).toEqual([
      'filter.tags',
      'filter.status',
    ]);
    expect(refusedOf({ tags: Array.from({ length: 100 }, () => 'ü'.repeat(20)) })).toEqual(['filter']);
  });
});
