/**
 * From an integration to a client of its Zendesk account: reads and opens the credential, makes the
 * Authorization header, and renews what can be renewed when Zendesk refuses it. A header lives as
 * long as the one proxied call it was made for.
 *
 * What Zendesk answers 401 is sent once more, with a new token where one can be had. Where it answers 401 again,
 * Zendesk is asked a moment later who is calling. Where it does not know that either, the credential is taken for
 * refused: its integrations turn NEEDS_RECONNECT, and nothing more is sent. Else the one call has failed.
 */
import { type Clock, type Log, SealdeskError, unlessAborted } from '../base/index.ts';
import type { Store, Tx } from '../store/index.ts';
import {
  type Credential,
  type CredentialSecret,
  expiryOfSecret,
  isTouchDue,
  type Keyring,
  type OpenableCredential,
  openCredentialSecret,
  readOpenableCredential,
  touchCredential,
} from '../vault/index.ts';
import {
  type AccountLimiters,
  basicAuthorization,
  bearerAuthorization,
  createZendeskClient,
  type OAuthClientIdentity,
  verifyCredential,
  type ZendeskClient,
  type ZendeskTransport,
  zendeskOrigin,
} from '../zendesk/index.ts';
import { type AccessTokens, createAccessTokens, type OnTokens } from './access-token.ts';
import { needsReconnect } from './needs-reconnect.ts';
import { type ReconnectKey, readReconnect } from './reconnect.ts';
import type { HeldToken } from './renew-token.ts';
import { clientGrantOf, refreshGrantOf, type TokenGrant } from './token-grant.ts';
import type { RenewalTally } from './token-tally.ts';
import { turnReconnect } from './turn-reconnect.ts';

/** Before Zendesk is asked who is calling, and how long it may take to say. */
const SECOND_LOOK_AFTER_MS = 2_000;
const SECOND_LOOK_MS = 15_000;

export interface ConnectionsOptions {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly transport: ZendeskTransport;
  readonly limiters: AccountLimiters;
  /** Where Zendesk is; from the operator's configuration alone. */
  readonly originTemplate: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The OAuth client of the installation, for credentials that were connected with it; none where left out. */
  readonly installationClient?: OAuthClientIdentity | null | undefined;
  /** Hints that spare who waits for another process some time. */
  readonly onTokens?: OnTokens | undefined;
}

/** The integration as far as a connection needs it. */
export interface ConnectionTarget {
  readonly tenantId: string;
  readonly subdomain: string;
  readonly credentialId: string;
}

export interface ZendeskConnections {
  /**
   * A client for one proxied call. Its requests reject with CREDENTIAL_EXPIRED, NEEDS_RECONNECT,
   * KMS_UNAVAILABLE and what the token endpoint answers, beside the failures of the call itself. A
   * credential that was read just now need not be read again.
   */
  clientFor(target: ConnectionTarget, read?: OpenableCredential): ZendeskClient;
}

/** Those of a process, with what keeps them up. */
export interface KeptConnections extends ZendeskConnections {
  /** Renewals of tokens by this process since it began. */
  readonly renewals: RenewalTally;
  /** Renews the token of the account's credential where that is due. Rejects as the requests of a client do. */
  keepUp(target: ConnectionTarget): Promise<void>;
  /** Resolves when no token is being renewed any more: a pair that was given out and not stored is lost. */
  settle(): Promise<void>;
}

export function createZendeskConnections(options: ConnectionsOptions): KeptConnections {
  const { limiters, originTemplate, transport, clock, log } = options;
  const tokens = createAccessTokens(options);
  return Object.freeze({
    clientFor(target: ConnectionTarget, read?: OpenableCredential): ZendeskClient {
      const origin = zendeskOrigin(target.subdomain, originTemplate);
      const authorization = new CallAuthorization(options, tokens, target, origin, read ?? null);
      return createZendeskClient({
        origin,
        transport,
        // By tenant: whoever names the account of another must not be able to hold up its calls.
        limiter: limiters.of({ tenantId: target.tenantId, origin }),
        authorize: (signal) => authorization.header(signal),
        onUnauthorized: (signal, refused, isAgain) => authorization.renew(signal, refused, isAgain),
        clock,
        log,
      });
    },
    async keepUp(target: ConnectionTarget): Promise<void> {
      const origin = zendeskOrigin(target.subdomain, originTemplate);
      const authorization = new CallAuthorization(options, tokens, target, origin, null);
      await authorization.header(new AbortController().signal);
    },
    renewals: tokens.renewals,
    settle: () => tokens.settle(),
  });
}

