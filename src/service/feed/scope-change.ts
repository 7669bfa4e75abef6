/**
 * One change of a ticket as the stream of a restricted client key tells it. It is told only of tickets that are within
 * what the key is restricted to, or that were: nothing is told of others, not even that there was something. Of a
 * ticket that is within, what is for agents is left out, and of the kinds of change those that tell of it, or of a
 * comment that is not public.
 */
import type { Restriction } from '../../access/index.ts';
import {
  type PreviousValues,
  TICKET_CHANGES,
  type TicketChangeContent,
  type TicketChangeKind,
  type TicketSnapshot,
} from '../../base/index.ts';
import type { TicketPlace } from '../../feed/index.ts';
import { isWithin, SCOPED_TICKET_MEMBERS } from '../../proxy/index.ts';

/** What a change needs beside its content, to be told to those who are restricted. */
export interface ChangeScope {
  /** Where the ticket belonged before, `null` where that is not known. */
  readonly before: TicketPlace | null;
  /** The kinds of change but those of comments that are not, or may not be, public. */
  readonly publicChanges: readonly TicketChangeKind[];
}

type Changed = Extract<TicketChangeContent, { readonly kind: 'CHANGED' }>;

const SHOWN_MEMBERS: ReadonlySet<string> = new Set<string>([...SCOPED_TICKET_MEMBERS, 'via_channel']);
/** What they tell of is not shown. */
const HIDDEN_CHANGES: ReadonlySet<TicketChangeKind> = new Set([
  'DESCRIPTION',
  'TAGS',
  'CUSTOM_FIELD',
  'EXTERNAL_ID',
  'FOLLOWERS',
  'PROBLEM_LINK',
  'MERGED',
  'SATISFACTION',
  'SERVICE_LEVEL',
  'OTHER',
]);

/**
 * What the stream gets of `content`, `null` where it gets nothing. `wasShown`: the key was shown the ticket, and the
 * feed told it nothing of it since.
 */
export function scopeChange(
  content: TicketChangeContent,
  { before, publicChanges }: ChangeScope,
  wasShown: boolean,
  restriction: Restriction,
): TicketChangeContent | null {
  const wasWithin = wasShown || (before !== null && isWithin(restriction, placeMembers(before)));
  const { kind } = content;
  switch (kind) {
    case 'CHANGED': {
      const isNow = isWithin(restriction, content.ticket);
      if (!isNow) return wasWithin ? { v: 1, kind: 'LEFT_SCOPE', ticket_id: content.ticket_id } : null;
      // A ticket that is new has not moved.
      const isNew = before === null && content.changes.includes('CREATED');
      return wasWithin || isNew ? scopedChange(content, publicChanges, wasWithin) : entered(content);
    }
    case 'DELETED':
      return wasWithin ? { ...content, changes: shownChanges(publicChanges) } : null;
    case 'GAP':
      return content;
    case 'ENTERED_SCOPE':
    case 'LEFT_SCOPE':
      throw new TypeError('"content" must be a change as it is told without a restriction');
    default:
      return kind satisfies never;
  }
}

function scopedChange(
  content: Changed,
  publicChanges: readonly TicketChangeKind[],
  tellsPrevious: boolean,
): Changed {
  return {
    ...content,
    ticket: scopedSnapshot(content.ticket),
    changes: shownChanges(publicChanges),
    previous: tellsPrevious ? shownValues(content.previous) : {},
    shortened: shownNames(content.shortened),
  };
}

function entered({ ticket_id, ticket, generated_timestamp, shortened }: Changed): TicketChangeContent {
  return {
    v: 1,
    kind: 'ENTERED_SCOPE',
    ticket_id,
    ticket: scopedSnapshot(ticket),
    generated_timestamp,
    shortened: shownNames(shortened),
  };
}

/** The snapshot with what is not shown empty. */
function scopedSnapshot(ticket: TicketSnapshot): TicketSnapshot {
  return {
    ...ticket,
    description: null,
    tags: [],
    problem_id: null,
    has_incidents: false,
    external_id: null,
    collaborator_ids: [],
    follower_ids: [],
    custom_fields: [],
    satisfaction_score: null,
  };
}

function shownValues(previous: PreviousValues): PreviousValues {
  return Object.fromEntries(Object.entries(previous).filter(([name]) => SHOWN_MEMBERS.has(name)));
}

function shownNames(names: readonly string[]): readonly string[] {
  return names.filter((name) => SHOWN_MEMBERS.has(name));
}

function shownChanges(changes: readonly TicketChangeKind[]): readonly TicketChangeKind[] {
  return TICKET_CHANGES.filter((change) => changes.includes(change) && !HIDDEN_CHANGES.has(change));
}

function placeMembers({ organizationId, requesterId, isPublic }: TicketPlace) {
  return { organization_id: organizationId, requester_id: requesterId, is_public: isPublic };
}
