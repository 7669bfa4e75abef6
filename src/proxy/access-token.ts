/**
 * The access token of an `oauth2_client` credential, or of an `oauth2_token` with a refresh token: shared by all
 * gateway processes, renewed by one at a time ahead of its end, kept sealed.
 *
 * Within a process all callers share one renewal (renew-token.ts has its steps), and no caller's going away breaks
 * it off. Who finds another process's claim uses the present token while it lasts, else waits for the next version
 * of the row, woken by a notification or looking by itself, never for a lock. A claim whose process died ends by
 * itself, and whoever comes next renews. A renewal ahead of time that fails fails no call, and one that takes long
 * holds none up: the present token is used, and the renewal goes on. After one that failed the token endpoint is left
 * alone for a while, in which who has no token is told so at once.
 */
import { type Clock, type Log, SealdeskError, unlessAborted } from '../base/index.ts';
import type { Store } from '../store/index.ts';
import {
  type Keyring,
  openAccessToken,
  readAccessToken,
  readTokenPause,
  type StoredAccessToken,
} from '../vault/index.ts';
import type { ZendeskTransport } from '../zendesk/index.ts';
import { needsReconnect } from './needs-reconnect.ts';
import { readReconnect } from './reconnect.ts';
import {
  type HeldToken,
  type PresentToken,
  type RenewTokenDeps,
  renewToken,
  type TokenPlace,
} from './renew-token.ts';
import { createRenewalTally, type RenewalTally } from './token-tally.ts';

/** A token is renewed this long before its end, and not used at all in its last half minute. */
export const RENEW_AHEAD_MS = 300_000;
const UNUSABLE_MS = 30_000;
/** Between looks of who waits for another process; a notification comes sooner. */
const POLL_MS = 250;
const MAX_WAIT_MS = 25_000;
/** How long a call with a usable token waits for a renewal, counted from when that began. */
export const RENEWAL_PATIENCE_MS = 1_500;
/** Failures that are remembered, to be told again in the pause that follows. */
const MAX_FAILURES = 1_000;

/** Calls `wake` when a token of a credential may have been stored, `null` for any, until what is returned is called. */
export type OnTokens = (wake: (credentialId: string | null) => void) => () => void;

export interface AccessTokenDeps {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly transport: ZendeskTransport;
  readonly clock: Clock;
  readonly log: Log;
  readonly onTokens?: OnTokens | undefined;
}

export interface AccessTokenWish extends TokenPlace {
  /** The version that Zendesk has just refused, `null` for none. */
  readonly refusedVersion: number | null;
  readonly signal: AbortSignal;
}

export interface AccessTokens {
  /** Renewals of this process since it began. */
  readonly renewals: RenewalTally;
  /**
   * A token that Zendesk should accept now. Rejects with NEEDS_RECONNECT where there will be none before an admin
   * acts, and with what KMS, database or token endpoint answered.
   */
  fetch(wish: AccessTokenWish): Promise<HeldToken>;
  /** Resolves when no renewal is under way any more; a pair that cannot be stored is given up sooner from now on. */
  settle(): Promise<void>;
}

/** One per process. */
export function createAccessTokens(deps: AccessTokenDeps): AccessTokens {
  return new SharedAccessTokens(deps);
}

class SharedAccessTokens implements AccessTokens {
  readonly renewals: RenewalTally;
  readonly #deps: AccessTokenDeps;
  readonly #renewing: RenewTokenDeps;
  readonly #stopping = new AbortController();
  /** The renewals under way in this process, by what they will store. */
  readonly #underWay = new Map<string, Renewing>();
  /** How those ended that gave no token, by the same names. */
  readonly #failures = new Map<string, SealdeskError>();

  constructor(deps: AccessTokenDeps) {
    const { counts, note } = createRenewalTally();
    this.renewals = counts;
    this.#deps = deps;
    this.#renewing = { ...deps, note, stopping: this.#stopping.signal };
  }

  async fetch(wish: AccessTokenWish): Promise<HeldToken> {
    const { clock } = this.#deps;
    const giveUpAt = clock.now() + MAX_WAIT_MS;
    for (;;) {
      const now = clock.now();
      const stored = await this.#readStored(wish);
      const present = presentOf(wish, stored);
      const usable = isUsable(present, wish, now) ? present : null;
      if (usable !== null && !isDue(usable, now)) return this.#open(wish, usable);
      const renewed = await this.#nextToken(wish, present, stored, usable !== null);
      if (renewed !== null) return renewed;
      if (usable !== null) return this.#open(wish, usable);
      if (clock.now() > giveUpAt) {
        throw new SealdeskError(
          'UPSTREAM_UNAVAILABLE',
          'The Zendesk token is being renewed elsewhere and is not there yet. Try again.',
        );
      }
      await this.#waitForNews(wish);
    }
  }

