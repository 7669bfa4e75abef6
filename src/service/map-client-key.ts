/** The use case that maps a client key: says whose it is, what it is good for, and what it may do when it logs in by itself. */
import { z } from 'zod';
import {
  type Caller,
  type ClientKeyLogin,
  LOGIN_ROLES,
  mapClientKey as mapClientKeyRow,
  type Restriction,
} from '../access/index.ts';
import { type Call, findIntegration } from '../proxy/index.ts';
import type { Tx } from '../store/index.ts';
import { assertWithin, operationsField } from './api-keys.ts';
import { notFound } from './audited.ts';
import { type ClientKeyChange, changeByManager, KeyInput, loggedKey } from './client-keys.ts';
import { mapKeyInFeeds } from './feed/client-key-feeds.ts';
import { futureField, idField } from './input.ts';
import type { ServiceDeps } from './service-deps.ts';
import { objectIdField } from './zendesk/input-fields.ts';

const loginField = z
  .object({
    roles: z
      .array(z.enum(LOGIN_ROLES))
      .min(1, 'needs at least one role')
      .refine((roles) => new Set(roles).size === roles.length, 'names a role twice'),
    allowedOperations: operationsField.nullish(),
  })
  .transform(({ roles, allowedOperations = null }): ClientKeyLogin => ({ roles, allowedOperations }));
const restrictionField = z
  .strictObject({
    integrationId: idField('integration'),
    organizationId: z.string().nullish(),
    requesterId: z.string().nullish(),
  })
  .transform(({ integrationId, organizationId, requesterId }, context): Restriction => {
    if ((organizationId == null) === (requesterId == null)) {
      context.addIssue('must have either organizationId or requesterId');
      return z.NEVER;
    }
    const [path, kind, text] =
      organizationId == null
        ? (['requesterId', 'user', requesterId] as const)
        : (['organizationId', 'organization', organizationId] as const);
    const { data: id, error } = objectIdField(kind, integrationId).safeParse(text);
    if (error !== undefined) {
      for (const { message } of error.issues) context.addIssue({ code: 'custom', path: [path], message });
      return z.NEVER;
    }
    return kind === 'organization'
      ? { kind: 'ORGANIZATION', integrationId, organizationId: id }
      : { kind: 'REQUESTER', integrationId, requesterId: id };
  });
const mapInput = (now: number) =>
  KeyInput.extend({
    expiresAt: futureField(now).nullish(),
    login: loginField.nullish(),
    restrictTo: restrictionField.nullish(),
  });

/**
 * Makes a CONFIRMED key ACTIVE, good for all that its callers may do or for one organization or requester only, and
 * RETIRED the one whose place it takes. Where it may log in by itself, as `login` says or the key before it could,
 * that is recorded as an act of its own. For ADMIN, and OPERATOR in any tenant.
 */
export function mapClientKey(deps: ServiceDeps, call: Call, input: unknown): Promise<ClientKeyChange> {
  const { keyring, clock, feed } = deps;
  const schema = mapInput(clock.now());
  return changeByManager(
    deps,
    call,
    'client-key.map',
    schema,
    input,
    async (step, act, { caller }, { expiresAt = null, login, restrictTo: restriction = null }) => {
      const keys = await keyring.keysOf(act.tenantId, { signal: call.signal });
      const { tenantId, clientKeyId, eventId, now } = act;
      const mapping = { keys, sealer: feed.sealer, clientKeyId, auditEventId: eventId, now };
      const { key } = await step.commit(
        (tx) =>
          mapKeyInFeeds(tx, mapping, async () => {
            await assertIntegrationOf(tx, tenantId, restriction);
            const mapped = await mapClientKeyRow(tx, { ...act, expiresAt, login, restriction });
            assertMayGrant(caller, mapped.login);
            return mapped;
          }),
        (mapped) => ({
          resource: clientKeyId,
          ...loggedScope(mapped.key.restriction),
          clientKey: loggedKey(mapped.key),
          ...(mapped.envelopes.length === 0 ? {} : { envelopes: mapped.envelopes }),
          ...(mapped.key.login === null
            ? {}
            : { alongside: [{ action: 'client-key.grant-login', resource: clientKeyId }] }),
        }),
      );
      return key;
    },
  );
}

/** A narrowed key grants no more than it may run itself, nor passes on what a key before it was granted. */
function assertMayGrant({ allowedOperations }: Caller, login: ClientKeyLogin | null): void {
  if (login === null) return;
  assertWithin(login.allowedOperations, allowedOperations, 'login.allowedOperations');
}

/** Throws NOT_FOUND for a restriction to an integration that the tenant does not have. */
async function assertIntegrationOf(tx: Tx, tenantId: string, restriction: Restriction | null): Promise<void> {
  if (restriction === null) return;
  if ((await findIntegration(tx, tenantId, restriction.integrationId)) === null)
    throw notFound('integration');
}

/** What the log fixes of a restriction; nothing where there is none. */
export function loggedScope(restriction: Restriction | null): { integrationId?: string; scope?: string } {
  if (restriction === null) return {};
  const { integrationId } = restriction;
  return restriction.kind === 'ORGANIZATION'
    ? { integrationId, scope: `organization:${restriction.organizationId}` }
    : { integrationId, scope: `requester:${restriction.requesterId}` };
}
