/**
 * `manage_groups`: puts an agent into one group, takes one out, or makes one the first of all. One change a
 * call, so that its outcome is one. What is so already is not sent.
 */
import { z } from 'zod';
import { SealdeskError } from '../../base/index.ts';
import { MAX_PAGE_SIZE } from '../../zendesk/index.ts';
import { beforeChange, type Call, defineOperation } from './operation.ts';
import { zendeskId } from './payload-fields.ts';
import { readBody, records, type ZendeskRecord } from './records.ts';

/** Groups of one agent that are looked through. */
const MAX_MEMBERSHIPS = 500;

const payload = z.strictObject({
  user_id: zendeskId.describe('The id of the agent or admin.'),
  group_id: zendeskId.describe('The id of the group.'),
  action: z
    .enum(['add', 'remove', 'make_default'])
    .describe('add, remove, or make_default: tickets go to that group first of all.'),
});

const result = z.strictObject({
  user_id: z.number(),
  group_id: z.number(),
  /** Whether the person is in the group now. */
  member: z.boolean(),
  /** Whether anything had to be changed. */
  changed: z.boolean(),
});

const membershipsBody = z.looseObject({ group_memberships: records });

export const manageGroups = defineOperation({
  name: 'manage_groups',
  description: 'Adds one agent to one group, removes one from it, or makes it the agent’s default group.',
  mutation: true,
  roles: ['ADMIN'],
  permits: ['Provisioning'],
  payload,
  result,
  resource: (input) => `user:${input.user_id}`,
  async run(call, { user_id: userId, group_id: groupId, action }): Promise<z.infer<typeof result>> {
    const told = { user_id: userId, group_id: groupId };
    const memberships = await readMemberships(beforeChange(call), userId);
    const present = memberships.find((one) => one['group_id'] === groupId) ?? null;
    switch (action) {
      case 'add':
        if (present !== null) return { ...told, member: true, changed: false };
        await call({
          method: 'POST',
          path: '/api/v2/group_memberships.json',
          body: { group_membership: { user_id: userId, group_id: groupId } },
        });
        return { ...told, member: true, changed: true };
      case 'remove':
        if (present === null) return { ...told, member: false, changed: false };
        await call({ method: 'DELETE', path: `/api/v2/group_memberships/${present.id}.json` });
        return { ...told, member: false, changed: true };
      case 'make_default': {
        if (present === null) throw notInGroup();
        if (present['default'] === true) return { ...told, member: true, changed: false };
        await call({
          method: 'PUT',
          path: `/api/v2/users/${userId}/group_memberships/${present.id}/make_default.json`,
        });
        return { ...told, member: true, changed: true };
      }
      default:
        return action satisfies never;
    }
  },
});

function notInGroup(): SealdeskError {
  return new SealdeskError('CONFLICT', 'The person is not in this group. Add the person to it first.', {
    mutation: 'NOT_SENT',
  });
}

/** The memberships of a person; Zendesk pages them. Rejects with the failures of Zendesk. */
export async function readMemberships(call: Call, userId: number): Promise<readonly ZendeskRecord[]> {
  const found: ZendeskRecord[] = [];
  for (let page = 1; found.length < MAX_MEMBERSHIPS; page += 1) {
    const response = await call({
      method: 'GET',
      path: `/api/v2/users/${userId}/group_memberships.json`,
      query: { page, per_page: MAX_PAGE_SIZE },
    });
    const { group_memberships: memberships } = readBody(membershipsBody, response);
    found.push(...memberships);
    if (memberships.length < MAX_PAGE_SIZE) break;
  }
  return found;
}