  async settle(): Promise<void> {
    this.#stopping.abort();
    while (this.#underWay.size > 0) {
      await Promise.allSettled([...this.#underWay.values()].map(({ token }) => token));
    }
  }

  /** Rejects with NEEDS_RECONNECT: another process, or another call of this one, may have been refused meanwhile. */
  async #readStored(wish: AccessTokenWish): Promise<StoredAccessToken | null> {
    return this.#deps.store.withTenant(wish.tenantId, async (tx) => {
      const lost = await readReconnect(tx, wish);
      if (lost !== null) throw needsReconnect(lost.integrationId, lost.reason);
      const stored = await readAccessToken(tx, wish);
      return stored?.credentialVersion === wish.credentialVersion ? stored : null;
    });
  }

  async #open(wish: AccessTokenWish, { sealed, version }: PresentToken): Promise<HeldToken> {
    const { grant, signal } = wish;
    if (sealed !== null) {
      const token = await openAccessToken({ keyring: this.#deps.keyring, sealed, signal });
      return { accessToken: token.access_token, version };
    }
    if (grant.kind !== 'REFRESH') throw new TypeError('"present" must hold a token');
    return { accessToken: grant.own.accessToken, version };
  }

  /**
   * The new token, or `null` where it is another process's turn, another was faster, or, with
   * `canWait`, it could not be had ahead of time, or not soon.
   */
  async #nextToken(
    wish: AccessTokenWish,
    present: PresentToken | null,
    stored: StoredAccessToken | null,
    canWait: boolean,
  ): Promise<HeldToken | null> {
    const { tenantId, credentialId, credentialVersion, origin, grant, signal } = wish;
    const name = JSON.stringify([tenantId, credentialId, credentialVersion, present?.version ?? 0, origin]);
    let renewing = this.#underWay.get(name);
    if (renewing === undefined) {
      // A claim of this process would have its renewal under way.
      if (stored?.refresh != null && stored.refresh.until.getTime() > this.#deps.clock.now()) return null;
      const place = { tenantId, credentialId, credentialVersion, origin, grant };
      renewing = this.#begin(name, place, present);
    }
    const { token, patience } = renewing;
    if (!canWait) return unlessAborted(token, signal);
    try {
      return await unlessAborted(Promise.race([token, patience]), signal);
    } catch (error) {
      if (signal.aborted) throw error;
      return null;
    }
  }

  #begin(name: string, place: TokenPlace, present: PresentToken | null): Renewing {
    const over = new AbortController();
    const { promise: patience, resolve } = Promise.withResolvers<null>();
    this.#deps.clock.wait(RENEWAL_PATIENCE_MS, over.signal).then(
      () => resolve(null),
      () => undefined,
    );
    const token = this.#renew(name, place, present).finally(() => {
      over.abort();
      this.#underWay.delete(name);
    });
    const renewing = { token, patience };
    this.#underWay.set(name, renewing);
    return renewing;
  }

  /** Rejects with the failure before it while the token endpoint is left alone. */
  async #renew(name: string, place: TokenPlace, present: PresentToken | null): Promise<HeldToken | null> {
    const { store, clock, log } = this.#deps;
    const { tenantId, credentialId } = place;
    const now = clock.now();
    const pause = await store.withTenant(tenantId, (tx) =>
      readTokenPause(tx, { ...place, now: new Date(now) }),
    );
    if (pause !== null) throw inPause(this.#failures.get(name), pause.getTime() - now);
    this.#failures.delete(name);
    try {
      return await renewToken(this.#renewing, place, present);
    } catch (error) {
      if (error instanceof SealdeskError) this.#remember(name, error);
      log.warn('A Zendesk token could not be renewed', {
        tenantId,
        credentialId,
        error: error instanceof Error ? error : undefined,
      });
      throw error;
    }
  }

  #remember(name: string, failure: SealdeskError): void {
    const [oldest] = this.#failures.keys();
    if (this.#failures.size >= MAX_FAILURES && oldest !== undefined) this.#failures.delete(oldest);
    this.#failures.set(name, failure);
  }

  async #waitForNews({ credentialId, signal }: AccessTokenWish): Promise<void> {
    const { clock, onTokens } = this.#deps;
    const news = new AbortController();
    const unlisten = onTokens?.((id) => {
      if (id === null || id === credentialId) news.abort();
    });
    try {
      await clock.wait(POLL_MS, AbortSignal.any([signal, news.signal]));
    } catch (error) {
      if (!news.signal.aborted) throw error;
    } finally {
      unlisten?.();
    }
  }
}

interface Renewing {
  readonly token: Promise<HeldToken | null>;
  /** Resolves when no call that has a token waits any more; never where the renewal is over by then. */
  readonly patience: Promise<null>;
}

/** What is told in the pause after a renewal that failed, `failure` where it was one of this process; `left` in milliseconds. */
function inPause(failure: SealdeskError | undefined, left: number): SealdeskError {
  const retryAfter = Math.max(1, Math.ceil(left / 1_000));
  if (failure?.details.retryAfter !== undefined) return failure.with({ retryAfter });
  if (failure !== undefined) return failure;
  return new SealdeskError(
    'UPSTREAM_UNAVAILABLE',
    `Zendesk gave no new token a moment ago and is not asked again before ${retryAfter} seconds are over. Try again then.`,
    { retryAfter },
  );
}

/** What would be used now: the newest stored token, else what the credential holds itself. */
function presentOf({ grant }: AccessTokenWish, stored: StoredAccessToken | null): PresentToken | null {
  if (stored !== null && stored.sealed !== null) {
    const { version, sealed, expiresAt, refreshExpiresAt } = stored;
    return {
      version,
      sealed,
      expiresAt: expiresAt?.getTime() ?? null,
      refreshExpiresAt: refreshExpiresAt?.getTime() ?? null,
    };
  }
  if (grant.kind !== 'REFRESH') return null;
  const { expiresAt, refreshExpiresAt } = grant.own;
  return { version: 0, sealed: null, expiresAt, refreshExpiresAt };
}

function isUsable(
  present: PresentToken | null,
  { refusedVersion }: AccessTokenWish,
  now: number,
): present is PresentToken {
  return (
    present !== null &&
    present.version !== refusedVersion &&
    (present.expiresAt === null || present.expiresAt - UNUSABLE_MS > now)
  );
}

function isDue({ expiresAt }: PresentToken, now: number): boolean {
  return expiresAt !== null && expiresAt - RENEW_AHEAD_MS <= now;
}
