/** What a credential offers to get an access token with, and how Zendesk is asked for it. */
import type { Clock } from '../base/index.ts';
import type { CredentialSecret } from '../vault/index.ts';
import {
  type OAuthClientIdentity,
  type RefreshedToken,
  requestClientCredentialsToken,
  requestRefreshedToken,
  TokenError,
  ZendeskError,
  type ZendeskTransport,
} from '../zendesk/index.ts';

export type TokenGrant =
  /** Of `oauth2_client`: uses nothing up, so it may be repeated at will. */
  | {
      readonly kind: 'CLIENT_CREDENTIALS';
      readonly clientId: string;
      readonly clientSecret: string;
      readonly scope: string | undefined;
    }
  /** Of an `oauth2_token` with a refresh token: every pair takes the place of the one before it, at once. */
  | {
      readonly kind: 'REFRESH';
      /** `null` where the pair was granted to a client of the installation that it has not any more. */
      readonly client: OAuthClientIdentity | null;
      /** Whether an operator answers for the client, and not the tenant. */
      readonly isInstallations: boolean;
      /** The pair that the credential holds itself. */
      readonly own: TokenPair;
    };

export interface TokenPair {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Milliseconds since 1970, `null` where it is not known. */
  readonly expiresAt: number | null;
  readonly refreshExpiresAt: number | null;
}

type SecretOf<Type> = Extract<CredentialSecret, { readonly type: Type }>;

export function clientGrantOf(secret: SecretOf<'oauth2_client'>): TokenGrant {
  const { client_id: clientId, client_secret: clientSecret, scope } = secret;
  return { kind: 'CLIENT_CREDENTIALS', clientId, clientSecret, scope };
}

/**
 * `null` for a token that nothing follows. The secret of the installation's client is in no credential: it is taken
 * from `installation`, the client that is configured now, for a credential that connecting made with that client.
 */
export function refreshGrantOf(
  secret: SecretOf<'oauth2_token'>,
  installation: OAuthClientIdentity | null,
): TokenGrant | null {
  const { access_token: accessToken, refresh_token: refreshToken } = secret;
  const { client_id: clientId, client_secret: clientSecret = null } = secret;
  if (refreshToken === undefined || clientId === undefined) return null;
  const timeOf = (told: string | undefined): number | null => (told === undefined ? null : Date.parse(told));
  const expiresAt = timeOf(secret.expires_at);
  const refreshExpiresAt = timeOf(secret.refresh_expires_at);
  const own = { accessToken, refreshToken, expiresAt, refreshExpiresAt };
  const isInstallations = secret.client_source === 'INSTALLATION';
  const configured = installation?.clientId === clientId ? installation : null;
  const client = isInstallations ? configured : { clientId, clientSecret };
  return { kind: 'REFRESH', client, isInstallations, own };
}

export interface TokenEndpoint {
  readonly transport: ZendeskTransport;
  readonly clock: Clock;
  readonly origin: string;
}

/** One call. `refreshToken` is that of the present pair, `null` for client credentials. Rejects with `TokenError`. */
export async function requestToken(
  { transport, clock, origin }: TokenEndpoint,
  grant: TokenGrant,
  refreshToken: string | null,
): Promise<RefreshedToken> {
  switch (grant.kind) {
    case 'CLIENT_CREDENTIALS': {
      const { clientId, clientSecret, scope } = grant;
      const request = { transport, clock, origin, clientId, clientSecret, scope };
      const token = await requestClientCredentialsToken(request);
      return { ...token, refreshToken: null, refreshExpiresAt: null };
    }
    case 'REFRESH': {
      if (refreshToken === null) throw new TypeError('"refreshToken" must be given to refresh');
      const { client, isInstallations } = grant;
      if (client === null) throw clientGone();
      const { clientId, clientSecret } = client;
      const request = { transport, clock, origin, clientId, clientSecret: clientSecret ?? undefined };
      return requestRefreshedToken({ ...request, refreshToken }).catch((error: unknown) => {
        throw isInstallations ? blameInstallation(error) : error;
      });
    }
    default:
      return grant satisfies never;
  }
}

/** Nothing was sent, and the pair is as good as before: it is used up or given up by no setting of the operator's. */
function clientGone(): TokenError {
  const error = new ZendeskError(
    'UPSTREAM_UNAVAILABLE',
    'The OAuth client by which this integration was connected is not that of the installation any more. An operator sets SEALDESK_ZENDESK_CLIENT_ID to it again, or an ADMIN connects the integration anew.',
    { failure: 'REFUSED', mutation: 'NOT_SENT' },
  );
  return new TokenError(error, 'UNUSED');
}

/** A secret that the operator has not exchanged yet costs no tenant its connection. */
function blameInstallation(error: unknown): unknown {
  if (!(error instanceof TokenError) || error.details.upstreamError !== 'invalid_client') return error;
  return new TokenError(
    error.recoded(
      'UPSTREAM_UNAVAILABLE',
      'Zendesk does not accept the OAuth client of the installation. An operator checks SEALDESK_ZENDESK_CLIENT_ID and SEALDESK_ZENDESK_CLIENT_SECRET.',
      {},
    ),
    'UNUSED',
  );
}
