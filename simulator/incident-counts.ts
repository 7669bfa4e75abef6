/** How many living tickets name each ticket as their problem, kept up to date with every change of a row. */
import type { TicketRow } from './records.ts';

const problemOf = (row: Readonly<TicketRow> | null): number | null =>
  row === null || row.deletedAt !== null ? null : row.problemId;

export class IncidentCounts {
  readonly #counts = new Map<number, number>();

  has(problemId: number): boolean {
    return this.#counts.has(problemId);
  }

  /** Books a row's change; returns the problems that got their first incident or lost their last. */
  move(before: Readonly<TicketRow> | null, after: Readonly<TicketRow>): number[] {
    const from = problemOf(before);
    const to = problemOf(after);
    if (from === to) return [];
    const flipped: number[] = [];
    if (from !== null) {
      const left = (this.#counts.get(from) ?? 1) - 1;
      if (left > 0) this.#counts.set(from, left);
      else {
        this.#counts.delete(from);
        flipped.push(from);
      }
    }
    if (to !== null) {
      const count = this.#counts.get(to) ?? 0;
      if (count === 0) flipped.push(to);
      this.#counts.set(to, count + 1);
    }
    return flipped;
  }
}
