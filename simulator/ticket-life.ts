/**
 * The ends of a ticket's life and the ways back: deletion to the trash, restoring, scrubbing (permanent
 * deletion) and merging. Each is one change told by the journal.
 */
import type { TicketRow } from './records.ts';
import type { NewComment, Store } from './store.ts';

/** What is left of the texts of a scrubbed ticket; Zendesk's own placeholders are not published. */
const SCRUBBED_SUBJECT = 'SCRUBBED';
const SCRUBBED_TEXT = 'X';
const MERGED_TAG = 'closed_by_merge';

const wholeSecond = (milliseconds: number): number => Math.floor(milliseconds / 1000) * 1000;

/** Puts a living ticket into the trash. */
export const deleteRow = (store: Store, row: TicketRow, actorId: number, now: number): void => {
  store.changeTicket(
    row,
    { action: 'deleted', actorId, changes: { deletedAt: now, deletedBy: actorId } },
    now,
  );
};

/** Takes a ticket out of the trash, in the state it was deleted in. */
export const restoreRow = (store: Store, row: TicketRow, actorId: number, now: number): void => {
  store.changeTicket(
    row,
    { action: 'restored', actorId, changes: { deletedAt: null, deletedBy: null } },
    now,
  );
};

/** Removes the content of a deleted ticket for good; the id, the people and the times stay. */
export const scrubRow = (store: Store, row: TicketRow, actorId: number, now: number): void => {
  const first = store.comments(row)[0];
  store.changeTicket(
    row,
    {
      action: 'scrubbed',
      actorId,
      changes: {
        scrubbed: true,
        subject: SCRUBBED_SUBJECT,
        tags: [],
        customFields: new Map(),
        collaboratorIds: [],
        externalId: null,
        comments: first ? [{ ...first, body: SCRUBBED_TEXT }] : [],
        commentCount: first ? 1 : 0,
      },
    },
    now,
  );
};

export interface MergeOptions {
  readonly actorId: number;
  readonly now: number;
  /** Texts in place of the usual ones. */
  readonly sourceComment: string | null;
  readonly targetComment: string | null;
  readonly sourcePublic: boolean;
  readonly targetPublic: boolean;
}

/** Closes the sources in favour of the target; all must be living and not closed. */
export const mergeRows = (
  store: Store,
  target: TicketRow,
  sources: readonly TicketRow[],
  options: MergeOptions,
): void => {
  const { actorId, now } = options;
  const comment = (body: string, isPublic: boolean): NewComment => ({
    authorId: actorId,
    body,
    public: isPublic,
    createdAt: wholeSecond(now),
    channel: 'api',
  });
  for (const source of sources) {
    const text =
      options.sourceComment ??
      `This request was closed and merged into request #${target.id} "${target.subject ?? ''}".`;
    store.changeTicket(
      source,
      {
        action: 'merged',
        actorId,
        changes: {
          status: 'closed',
          solvedAt: source.solvedAt ?? wholeSecond(now),
          tags: [...new Set([...source.tags, MERGED_TAG])],
        },
        comment: comment(text, options.sourcePublic),
        mergedInto: target.id,
      },
      now,
    );
  }
  if (sources.length === 0) return;
  const named = sources.map((source) => `#${source.id}`).join(', ');
  const text = options.targetComment ?? `Closed and merged into this request: ${named}.`;
  store.changeTicket(
    target,
    { action: 'updated', actorId, comment: comment(text, options.targetPublic) },
    now,
  );
};
