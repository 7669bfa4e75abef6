/** What the planner's parts share: the guard rails, changes of roles with their warnings, and how they say what they found. */
import { type Account, isStaff, type Person } from './person.ts';
import type { BlockReason, PlanItem, PlanWarning, WarningCode } from './plan-item.ts';
import type { PlanStep, RoleValue } from './plan-step.ts';

/** Steps and warnings, or why not. */
export type Outline = Pick<PlanItem, 'steps' | 'blocked' | 'warnings' | 'differences'>;

/** The guard rail that keeps a person from being suspended or given another role, or `null`. */
export function guardAround(
  { id }: Pick<Person, 'id'>,
  { ownerId, connectedId, breakGlassIds }: Account,
): Extract<BlockReason, 'OWNER' | 'CONNECTED_ADMIN' | 'BREAK_GLASS'> | null {
  if (id === ownerId) return 'OWNER';
  if (id === connectedId) return 'CONNECTED_ADMIN';
  return breakGlassIds.has(id) ? 'BREAK_GLASS' : null;
}

/** `null` where the person has the role. A wish without a custom role leaves an agent the one there is. */
export function roleChange(
  person: Person,
  wished: RoleValue,
): Extract<PlanStep, { kind: 'CHANGE_ROLE' }> | null {
  const keepsCustomRole = wished.customRoleId === null && wished.role === 'agent';
  const isSame =
    person.role === wished.role && (keepsCustomRole || person.customRoleId === wished.customRoleId);
  // Zendesk shows roles of its own making at admins and end users, which nobody can wish for.
  if (isSame || (person.role === wished.role && wished.role !== 'agent')) return null;
  const from = { role: person.role, customRoleId: person.customRoleId };
  return { kind: 'CHANGE_ROLE', from, to: { role: wished.role, customRoleId: wished.customRoleId } };
}

export function isKnownRole({ customRoleId }: RoleValue, { customRoles }: Account): boolean {
  return customRoleId === null || customRoles?.has(customRoleId) === true;
}

/** Of a change of role that takes nobody out of the staff; `person` is `null` for somebody new. */
export function roleWarnings(person: Pick<Person, 'role'> | null, wished: RoleValue): readonly PlanWarning[] {
  const warnings: PlanWarning[] = [];
  if (isStaff(wished) && (person === null || !isStaff(person))) warnings.push(warn('TAKES_SEAT', 1));
  if (wished.role === 'admin' && person?.role !== 'admin') warnings.push(warn('BECOMES_ADMIN'));
  if (wished.role !== 'admin' && person?.role === 'admin') warnings.push(warn('NO_ADMIN_ANY_MORE'));
  return warnings;
}

/** What goes with the role of an agent. */
export function lossesOf(person: Person, account: Account): readonly PlanWarning[] {
  const names = person.groupIds.map((id) => account.groups.get(id) ?? String(id));
  return [
    warn('FREES_SEAT', 1),
    ...(person.role === 'admin' ? [warn('NO_ADMIN_ANY_MORE')] : []),
    ...(names.length === 0 ? [] : [warn('LOSES_GROUPS', names.length, names)]),
  ];
}

export function warn(code: WarningCode, count: number | null = null, names: readonly string[] = []) {
  return { code, count, names } satisfies PlanWarning;
}

export function planned(steps: readonly PlanStep[], warnings: readonly PlanWarning[] = []): Outline {
  // Of what does not happen there is nothing to warn of.
  return { steps, blocked: null, warnings: steps.length === 0 ? [] : warnings, differences: [] };
}

export function blockedBy(reason: BlockReason): Outline {
  return { steps: [], blocked: reason, warnings: [], differences: [] };
}
