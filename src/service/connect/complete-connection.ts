/**
 * Connecting an account by OAuth, its end: what came back in the admin's browser. Nobody has logged in with that
 * request; who may go on is known by the state, which is found by its hash and used up first.
 *
 * The order of the steps is what keeps tokens from being lost unseen:
 *
 * 1. a state that is used or too old is refused; keys and a data key from the KMS, so that nothing asks it between
 *    here and step 4;
 * 2. the state is used up (transaction); the key of the caller who began must still be valid;
 * 3. the code is exchanged, once;
 * 4. the tokens are sealed into the row, without any call to outside (transaction);
 * 5. they are looked at, and become the credential or are taken back (settle-connection.ts).
 *
 * A process that dies before 3 has cost nothing but the state. Between 3 and 4 Zendesk may have granted tokens that
 * nobody holds: the sweep ends the row as INTERRUPTED and says until when they may live. After 4 the sweep goes on.
 */
import { assertStillValid, findTenant } from '../../access/index.ts';
import { isSealdeskError, SealdeskError } from '../../base/index.ts';
import {
  type AuthorizationEnd,
  type Call,
  claimAuthorization,
  findAuthorizationByState,
  findIntegration,
  keepPair,
  type OpenAuthorization,
} from '../../proxy/index.ts';
import { type CredentialSealer, prepareCredentialSealer, type TenantKeys } from '../../vault/index.ts';
import { REFRESH_TOKEN_SECONDS, type TokenPair, ZendeskError } from '../../zendesk/index.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { hashState, redirectUriOf } from './begin-connection.ts';
import { type ConnectFailureCode, failureOfExchange } from './connect-failure.ts';
import { endRecorded, type RecordedEnd } from './connection-record.ts';
import { type ConnectionSecrets, openSecrets, sealPair } from './connection-secrets.ts';
import { type ConnectionView, toConnectionView } from './connection-view.ts';
import { identityOf } from './oauth-client.ts';
import { withEnding } from './return-to.ts';
import { settleConnection, takeBack } from './settle-connection.ts';

/** For how long the process that goes on is taken to be alive; its calls end long before. */
export const ATTENDED_MS = 120_000;
const MAX_QUERY_CHARACTERS = 8_192;
const STATE = /^[A-Za-z0-9_-]{43}$/;

/** What the page at the end shows. */
export interface ConnectionPage {
  readonly connection: ConnectionView;
  /** `null` where it is gone. */
  readonly integration: { readonly name: string; readonly subdomain: string } | null;
  /** Whose integration it is. */
  readonly tenant: { readonly id: string; readonly name: string };
  /** What Zendesk granted; empty where nothing was connected. */
  readonly grantedScopes: readonly string[];
  /** With how it ended; `null` where none was asked for. */
  readonly returnTo: string | null;
  readonly auditEventId: string;
}

/**
 * Finishes what the state in `query` belongs to. Rejects with UNAUTHENTICATED for a state that is unknown, used or
 * too old, and with what kept it from being finished now; where that says `mutation: APPLIED` the tokens are kept, and
 * the sweep goes on with them.
 */
