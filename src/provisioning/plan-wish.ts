/**
 * The planner: from what is wished of a person and what there is to the steps in between. Pure. It never plans a
 * change of a role or attribute that the wish does not name, nor one that locks out whom a guard rail protects.
 */
import { factsOf } from './facts.ts';
import {
  blockedBy,
  guardAround,
  isKnownRole,
  lossesOf,
  type Outline,
  planned,
  roleChange,
  roleWarnings,
  warn,
} from './outline.ts';
import { type Account, isStaff, type Person } from './person.ts';
import type { BlockReason, PlanItem, PlanWarning } from './plan-item.ts';
import { planProvision } from './plan-provision.ts';
import type { PlanStep } from './plan-step.ts';
import { type AssignGroupsWish, type ChangeRoleWish, type Heir, heirOf, type Wish } from './wish.ts';

/** What there is of one wish. */
export interface Reality {
  /** Whom the wish names, `null` where there is nobody such. */
  readonly person: Person | null;
  /** Whom it names to get tickets, `null` where nobody, or nobody such. */
  readonly heir: Person | null;
  readonly account: Account;
}

export function planWish(wish: Wish, reality: Reality): PlanItem {
  const { person, heir, account } = reality;
  const outline = outlineOf(wish, reality);
  return {
    wish,
    person: person === null ? null : { id: person.id, name: person.name, email: person.email },
    facts: factsOf(wish, person, heir, account),
    ...outline,
  };
}

function outlineOf(wish: Wish, reality: Reality): Outline {
  const { person, account } = reality;
  if (wish.kind === 'PROVISION') return planProvision(wish, person, account);
  if (person === null) return blockedBy('NOT_FOUND');
  if (!person.active) return blockedBy('DELETED');
  switch (wish.kind) {
    case 'CHANGE_ROLE':
      return planRole(wish, person, reality);
    case 'ASSIGN_GROUPS':
      return planGroups(wish, person, account);
    case 'SUSPEND':
      return planSuspension(person, account);
    case 'UNSUSPEND':
      return person.suspended ? planned([{ kind: 'UNSUSPEND' }]) : planned([]);
    case 'DEPROVISION':
      return planDeparture(wish, person, reality);
    default:
      return wish satisfies never;
  }
}

function planRole(wish: ChangeRoleWish, person: Person, reality: Reality): Outline {
  const { account } = reality;
  const change = roleChange(person, wish);
  if (change === null) return planned([]);
  const guard = guardAround(person, account);
  if (guard !== null) return blockedBy(guard);
  if (!isKnownRole(wish, account)) return blockedBy('UNKNOWN_ROLE');
  if (isStaff(person) && !isStaff(wish)) {
    const handover = planHandover(wish, person, reality);
    if (typeof handover === 'string') return blockedBy(handover);
    const losses = lossesOf(person, account);
    return planned([...handover.steps, change], [...handover.warnings, ...losses]);
  }
  return planned([change], roleWarnings(person, wish));
}

function planDeparture(wish: Wish, person: Person, reality: Reality): Outline {
  const { account } = reality;
  const guard = guardAround(person, account);
  if (guard !== null) return blockedBy(guard);
  const handover = planHandover(wish, person, reality);
  if (typeof handover === 'string') return blockedBy(handover);
  const steps: PlanStep[] = [...handover.steps];
  const warnings = [...handover.warnings];
  const downgrade = roleChange(person, { role: 'end-user', customRoleId: null });
  if (downgrade !== null) {
    steps.push(downgrade);
    warnings.push(...lossesOf(person, account));
  }
  if (!person.suspended) steps.push({ kind: 'SUSPEND' });
  // Of who is out already there is nothing to end.
  if (steps.length > 0) steps.push({ kind: 'END_SESSIONS' });
  return planned(steps, warnings);
}

function planSuspension(person: Person, account: Account): Outline {
  if (person.suspended) return planned([]);
  const guard = guardAround(person, account);
  if (guard !== null) return blockedBy(guard);
  return planned([{ kind: 'SUSPEND' }], isStaff(person) ? [warn('KEEPS_SEAT')] : []);
}

function planGroups(wish: AssignGroupsWish, person: Person, account: Account): Outline {
  if (!isStaff(person)) return blockedBy('NOT_STAFF');
  const present = new Set(person.groupIds);
  const add = wish.add.filter((id) => !present.has(id));
  const remove = wish.remove.filter((id) => present.has(id));
  const named = [...add, ...(wish.defaultGroupId === null ? [] : [wish.defaultGroupId])];
  if (named.some((id) => !account.groups.has(id))) return blockedBy('UNKNOWN_GROUP');
  const left = new Set([...present, ...add]);
  for (const id of remove) left.delete(id);
  if (remove.length > 0 && left.size === 0) return blockedBy('LAST_GROUP');
  const to = wish.defaultGroupId;
  if (to !== null && !left.has(to)) return blockedBy('UNKNOWN_GROUP');
  const names = (id: number): string => account.groups.get(id) ?? String(id);
  const steps: PlanStep[] = add.map((groupId) => ({ kind: 'ADD_GROUP', groupId, name: names(groupId) }));
  if (to !== null && to !== person.defaultGroupId) {
    steps.push({ kind: 'SET_DEFAULT_GROUP', from: person.defaultGroupId, groupId: to, name: names(to) });
  }
  // Last, so that the person is in a group, and has a first one, all the while.
  for (const groupId of remove) steps.push({ kind: 'REMOVE_GROUP', groupId, name: names(groupId) });
  return planned(steps, remove.length === 0 ? [] : [warn('LOSES_GROUPS', remove.length, remove.map(names))]);
}

/** Who gets the open tickets of somebody who leaves, or why that is not settled. */
function planHandover(
  wish: Wish,
  person: Person,
  { heir, account }: Reality,
):
  | { readonly steps: readonly PlanStep[]; readonly warnings: readonly PlanWarning[] }
  | Extract<BlockReason, 'OPEN_TICKETS' | 'UNFIT_HEIR'> {
  const named = heirOf(wish);
  if (named !== null && !isFit(named, person, heir, account)) return 'UNFIT_HEIR';
  const openTickets = person.openTickets ?? 0;
  if (!isStaff(person) || openTickets === 0) return { steps: [], warnings: [] };
  if (named === null) return 'OPEN_TICKETS';
  return {
    steps: [{ kind: 'REASSIGN_TICKETS', heir: named, openTickets }],
    warnings: [warn('TICKETS_MOVE', openTickets)],
  };
}

function isFit(named: Heir, person: Person, heir: Person | null, account: Account): boolean {
  if (named.kind === 'GROUP') return account.groups.has(named.groupId);
  return heir !== null && heir.id !== person.id && heir.active && !heir.suspended && isStaff(heir);
}
