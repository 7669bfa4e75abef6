/**
 * From tokens that Zendesk has granted to a connected account: are they enough, whose are they, and then, in one
 * transaction, the credential, its integration and the entry in the log. Tokens that will not do are taken back at
 * Zendesk, and the credential that the integration had works on.
 *
 * The end is recorded first and the tokens are taken back after: a process that dies in between leaves a row that
 * says until when they live.
 */
import { assertStillValid } from '../../access/index.ts';
import { createId, isSealdeskError, SealdeskError } from '../../base/index.ts';
import {
  type AuthorizationEnd,
  type Call,
  clearReconnect,
  findIntegration,
  missingScopes,
  noteTakenBack,
  type OpenAuthorization,
} from '../../proxy/index.ts';
import { notify, type Tx } from '../../store/index.ts';
import {
  type CredentialPlace,
  type CredentialSealer,
  type CredentialSecret,
  expiryOfSecret,
  insertCredential,
  type NewCredentialSecret,
  readCredential,
  replaceCredentialSecret,
  type TenantKeys,
} from '../../vault/index.ts';
import { type TokenPair, verifyCredential } from '../../zendesk/index.ts';
import { assignCredential } from '../integrations.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { type ConnectFailureCode, failureOfAccount } from './connect-failure.ts';
import { endRecorded, type RecordedEnd } from './connection-record.ts';
import type { ConnectionSecrets } from './connection-secrets.ts';
import { type ReplacedPair, readReplacedPair } from './replaced-pair.ts';

/** Zendesk's numbers for light agents, chat agents and contributors (zendesk-api §7). */
const LIMITED_ROLE_TYPES: ReadonlySet<number | null> = new Set([1, 2, 3]);
/** How often the credential of the integration may change while ours is being put in its place. */
const MAX_TRIES = 5;
const CHECK_MS = 20_000;
const TAKE_BACK_MS = 10_000;

export interface Settling {
  readonly authorization: OpenAuthorization;
  readonly secrets: ConnectionSecrets;
  readonly pair: TokenPair;
  readonly sealer: CredentialSealer;
  /** The request of the browser; `null` where the gateway goes on by itself. */
  readonly call: Call | null;
}

/** Rejects with what keeps it from being settled now: the row stays as it is, and another process goes on with it. */
export async function settleConnection(deps: ServiceDeps, settling: Settling): Promise<RecordedEnd> {
  const { authorization, pair } = settling;
  const missing = missingScopes(authorization.scopes, pair.scopes ?? authorization.scopes);
  if (missing.length > 0) return giveUp(deps, settling, 'SCOPE_MISSING', missing);
  const fault = await findFault(deps, settling);
  if (fault !== null) return giveUp(deps, settling, fault);
  for (let tries = 1; ; tries += 1) {
    try {
      return (await putInPlace(deps, settling)) ?? (await giveUp(deps, settling, 'INTEGRATION_GONE'));
    } catch (error) {
      if (isSealdeskError(error, 'UNAUTHENTICATED')) return giveUp(deps, settling, 'KEY_ENDED');
      if (!isSealdeskError(error, 'CONFLICT') || tries >= MAX_TRIES) throw error;
    }
  }
}

async function findFault(deps: ServiceDeps, settling: Settling): Promise<ConnectFailureCode | null> {
  const check = await verifyCredential(clientOf(deps, settling, settling.pair.accessToken), {
    deadline: deps.clock.now() + CHECK_MS,
  });
  if (!check.ok) return failureOfAccount(check.reason);
  if (check.userId === null) return 'SCOPE_MISSING';
  return LIMITED_ROLE_TYPES.has(check.roleType) ? 'LIGHT_AGENT' : null;
}

/** What the integration has now, and where the new secret goes: into that, where it is of the same kind. */
interface Place extends CredentialPlace {
  readonly presentId: string | null;
  readonly isNew: boolean;
}

