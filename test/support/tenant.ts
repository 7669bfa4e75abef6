/** A tenant of a test gateway, set up through the public interface as an admin would. */

import { ADMIN_EMAIL, DEFAULT_API_TOKEN } from '../../simulator/index.ts';
import {
  createEnvelopeOpener,
  createKeyFile,
  type EnvelopeOpener,
  publicJwkSet,
  registerKeyFile,
  type WelcomedKeyFile,
} from '../../src/client/index.ts';
import { createNodeSuite } from '../../src/envelope/node.ts';
import type { RestAnswer, TestGateway } from './gateway.ts';

export const ALL_OPERATIONS = [
  'list_tickets',
  'get_ticket',
  'create_ticket',
  'update_ticket',
  'list_users',
  'list_organizations',
  'search',
] as const;

/** Operations of an ADMIN's plans. */
export const PROVISIONING_OPERATIONS = [
  'create_user',
  'update_user',
  'suspend_user',
  'manage_groups',
  'end_sessions',
] as const;

const suite = createNodeSuite();

export interface TestTenant {
  readonly id: string;
  readonly keys: Readonly<Record<'admin' | 'agent' | 'dashboard' | 'auditor', string>>;
  readonly keyFile: WelcomedKeyFile;
  readonly opener: EnvelopeOpener;
  readonly credentialId: string;
  readonly integrationId: string;
  /** Opens an envelope of this tenant and reads its plaintext as JSON. */
  open(envelope: unknown): Promise<{ readonly header: object; readonly value: unknown }>;
  /** `POST /api/v2/proxy/outbound` as the agent. */
  proxy(operation: string, payload: unknown, options?: ProxyOptions): Promise<RestAnswer>;
}

export interface ProxyOptions {
  readonly apiKey?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly idempotencyKey?: string;
}

/** The data of a GraphQL answer; fails with its errors. */
export function dataOf<Data = Record<string, never>>({ json }: RestAnswer): Data {
  if (json.errors !== undefined) throw new Error(`GraphQL answered ${JSON.stringify(json.errors)}`);
  return json.data;
}

/** A client key of the tenant behind `apiKey`, registered and confirmed; mapped too, and to `restrictTo` only, if an ADMIN key is given. */
export async function openTestClientKey(
  gateway: TestGateway,
  apiKey: string,
  adminKey: string | null,
  restrictTo: Readonly<Record<string, unknown>> | null = null,
): Promise<WelcomedKeyFile> {
  const { keyFile } = await registerKeyFile(suite, {
    gateway: 'http://localhost:4000',
    apiKey,
    keyFile: createKeyFile(suite),
    fetch: (input, init) => fetchFrom(gateway, input, init),
    now: () => gateway.deps.clock.now(),
  });
  if (adminKey !== null) {
    dataOf(
      await gateway.graphql(
        `mutation($id: ID!, $restrictTo: ClientKeyRestrictionInput) {
          mapClientKey(keyId: $id, restrictTo: $restrictTo) { clientKey { status } } }`,
        { apiKey: adminKey, variables: { id: keyFile.key_id, restrictTo } },
      ),
    );
  }
  return keyFile;
}

/** `fetch` against the gateway in this process. */
export async function fetchFrom(
  gateway: TestGateway,
  input: string | URL | Request,
  init?: RequestInit,
): Promise<Response> {
  const request = new Request(input, init);
  const answer = await gateway.send(new URL(request.url).pathname, {
    method: request.method,
    headers: Object.fromEntries(request.headers),
    body: new Uint8Array(await request.arrayBuffer()),
  });
  return Response.json(answer.json, { status: answer.status, headers: answer.headers });
}

/** An API key of the tenant, made by its ADMIN. */
export async function createTestApiKey(
  gateway: TestGateway,
  adminKey: string,
  input: Readonly<Record<string, unknown>>,
): Promise<string> {
  const data: { createApiKey?: { secret: string } } = dataOf(
    await gateway.graphql('mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }', {
      apiKey: adminKey,
      variables: { input: { name: 'test', ...input } },
    }),
  );
  return data.createApiKey?.secret ?? '';
}

export interface TestTenantOptions {
  readonly name?: string;
  readonly allowedOperations?: readonly string[];
  readonly subdomain?: string;
  /** Type and secret as `sealCredential` takes them; the simulator's admin by default. */
  readonly credential?: { readonly type: string; readonly secret: Readonly<Record<string, unknown>> };
}

/** A whole tenant: keys of every role, an ACTIVE client key that agent and dashboard are bound to, an integration. */
export async function createTestTenant(
  gateway: TestGateway,
  options: TestTenantOptions = {},
): Promise<TestTenant> {
  const {
    name = 'Acme',
    allowedOperations = [...ALL_OPERATIONS, ...PROVISIONING_OPERATIONS],
    subdomain = 'acme',
    credential = { type: 'BASIC_AUTH', secret: { username: ADMIN_EMAIL, password: DEFAULT_API_TOKEN } },
  } = options;
  const created: { createTenant?: { tenant: { id: string }; adminApiKeySecret: string } } = dataOf(
    await gateway.graphql(
      'mutation($input: CreateTenantInput!) { createTenant(input: $input) { tenant { id } adminApiKeySecret } }',
      { apiKey: gateway.operatorKey, variables: { input: { name } } },
    ),
  );
  const tenantId = created.createTenant?.tenant.id ?? '';
  const admin = created.createTenant?.adminApiKeySecret ?? '';
  const keyFile = await openTestClientKey(gateway, admin, admin);
  const bound = { clientKeyId: keyFile.key_id };
  const agent = await createTestApiKey(gateway, admin, { roles: ['AGENT'], ...bound });
  const dashboard = await createTestApiKey(gateway, admin, { roles: ['DASHBOARD'], ...bound });
  const auditor = await createTestApiKey(gateway, admin, { roles: ['AUDITOR'] });
  const sealed: { sealCredential?: { credential: { id: string } } } = dataOf(
    await gateway.graphql(
      'mutation($input: SealCredentialInput!) { sealCredential(input: $input) { credential { id } } }',
      { apiKey: admin, variables: { input: credential } },
    ),
  );
  const credentialId = sealed.sealCredential?.credential.id ?? '';
  const integrated: { createIntegration?: { integration: { id: string } } } = dataOf(
    await gateway.graphql(
      'mutation($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } } }',
      {
        apiKey: admin,
        variables: {
          input: { systemType: 'ZENDESK', config: { subdomain }, credentialId, allowedOperations },
        },
      },
    ),
  );
  const integrationId = integrated.createIntegration?.integration.id ?? '';
  const opener = createEnvelopeOpener(suite, keyFile);
  return {
    id: tenantId,
    keys: { admin, agent, dashboard, auditor },
    keyFile,
    opener,
    credentialId,
    integrationId,
    async open(envelope) {
      const { header, plaintext } = await opener.open(envelope);
      return { header, value: JSON.parse(new TextDecoder().decode(plaintext)) };
    },
    proxy: (operation, payload, { apiKey = agent, headers = {}, idempotencyKey } = {}) =>
      gateway.send('/api/v2/proxy/outbound', {
        apiKey,
        headers,
        json: {
          integration_id: integrationId,
          operation,
          payload,
          ...(idempotencyKey === undefined ? {} : { idempotency_key: idempotencyKey }),
        },
      }),
  };
}

export { publicJwkSet, suite };
