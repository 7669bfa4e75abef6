/** A tenant with a feed that is on, set up through the gateway's API as its admin would, and a client to follow it. */

import { ADMIN_EMAIL, DEFAULT_API_TOKEN } from '../../../simulator/index.ts';
import type { JsonObject } from '../../../src/base/index.ts';
import {
  callGateway,
  clientKeyFromFile,
  createClient,
  createKeyFile,
  encodeKeyFile,
  registerKeyFile,
  type SealdeskClient,
} from '../../../src/client/index.ts';
import { createNodeSuite } from '../../../src/envelope/node.ts';

export interface FoundedFeed {
  readonly integrationId: string;
  /** Follows over `subscriberUrl`. */
  readonly client: SealdeskClient;
}

export interface FoundFeedOptions {
  /** The gateway's public address. */
  readonly url: string;
  readonly operatorKey: string;
  /** Where the client connects. */
  readonly subscriberUrl: string;
  /** Called when the tenant is there, before its keys are told to anybody. */
  readonly onTenant?: () => Promise<void>;
}

/** Of as many shapes as there are answers. */
type Answered = ReturnType<typeof JSON.parse>;

export async function foundFeed({
  url,
  operatorKey,
  subscriberUrl,
  onTenant,
}: FoundFeedOptions): Promise<FoundedFeed> {
  const suite = createNodeSuite();
  const ask = async (apiKey: string, query: string, variables: JsonObject = {}): Promise<Answered> =>
    callGateway({ gateway: url, fetch, apiKey }, query, variables);
  const { createTenant } = await ask(
    operatorKey,
    'mutation { createTenant(input: { name: "Faults" }) { adminApiKeySecret } }',
  );
  const adminKey: string = createTenant.adminApiKeySecret;
  await onTenant?.();
  const key = { gateway: url, apiKey: adminKey, keyFile: createKeyFile(suite), fetch };
  const { keyFile } = await registerKeyFile(suite, key);
  await ask(adminKey, 'mutation($id: ID!) { mapClientKey(keyId: $id) { clientKey { id } } }', {
    id: keyFile.key_id,
  });
  const { createApiKey } = await ask(
    adminKey,
    'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }',
    {
      input: {
        ...{ name: 'dashboard', roles: ['DASHBOARD'], clientKeyId: keyFile.key_id },
        requestsPerMinute: 1_000_000,
      },
    },
  );
  const { sealCredential } = await ask(
    adminKey,
    'mutation($input: SealCredentialInput!) { sealCredential(input: $input) { credential { id } } }',
    { input: { type: 'BASIC_AUTH', secret: { username: ADMIN_EMAIL, password: DEFAULT_API_TOKEN } } },
  );
  const { createIntegration } = await ask(
    adminKey,
    'mutation($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } } }',
    {
      input: {
        ...{ systemType: 'ZENDESK', config: { subdomain: 'faults' } },
        ...{ credentialId: sealCredential.credential.id, allowedOperations: ['subscribe_tickets'] },
      },
    },
  );
  const integrationId: string = createIntegration.integration.id;
  const { enableTicketFeed } = await ask(
    adminKey,
    'mutation($id: ID!) { enableTicketFeed(integrationId: $id) { integration { feedStatus { webhook { state fault } } } } }',
    { id: integrationId },
  );
  const { state, fault } = enableTicketFeed.integration.feedStatus.webhook;
  if (state !== 'ACTIVE') throw new Error(`Zendesk was not asked to call: ${fault}`);
  const client = createClient({
    url: subscriberUrl,
    clientKey: await welcomed(encodeKeyFile(keyFile)),
    apiKey: createApiKey.secret,
  });
  return { integrationId, client };
}

async function welcomed(text: string) {
  const key = await clientKeyFromFile(text);
  if (!('keyId' in key)) throw new Error('A key that is mapped was welcomed');
  return key;
}
