/** Erasing all that the directory knows of a user, at once. */
import { z } from 'zod';
import { eraseUser, holdOpenSyncRun } from '../../directory/index.ts';
import type { Call } from '../../proxy/index.ts';
import { audited, notFound } from '../audited.ts';
import { idField, parseInput } from '../input.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { reachSync } from './admit-sync.ts';

/** Zendesk's ids are below 2^53. */
const ZENDESK_ID = /^[1-9]\d{0,14}$/;
const Input = z.strictObject({
  integrationId: idField('integration'),
  zendeskId: z.string().regex(ZENDESK_ID, 'is not the id of a user at Zendesk').transform(Number),
  keepAway: z.boolean().nullish(),
});

/**
 * Erases a user: texts, what they are looked up by, facts, memberships and roles. Only the id is kept, so that no
 * sync brings the user back; where `keepAway` is `false` that goes too, and the next full sync may. Nothing is done
 * at Zendesk. For ADMIN. Rejects with VALIDATION_FAILED and NOT_FOUND.
 */
export async function eraseDirectoryUser(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<{ readonly zendeskId: string; readonly auditEventId: string }> {
  const act = { action: 'directory.erase', roles: ['ADMIN'] } as const;
  return audited(deps, call, act, async (step, authenticated) => {
    const { integrationId, zendeskId, keepAway } = parseInput(Input, input);
    const key = { tenantId: step.tenantId, integrationId };
    await step.commit(
      async (tx) => {
        await reachSync(tx, authenticated, integrationId);
        // So that no page is stored meanwhile, of which this would not see what it brings.
        await holdOpenSyncRun(tx, key);
        const now = new Date(deps.clock.now());
        if (!(await eraseUser(tx, { key, zendeskId, isKeptAway: keepAway !== false, now }))) {
          throw notFound('user in the directory');
        }
      },
      () => ({ resource: `user:${zendeskId}`, integrationId }),
    );
    return { zendeskId: String(zendeskId), auditEventId: step.eventId };
  });
}
