/**
 * What a load of marked tickets means for the feed: for each mark what is to be appended, if anything, what is
 * then known of the ticket, and whether the mark has done its work. Pure but for the hash it is given.
 */
import type { JsonObject, PreviousValues, TicketChangeContent, TicketSnapshot } from '../../base/index.ts';
import {
  type EventHint,
  goneVersion,
  type KnownTicket,
  mergeHints,
  orderOf,
  type ReadTicket,
  readTicket,
  type TicketMark,
  type TicketPlace,
} from '../../feed/index.ts';
import type { ChangeScope } from './scope-change.ts';
import { shortenChange } from './shorten-change.ts';

/** How often a ticket is asked for again that Zendesk does not show as a webhook told of it: the export repairs it. */
export const MAX_MARK_TRIES = 4;
/**
 * The same for one that Zendesk does not show at all, though its export did. While it shows one that is older than
 * in its export, it is asked for without end: the export does not come back to it.
 */
export const MAX_EXPORT_TRIES = 10;

/** What Zendesk answered for a ticket: itself, that it is not among what was asked for, or that it is not there. */
export type Found =
  | { readonly kind: 'SHOWN'; readonly record: JsonObject }
  | { readonly kind: 'MISSING' }
  | { readonly kind: 'NOT_THERE' };

export interface MarkedTicket {
  readonly mark: TicketMark;
  readonly known: KnownTicket | null;
  /** What webhooks told of it before the load began, oldest first. */
  readonly hints: readonly EventHint[];
  readonly found: Found;
}

/** The end of one mark. */
export interface Verdict {
  readonly mark: TicketMark;
  readonly content: TicketChangeContent | null;
  /** What its content is to those who are restricted. */
  readonly scope: ChangeScope;
  /** `null` where it stays as it is. */
  readonly version: KnownTicket | null;
  /** Whether the ticket is to be loaded again: the answer is older than what a source told of. */
  readonly again: boolean;
}

/** `hash` is keyed; it names the content of a version. */
export function judgeTicket(ticket: MarkedTicket, hash: (content: string) => string): Verdict {
  const { mark, found } = ticket;
  if (found.kind !== 'SHOWN') return judgeAbsent(ticket);
  const { record } = found;
  if (record['status'] === 'deleted') return judgeGone(ticket, isScrubbed(record) ? 'ERASED' : 'DELETED');
  const read = readTicket(record);
  // Not the shape of a ticket: perhaps of another day.
  if (read === null) return quiet(mark, null, canTryAgain(mark));
  return judgeShown(ticket, read, hash(contentOf(read)));
}

/** The text that the hash of a version is made of: the reading gives members and lists in one order. */
export function contentOf({ snapshot }: ReadTicket): string {
  return JSON.stringify(snapshot);
}

/** Whether a deleted ticket's content is gone too: Zendesk puts a placeholder in its place. */
export function isScrubbed(record: JsonObject): boolean {
  return record['subject'] === 'SCRUBBED';
}

function judgeShown({ mark, known, hints }: MarkedTicket, read: ReadTicket, hash: string): Verdict {
  const { snapshot, updatedAt, generatedAt } = read;
  const { ticketId } = mark;
  const place = placeOf(snapshot);
  const version: KnownTicket = { ticketId, state: 'PRESENT', updatedAt, generatedAt, hash, place };
  const again = isOlderThanExported(mark, read) || (isOlderThanTold(mark, read) && canTryAgain(mark));
  const order = orderOf(known, version);
  switch (order) {
    case 'OLDER':
      return quiet(mark, null, again);
    case 'SAME':
      return quiet(mark, version, again);
    case 'NEWER': {
      // What was told belongs to the version that is still to come.
      const { changes, publicChanges, previous } = mergeHints(again ? [] : hints);
      const content = shortenChange({
        ...{ v: 1, kind: 'CHANGED', ticket_id: ticketId, ticket: snapshot },
        ...{ generated_timestamp: generatedAt, changes, previous, shortened: [] },
      });
      const before = known?.place ?? toldPlace(snapshot, previous);
      return { mark, content, scope: { before, publicChanges }, version, again };
    }
    default:
      return order satisfies never;
  }
}

function judgeAbsent(ticket: MarkedTicket): Verdict {
  const { mark, known, found } = ticket;
  const isKnown = known?.state === 'PRESENT';
  if (mark.gone !== null || (isKnown && found.kind === 'NOT_THERE')) {
    return judgeGone(ticket, mark.gone ?? 'DELETED');
  }
  // A new or restored ticket may be told of before it is shown; one that never is is not the feed's.
  return quiet(mark, null, mayBeYetToCome(mark, known) && canTryAgain(mark));
}

function judgeGone({ mark, known, hints }: MarkedTicket, gone: 'DELETED' | 'ERASED'): Verdict {
  const isTold = known?.state === 'ERASED' || known?.state === gone;
  if (isTold) return quiet(mark, null, false);
  const permanent = gone === 'ERASED';
  const { ticketId } = mark;
  const at = mark.expectedAt ?? known?.updatedAt ?? new Date(0);
  const { changes, publicChanges } = mergeHints(hints);
  return {
    mark,
    content: { v: 1, kind: 'DELETED', ticket_id: ticketId, permanent, changes },
    scope: { before: known?.place ?? null, publicChanges },
    version: goneVersion(known, { ticketId, permanent, at }),
    again: false,
  };
}

/** The end of a mark that leads to no entry. */
export function quiet(mark: TicketMark, version: KnownTicket | null, again: boolean): Verdict {
  return { mark, content: null, scope: { before: null, publicChanges: [] }, version, again };
}

function placeOf({ organization_id, requester_id, is_public }: TicketSnapshot): TicketPlace {
  return { organizationId: organization_id, requesterId: requester_id, isPublic: is_public };
}

/** Where a ticket that the feed did not know belonged before, as far as webhooks told that it has moved. */
function toldPlace(snapshot: TicketSnapshot, previous: PreviousValues): TicketPlace | null {
  const { organization_id: organization, requester_id: requester } = previous;
  if (organization === undefined && requester === undefined) return null;
  const now = placeOf(snapshot);
  return {
    organizationId: organization === undefined ? now.organizationId : idOf(organization),
    requesterId: requester === undefined ? now.requesterId : idOf(requester),
    isPublic: now.isPublic,
  };
}

function idOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function isOlderThanTold({ expectedAt }: TicketMark, { updatedAt }: ReadTicket): boolean {
  return expectedAt !== null && updatedAt < expectedAt;
}

/** By the export's own clock of the ticket; by the time of change only where the answer lacks that. */
function isOlderThanExported(mark: TicketMark, read: ReadTicket): boolean {
  if (mark.exportedAt === null) return false;
  return read.generatedAt === null ? isOlderThanTold(mark, read) : read.generatedAt < mark.exportedAt;
}

/** Whether the ticket was never there, or may be there again since. */
function mayBeYetToCome({ expectedAt }: TicketMark, known: KnownTicket | null): boolean {
  if (known?.state !== 'DELETED') return known === null;
  return expectedAt !== null && expectedAt >= known.updatedAt;
}

function canTryAgain({ tries, byExport }: TicketMark): boolean {
  return tries < (byExport ? MAX_EXPORT_TRIES : MAX_MARK_TRIES);
}