export async function completeConnection(
  deps: ServiceDeps,
  call: Call,
  query: string,
): Promise<ConnectionPage> {
  const { store, keyring, clock } = deps;
  const parameters = new URLSearchParams(query.length <= MAX_QUERY_CHARACTERS ? query : '');
  const [state = '', ...more] = parameters.getAll('state');
  const found =
    more.length === 0 && STATE.test(state)
      ? await store.withSystem('connection-lookup', (tx) =>
          findAuthorizationByState(tx, hashState(state), new Date(clock.now())),
        )
      : null;
  if (found === null) throw unknownState();
  // Before the KMS is asked: an answer that comes again and again costs no more than a look.
  if (found.state !== 'OPEN') throw found.state === 'USED' ? usedState() : expiredState();
  const keys = await keyring.keysOf(found.tenantId);
  using sealer = await prepareCredentialSealer({ keyring, tenantId: found.tenantId });
  const now = clock.now();
  const { claimed, obstacle } = await store.withTenant(found.tenantId, async (tx) => {
    const times = { now: new Date(now), attendedUntil: new Date(now + ATTENDED_MS) };
    const authorization = await claimAuthorization(tx, { ...found, ...times });
    if (authorization === null) throw unknownState();
    if (authorization === 'USED') throw usedState();
    if (authorization === 'EXPIRED') throw expiredState();
    const caller = { kind: 'API_KEY', tenantId: found.tenantId, id: authorization.requestedBy } as const;
    const failed = await assertStillValid(tx, caller, now).then(
      () => null,
      (error: unknown) => error,
    );
    if (failed !== null && !isSealdeskError(failed, 'UNAUTHENTICATED')) throw failed;
    const isThere = (await findIntegration(tx, found.tenantId, authorization.integrationId)) !== null;
    return { claimed: authorization, obstacle: obstacleOf(failed === null, isThere) };
  });
  const secrets = openSecrets(keys, claimed);
  const attended: Attended = { deps, call, keys, sealer, authorization: claimed, secrets };
  if (obstacle !== null) return pageOf(deps, await end(attended, obstacle), secrets);
  // Waited for: the sealer is wiped with the end of this function.
  return await followAnswer(attended, parameters, state);
}

/** What ends it before Zendesk is asked for anything. */
function obstacleOf(isCallerValid: boolean, isIntegrationThere: boolean): Ending | null {
  if (!isCallerValid) return { status: 'DENIED', failure: 'KEY_ENDED' };
  return isIntegrationThere ? null : { status: 'FAILED', failure: 'INTEGRATION_GONE' };
}

type Ending = Omit<AuthorizationEnd, 'at'> & { readonly failure: ConnectFailureCode };

interface Attended {
  readonly deps: ServiceDeps;
  readonly call: Call;
  readonly keys: TenantKeys;
  readonly sealer: CredentialSealer;
  readonly authorization: OpenAuthorization;
  readonly secrets: ConnectionSecrets;
}

async function followAnswer(
  attended: Attended,
  parameters: URLSearchParams,
  state: string,
): Promise<ConnectionPage> {
  const { deps, secrets, authorization } = attended;
  const { authorizer } = deps.connecting;
  const { subdomain, clientId, verifier } = secrets;
  const endAs = async (ending: Ending): Promise<ConnectionPage> =>
    pageOf(deps, await end(attended, ending), secrets);
  const answer = authorizer.readAnswer(subdomain, clientId, parameters, state);
  if (answer.kind === 'UNUSABLE') return endAs({ status: 'FAILED', failure: 'UNUSABLE_ANSWER' });
  if (answer.kind === 'REFUSED') {
    switch (answer.error) {
      case 'ACCESS_DENIED':
        return endAs({ status: 'DENIED', failure: 'ACCESS_DENIED' });
      case 'INVALID_SCOPE':
        return endAs({ status: 'FAILED', failure: 'SCOPE_REFUSED' });
      case 'OTHER':
        return endAs({ status: 'FAILED', failure: 'REQUEST_REFUSED' });
      default:
        return answer.error satisfies never;
    }
  }
  const client = identityOf(deps, secrets);
  if (client === null) return endAs({ status: 'FAILED', failure: 'CLIENT_CHANGED' });
  let pair: TokenPair;
  try {
    pair = await authorizer.exchange(subdomain, {
      client,
      redirectUri: redirectUriOf(deps),
      scopes: authorization.scopes,
      verifier,
      parameters: answer.parameters,
    });
  } catch (error) {
    if (!(error instanceof ZendeskError)) throw error;
    return endAs({
      status: 'FAILED',
      failure: failureOfExchange(error),
      leftUntil: error.details.mutation === 'NOT_SENT' ? null : leftUntil(deps),
    });
  }
  await keep(attended, pair);
  try {
    return await settle(attended, pair);
  } catch (error) {
    throw unsettled(deps, authorization, error);
  }
}

