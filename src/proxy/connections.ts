/**
 * From an integration to a client of its Zendesk account: reads and opens the credential, makes the
 * Authorization header, and renews what can be renewed when Zendesk refuses it. A header lives as
 * long as the one proxied call it was made for.
 */
import { type Clock, type Log, SealdeskError, unlessAborted } from '../base/index.ts';
import type { Store } from '../store/index.ts';
import {
  type Credential,
  type CredentialSecret,
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
  type ZendeskClient,
  type ZendeskTransport,
  zendeskOrigin,
} from '../zendesk/index.ts';
import { type AccessTokens, createAccessTokens, type HeldToken } from './access-token.ts';

export interface ConnectionsOptions {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly transport: ZendeskTransport;
  readonly limiters: AccountLimiters;
  /** Where Zendesk is; from the operator's configuration alone. */
  readonly originTemplate: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The integration as far as a connection needs it. */
export interface ConnectionTarget {
  readonly tenantId: string;
  readonly subdomain: string;
  readonly credentialId: string;
}

export interface ZendeskConnections {
  /**
   * A client for one proxied call. Its requests reject with CREDENTIAL_EXPIRED, KMS_UNAVAILABLE and
   * what the token endpoint answers, beside the failures of the call itself. A credential that was
   * read just now need not be read again.
   */
  clientFor(target: ConnectionTarget, read?: OpenableCredential): ZendeskClient;
}

export function createZendeskConnections(options: ConnectionsOptions): ZendeskConnections {
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
        onUnauthorized: (signal, refused) => authorization.renew(signal, refused),
        clock,
        log,
      });
    },
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
    return { authorization: await unlessAborted(this.#header ?? this.#keep(this.#make(null)), signal) };
  }

  /** Only a fetched token can be had anew; a stored secret that Zendesk refuses stays refused. */
  async renew(signal: AbortSignal, refused: string): Promise<'retry' | 'fail'> {
    if (this.#token === null) return 'fail';
    // Another request of the same call may have renewed it since this one was sent.
    if (refused === (await this.#header)) this.#keep(this.#make(this.#token.version));
    await unlessAborted(this.#header ?? Promise.resolve(refused), signal);
    return 'retry';
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
  async #make(refusedVersion: number | null): Promise<string> {
    const { credential, secret } = await this.#openCredential();
    switch (secret.type) {
      case 'basic_auth':
        return basicAuthorization(secret.username, secret.password);
      case 'oauth2_token':
        return bearerAuthorization(secret.access_token);
      case 'oauth2_client': {
        const { tenantId, credentialId } = this.#target;
        this.#token = await this.#tokens.fetch({
          tenantId,
          credentialId,
          credentialVersion: credential.version,
          origin: this.#origin,
          client: secret,
          refusedVersion,
          signal: new AbortController().signal,
        });
        return bearerAuthorization(this.#token.accessToken);
      }
      case 'api_key':
        throw new SealdeskError(
          'CONFLICT',
          'Zendesk takes no bare API key. Give the integration a credential of type oauth2_client, oauth2_token or basic_auth.',
        );
      default:
        return secret satisfies never;
    }
  }

  async #openCredential(): Promise<{ readonly credential: Credential; readonly secret: CredentialSecret }> {
    const { store, keyring, clock } = this.#options;
    const { tenantId, credentialId } = this.#target;
    const key = { tenantId, credentialId };
    const read = this.#read ?? (await store.withTenant(tenantId, (tx) => readOpenableCredential(tx, key)));
    this.#read = null;
    if (read === null) {
      throw new SealdeskError(
        'CONFLICT',
        'The credential of the integration is gone. An ADMIN must give it another.',
      );
    }
    const { credential, sealed } = read;
    const now = new Date(clock.now());
    if (isTouchDue(credential, now)) {
      await store.withTenant(tenantId, (tx) => touchCredential(tx, { ...key, now }));
    }
    const secret = await openCredentialSecret({ keyring, sealed });
    assertNotExpired(expiryOf(credential, secret), now.getTime());
    return { credential, secret };
  }
}

function expiryOf(credential: Credential, secret: CredentialSecret): number {
  const inSecret = secret.type === 'oauth2_token' ? secret.expires_at : undefined;
  return Math.min(
    credential.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY,
    inSecret === undefined ? Number.POSITIVE_INFINITY : Date.parse(inSecret),
  );
}

/** Throws CREDENTIAL_EXPIRED at `expiry`; both in milliseconds since 1970. */
export function assertNotExpired(expiry: number, now: number): void {
  if (expiry > now) return;
  throw new SealdeskError(
    'CREDENTIAL_EXPIRED',
    'The Zendesk credential of this integration has expired. An ADMIN must rotate it with rotateCredential.',
  );
}
