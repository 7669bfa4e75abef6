/** A pair of tokens as Zendesk gives them out to a connected account, put to use through the public interface. */
import type { Simulator } from '../../simulator/index.ts';
import { DEFAULT_OAUTH_CLIENT, DEFAULT_OAUTH_SECRET } from '../../simulator/options.ts';
import type { TestGateway } from '../support/gateway.ts';
import { dataOf, type TestTenant } from '../support/tenant.ts';

export interface Pair {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** As `sealCredential` takes it. */
  readonly secret: Readonly<Record<string, string>>;
}

export interface PairOptions {
  /** Seconds from `now`; 86 400 where left out. */
  readonly expiresIn?: number;
  /** Seconds from `now`; 30 days where left out. */
  readonly refreshExpiresIn?: number;
  /** Milliseconds since 1970. */
  readonly now?: number;
}

export const TOKEN_PATH = '/oauth/tokens';
const MONTH = 2_592_000;

export function issuePair(simulator: Simulator, options: PairOptions = {}): Pair {
  const { expiresIn = 86_400, refreshExpiresIn = MONTH, now = Date.now() } = options;
  const issued = simulator.issueAccessToken({ clientId: DEFAULT_OAUTH_CLIENT, expiresIn, refreshExpiresIn });
  const at = (seconds: number): string => new Date(now + seconds * 1_000).toISOString();
  const refreshToken = issued.refreshToken ?? '';
  return {
    accessToken: issued.token,
    refreshToken,
    secret: {
      access_token: issued.token,
      refresh_token: refreshToken,
      expires_at: at(expiresIn),
      refresh_expires_at: at(refreshExpiresIn),
      client_id: DEFAULT_OAUTH_CLIENT,
      client_secret: DEFAULT_OAUTH_SECRET,
    },
  };
}

export async function sealSecret(
  gateway: TestGateway,
  { keys }: TestTenant,
  secret: object,
  type = 'OAUTH2_TOKEN',
): Promise<string> {
  const data: { sealCredential?: { credential: { id: string } } } = dataOf(
    await gateway.graphql(
      'mutation($input: SealCredentialInput!) { sealCredential(input: $input) { credential { id } } }',
      { apiKey: keys.admin, variables: { input: { type, secret } } },
    ),
  );
  return data.sealCredential?.credential.id ?? '';
}

/** `updateIntegration`; the status that the integration has then. */
export async function updateIntegration(
  gateway: TestGateway,
  { keys, integrationId }: TestTenant,
  change: object,
): Promise<string> {
  const data: { updateIntegration?: { integration: { status: string } } } = dataOf(
    await gateway.graphql(
      'mutation($input: UpdateIntegrationInput!) { updateIntegration(input: $input) { integration { status } } }',
      { apiKey: keys.admin, variables: { input: { id: integrationId, ...change } } },
    ),
  );
  return data.updateIntegration?.integration.status ?? '';
}

export async function rotateCredential(
  gateway: TestGateway,
  { keys }: TestTenant,
  id: string,
  secret: object,
): Promise<void> {
  dataOf(
    await gateway.graphql(
      'mutation($input: RotateCredentialInput!) { rotateCredential(input: $input) { credential { version } } }',
      { apiKey: keys.admin, variables: { input: { id, secret } } },
    ),
  );
}

export interface ConnectionAnswer {
  readonly status: string;
  readonly connection: Readonly<Record<string, string | number | boolean | null>>;
}

/** How the graph says that the integration is connected. */
export async function connectionOf(
  gateway: TestGateway,
  { keys, integrationId }: TestTenant,
): Promise<ConnectionAnswer> {
  const data: { integration?: ConnectionAnswer } = dataOf(
    await gateway.graphql(
      `query($id: ID!) { integration(id: $id) { status connection {
        status credentialType accessTokenExpiresAt refreshTokenExpiresAt reconnectReason reconnectSince
        endsAt daysLeft restsOnApiToken remedy } } }`,
      { apiKey: keys.admin, variables: { id: integrationId } },
    ),
  );
  if (data.integration === undefined) throw new Error('There is no integration');
  return data.integration;
}
