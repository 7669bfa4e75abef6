/**
 * One attempt to put a new token in the place of the present one (design §7): (1) data key from the KMS, (2) claim
 * in a short transaction, (3) token call, (4) seal locally and store, (5) use, which is the caller's.
 *
 * What a death between these steps costs, with a refresh token, which works once:
 * - before the call (1, 2): nothing. The claim ends after {@link CLAIM_LIFETIME_MS}, and the next attempt refreshes.
 * - in the call (3): nothing, where Zendesk had not carried it out; else as in the next.
 * - between the answer and the stored pair (3, 4): the pair is lost, and the stored refresh token used up. The next
 *   attempt sends it once more, is refused, and the integration turns NEEDS_RECONNECT, reason LOST_IN_REFRESH.
 * - after that (4, 5): nothing.
 *
 * A store that fails is repeated for {@link STORE_PATIENCE_MS}, since the pair is in this process and nowhere else.
 * Should another attempt have taken the turn meanwhile, the pair is stored all the same: a refresh token gives one
 * pair, and this is it.
 */
import { randomUUID } from 'node:crypto';
import { type Clock, type Log, SealdeskError } from '../base/index.ts';
import type { ReconnectReason, Store, Tx } from '../store/index.ts';
import {
  abandonTokenRefresh,
  claimTokenRefresh,
  type Keyring,
  openAccessToken,
  pauseTokenRefresh,
  prepareAccessTokenSealer,
  releaseTokenRefresh,
  type SealedAccessToken,
  storeAccessToken,
} from '../vault/index.ts';
import { type RefreshedToken, TokenError, type ZendeskTransport } from '../zendesk/index.ts';
import { needsReconnect } from './needs-reconnect.ts';
import { clearReconnect, readReconnect } from './reconnect.ts';
import { requestToken, type TokenGrant } from './token-grant.ts';
import type { NoteRenewal } from './token-tally.ts';
import { turnReconnect } from './turn-reconnect.ts';

export const CLAIM_LIFETIME_MS = 60_000;
/** For how long a pair that could not be stored is kept for another try; when the process stops, for the shorter. */
export const STORE_PATIENCE_MS = 300_000;
const STOPPING_PATIENCE_MS = 10_000;
const STORE_PAUSE_MS = { least: 250, most: 5_000 } as const;
/**
 * Before the token endpoint is asked again, where it names no longer time: with a refresh token of which nobody knows
 * whether it was used up, and else, for somewhere between the two.
 */
const UNCLEAR_PAUSE_MS = 2_000;
export const PAUSE_MS = { least: 5_000, most: 7_500 } as const;

export interface RenewTokenDeps {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly transport: ZendeskTransport;
  readonly clock: Clock;
  readonly log: Log;
  readonly note: NoteRenewal;
  /** Aborted when the process stops. */
  readonly stopping: AbortSignal;
}

export interface TokenPlace {
  readonly tenantId: string;
  readonly credentialId: string;
  readonly credentialVersion: number;
  readonly origin: string;
  readonly grant: TokenGrant;
}

/** The token that is to be replaced. */
export interface PresentToken {
  readonly version: number;
  /** `null` for the credential's own pair. */
  readonly sealed: SealedAccessToken | null;
  readonly expiresAt: number | null;
  readonly refreshExpiresAt: number | null;
}

export interface HeldToken {
  readonly accessToken: string;
  /** Counts the tokens fetched with this version of the credential; 0 is the credential's own. */
  readonly version: number;
}

interface Claim {
  readonly attempt: string;
  /** Whether an attempt before it may have used the refresh token up. */
  readonly isAfterUnclear: boolean;
}

/**
 * Steps 1 to 4. `null` where it is another's turn, or another was faster. Rejects with NEEDS_RECONNECT where Zendesk
 * does not accept the grant, with CONFLICT where the credential was rotated, and with the failures of KMS, database
 * and token endpoint.
 */