class CallAuthorization {
  readonly #options: ConnectionsOptions;
  readonly #tokens: AccessTokens;
  readonly #target: ConnectionTarget;
  readonly #origin: string;
  /** Made once for all requests of the call, also those under way together. */
  #header: Promise<string> | null = null;
  #token: HeldToken | null = null;
  /** Of the credential that the header was made of. */
  #credentialVersion = 0;
  /** The token that Zendesk refused last: no header is made of it again, also where its renewal failed. */
  #refused: { readonly credentialVersion: number; readonly version: number } | null = null;
  /** What becomes of a credential that was refused twice, found out for all requests of the call. */
  #judging: Promise<SealdeskError | null> | null = null;
  /** Set once Zendesk has refused it for good: requests to come are not sent. */
  #lost: SealdeskError | null = null;
  /** For the first header only: what was read may have changed by the next. */
  #read: OpenableCredential | null;

  constructor(
    options: ConnectionsOptions,
    tokens: AccessTokens,
    target: ConnectionTarget,
    origin: string,
    read: OpenableCredential | null,
  ) {
    this.#read = read;
    this.#options = options;
    this.#tokens = tokens;
    this.#target = target;
    this.#origin = origin;
  }

  async header(signal: AbortSignal): Promise<{ readonly authorization: string }> {
    if (this.#lost !== null) throw this.#lost;
    return { authorization: await unlessAborted(this.#header ?? this.#keep(this.#make()), signal) };
  }

  /**
   * Puts another header in place of the one that was refused, where there is one to be had. Refused again, it is
   * told as that: rejects with NEEDS_RECONNECT, or resolves to `fail` where there is something newer to try, or
   * Zendesk knows the credential all the same.
   */
  async renew(signal: AbortSignal, refused: string, isAgain: boolean): Promise<'retry' | 'fail'> {
    const isCurrent = refused === (await this.#header);
    if (isAgain) {
      if (isCurrent && this.#isNothingLeft()) await this.#giveUp(signal, refused);
      return 'fail';
    }
    // Another request of the same call may have renewed it since this one was sent.
    if (isCurrent && this.#token !== null) {
      this.#refused = { credentialVersion: this.#credentialVersion, version: this.#token.version };
      this.#keep(this.#make());
    }
    // Or may have failed to.
    await unlessAborted(this.#header ?? this.#keep(this.#make()), signal);
    return 'retry';
  }

  /** Whether there can be no other token, or this one took the place of a refused one. */
  #isNothingLeft(): boolean {
    return this.#token === null || this.#refused?.credentialVersion === this.#credentialVersion;
  }

  async #giveUp(signal: AbortSignal, refused: string): Promise<void> {
    this.#judging ??= this.#judge(refused).finally(() => {
      this.#judging = null;
    });
    const lost = await unlessAborted(this.#judging, signal);
    if (lost !== null) throw lost;
  }

  /** Turns the integrations where Zendesk does not know the credential; `null` where it does, or cannot be asked. */
  async #judge(refused: string): Promise<SealdeskError | null> {
    const { store, clock } = this.#options;
    const { tenantId, credentialId } = this.#target;
    const credentialVersion = this.#credentialVersion;
    const tokenVersion = this.#token?.version ?? 0;
    await clock.wait(SECOND_LOOK_AFTER_MS);
    const known = await store.withTenant(tenantId, (tx) => readReconnect(tx, { tenantId, credentialId }));
    if (known !== null) {
      this.#lost = needsReconnect(known.integrationId, known.reason);
    } else if (await this.#isUnknown(refused)) {
      this.#lost = await turnReconnect(this.#options, {
        ...{ tenantId, credentialId, credentialVersion, tokenVersion },
        attempt: null,
        reason: 'REFUSED',
      });
    }
    return this.#lost;
  }

