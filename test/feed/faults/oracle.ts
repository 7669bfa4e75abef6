/**
 * What the feed promises, held against what happened: for each ticket, the versions that a subscriber got are some
 * of the true ones, in their order, none twice, and the last one is the true last one.
 */
import type { Simulator } from '../../../simulator/index.ts';
import type { TicketChange } from '../../../src/client/index.ts';

type Content = TicketChange['content'];

interface Shown {
  readonly updated_at?: unknown;
  readonly status?: unknown;
  readonly priority?: unknown;
  readonly subject?: unknown;
  readonly tags?: unknown;
  readonly assignee_id?: unknown;
}

/** A version by what tells it from others; equal for versions that do not differ in anything that is shown. */
function describeShown({ updated_at, status, priority, subject, tags, assignee_id }: Shown): string {
  const sorted = Array.isArray(tags) ? tags.toSorted() : [];
  return JSON.stringify([updated_at, status, priority, subject, sorted, assignee_id]);
}

/** A version that a subscriber got. */
export function describeReceived(content: Content): string {
  if ('ticket' in content) return describeShown(content.ticket);
  return 'permanent' in content && content.permanent ? 'ERASED' : 'DELETED';
}

/** The true versions of a ticket, oldest first; two in a row that show the same are one. */
export function trueVersions(simulator: Simulator, ticketId: number): readonly string[] {
  return simulator
    .history(ticketId)
    .map(({ snapshot, status }) => {
      if (status !== 'deleted') return describeShown(snapshot);
      return snapshot['subject'] === 'SCRUBBED' ? 'ERASED' : 'DELETED';
    })
    .filter((version, index, all) => version !== all[index - 1]);
}

/** Whether the last version that was received is the true last one, or there was none to be received. */
export function isUpToDate(received: readonly string[], truth: readonly string[]): boolean {
  return received.length === 0 ? truth.length <= 1 : received.at(-1) === truth.at(-1);
}

/** Throws what the first version is that has no place among the true ones after the one before, or that the last is missing. */
export function assertFaithful(
  ticketId: number,
  received: readonly string[],
  truth: readonly string[],
): void {
  let from = 0;
  for (const [index, version] of received.entries()) {
    const place = truth.indexOf(version, from);
    if (place < 0) {
      const kind = truth.includes(version) ? 'came twice or out of order' : 'never was';
      throw new Error(
        `Version ${index + 1} of ticket ${ticketId} ${kind}: ${version}\nreceived: ${received.join('\n  ')}\ntrue: ${truth.join('\n  ')}`,
      );
    }
    from = place + 1;
  }
  if (!isUpToDate(received, truth)) {
    throw new Error(
      `The last version of ticket ${ticketId} is missing: ${truth.at(-1)}\nreceived: ${received.join('\n  ')}`,
    );
  }
}