/**
 * `null` where the integration is gone. Rejects with CONFLICT where its credential changed meanwhile, and with
 * UNAUTHENTICATED where the key of the caller who began has ended.
 */
async function putInPlace(deps: ServiceDeps, settling: Settling): Promise<RecordedEnd | null> {
  const { store, keyring, clock } = deps;
  const { tenantId } = settling.authorization;
  const place = await store.withTenant(tenantId, (tx) => findPlace(tx, settling, clock.now()));
  if (place === null) return null;
  const secret = secretOf(settling);
  const sealed = await settling.sealer.seal(place, secret);
  const expiresAt = expiryOfSecret(secret);
  const replaced = place.isNew
    ? null
    : await readReplacedPair(deps, { tenantId, credentialId: place.credentialId });
  const made = { sealed, expiresAt, leftUntil: replaced?.until ?? null };
  const keys = await keyring.keysOf(tenantId);
  const ended = await store.withTenant(tenantId, (tx) =>
    commit(tx, keys, settling, place, made, new Date(clock.now())),
  );
  if (replaced === null || !(await revokeReplaced(deps, settling, replaced))) return ended;
  return noteNothingLeft(deps, ended);
}

async function noteNothingLeft({ store }: ServiceDeps, ended: RecordedEnd): Promise<RecordedEnd> {
  const { authorization } = ended;
  await store.withTenant(authorization.tenantId, (tx) => noteTakenBack(tx, authorization));
  return { ...ended, authorization: { ...authorization, leftUntil: null } };
}

async function findPlace(tx: Tx, { authorization }: Settling, now: number): Promise<Place | null> {
  const { tenantId, integrationId } = authorization;
  const integration = await findIntegration(tx, tenantId, integrationId);
  if (integration === null) return null;
  const { credentialId: presentId } = integration;
  const present = presentId === null ? null : await readCredential(tx, { tenantId, credentialId: presentId });
  return present?.type === 'oauth2_token'
    ? { presentId, credentialId: present.id, version: present.version + 1, isNew: false }
    : { presentId, credentialId: createId('credential', now), version: 1, isNew: true };
}

function secretOf({ pair, secrets, authorization }: Settling): CredentialSecret {
  return {
    type: 'oauth2_token',
    access_token: pair.accessToken,
    ...(pair.refreshToken === null ? {} : { refresh_token: pair.refreshToken }),
    expires_at: new Date(pair.expiresAt).toISOString(),
    ...(pair.refreshExpiresAt === null
      ? {}
      : { refresh_expires_at: new Date(pair.refreshExpiresAt).toISOString() }),
    client_id: secrets.clientId,
    ...(secrets.clientSource === 'TENANT' ? {} : { client_source: secrets.clientSource }),
    ...(secrets.clientSecret === null ? {} : { client_secret: secrets.clientSecret }),
    scope: (pair.scopes ?? authorization.scopes).join(' '),
  };
}

interface Made {
  readonly sealed: NewCredentialSecret;
  readonly expiresAt: Date | null;
  /** Until when the pair may live that it takes the place of; `null` where there is none. */
  readonly leftUntil: Date | null;
}

async function commit(
  tx: Tx,
  keys: TenantKeys,
  { authorization, secrets, pair, call }: Settling,
  { presentId, credentialId, isNew, version }: Place,
  { sealed, expiresAt, leftUntil }: Made,
  at: Date,
): Promise<RecordedEnd> {
  const { tenantId, integrationId, requestedBy } = authorization;
  await assertStillValid(tx, { kind: 'API_KEY', tenantId, id: requestedBy }, at.getTime());
  if (isNew) {
    const name = `Zendesk OAuth of ${secrets.subdomain}`;
    await insertCredential(tx, { sealed, name, expiresAt, now: at });
    await assignCredential(tx, tenantId, credentialId, secrets.subdomain);
  } else {
    await replaceCredentialSecret(tx, { sealed, expectedVersion: version - 1, expiresAt, now: at });
  }
  const moved = await tx
    .updateTable('integrations')
    .set({ credential_id: credentialId, updated_at: at })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', integrationId)
    .where('credential_id', 'is not distinct from', presentId)
    .returning('id')
    .executeTakeFirst();
  if (moved === undefined) throw changedMeanwhile();
  await clearReconnect(tx, { tenantId, credentialId });
  await notify(tx, 'rights', tenantId);
  const replacedCredentialId = isNew ? presentId : null;
  const end: AuthorizationEnd = { status: 'CONNECTED', at, credentialId, replacedCredentialId, leftUntil };
  const ended = await endRecorded(tx, keys, authorization, end, call);
  if (ended === null) throw endedElsewhere();
  return { ...ended, grantedScopes: pair.scopes ?? authorization.scopes };
}