  async #isUnknown(authorization: string): Promise<boolean> {
    const { transport, limiters, clock, log } = this.#options;
    const { tenantId } = this.#target;
    const origin = this.#origin;
    const client = createZendeskClient({
      ...{ origin, transport, clock, log },
      limiter: limiters.of({ tenantId, origin }),
      authorize: () => Promise.resolve({ authorization }),
    });
    try {
      const check = await verifyCredential(client, { deadline: clock.now() + SECOND_LOOK_MS });
      return !check.ok && (check.reason === 'REFUSED' || check.reason === 'ANONYMOUS');
    } catch (error) {
      log.warn('Zendesk refused a credential and could not be asked whether it knows it', {
        tenantId,
        credentialId: this.#target.credentialId,
        error: error instanceof Error ? error : undefined,
      });
      return false;
    }
  }

  /** A failure is not kept: the next request tries anew. */
  #keep(making: Promise<string>): Promise<string> {
    this.#header = making;
    making.catch(() => {
      if (this.#header === making) this.#header = null;
    });
    return making;
  }

  /**
   * Not for one request's signal: requests under way together share the header, and one that is given
   * up must not fail the others. It ends all the same: KMS and token endpoint have their own time-outs.
   */
  async #make(): Promise<string> {
    const { credential, secret } = await this.#openCredential();
    switch (secret.type) {
      case 'basic_auth':
        return basicAuthorization(secret.username, secret.password);
      case 'oauth2_token': {
        const grant = refreshGrantOf(secret, this.#options.installationClient ?? null);
        return grant === null ? bearerAuthorization(secret.access_token) : this.#fetch(credential, grant);
      }
      case 'oauth2_client':
        return this.#fetch(credential, clientGrantOf(secret));
      case 'api_key':
        throw new SealdeskError(
          'CONFLICT',
          'Zendesk takes no bare API key. Give the integration a credential of type oauth2_client, oauth2_token or basic_auth.',
        );
      default:
        return secret satisfies never;
    }
  }

  async #fetch(
    { tenantId, id: credentialId, version: credentialVersion }: Credential,
    grant: TokenGrant,
  ): Promise<string> {
    const { signal } = new AbortController();
    const refusedVersion =
      this.#refused?.credentialVersion === credentialVersion ? this.#refused.version : null;
    const place = { tenantId, credentialId, credentialVersion, origin: this.#origin, grant };
    this.#token = await this.#tokens.fetch({ ...place, refusedVersion, signal });
    return bearerAuthorization(this.#token.accessToken);
  }

  async #openCredential(): Promise<{ readonly credential: Credential; readonly secret: CredentialSecret }> {
    const { store, keyring, clock } = this.#options;
    const { tenantId, credentialId } = this.#target;
    const key = { tenantId, credentialId };
    const read = this.#read ?? (await store.withTenant(tenantId, (tx) => readUsable(tx, key)));
    this.#read = null;
    if (read === null) {
      throw new SealdeskError(
        'CONFLICT',
        'The credential of the integration is gone. An ADMIN must give it another.',
      );
    }
    const { credential, sealed } = read;
    this.#credentialVersion = credential.version;
    const now = new Date(clock.now());
    if (isTouchDue(credential, now)) {
      await store.withTenant(tenantId, (tx) => touchCredential(tx, { ...key, now }));
    }
    const secret = await openCredentialSecret({ keyring, sealed });
    for (const end of [credential.expiresAt, expiryOfSecret(secret)]) {
      if (end !== null) assertNotExpired(end.getTime(), now.getTime());
    }
    return { credential, secret };
  }
}

/** Throws NEEDS_RECONNECT. */
async function readUsable(tx: Tx, key: ReconnectKey): Promise<OpenableCredential | null> {
  const lost = await readReconnect(tx, key);
  if (lost !== null) throw needsReconnect(lost.integrationId, lost.reason);
  return readOpenableCredential(tx, key);
}

/** Throws CREDENTIAL_EXPIRED at `expiry`; both in milliseconds since 1970. */
export function assertNotExpired(expiry: number, now: number): void {
  if (expiry > now) return;
  throw new SealdeskError(
    'CREDENTIAL_EXPIRED',
    'The Zendesk credential of this integration has expired. An ADMIN must rotate it with rotateCredential.',
  );
}
