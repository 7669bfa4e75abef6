/** Whether what a plan would do is still what it was made for. */
import type { Facts } from './facts.ts';
import type { PlanItem } from './plan-item.ts';

/**
 * The names of what is not as `planned` found it, in the order of the alphabet; `present` is the same wish, planned
 * anew. How many tickets are open is no fact, since it moves all the time; that some are to be settled which
 * `planned` knew nothing of moves it all the same, as `openTickets`.
 */
export function movedSince(planned: PlanItem, present: PlanItem): readonly string[] {
  const names = movedFacts(planned.facts, present.facts);
  if (names.length > 0) return names;
  const isUnsettled = present.blocked !== null || (handsOver(present) && !handsOver(planned));
  return isUnsettled ? ['openTickets'] : [];
}

function movedFacts(before: Facts, now: Facts): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].filter((name) => before[name] !== now[name]).toSorted();
}

function handsOver({ steps }: PlanItem): boolean {
  return steps.some(({ kind }) => kind === 'REASSIGN_TICKETS');
}
