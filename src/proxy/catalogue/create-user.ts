/**
 * `create_user`. The address is required: it is what Zendesk keeps unique, so that a creation that is sent
 * again is refused and makes no second person.
 */
import { z } from 'zod';
import { defineOperation } from './operation.ts';
import { email, text, zendeskId } from './payload-fields.ts';
import { given } from './ticket-fields.ts';
import { changedUser, changedUserIn, MAX_PERSON_NAME_LENGTH, roleIssue, userFields } from './user-fields.ts';

const payload = z
  .strictObject({
    name: text(MAX_PERSON_NAME_LENGTH).describe('The name as people read it, up to 255 characters.'),
    email: email.describe('The primary address; refused where somebody of the account has it.'),
    ...userFields,
    organization_id: zendeskId.optional().describe('The organization.'),
    verified: z.boolean().optional().describe('Whether the address counts as verified.'),
    skip_verify_email: z.boolean().optional().describe('true: Zendesk sends no mail to the address.'),
  })
  .superRefine((value, context) => {
    const issue = roleIssue(value);
    if (issue !== null) context.addIssue({ code: 'custom', path: ['custom_role_id'], message: issue });
  });

const result = z.strictObject({
  /** The new person: `{id, role, custom_role_id, suspended, active}`. */
  user: changedUser,
});

export const createUser = defineOperation({
  name: 'create_user',
  description: 'Creates a person with an address that nobody else of the account has, in any role.',
  mutation: true,
  roles: ['ADMIN'],
  permits: ['Provisioning'],
  payload,
  result,
  resource: () => 'user',
  resourceOfResult: (done) => `user:${done.user.id}`,
  async run(call, input): Promise<z.infer<typeof result>> {
    const response = await call({
      method: 'POST',
      path: '/api/v2/users.json',
      body: { user: given(input) },
    });
    return { user: changedUserIn(response) };
  },
});
