/**
 * `update_user`: fields of one person, the role among them. Of whoever must not be locked out role and
 * restriction stay as they are. Zendesk takes one such update a second of an account, and five a minute of
 * one person.
 */
import { z } from 'zod';
import { assertMayLockOut } from './guarded-users.ts';
import { defineOperation } from './operation.ts';
import { text, zendeskId } from './payload-fields.ts';
import { given } from './ticket-fields.ts';
import { changedUser, changedUserIn, MAX_PERSON_NAME_LENGTH, roleIssue, userFields } from './user-fields.ts';

const payload = z
  .strictObject({
    user_id: zendeskId.describe('The id of the person.'),
    name: text(MAX_PERSON_NAME_LENGTH).optional().describe('Another name.'),
    ...userFields,
  })
  .superRefine((value, context) => {
    const { user_id: _id, ...changes } = value;
    if (Object.values(changes).every((change) => change === undefined)) {
      context.addIssue({ code: 'custom', path: [], message: 'must change a field' });
    }
    const issue = roleIssue(value);
    if (issue !== null) context.addIssue({ code: 'custom', path: ['custom_role_id'], message: issue });
  });

const result = z.strictObject({
  /** The person after the update: `{id, role, custom_role_id, suspended, active}`. */
  user: changedUser,
});

export const updateUser = defineOperation({
  name: 'update_user',
  description:
    'Changes fields of one person, the role among them. The owner of the account, the person behind the credential and the integration’s people for emergencies keep their roles.',
  mutation: true,
  roles: ['ADMIN'],
  permits: ['Provisioning'],
  payload,
  result,
  resource: (input) => `user:${input.user_id}`,
  async run(call, input, context): Promise<z.infer<typeof result>> {
    const { user_id: id, ...fields } = input;
    const { role, custom_role_id: customRoleId, ticket_restriction: restriction } = fields;
    if (role !== undefined || customRoleId !== undefined || restriction !== undefined) {
      await assertMayLockOut(call, id, context);
    }
    const response = await call({
      method: 'PUT',
      path: `/api/v2/users/${id}.json`,
      body: { user: given(fields) },
    });
    return { user: changedUserIn(response) };
  },
});