/** Ends it as failed, then takes back at Zendesk what was granted. */
export async function giveUp(
  deps: ServiceDeps,
  settling: Settling,
  failure: ConnectFailureCode,
  missing: readonly string[] = [],
): Promise<RecordedEnd> {
  const { authorization, pair, call } = settling;
  const { store, keyring, clock } = deps;
  const { tenantId } = authorization;
  const leftUntil = new Date(pair.refreshExpiresAt ?? pair.expiresAt);
  const status = failure === 'KEY_ENDED' ? 'DENIED' : 'FAILED';
  const keys = await keyring.keysOf(tenantId);
  const ended = await store.withTenant(tenantId, (tx) =>
    endRecorded(
      tx,
      keys,
      authorization,
      { status, at: new Date(clock.now()), failure, missingScopes: missing, leftUntil },
      call,
    ),
  );
  if (ended === null) throw endedElsewhere();
  return (await takeBack(deps, settling)) ? noteNothingLeft(deps, ended) : ended;
}

/** `false` also where Zendesk does not accept the access token: its refresh token may live all the same. */
async function revokeReplaced(
  deps: ServiceDeps,
  settling: Settling,
  { accessToken }: ReplacedPair,
): Promise<boolean> {
  if (accessToken === null) return false;
  try {
    await revoke(deps, settling, accessToken);
    return true;
  } catch (error) {
    tellOfLeft(deps, settling, error);
    return false;
  }
}

/** Revokes the tokens at Zendesk; `false` where that could not be done. */
export async function takeBack(
  deps: ServiceDeps,
  settling: Account & Pick<Settling, 'pair'>,
): Promise<boolean> {
  try {
    await revoke(deps, settling, settling.pair.accessToken);
    return true;
  } catch (error) {
    if (isSealdeskError(error, 'UPSTREAM_UNAUTHENTICATED')) return true;
    tellOfLeft(deps, settling, error);
    return false;
  }
}

type Account = Pick<Settling, 'authorization' | 'secrets'>;

function revoke(deps: ServiceDeps, account: Account, accessToken: string): Promise<unknown> {
  return clientOf(deps, account, accessToken).request({
    method: 'DELETE',
    path: '/api/v2/oauth/tokens/current.json',
    mutation: true,
    deadline: deps.clock.now() + TAKE_BACK_MS,
  });
}

function tellOfLeft({ log }: ServiceDeps, { authorization }: Account, error: unknown): void {
  log.warn('Tokens that were granted could not be taken back at Zendesk', {
    integrationId: authorization.integrationId,
    error: error instanceof Error ? error : undefined,
  });
}

function clientOf(
  deps: ServiceDeps,
  { authorization: { tenantId }, secrets: { subdomain } }: Account,
  accessToken: string,
) {
  return deps.connecting.authorizer.clientWith({ tenantId, subdomain }, accessToken);
}

function changedMeanwhile(): SealdeskError {
  return new SealdeskError(
    'CONFLICT',
    'The integration was given another credential meanwhile. Begin again.',
  );
}

function endedElsewhere(): SealdeskError {
  return new SealdeskError(
    'NOT_FOUND',
    'The connection was finished elsewhere. Ask zendeskConnection how it went.',
  );
}