export async function renewToken(
  deps: RenewTokenDeps,
  place: TokenPlace,
  present: PresentToken | null,
): Promise<HeldToken | null> {
  const { keyring, note } = deps;
  const { tenantId, credentialId, credentialVersion, grant } = place;
  using sealer = await prepareAccessTokenSealer({ keyring, tenantId });
  const refreshToken = await refreshTokenOf(keyring, grant, present);
  const claim = await takeTurn(deps, place, present);
  if (claim === null) return null;
  const version = (present?.version ?? 0) + 1;
  let fetched: RefreshedToken;
  let sealed: SealedAccessToken;
  try {
    fetched = await requestToken({ ...deps, origin: place.origin }, grant, refreshToken);
    const next = fetched.refreshToken ?? refreshToken;
    sealed = await sealer.seal(
      { credentialId, credentialVersion, version },
      {
        access_token: fetched.accessToken,
        ...(next === null ? {} : { refresh_token: next }),
        ...(fetched.scope === null ? {} : { scope: fetched.scope }),
      },
    );
  } catch (error) {
    return failed(deps, place, present, claim, error);
  }
  const refreshExpiresAt =
    fetched.refreshToken === null ? (present?.refreshExpiresAt ?? null) : fetched.refreshExpiresAt;
  let isStored: boolean;
  try {
    isStored = await storePatiently(deps, place, claim, {
      sealed,
      expiresAt: new Date(fetched.expiresAt),
      refreshExpiresAt: refreshExpiresAt === null ? null : new Date(refreshExpiresAt),
    });
  } catch (error) {
    note('NOT_STORED');
    if (grant.kind === 'CLIENT_CREDENTIALS') await giveBack(deps, place, claim, error);
    throw error;
  }
  note(isStored ? 'RENEWED' : 'NOT_STORED');
  return isStored ? { accessToken: fetched.accessToken, version } : null;
}

/** The refresh token to send: opened before the claim, whose condition on the version proves that it is the present one. */
async function refreshTokenOf(
  keyring: Keyring,
  grant: TokenGrant,
  present: PresentToken | null,
): Promise<string | null> {
  if (grant.kind === 'CLIENT_CREDENTIALS') return null;
  if (present === null || present.sealed === null) return grant.own.refreshToken;
  const opened = await openAccessToken({ keyring, sealed: present.sealed });
  return opened.refresh_token ?? grant.own.refreshToken;
}

/** Step 2. `null` where it is another's turn. Throws NEEDS_RECONNECT or CONFLICT. */
async function takeTurn(
  { store, clock }: RenewTokenDeps,
  { tenantId, credentialId, credentialVersion }: TokenPlace,
  present: PresentToken | null,
): Promise<Claim | null> {
  const attempt = randomUUID();
  const now = clock.now();
  const claim = await store.withTenant(tenantId, async (tx) => {
    const lost = await readReconnect(tx, { tenantId, credentialId });
    if (lost !== null) throw needsReconnect(lost.integrationId, lost.reason);
    return claimTokenRefresh(tx, {
      ...{ tenantId, credentialId, credentialVersion, attempt },
      tokenVersion: present?.version ?? 0,
      now: new Date(now),
      until: new Date(now + CLAIM_LIFETIME_MS),
    });
  });
  switch (claim.kind) {
    case 'claimed':
      return { attempt, isAfterUnclear: claim.replaced !== null };
    case 'outdated':
      throw new SealdeskError('CONFLICT', 'The credential was rotated while it was being used. Try again.');
    case 'busy':
    case 'renewed':
      return null;
    default:
      return claim satisfies never;
  }
}

/** What follows from a token call that gave no token: throws, or `null` where there is something newer to use. */
async function failed(
  deps: RenewTokenDeps,
  place: TokenPlace,
  present: PresentToken | null,
  claim: Claim,
  error: unknown,
): Promise<null> {
  const { note } = deps;
  const outcome = error instanceof TokenError ? error.token : 'UNCLEAR';
  note(outcome);
  const isRefresh = place.grant.kind === 'REFRESH';
  const isUnclear = isRefresh && (claim.isAfterUnclear || outcome === 'UNCLEAR');
  if (outcome !== 'REFUSED') {
    await (isUnclear ? abandon(deps, place, claim, error) : giveBack(deps, place, claim, error));
    throw error;
  }
  const { tenantId, credentialId, credentialVersion } = place;
  const tokenVersion = present?.version ?? 0;
  const reason = reasonOf(deps, present, claim, error);
  const turned = await turnReconnect(
    deps,
    { tenantId, credentialId, credentialVersion, tokenVersion, attempt: claim.attempt, reason },
    (tx) => endTurn(tx, deps, place, claim),
  );
  if (turned !== null) {
    const { code, message, details } = turned;
    throw error instanceof TokenError ? error.recoded(code, message, details) : turned;
  }
  // No integration rests on the credential any more, or what was refused is not the newest.
  throw error;
}