async function settle({ deps, secrets, ...attended }: Attended, pair: TokenPair): Promise<ConnectionPage> {
  return pageOf(deps, await settleConnection(deps, { ...attended, secrets, pair }), secrets);
}

/** Puts the tokens away; where that cannot be done they are taken back at once, while somebody holds them. */
async function keep({ deps, keys, authorization, secrets }: Attended, pair: TokenPair): Promise<void> {
  const { tenantId, id } = authorization;
  try {
    const sealed = sealPair(keys, id, pair);
    const isKept = await deps.store.withTenant(tenantId, (tx) =>
      keepPair(tx, { tenantId, id, pair: sealed }),
    );
    if (!isKept) throw unknownState();
  } catch (error) {
    await takeBack(deps, { authorization, secrets, pair });
    throw error;
  }
}

async function end({ deps, call, authorization }: Attended, ending: Ending): Promise<RecordedEnd> {
  const { store, keyring, clock } = deps;
  const { tenantId } = authorization;
  const keys = await keyring.keysOf(tenantId);
  const ended = await store.withTenant(tenantId, (tx) =>
    endRecorded(tx, keys, authorization, { ...ending, at: new Date(clock.now()) }, call),
  );
  if (ended === null) throw unknownState();
  return ended;
}

/** Until when tokens may live of which nothing is known. */
export function leftUntil({ clock }: Pick<ServiceDeps, 'clock'>): Date {
  return new Date(clock.now() + REFRESH_TOKEN_SECONDS.most * 1_000);
}

async function pageOf(
  { store, clock }: ServiceDeps,
  { authorization, auditEventId, grantedScopes = [] }: RecordedEnd,
  { returnTo }: ConnectionSecrets,
): Promise<ConnectionPage> {
  const { tenantId, integrationId, failure } = authorization;
  const { integration, tenant } = await store.withTenant(tenantId, async (tx) => ({
    integration: await findIntegration(tx, tenantId, integrationId),
    tenant: await findTenant(tx, tenantId),
  }));
  return {
    tenant: { id: tenantId, name: tenant?.name ?? '' },
    grantedScopes,
    connection: toConnectionView(authorization, clock.now()),
    integration: integration && { name: integration.name, subdomain: integration.subdomain },
    returnTo:
      returnTo &&
      (failure === null
        ? withEnding(returnTo, 'connected', integrationId)
        : withEnding(returnTo, 'connect_error', failure)),
    auditEventId,
  };
}

/** What was granted is kept, and the sweep goes on with it, or it has ended already: `cause` is why this page cannot tell. */
function unsettled(
  { log }: ServiceDeps,
  { id, integrationId }: OpenAuthorization,
  cause: unknown,
): SealdeskError {
  log.warn('A connection could not be finished yet', {
    integrationId,
    error: cause instanceof Error ? cause : undefined,
  });
  return new SealdeskError(
    isSealdeskError(cause) ? cause.code : 'INTERNAL',
    `Zendesk has granted the access, and the gateway keeps it, but something stands in the way of finishing just now. It goes on by itself, within three minutes of the end of that. How it ends is told by zendeskConnection(id: "${id}").`,
    { mutation: 'APPLIED', subject: id, cause },
  );
}

function unknownState(): SealdeskError {
  return new SealdeskError(
    'UNAUTHENTICATED',
    'This gateway has not begun this connection, or has forgotten it. Begin again with connectZendesk.',
  );
}

function usedState(): SealdeskError {
  return new SealdeskError(
    'UNAUTHENTICATED',
    'This answer of Zendesk was used before, and it is good once. Ask zendeskConnection how it went, or begin again with connectZendesk.',
  );
}

function expiredState(): SealdeskError {
  return new SealdeskError(
    'UNAUTHENTICATED',
    'This connection was begun more than ten minutes ago. Begin again with connectZendesk.',
  );
}
