/** A step as the operation of the catalogue that it runs as. */
import type { JsonObject } from '../../base/index.ts';
import type { PlanStep } from '../../provisioning/index.ts';

/** The payload of every step but the handing over of tickets, which is many operations. */
export function payloadOf(
  step: Exclude<PlanStep, { kind: 'REASSIGN_TICKETS' }>,
  userId: number | null,
): JsonObject {
  const ofUser = userId === null ? {} : { user_id: userId };
  switch (step.kind) {
    case 'CREATE_USER': {
      const { wish } = step;
      return {
        name: wish.name,
        email: wish.email,
        role: wish.role,
        ...(wish.customRoleId === null ? {} : { custom_role_id: wish.customRoleId }),
        ...(wish.externalId === null ? {} : { external_id: wish.externalId }),
        ...(wish.organizationId === null ? {} : { organization_id: wish.organizationId }),
        ...(wish.skipVerifyEmail ? { skip_verify_email: true } : {}),
      };
    }
    case 'CHANGE_ROLE': {
      const { role, customRoleId } = step.to;
      return { ...ofUser, role, ...(customRoleId === null ? {} : { custom_role_id: customRoleId }) };
    }
    case 'SET_EXTERNAL_ID':
      return { ...ofUser, external_id: step.to };
    case 'SET_ORGANIZATION':
      return { ...ofUser, organization_id: step.to };
    case 'ADD_GROUP':
      return { ...ofUser, group_id: step.groupId, action: 'add' };
    case 'REMOVE_GROUP':
      return { ...ofUser, group_id: step.groupId, action: 'remove' };
    case 'SET_DEFAULT_GROUP':
      return { ...ofUser, group_id: step.groupId, action: 'make_default' };
    case 'SUSPEND':
    case 'UNSUSPEND':
      return { ...ofUser, suspended: step.kind === 'SUSPEND' };
    case 'END_SESSIONS':
      return ofUser;
    default:
      return step satisfies never;
  }
}

/** The payload that hands one ticket over. */
export function handoverOf(
  { heir }: Extract<PlanStep, { kind: 'REASSIGN_TICKETS' }>,
  ticketId: number,
): JsonObject {
  return heir.kind === 'AGENT'
    ? { ticket_id: ticketId, assignee_id: heir.userId }
    : { ticket_id: ticketId, group_id: heir.groupId, assignee_id: null };
}
