/**
 * What Zendesk says of a step that was sent and not heard of, or that is taken up again: that it is done, that it
 * may be sent, or that the person is not any more what the plan found.
 */
import type { Person, PlanStep } from '../../provisioning/index.ts';

export type StepFinding = 'DONE' | 'TO_DO' | 'MOVED';

/** `person` is whom the step is about as Zendesk has them now, `null` for nobody; `wasSent` that it may be ours. */
export function findStep(step: PlanStep, person: Person | null, wasSent: boolean): StepFinding {
  if (step.kind === 'CREATE_USER') {
    if (person === null) return 'TO_DO';
    return wasSent && person.active && person.role === step.wish.role ? 'DONE' : 'MOVED';
  }
  if (person?.active !== true) return 'MOVED';
  switch (step.kind) {
    case 'CHANGE_ROLE': {
      const { from, to } = step;
      const hasCustomRole = to.customRoleId === null || person.customRoleId === to.customRoleId;
      if (person.role === to.role && hasCustomRole) return 'DONE';
      return person.role === from.role && person.customRoleId === from.customRoleId ? 'TO_DO' : 'MOVED';
    }
    case 'SET_EXTERNAL_ID':
      return compare(person.externalId, step);
    case 'SET_ORGANIZATION':
      return compare(person.organizationId, step);
    case 'ADD_GROUP':
      return person.groupIds.includes(step.groupId) ? 'DONE' : 'TO_DO';
    case 'REMOVE_GROUP':
      return person.groupIds.includes(step.groupId) ? 'TO_DO' : 'DONE';
    case 'SET_DEFAULT_GROUP':
      return person.defaultGroupId === step.groupId ? 'DONE' : 'TO_DO';
    case 'SUSPEND':
      return person.suspended ? 'DONE' : 'TO_DO';
    case 'UNSUSPEND':
      return person.suspended ? 'TO_DO' : 'DONE';
    // Zendesk lists what is left of tickets itself; and ending sessions again does no harm.
    case 'REASSIGN_TICKETS':
    case 'END_SESSIONS':
      return 'TO_DO';
    default:
      return step satisfies never;
  }
}

function compare<T>(
  present: T | null,
  { from, to }: { readonly from: T | null; readonly to: T },
): StepFinding {
  if (present === to) return 'DONE';
  return present === from ? 'TO_DO' : 'MOVED';
}