function reasonOf(
  { clock }: RenewTokenDeps,
  present: PresentToken | null,
  { isAfterUnclear }: Claim,
  error: unknown,
): ReconnectReason {
  if (!(error instanceof TokenError) || error.details.upstreamError !== 'invalid_grant') return 'REFUSED';
  if (isAfterUnclear) return 'LOST_IN_REFRESH';
  const end = present?.refreshExpiresAt ?? null;
  return end !== null && end <= clock.now() ? 'EXPIRED' : 'REFUSED';
}

/** A refresh token that may have been used up stays known as that, should an admin have it tried once more. */
function endTurn(tx: Tx, { clock }: RenewTokenDeps, place: TokenPlace, claim: Claim): Promise<boolean> {
  const { tenantId, credentialId } = place;
  const { attempt, isAfterUnclear } = claim;
  return isAfterUnclear
    ? abandonTokenRefresh(tx, { tenantId, credentialId, attempt, until: new Date(clock.now()) })
    : releaseTokenRefresh(tx, { tenantId, credentialId, attempt });
}

interface FetchedToken {
  readonly sealed: SealedAccessToken;
  readonly expiresAt: Date;
  readonly refreshExpiresAt: Date | null;
}

/** Step 4. `false` where a newer token, or another version of the credential, is stored already. */
async function storePatiently(
  deps: RenewTokenDeps,
  { tenantId, credentialId, grant }: TokenPlace,
  { attempt }: Claim,
  token: FetchedToken,
): Promise<boolean> {
  const { store, clock, log, stopping } = deps;
  const isOnly = grant.kind === 'REFRESH';
  const begun = clock.now();
  for (let tries = 0; ; tries += 1) {
    try {
      return await store.withTenant(tenantId, async (tx) => {
        if (!isOnly) return storeAccessToken(tx, { ...token, attempt });
        const isStored =
          (await storeAccessToken(tx, { ...token, attempt })) ||
          (await storeAccessToken(tx, { ...token, attempt: null }));
        if (isStored) await clearReconnect(tx, { tenantId, credentialId });
        return isStored;
      });
    } catch (error) {
      const details = { tenantId, credentialId, error: error instanceof Error ? error : undefined };
      const patience = stopping.aborted ? STOPPING_PATIENCE_MS : STORE_PATIENCE_MS;
      if (!isOnly) throw error;
      if (clock.now() - begun >= patience) {
        log.error('The new tokens of a connection were given out and could not be stored', details);
        throw error;
      }
      if (tries === 0) log.warn('The new tokens of a connection could not be stored yet', details);
      const pause = Math.min(STORE_PAUSE_MS.most, STORE_PAUSE_MS.least * 2 ** tries);
      await clock.wait(pause, stopping.aborted ? undefined : stopping).catch(() => undefined);
    }
  }
}

/** Gives the turn back, to be taken after a pause; where that fails too it ends by itself, and `error` is what counts. */
function giveBack(
  deps: RenewTokenDeps,
  place: TokenPlace,
  { attempt }: Claim,
  error: unknown,
): Promise<void> {
  const { tenantId, credentialId } = place;
  const { least, most } = PAUSE_MS;
  const until = pauseEnd(deps, error, least + Math.random() * (most - least));
  return tryTo(deps, place, (tx) => pauseTokenRefresh(tx, { tenantId, credentialId, attempt, until }));
}

/** Ends the turn as that of an attempt that died. */
function abandon(deps: RenewTokenDeps, place: TokenPlace, { attempt }: Claim, error: unknown): Promise<void> {
  const { tenantId, credentialId } = place;
  const until = pauseEnd(deps, error, UNCLEAR_PAUSE_MS);
  return tryTo(deps, place, (tx) => abandonTokenRefresh(tx, { tenantId, credentialId, attempt, until }));
}

/** `usual` milliseconds from now, later where Zendesk asks for more time. */
function pauseEnd({ clock }: RenewTokenDeps, error: unknown, usual: number): Date {
  const asked = error instanceof TokenError ? (error.details.retryAfter ?? 0) * 1_000 : 0;
  return new Date(clock.now() + Math.max(asked, usual));
}

async function tryTo(
  { store, log }: RenewTokenDeps,
  { tenantId, credentialId }: TokenPlace,
  work: (tx: Tx) => Promise<unknown>,
): Promise<void> {
  try {
    await store.withTenant(tenantId, work);
  } catch (error) {
    log.warn('The claim on a token refresh could not be given back', {
      tenantId,
      credentialId,
      error: error instanceof Error ? error : undefined,
    });
  }
}
