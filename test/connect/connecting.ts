/** Connecting as an admin does it: by the graph, and by a browser that goes to Zendesk and comes back. */
import type { ConsentOptions } from '../../simulator/index.ts';
import { DEFAULT_API_TOKEN, DEFAULT_OAUTH_CLIENT, DEFAULT_OAUTH_SECRET } from '../../simulator/index.ts';
import type { House } from '../service/house.ts';
import type { RestAnswer, TestGateway } from '../support/gateway.ts';
import { dataOf, type TestTenant } from '../support/tenant.ts';

export const CLIENT = Object.freeze({ clientId: DEFAULT_OAUTH_CLIENT, clientSecret: DEFAULT_OAUTH_SECRET });

export interface ConnectionAnswer {
  readonly id: string;
  readonly integrationId: string;
  readonly status: string;
  readonly scopes: readonly string[];
  readonly credentialId: string | null;
  readonly replacedCredentialId: string | null;
  readonly leftAtZendeskUntil: string | null;
  readonly failure: {
    readonly code: string;
    readonly message: string;
    readonly remedy: string;
    readonly missingScopes: readonly string[];
  } | null;
}

export interface Begun {
  readonly authorizationUrl: string;
  readonly connection: ConnectionAnswer;
  readonly auditEventId: string;
}

const CONNECTION_FIELDS = `id integrationId status scopes credentialId replacedCredentialId leftAtZendeskUntil
  failure { code message remedy missingScopes }`;

export function connect(
  gateway: TestGateway,
  apiKey: string,
  variables: Readonly<Record<string, unknown>>,
): Promise<RestAnswer> {
  return gateway.graphql(
    `mutation($integrationId: ID!, $returnTo: String, $credentialId: ID, $clientId: String, $clientSecret: String) {
      connectZendesk(integrationId: $integrationId, returnTo: $returnTo, credentialId: $credentialId,
        clientId: $clientId, clientSecret: $clientSecret) {
        authorizationUrl auditEventId connection { ${CONNECTION_FIELDS} } } }`,
    { apiKey, variables },
  );
}

/** What was begun; fails where it was refused. */
export async function begin(
  { gateway, tenant }: Pick<House, 'gateway' | 'tenant'>,
  integrationId: string,
  given: Readonly<Record<string, unknown>> = CLIENT,
): Promise<Begun> {
  const data: { connectZendesk?: Begun } = dataOf(
    await connect(gateway, tenant.keys.admin, { integrationId, ...given }),
  );
  if (data.connectZendesk === undefined) throw new Error('Nothing was begun');
  return data.connectZendesk;
}

/** The browser comes back from `location` to the gateway. */
export function comeBack(gateway: TestGateway, location: string, ip?: string): Promise<RestAnswer> {
  const url = new URL(location);
  return gateway.send(`${url.pathname}${url.search}`, { method: 'GET', ...(ip === undefined ? {} : { ip }) });
}

/** All of it: begun, decided at Zendesk, come back. */
export async function connectInBrowser(
  house: House,
  integrationId: string,
  { given, ...consent }: ConsentOptions & { readonly given?: Readonly<Record<string, unknown>> } = {},
): Promise<{ readonly begun: Begun; readonly page: RestAnswer; readonly connection: ConnectionAnswer }> {
  const begun = await begin(house, integrationId, given);
  const page = await comeBack(
    house.gateway,
    house.gateway.simulator.oauth.consent(begun.authorizationUrl, consent),
  );
  return { begun, page, connection: await readConnection(house, begun.connection.id) };
}

export async function readConnection(
  { gateway, tenant }: Pick<House, 'gateway' | 'tenant'>,
  id: string,
): Promise<ConnectionAnswer> {
  const { json } = await gateway.graphql(
    `query($id: ID!) { zendeskConnection(id: $id) { ${CONNECTION_FIELDS} } }`,
    { apiKey: tenant.keys.admin, variables: { id } },
  );
  return json.data.zendeskConnection;
}

export interface IntegrationAnswer {
  readonly id: string;
  readonly name: string;
  readonly credentialId: string | null;
  readonly allowedOperations: readonly string[];
  readonly status: string;
}

export async function readIntegration(
  { gateway, tenant }: Pick<House, 'gateway' | 'tenant'>,
  id: string,
): Promise<IntegrationAnswer> {
  const { json } = await gateway.graphql(
    'query($id: ID!) { integration(id: $id) { id name credentialId allowedOperations status } }',
    { apiKey: tenant.keys.admin, variables: { id } },
  );
  return json.data.integration;
}

/** A credential with an API token. */
export async function sealToken(gateway: TestGateway, tenant: TestTenant): Promise<string> {
  const data: { sealCredential?: { credential: { id: string } } } = dataOf(
    await gateway.graphql(
      `mutation($secret: JSONObject!) {
        sealCredential(input: { type: BASIC_AUTH, secret: $secret }) { credential { id } } }`,
      {
        apiKey: tenant.keys.admin,
        variables: { secret: { username: 'admin@example.test', password: DEFAULT_API_TOKEN } },
      },
    ),
  );
  return data.sealCredential?.credential.id ?? '';
}

/** An integration of its own, with a credential by API token unless another, or none, is named. */
export async function addIntegration(
  { gateway, tenant }: Pick<House, 'gateway' | 'tenant'>,
  given: Readonly<Record<string, unknown>> = {},
): Promise<IntegrationAnswer> {
  const credentialId = 'credentialId' in given ? given['credentialId'] : await sealToken(gateway, tenant);
  const data: { createIntegration?: { integration: IntegrationAnswer } } = dataOf(
    await gateway.graphql(
      `mutation($input: CreateIntegrationInput!) { createIntegration(input: $input) {
        integration { id name credentialId allowedOperations status } } }`,
      {
        apiKey: tenant.keys.admin,
        variables: {
          input: {
            systemType: 'ZENDESK',
            config: { subdomain: 'acme' },
            allowedOperations: ['get_ticket', 'update_ticket'],
            ...given,
            credentialId,
          },
        },
      },
    ),
  );
  if (data.createIntegration === undefined) throw new Error('No integration was created');
  return data.createIntegration.integration;
}

/** How the integration answers to a call of a ticket: the status. */
export async function callTicket({ gateway, tenant }: House, integrationId: string): Promise<number> {
  const { status } = await gateway.send('/api/v2/proxy/outbound', {
    apiKey: tenant.keys.agent,
    json: { integration_id: integrationId, operation: 'get_ticket', payload: { ticket_id: 1 } },
  });
  return status;
}

/** A credential as the vault holds it, opened by an ADMIN. */
export async function unseal(
  { gateway, tenant }: Pick<House, 'gateway' | 'tenant'>,
  credentialId: string,
): Promise<Readonly<Record<string, unknown>>> {
  const { json } = await gateway.graphql('mutation($id: ID!) { unsealCredential(id: $id) { envelope } }', {
    apiKey: tenant.keys.admin,
    headers: { 'x-sealdesk-key': tenant.keyFile.key_id },
    variables: { id: credentialId },
  });
  const { value } = await tenant.open(json.data.unsealCredential.envelope);
  return value as Readonly<Record<string, unknown>>;
}
