/**
 * The access token of an `oauth2_client` credential: shared by all gateway processes, fetched by one
 * at a time, kept sealed, renewed ahead of its end.
 *
 * A fetch goes (1) data key from the KMS, (2) claim in a short transaction, (3) token call, (4) seal
 * locally and store, if the claim still stands, (5) use. Within a process all callers share one fetch,
 * and no caller's going away breaks it off. Who finds another process's claim uses the present token
 * while it lasts, else waits for the next version of the row, never for a lock. A claim whose process
 * died ends by itself after {@link CLAIM_LIFETIME_MS}; a client-credentials grant uses nothing up, so
 * whoever comes next simply fetches again. A renewal that fails ahead of time fails no call.
 */
import { randomUUID } from 'node:crypto';
import { type Clock, type Log, SealdeskError, unlessAborted } from '../base/index.ts';
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
  readonly log: Log;
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

export interface AccessTokens {
  /** A token that Zendesk should accept now. Rejects with what KMS, database or token endpoint answered. */
  fetch(wish: AccessTokenWish): Promise<HeldToken>;
}

/** One per process. */
export function createAccessTokens(deps: AccessTokenDeps): AccessTokens {
  return new SharedAccessTokens(deps);
}

class SharedAccessTokens implements AccessTokens {
  readonly #deps: AccessTokenDeps;
  /** The fetches under way in this process, by what they will store. */
  readonly #underWay = new Map<string, Promise<HeldToken | null>>();

  constructor(deps: AccessTokenDeps) {
    this.#deps = deps;
  }

  async fetch(wish: AccessTokenWish): Promise<HeldToken> {
    const { clock } = this.#deps;
    const giveUpAt = clock.now() + MAX_WAIT_MS;
    for (;;) {
      const now = clock.now();
      const stored = await this.#readStored(wish);
      const usable = isUsable(stored, wish, now) ? stored : null;
      if (usable !== null && !isDue(usable, now)) return this.#openStored(wish, usable);
      const fetched = await this.#nextToken(wish, stored, usable !== null);
      if (fetched !== null) return fetched;
      if (usable !== null) return this.#openStored(wish, usable);
      if (clock.now() > giveUpAt) {
        throw new SealdeskError(
          'UPSTREAM_UNAVAILABLE',
          'The Zendesk token is being renewed elsewhere and is not there yet. Try again.',
        );
      }
      await clock.wait(POLL_MS, wish.signal);
    }
  }

  async #readStored(wish: AccessTokenWish): Promise<StoredAccessToken | null> {
    const stored = await this.#deps.store.withTenant(wish.tenantId, (tx) => readAccessToken(tx, wish));
    return stored?.credentialVersion === wish.credentialVersion ? stored : null;
  }

  async #openStored(wish: AccessTokenWish, stored: StoredAccessToken): Promise<HeldToken> {
    if (stored.sealed === null) throw new TypeError('"stored" must hold a token');
    const { keyring } = this.#deps;
    const token = await openAccessToken({ keyring, sealed: stored.sealed, signal: wish.signal });
    return { accessToken: token.access_token, version: stored.version };
  }

  /**
   * The new token, or `null` where it is another process's turn, another was faster, or, with
   * `canWait`, it could not be had ahead of time.
   */
  async #nextToken(
    wish: AccessTokenWish,
    stored: StoredAccessToken | null,
    canWait: boolean,
  ): Promise<HeldToken | null> {
    const { tenantId, credentialId, credentialVersion, origin, signal } = wish;
    const tokenVersion = stored?.version ?? 0;
    const name = JSON.stringify([tenantId, credentialId, credentialVersion, tokenVersion, origin]);
    let fetching = this.#underWay.get(name);
    if (fetching === undefined) {
      // A claim of this process would have its fetch under way.
      if (stored?.refresh != null && stored.refresh.until.getTime() > this.#deps.clock.now()) return null;
      fetching = fetchNext(this.#deps, wish, tokenVersion).finally(() => this.#underWay.delete(name));
      this.#underWay.set(name, fetching);
    }
    try {
      return await unlessAborted(fetching, signal);
    } catch (error) {
      if (!canWait || signal.aborted) throw error;
      this.#deps.log.warn('A Zendesk token could not be renewed ahead of its end', {
        tenantId,
        credentialId,
        error: error instanceof Error ? error : undefined,
      });
      return null;
    }
  }
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

/** Steps 1 to 4. `null` where the claim was another's, or did not stand until the end. */
async function fetchNext(
  deps: AccessTokenDeps,
  wish: Omit<AccessTokenWish, 'signal'>,
  tokenVersion: number,
): Promise<HeldToken | null> {
  const { store, keyring, clock } = deps;
  const { tenantId, credentialId, credentialVersion } = wish;
  using sealer = await prepareAccessTokenSealer({ keyring, tenantId });
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
    const fetched = await requestToken(deps, wish);
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
    await release(deps, { tenantId, credentialId, attempt });
    throw error;
  }
}

function requestToken(deps: AccessTokenDeps, { client, origin }: Pick<AccessTokenWish, 'client' | 'origin'>) {
  const { transport, clock } = deps;
  const { client_id: clientId, client_secret: clientSecret, scope } = client;
  return requestClientCredentialsToken({ transport, clock, origin, clientId, clientSecret, scope });
}

/** Gives the claim back; where that fails too it ends by itself, and the first failure is what counts. */
async function release(
  { store, log }: AccessTokenDeps,
  claim: { readonly tenantId: string; readonly credentialId: string; readonly attempt: string },
): Promise<void> {
  const { tenantId, credentialId } = claim;
  try {
    await store.withTenant(tenantId, (tx) => releaseTokenRefresh(tx, claim));
  } catch (error) {
    log.warn('The claim on a token refresh could not be given back', {
      tenantId,
      credentialId,
      error: error instanceof Error ? error : undefined,
    });
  }
}
