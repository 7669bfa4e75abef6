/** `suspend_user`: shuts a person out, or lets one in again. Of an agent it keeps the seat. */
import { z } from 'zod';
import { assertMayLockOut } from './guarded-users.ts';
import { defineOperation } from './operation.ts';
import { zendeskId } from './payload-fields.ts';
import { changedUser, changedUserIn } from './user-fields.ts';

const payload = z.strictObject({
  user_id: zendeskId.describe('The id of the person.'),
  suspended: z.boolean().describe('true shuts the person out, false lets the person in again.'),
});

const result = z.strictObject({
  /** The person after the change: `{id, role, custom_role_id, suspended, active}`. */
  user: changedUser,
});

export const suspendUser = defineOperation({
  name: 'suspend_user',
  description:
    'Suspends a person or lifts the suspension. Refused of the owner of the account, the person behind the credential and the integration’s people for emergencies.',
  mutation: true,
  roles: ['ADMIN'],
  permits: ['Provisioning'],
  payload,
  result,
  resource: (input) => `user:${input.user_id}`,
  async run(call, { user_id: id, suspended }, context): Promise<z.infer<typeof result>> {
    if (suspended) await assertMayLockOut(call, id, context);
    const response = await call({
      method: 'PUT',
      path: `/api/v2/users/${id}.json`,
      body: { user: { suspended } },
    });
    return { user: changedUserIn(response) };
  },
});
