/**
 * The access token of an `oauth2_client` credential: shared by all gateway processes, fetched by one
 * at a time, kept sealed, renewed ahead of its end.
 *
 * A fetch goes (1) data key from the KMS, (2) claim in a short transaction, (3) token call, (4) seal
 * locally and store, if the claim still stands, (5) use. Who finds a claim taken uses the present
 * token while it lasts, else waits for the next version of the row, never for a lock. A claim whose
 * process died ends by itself after {@link CLAIM_LIFETIME_MS}; a client-credentials grant uses nothing
 * up, so whoever comes next simply fetches again.
 */
import { randomUUID } from 'node:crypto';
import { type Clock, SealdeskError } from '../base/index.ts';
import type { Store } from '../store/index.ts';
import {
  claimTokenRefresh,
  type Keyring,
  openAccessToken,
  prepareAccessTokenSealer,
  readAccessToken,
  releaseTokenRefresh,
  type StoredAccessToken,
  storeAccessToken,
} from '../vault/index.ts';
import { requestClientCredentialsToken, type ZendeskTransport } from '../zendesk/index.ts';

export const CLAIM_LIFETIME_MS = 60_000;
/** A token is renewed this long before its end, and not used at all in its last half minute. */
export const RENEW_AHEAD_MS = 300_000;
const UNUSABLE_MS = 30_000;
const POLL_MS = 100;
const MAX_WAIT_MS = 25_000;

export interface AccessTokenDeps {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly transport: ZendeskTransport;
  readonly clock: Clock;
}

export interface AccessTokenWish {
  readonly tenantId: string;
  readonly credentialId: string;
  readonly credentialVersion: number;
  readonly origin: string;
  readonly client: {
    readonly client_id: string;
    readonly client_secret: string;
    readonly scope?: string | undefined;
  };
  /** The version that Zendesk has just refused, `null` for none. */
  readonly refusedVersion: number | null;
  readonly signal: AbortSignal;
}

export interface HeldToken {
  readonly accessToken: string;
  /** Counts the tokens fetched with this version of the credential. */
  readonly version: number;
}

/** A token that Zendesk should accept now. Rejects with what KMS, database or token endpoint answered. */
export async function fetchAccessToken(deps: AccessTokenDeps, wish: AccessTokenWish): Promise<HeldToken> {
  const { clock } = deps;
  const giveUpAt = clock.now() + MAX_WAIT_MS;
  for (;;) {
    const stored = await readStored(deps, wish);
    const usable = isUsable(stored, wish, clock.now()) ? stored : null;
    if (usable !== null && !isDue(usable, clock.now())) return openStored(deps, wish, usable);
    const fetched = await tryFetch(deps, wish, stored?.version ?? 0);
    if (fetched !== null) return fetched;
    if (usable !== null) return openStored(deps, wish, usable);
    if (clock.now() > giveUpAt) {
      throw new SealdeskError(
        'UPSTREAM_UNAVAILABLE',
        'Another process is renewing the Zendesk token and has not finished. Try again.',
      );
    }
    await clock.wait(POLL_MS, wish.signal);
  }
}

async function readStored(deps: AccessTokenDeps, wish: AccessTokenWish): Promise<StoredAccessToken | null> {
  const stored = await deps.store.withTenant(wish.tenantId, (tx) => readAccessToken(tx, wish));
  return stored?.credentialVersion === wish.credentialVersion ? stored : null;
}

function isUsable(
  stored: StoredAccessToken | null,
  wish: AccessTokenWish,
  now: number,
): stored is StoredAccessToken {
  return (
    stored?.sealed != null &&
    stored.version !== wish.refusedVersion &&
    (stored.expiresAt === null || stored.expiresAt.getTime() - UNUSABLE_MS > now)
  );
}

function isDue(stored: StoredAccessToken, now: number): boolean {
  return stored.expiresAt !== null && stored.expiresAt.getTime() - RENEW_AHEAD_MS <= now;
}

async function openStored(
  deps: AccessTokenDeps,
  wish: AccessTokenWish,
  stored: StoredAccessToken,
): Promise<HeldToken> {
  if (stored.sealed === null) throw new TypeError('"stored" must hold a token');
  const token = await openAccessToken({ keyring: deps.keyring, sealed: stored.sealed, signal: wish.signal });
  return { accessToken: token.access_token, version: stored.version };
}

/** The new token, or `null` where it is another's turn or another was faster. */
async function tryFetch(
  deps: AccessTokenDeps,
  wish: AccessTokenWish,
  tokenVersion: number,
): Promise<HeldToken | null> {
  const { store, keyring, clock, transport } = deps;
  const { tenantId, credentialId, credentialVersion, signal } = wish;
  using sealer = await prepareAccessTokenSealer({ keyring, tenantId, signal });
  const attempt = randomUUID();
  const claim = await store.withTenant(tenantId, (tx) =>
    claimTokenRefresh(tx, {
      tenantId,
      credentialId,
      credentialVersion,
      tokenVersion,
      attempt,
      now: new Date(clock.now()),
      until: new Date(clock.now() + CLAIM_LIFETIME_MS),
    }),
  );
  if (claim.kind === 'outdated') {
    throw new SealdeskError('CONFLICT', 'The credential was rotated while it was being used. Try again.');
  }
  if (claim.kind !== 'claimed') return null;
  try {
    const { client_id: clientId, client_secret: clientSecret, scope } = wish.client;
    const fetched = await requestClientCredentialsToken({
      transport,
      clock,
      origin: wish.origin,
      clientId,
      clientSecret,
      scope,
      signal,
    });
    const version = tokenVersion + 1;
    const sealed = await sealer.seal(
      { credentialId, credentialVersion, version },
      { access_token: fetched.accessToken, ...(fetched.scope === null ? {} : { scope: fetched.scope }) },
    );
    const isStored = await store.withTenant(tenantId, (tx) =>
      storeAccessToken(tx, { attempt, sealed, expiresAt: new Date(fetched.expiresAt) }),
    );
    return isStored ? { accessToken: fetched.accessToken, version } : null;
  } catch (error) {
    await store.withTenant(tenantId, (tx) => releaseTokenRefresh(tx, { tenantId, credentialId, attempt }));
    throw error;
  }
}
