import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createId } from '../../../src/base/index.ts';
import { encodeObjectId, parseObjectId, type ZendeskObjectId } from '../../../src/service/index.ts';

const zendeskId = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const integrationId = fc.integer({ min: 0, max: 2 ** 45 }).map((now) => createId('integration', now));
const objectId: fc.Arbitrary<ZendeskObjectId> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('ticket' as const, 'user' as const, 'organization' as const),
    integrationId,
    zendeskId,
  }),
  fc.record({ kind: fc.constant('comment' as const), integrationId, ticketId: zendeskId, zendeskId }),
);

describe('the global id of an object of Zendesk', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(objectId, (id) => {
        expect(parseObjectId(encodeObjectId(id))).toEqual(id);
      }),
    );
  });

  it('is the only text that is read as it', () => {
    fc.assert(
      fc.property(
        objectId.map(encodeObjectId),
        fc.nat(),
        fc.string({ minLength: 1, maxLength: 2, unit: 'binary' }),
        fc.boolean(),
        (text, at, piece, replaces) => {
          const place = at % (text.length + 1);
          const altered = text.slice(0, place) + piece + text.slice(replaces ? place + piece.length : place);
          const parsed = parseObjectId(altered);
          if (parsed !== null) expect(encodeObjectId(parsed)).toBe(altered);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  const integration = createId('integration', 1);
  it.each([
    '',
    ':',
    `${integration}`,
    `${integration}:ticket`,
    `${integration}:ticket:`,
    `${integration}:ticket:0`,
    `${integration}:ticket:01`,
    `${integration}:ticket:-1`,
    `${integration}:ticket:+1`,
    `${integration}:ticket:1.0`,
    `${integration}:ticket:1e3`,
    `${integration}:ticket:9007199254740992`,
    `${integration}:ticket:1:1`,
    `${integration}:ticket: 1`,
    `${integration}:Ticket:1`,
    `${integration}:group:1`,
    `${integration}:comment:1`,
    `${integration}:comment:1.`,
    `${integration}:comment:.1`,
    `${integration}:comment:1.2.3`,
    `${integration}:user:1.2`,
    `${integration.toUpperCase()}:ticket:1`,
    `${createId('tenant', 1)}:ticket:1`,
    `int_x:ticket:1`,
    `${integration}:__proto__:1`,
    `${integration}:ticket:${'1'.repeat(10_000)}`,
  ])('is not %j', (text) => {
    expect(parseObjectId(text)).toBeNull();
  });
});
