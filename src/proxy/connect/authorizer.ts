/** OAuth with the Zendesk account of an integration, wherever the operator's configuration says that it is. */
import type { Clock, Log } from '../../base/index.ts';
import {
  type AccountLimiters,
  type AuthorizationAnswer,
  type AuthorizationWish,
  authorizationUrl,
  bearerAuthorization,
  type CodeExchange,
  createZendeskClient,
  exchangeCode,
  readAuthorizationAnswer,
  type TokenPair,
  type ZendeskClient,
  type ZendeskTransport,
  zendeskOrigin,
} from '../../zendesk/index.ts';

export interface ZendeskAuthorizerOptions {
  readonly transport: ZendeskTransport;
  readonly limiters: AccountLimiters;
  readonly originTemplate: string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ZendeskAuthorizer {
  /** Where the browser goes to ask for consent. */
  authorizationUrl(subdomain: string, wish: Omit<AuthorizationWish, 'origin'>): Promise<string>;
  /** Reads what came back in the browser. */
  readAnswer(subdomain: string, clientId: string, query: URLSearchParams, state: string): AuthorizationAnswer;
  /** One try, see {@link exchangeCode}. */
  exchange(
    subdomain: string,
    exchange: Omit<CodeExchange, 'transport' | 'clock' | 'origin'>,
  ): Promise<TokenPair>;
  /** A client that calls with this token and no other. */
  clientWith(
    target: { readonly tenantId: string; readonly subdomain: string },
    accessToken: string,
  ): ZendeskClient;
}

export function createZendeskAuthorizer(options: ZendeskAuthorizerOptions): ZendeskAuthorizer {
  const { transport, limiters, originTemplate, clock, log } = options;
  const originOf = (subdomain: string): string => zendeskOrigin(subdomain, originTemplate);
  return Object.freeze<ZendeskAuthorizer>({
    authorizationUrl: (subdomain, wish) => authorizationUrl({ ...wish, origin: originOf(subdomain) }),
    readAnswer: (subdomain, clientId, query, state) =>
      readAuthorizationAnswer(originOf(subdomain), clientId, query, state),
    exchange: (subdomain, exchange) =>
      exchangeCode({ ...exchange, transport, clock, origin: originOf(subdomain) }),
    clientWith({ tenantId, subdomain }, accessToken) {
      const origin = originOf(subdomain);
      const authorization = bearerAuthorization(accessToken);
      return createZendeskClient({
        origin,
        transport,
        limiter: limiters.of({ tenantId, origin }),
        authorize: () => Promise.resolve({ authorization }),
        clock,
        log,
      });
    },
  });
}
