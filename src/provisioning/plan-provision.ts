/** The part of the planner that gives somebody access: somebody new, or, if told so, somebody who is there. */
import {
  blockedBy,
  guardAround,
  isKnownRole,
  type Outline,
  planned,
  roleChange,
  roleWarnings,
  warn,
} from './outline.ts';
import { type Account, isStaff, type Person } from './person.ts';
import type { Difference } from './plan-item.ts';
import type { PlanStep } from './plan-step.ts';
import { groupIdsOf, type ProvisionWish } from './wish.ts';

export function planProvision(wish: ProvisionWish, person: Person | null, account: Account): Outline {
  if (!isKnownRole(wish, account)) return blockedBy('UNKNOWN_ROLE');
  const groupIds = groupIdsOf(wish);
  if (groupIds.length > 0 && !isStaff(wish)) return blockedBy('NOT_STAFF');
  if (groupIds.some((id) => !account.groups.has(id))) return blockedBy('UNKNOWN_GROUP');
  if (person === null) return planNew(wish, account);
  if (!person.active) return blockedBy('DELETED');
  return planExisting(wish, person, account);
}

function planNew(wish: ProvisionWish, account: Account): Outline {
  const warnings = [...roleWarnings(null, wish), ...(wish.skipVerifyEmail ? [] : [warn('MAIL_IS_SENT')])];
  return planned([{ kind: 'CREATE_USER', wish }, ...groupSteps(wish, null, account)], warnings);
}

function planExisting(wish: ProvisionWish, person: Person, account: Account): Outline {
  const change = roleChange(person, wish);
  const steps: PlanStep[] = change === null ? [] : [change];
  if (wish.externalId !== null && wish.externalId !== person.externalId) {
    steps.push({ kind: 'SET_EXTERNAL_ID', from: person.externalId, to: wish.externalId });
  }
  if (wish.organizationId !== null && wish.organizationId !== person.organizationId) {
    steps.push({ kind: 'SET_ORGANIZATION', from: person.organizationId, to: wish.organizationId });
  }
  steps.push(...groupSteps(wish, person, account));
  if (steps.length === 0) return planned([]);
  if (!wish.allowExisting) return { ...blockedBy('EXISTS'), differences: steps.map(differenceOf) };
  if (change !== null) {
    const guard = guardAround(person, account);
    if (guard !== null) return blockedBy(guard);
    // Taking somebody out of the staff is a matter of changeUserRole, which asks who gets the tickets.
    if (isStaff(person) && !isStaff(wish)) {
      return { ...blockedBy('EXISTS'), differences: steps.map(differenceOf) };
    }
  }
  const suspended = person.suspended ? [warn('STAYS_SUSPENDED')] : [];
  return planned(steps, [...(change === null ? [] : roleWarnings(person, wish)), ...suspended]);
}

/** Groups are added, never taken away. */
function groupSteps(wish: ProvisionWish, person: Person | null, account: Account): readonly PlanStep[] {
  const present = new Set(person?.groupIds);
  const steps: PlanStep[] = [];
  for (const groupId of new Set(groupIdsOf(wish))) {
    if (present.has(groupId)) continue;
    steps.push({ kind: 'ADD_GROUP', groupId, name: account.groups.get(groupId) ?? String(groupId) });
  }
  const to = wish.defaultGroupId;
  const from = person?.defaultGroupId ?? null;
  if (to !== null && to !== from) {
    steps.push({ kind: 'SET_DEFAULT_GROUP', from, groupId: to, name: account.groups.get(to) ?? String(to) });
  }
  return steps;
}

function differenceOf(step: PlanStep): Difference {
  switch (step.kind) {
    case 'CHANGE_ROLE':
      return { field: 'role', is: step.from.role, wished: step.to.role };
    case 'SET_EXTERNAL_ID':
      return { field: 'externalId', is: step.from, wished: step.to };
    case 'SET_ORGANIZATION':
      return {
        field: 'organization',
        is: step.from === null ? null : String(step.from),
        wished: String(step.to),
      };
    case 'ADD_GROUP':
      return { field: 'group', is: null, wished: step.name };
    case 'SET_DEFAULT_GROUP':
      return {
        field: 'defaultGroup',
        is: step.from === null ? null : String(step.from),
        wished: step.name,
      };
    default:
      throw new TypeError(`"step" must change somebody who is there, got ${step.kind}`);
  }
}
