/** `GET /custom_roles`: the roles of custom-roles.ts as callers see them. */
import { type Call, idParam } from './call.ts';
import { CUSTOM_ROLES, type CustomRole, customRole } from './custom-roles.ts';
import { isoTime } from './people-view.ts';
import { json, type Reply, recordNotFound } from './reply.ts';

const view = (call: Call, role: CustomRole): object => {
  const { users, anchor } = call.world.store;
  const since = isoTime(anchor - 900 * 86_400_000);
  return {
    id: role.id,
    name: role.name,
    description: role.description,
    role_type: role.roleType,
    team_member_count: users.filter((user) => user.active && user.customRoleId === role.id).length,
    created_at: since,
    updated_at: since,
    configuration: {
      end_user_list_access: 'full',
      end_user_profile_access: role.editsCustomers ? 'full' : 'readonly',
      manage_team_members: role.editsStaff ? 'all-with-self-restriction' : 'off',
      light_agent: role.roleType === 1,
      ticket_access: 'all',
      ticket_comment_access: role.roleType === 1 ? 'none' : 'public',
      ticket_editing: role.roleType !== 1 && role.editsCustomers,
    },
  };
};

/** Not paginated. */
export const listCustomRoles = (call: Call): Reply =>
  json(200, {
    custom_roles: CUSTOM_ROLES.map((role) => view(call, role)),
    count: CUSTOM_ROLES.length,
    next_page: null,
    previous_page: null,
  });

export const showCustomRole = (call: Call): Reply => {
  const role = customRole(idParam(call));
  if (!role) throw recordNotFound();
  return json(200, { custom_role: view(call, role) });
};
