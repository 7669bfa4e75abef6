/**
 * The seats that staff take: one for every agent and admin, suspended ones included, none for light agents and
 * contributors. How Zendesk words the refusal is not published.
 */
import type { World } from './call.ts';
import { customRole } from './custom-roles.ts';
import type { UserRow } from './records.ts';
import type { Validation } from './validation.ts';

export type Seated = Pick<UserRow, 'role' | 'customRoleId' | 'active'>;

const takesSeat = ({ role, customRoleId, active }: Seated): boolean => {
  if (!active || role === 'end-user') return false;
  const type = customRole(customRoleId)?.roleType;
  return type !== 1 && type !== 3;
};

export const seatsUsed = (users: readonly Seated[]): number =>
  users.reduce((count, user) => count + (takesSeat(user) ? 1 : 0), 0);

/** Adds an error when `after` would take a seat that isn't there; `before` is null for a new user. */
export const checkSeat = (
  world: World,
  before: Seated | null,
  after: Seated,
  validation: Validation,
): void => {
  if (world.seats === null || !takesSeat(after) || (before && takesSeat(before))) return;
  if (seatsUsed(world.store.users) < world.seats) return;
  validation.add('base', {
    description: validation.messages.seats(world.seats),
    error: 'AgentLimitExceeded',
  });
};
