/** What the export told of a ticket is held against every answer, until one shows as much: the export does not say it twice. */
import { describe, expect, test } from 'vitest';
import { type KnownTicket, markTickets, readDueMarks, type TicketMark } from '../../../src/feed/index.ts';
import {
  type Found,
  judgeTicket,
  MAX_EXPORT_TRIES,
  MAX_MARK_TRIES,
} from '../../../src/service/feed/judge-tickets.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { openSourceRig } from './source-rig.ts';

const AT = new Date('2026-11-21T08:00:00Z');
const known: KnownTicket = {
  ticketId: 5,
  state: 'PRESENT',
  updatedAt: AT,
  generatedAt: 100,
  hash: 'a',
  place: null,
};
const exported: TicketMark = {
  ...{ ticketId: 5, generation: 1, byWebhook: false, byExport: true, gone: null },
  ...{ expectedAt: AT, exportedAt: 120, tries: 1_000 },
};
const shown = (generated: number | null, updatedAt = AT): Found => ({
  kind: 'SHOWN',
  record: {
    ...{ id: 5, status: 'open', created_at: AT.toISOString(), updated_at: updatedAt.toISOString() },
    generated_timestamp: generated,
  },
});
const isAskedAgain = (
  found: Found,
  mark: Partial<TicketMark> = {},
  before: KnownTicket | null = known,
): boolean =>
  judgeTicket({ mark: { ...exported, ...mark }, known: before, found, hints: [] }, () => 'b').again;

describe('A ticket that the export told of', () => {
  test('is asked for until an answer is no older, however often that takes', () => {
    expect(isAskedAgain(shown(119))).toBe(true);
    expect(isAskedAgain(shown(120))).toBe(false);
    expect(isAskedAgain(shown(121))).toBe(false);
  });

  test('is held against its time of change where an answer has no other', () => {
    expect(isAskedAgain(shown(null))).toBe(false);
    expect(isAskedAgain(shown(null, new Date(AT.getTime() - 1_000)))).toBe(true);
  });

  test('is not asked for without end for what only a webhook told of', () => {
    const expectedAt = new Date(AT.getTime() + 60_000);
    expect(isAskedAgain(shown(120), { expectedAt })).toBe(false);
    const byWebhook = { byWebhook: true, byExport: false, exportedAt: null, expectedAt };
    expect(isAskedAgain(shown(119), { ...byWebhook, tries: MAX_MARK_TRIES - 1 })).toBe(true);
    expect(isAskedAgain(shown(119), { ...byWebhook, tries: MAX_MARK_TRIES })).toBe(false);
  });

  test.each<[string, KnownTicket | null, Partial<TicketMark>, boolean]>([
    ['new', null, { tries: MAX_EXPORT_TRIES - 1 }, true],
    ['new, and never shown', null, { tries: MAX_EXPORT_TRIES }, false],
    ['restored', { ...known, state: 'DELETED' }, { tries: 0 }, true],
    [
      'restored, as was known before it was deleted again',
      { ...known, state: 'DELETED', updatedAt: new Date(AT.getTime() + 1_000) },
      { tries: 0 },
      false,
    ],
    ['erased', { ...known, state: 'ERASED' }, { tries: 0 }, false],
  ])('and that is not shown is waited for where it is %s', (_what, before, mark, again) => {
    expect(isAskedAgain({ kind: 'MISSING' }, mark, before)).toBe(again);
  });
});

describeOnBothDatabases('A mark', (kind) => {
  test('keeps the newest that the export told of, whatever comes after', async () => {
    await using rig = await openSourceRig(kind);
    await rig.enable();
    const { id: tenantId, integrationId } = rig.tenant;
    const key = { tenantId, integrationId };
    const of = (exportedAt: number | null) => [{ ticketId: 5, gone: null, expectedAt: AT, exportedAt }];
    const marks = await rig.gateway.store.withTenant(tenantId, async (tx) => {
      await markTickets(tx, key, 'WEBHOOK', of(null));
      await markTickets(tx, key, 'EXPORT', of(120));
      await markTickets(tx, key, 'EXPORT', of(119));
      await markTickets(tx, key, 'WEBHOOK', of(null));
      return readDueMarks(tx, integrationId, { limit: 10, busy: [] });
    });
    expect(marks).toEqual([{ ...exported, generation: 4, byWebhook: true, tries: 0 }]);
  });
});
