/** `end_sessions`: signs a person out everywhere. API and OAuth tokens of the person live on. */
import { z } from 'zod';
import { defineOperation } from './operation.ts';
import { zendeskId } from './payload-fields.ts';

const payload = z.strictObject({ user_id: zendeskId.describe('The id of the person.') });

const result = z.strictObject({ user_id: z.number() });

export const endSessions = defineOperation({
  name: 'end_sessions',
  description: 'Ends all sessions of one person in the browser and in the apps of Zendesk.',
  mutation: true,
  roles: ['ADMIN'],
  permits: ['Provisioning'],
  payload,
  result,
  resource: (input) => `user:${input.user_id}`,
  async run(call, { user_id: id }): Promise<z.infer<typeof result>> {
    await call({ method: 'DELETE', path: `/api/v2/users/${id}/sessions.json` });
    return { user_id: id };
  },
});
