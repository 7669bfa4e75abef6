/** What the stream of a restricted client key is told of a change. */
import { describe, expect, it } from 'vitest';
import type { Restriction } from '../../../src/access/index.ts';
import {
  createId,
  type TicketChangeContent,
  type TicketChangeKind,
  type TicketSnapshot,
} from '../../../src/base/index.ts';
import type { TicketPlace } from '../../../src/feed/index.ts';
import { scopeChange } from '../../../src/service/feed/scope-change.ts';
import { snapshotOf } from '../delivery/feed-desk.ts';

const integrationId = createId('integration');
const BY_ORGANIZATION: Restriction = { kind: 'ORGANIZATION', integrationId, organizationId: 11 };
const BY_REQUESTER: Restriction = { kind: 'REQUESTER', integrationId, requesterId: 21 };
const INSIDE: TicketPlace = { organizationId: 11, requesterId: 21, isPublic: true };
const OUTSIDE: TicketPlace = { organizationId: 12, requesterId: 22, isPublic: true };
const HIDDEN: TicketPlace = { ...INSIDE, isPublic: false };

const SECRET: Partial<TicketSnapshot> = {
  ...{ description: 'SECRET', tags: ['SECRET'], external_id: 'SECRET', satisfaction_score: 'SECRET' },
  ...{ custom_fields: [{ id: 1, value: 'SECRET' }], problem_id: 987, has_incidents: true },
  ...{ collaborator_ids: [987], follower_ids: [987] },
};
type Changed = Extract<TicketChangeContent, { kind: 'CHANGED' }>;
const changed = (place: TicketPlace, rest: Partial<Changed> = {}): Changed => ({
  ...{ v: 1, kind: 'CHANGED', ticket_id: 5, generated_timestamp: 100 },
  ticket: {
    ...snapshotOf(5),
    ...SECRET,
    ...{ organization_id: place.organizationId, requester_id: place.requesterId, is_public: place.isPublic },
  },
  changes: ['STATUS', 'TAGS', 'COMMENT_ADDED'],
  previous: { status: 'new', tags: ['SECRET'], problem_id: 987 },
  shortened: ['description', 'subject', 'custom_fields.1'],
  ...rest,
});
const deleted: TicketChangeContent = {
  ...{ v: 1, kind: 'DELETED', ticket_id: 5, permanent: false, changes: ['DELETED', 'COMMENT_ADDED'] },
};

const tell = (
  content: TicketChangeContent,
  before: TicketPlace | null,
  {
    wasShown = false,
    restriction = BY_ORGANIZATION,
    publicChanges = ['STATUS', 'TAGS'],
  }: {
    readonly wasShown?: boolean;
    readonly restriction?: Restriction;
    readonly publicChanges?: readonly TicketChangeKind[];
  } = {},
) => scopeChange(content, { before, publicChanges }, wasShown, restriction);

describe.each([BY_ORGANIZATION, BY_REQUESTER])('a stream that is restricted by $kind', (restriction) => {
  it.each([
    ['that stays within', changed(INSIDE), INSIDE, 'CHANGED'],
    ['that comes in', changed(INSIDE), OUTSIDE, 'ENTERED_SCOPE'],
    ['whose first public comment comes', changed(INSIDE), HIDDEN, 'ENTERED_SCOPE'],
    ['that was not known', changed(INSIDE), null, 'ENTERED_SCOPE'],
    ['that is new', changed(INSIDE, { changes: ['CREATED'] }), null, 'CHANGED'],
    ['that goes out', changed(OUTSIDE), INSIDE, 'LEFT_SCOPE'],
    ['whose comments all become internal', changed(HIDDEN), INSIDE, 'LEFT_SCOPE'],
    ['that stays outside', changed(OUTSIDE), OUTSIDE, null],
    ['outside that was not known', changed(OUTSIDE), null, null],
    ['outside that is new', changed(OUTSIDE, { changes: ['CREATED'] }), null, null],
    ['that is deleted within', deleted, INSIDE, 'DELETED'],
    ['that is deleted outside', deleted, OUTSIDE, null],
    ['that is deleted and was not known', deleted, null, null],
  ])('is told of a ticket %s as it should', (_name, content, before, kind) => {
    expect(tell(content, before, { restriction })?.kind ?? null).toBe(kind);
  });

  it('is told nothing that is for agents, whatever it is told', () => {
    for (const before of [INSIDE, OUTSIDE, HIDDEN, null]) {
      for (const place of [INSIDE, OUTSIDE, HIDDEN]) {
        for (const content of [changed(place), changed(place, { changes: ['CREATED'] }), deleted]) {
          const told = JSON.stringify(tell(content, before, { restriction }));
          expect(told).not.toMatch(/SECRET|987|TAGS|COMMENT_ADDED|custom_fields\.1/);
        }
      }
    }
  });
});

describe('a restricted stream', () => {
  it('is told that a ticket it was shown has gone, though the feed did not know it', () => {
    expect(tell(changed(OUTSIDE), null, { wasShown: true })).toEqual({
      v: 1,
      kind: 'LEFT_SCOPE',
      ticket_id: 5,
    });
    const publicChanges = ['DELETED'] as const;
    expect(tell(deleted, null, { wasShown: true, publicChanges })).toMatchObject({
      ...{ kind: 'DELETED', changes: ['DELETED'] },
    });
    expect(tell(changed(INSIDE), null, { wasShown: true })).toMatchObject({ kind: 'CHANGED' });
  });

  it('is told of values before, of what it sees, where it saw them', () => {
    expect(tell(changed(INSIDE), INSIDE)).toMatchObject({
      ...{ changes: ['STATUS'], previous: { status: 'new' }, shortened: ['subject'] },
    });
    expect(tell(changed(INSIDE), INSIDE)).not.toHaveProperty('previous.tags');
    expect(tell(changed(INSIDE), OUTSIDE)).not.toHaveProperty('previous');
    expect(tell(changed(INSIDE, { changes: ['CREATED'] }), null)).toMatchObject({ previous: {} });
  });

  it('is told of comments that are public', () => {
    expect(tell(changed(INSIDE), INSIDE, { publicChanges: ['STATUS', 'COMMENT_ADDED'] })).toMatchObject({
      changes: ['STATUS', 'COMMENT_ADDED'],
    });
  });

  it('is told of gaps as every other', () => {
    const gap: TicketChangeContent = { v: 1, kind: 'GAP', reason: 'SOURCE_RESTARTED' };
    expect(tell(gap, null)).toEqual(gap);
  });
});
