/**
 * Connecting an account by OAuth, its beginning: an address for the browser of an admin of the account, whose state
 * is good once, for ten minutes, and for this tenant, integration and caller; and how it went since.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Role } from '../../access/index.ts';
import { createId, isId, SealdeskError } from '../../base/index.ts';
import {
  type Call,
  countPending,
  findIntegration,
  holdIntegration,
  type Integration,
  insertAuthorization,
  readAuthorization,
  scopesFor,
} from '../../proxy/index.ts';
import type { Tx } from '../../store/index.ts';
import { createAuthorizationSecrets } from '../../zendesk/index.ts';
import { audited, notFound } from '../audited.ts';
import { idField, parseInput } from '../input.ts';
import { assignCredential } from '../integrations.ts';
import { readOwn } from '../read.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { sealSecrets } from './connection-secrets.ts';
import { type ConnectionView, toConnectionView } from './connection-view.ts';
import { chooseClient } from './oauth-client.ts';
import { MAX_RETURN_TO_CHARACTERS, parseReturnTo } from './return-to.ts';

/** How long an admin has at Zendesk. */
export const STATE_LIFETIME_MS = 600_000;
/** Of one tenant, waiting for their state at a time. */
export const MAX_PENDING_CONNECTIONS = 20;
export const CALLBACK_PATH = '/oauth/zendesk/callback';

const ADMIN: readonly Role[] = ['ADMIN'];
const clientText = (most: number) =>
  z
    .string()
    .max(most, `must be at most ${most} characters`)
    .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII characters without spaces');
const Input = z
  .strictObject({
    integrationId: idField('integration'),
    returnTo: z.string().max(MAX_RETURN_TO_CHARACTERS, 'is too long').nullish(),
    credentialId: idField('credential').nullish(),
    clientId: clientText(255).nullish(),
    clientSecret: clientText(1_024).nullish(),
  })
  .refine(({ credentialId, clientId }) => credentialId == null || clientId == null, {
    path: ['clientId'],
    error: 'excludes credentialId',
  })
  .refine(({ clientId, clientSecret }) => clientSecret == null || clientId != null, {
    path: ['clientSecret'],
    error: 'needs clientId',
  });

export interface ConnectionBegun {
  readonly connection: ConnectionView;
  /** Where the browser goes. Holds the state: for the admin only. */
  readonly authorizationUrl: string;
  readonly auditEventId: string;
}

/**
 * Begins. Rejects with VALIDATION_FAILED, NOT_FOUND, CONFLICT where there is no OAuth client or the credential is of
 * another account, TOO_MANY_REQUESTS where too many wait already. For ADMIN.
 */
export async function connectZendesk(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<ConnectionBegun> {
  const now = deps.clock.now();
  const id = createId('run', now);
  const act = { action: 'connection.begin', roles: ADMIN, resource: id };
  return audited(deps, call, act, async (step, { caller }) => {
    const given = parseInput(Input, input);
    const { integrationId, credentialId = null, clientId = null, clientSecret = null } = given;
    const { tenantId } = step;
    const returnTo =
      given.returnTo == null
        ? null
        : parseReturnTo(given.returnTo, { publicUrl: deps.publicUrl, ...deps.connecting });
    const { integration, operations } = await deps.store.withTenant(tenantId, (tx) =>
      readAsked(tx, tenantId, integrationId),
    );
    const client = await chooseClient(
      deps,
      integration,
      { credentialId, clientId, clientSecret },
      call.signal,
    );
    const { state, verifier } = createAuthorizationSecrets();
    const { subdomain } = integration;
    const scopes = scopesFor(operations);
    const authorizationUrl = await deps.connecting.authorizer.authorizationUrl(subdomain, {
      ...{ clientId: client.clientId, redirectUri: redirectUriOf(deps), scopes, state, verifier },
    });
    const keys = await deps.keyring.keysOf(tenantId, { signal: call.signal });
    const secrets = sealSecrets(keys, id, { verifier, ...client, subdomain, returnTo });
    const authorization = await step.commit(
      async (tx) => {
        // The credential first, as everybody takes the two.
        await assignCredential(tx, tenantId, credentialId, subdomain);
        if ((await holdIntegration(tx, tenantId, integrationId)) === null) throw notFound('integration');
        if ((await countPending(tx, tenantId, new Date(now))) >= MAX_PENDING_CONNECTIONS) {
          throw tooManyPending();
        }
        return insertAuthorization(tx, {
          ...{ id, tenantId, integrationId, scopes, secrets },
          requestedBy: caller.id,
          stateHash: hashState(state),
          createdAt: new Date(now),
          expiresAt: new Date(now + STATE_LIFETIME_MS),
        });
      },
      () => ({ integrationId }),
    );
    return { connection: toConnectionView(authorization, now), authorizationUrl, auditEventId: step.eventId };
  });
}

/** How connecting went. For ADMIN. */
export function getZendeskConnection(deps: ServiceDeps, call: Call, id: string): Promise<ConnectionView> {
  return readOwn(deps, call, ADMIN, async (tx, tenantId) => {
    const authorization = isId('run', id) ? await readAuthorization(tx, { tenantId, id }) : null;
    if (authorization === null) throw notFound('connection');
    return toConnectionView(authorization, deps.clock.now());
  });
}

/** Of a state only this is kept: who reads the database can finish nothing. */
export function hashState(state: string): Uint8Array {
  return createHash('sha256').update(state).digest();
}

export function redirectUriOf({ publicUrl }: Pick<ServiceDeps, 'publicUrl'>): string {
  return `${publicUrl}${CALLBACK_PATH}`;
}

/** The integration, and the operations of all that will use the token: a token that is replaced may be shared. */
async function readAsked(
  tx: Tx,
  tenantId: string,
  integrationId: string,
): Promise<{ readonly integration: Integration; readonly operations: readonly string[] }> {
  const integration = await findIntegration(tx, tenantId, integrationId);
  if (integration === null) throw notFound('integration');
  const { credentialId } = integration;
  if (credentialId === null) return { integration, operations: integration.allowedOperations };
  const sharing = await tx
    .selectFrom('integrations')
    .innerJoin('credentials', (join) =>
      join
        .onRef('credentials.tenant_id', '=', 'integrations.tenant_id')
        .onRef('credentials.id', '=', 'integrations.credential_id'),
    )
    .select('integrations.allowed_operations')
    .where('integrations.tenant_id', '=', tenantId)
    .where('integrations.credential_id', '=', credentialId)
    .where('integrations.id', '<>', integrationId)
    .where('credentials.type', '=', 'oauth2_token')
    .execute();
  const others = sharing.flatMap(({ allowed_operations: operations }) => operations);
  return { integration, operations: [...integration.allowedOperations, ...others] };
}

function tooManyPending(): SealdeskError {
  return new SealdeskError(
    'TOO_MANY_REQUESTS',
    `${MAX_PENDING_CONNECTIONS} connections were begun and not finished. Finish them, or wait until they expire.`,
    { retryAfter: STATE_LIFETIME_MS / 1_000 },
  );
}
