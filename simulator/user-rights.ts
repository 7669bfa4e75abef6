/**
 * Who may write whom: admins everybody but the owner; agents customers; agents in custom roles what their role
 * says; nobody may change their own role, suspend or delete themselves.
 */
import { type Call, userOf } from './call.ts';
import { customRole } from './custom-roles.ts';
import type { UserRow } from './records.ts';
import { forbidden } from './reply.ts';

/** Throws Refusal 403. `target` is null for a new user, `role` the role the user is to have. */
export const assertMayWrite = (call: Call, target: UserRow | null, role: UserRow['role']): void => {
  const caller = userOf(call);
  const { ownerId } = call.world;
  if (target?.id === ownerId && caller.id !== ownerId) throw forbidden();
  if (caller.role === 'admin') return;
  const custom = customRole(caller.customRoleId);
  const roles = [role, target?.role ?? role];
  if (roles.includes('admin')) throw forbidden();
  const allowed = roles.includes('agent') ? custom?.editsStaff === true : (custom?.editsCustomers ?? true);
  if (!allowed) throw forbidden();
};

/** Throws Refusal 403 where a change would lock out the owner or the caller. */
export const assertMayLockOut = (call: Call, target: UserRow): void => {
  if (target.id === call.world.ownerId || target.id === userOf(call).id) throw forbidden();
};
