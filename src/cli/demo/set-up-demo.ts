/**
 * Setting up the demo through the gateway's own API, as an operator and an admin would; only the first
 * operator key comes from beside the database. Every step first looks whether an earlier start has
 * left its result, and keeps its own at once.
 */
import { isSealdeskError } from '../../base/index.ts';
import type { Suite } from '../../envelope/index.ts';
import { askGateway } from '../gateway-call.ts';
import { ensureDemoClientKey } from './demo-client-key.ts';
import {
  ALLOW_OPERATIONS,
  CREATE_API_KEY,
  CREATE_INTEGRATION,
  CREATE_TENANT,
  ENABLE_TICKET_FEED,
  INTEGRATIONS,
  SEAL_CREDENTIAL,
  USE_CREDENTIAL,
  VIEWER,
} from './demo-operations.ts';
import { type DemoApiKeys, type DemoRecord, keepDemoDraft, readDemoRecord } from './demo-record.ts';

const TENANT_NAME = 'Lumen & Oak (demo)';
const INTEGRATION_NAME = 'Lumen & Oak support desk';
const SUBDOMAIN = 'lumen-and-oak';
const OPERATIONS = [
  'list_tickets',
  'get_ticket',
  'create_ticket',
  'update_ticket',
  'list_users',
  'list_organizations',
  'search',
  'subscribe_tickets',
  'sync_directory',
  'create_user',
  'update_user',
  'suspend_user',
  'manage_groups',
  'end_sessions',
];

export interface SetUpDemoInput {
  readonly suite: Suite;
  /** Where this process reaches the gateway. */
  readonly url: string;
  readonly folder: string;
  readonly clientKeyFile: string;
  /** The simulator's OAuth client. */
  readonly oauthClient: { readonly client_id: string; readonly client_secret: string };
  /** The text of a new OPERATOR key. */
  readonly createOperatorKey: () => Promise<string>;
}

export interface DemoIdentity {
  readonly tenantId: string;
  readonly integrationId: string;
  readonly apiKeys: DemoApiKeys;
}

/** Finds or makes everything that the demo needs. Throws what the calls throw; what was made until then is kept. */
export async function setUpDemo(input: SetUpDemoInput): Promise<DemoIdentity> {
  const { url, suite, folder, clientKeyFile: path } = input;
  let record: DemoRecord = await readDemoRecord(folder);
  const keep = async (news: DemoRecord): Promise<void> => {
    record = { ...record, ...news, apiKeys: { ...record.apiKeys, ...news.apiKeys } };
    await keepDemoDraft(folder, record);
  };

  const { operator = null } = record.apiKeys;
  const operatorKey = (await isKey(url, operator, { role: 'OPERATOR' })) ?? (await input.createOperatorKey());
  if (operatorKey !== operator) await keep({ apiKeys: { operator: operatorKey } });

  const { admin = null } = record.apiKeys;
  let { tenantId } = record;
  let adminKey = tenantId === undefined ? null : await isKey(url, admin, { role: 'ADMIN', tenantId });
  if (tenantId === undefined || adminKey === null) {
    const answer = await askGateway({ url, insecureHttp: true, apiKey: operatorKey }, CREATE_TENANT, {
      name: TENANT_NAME,
    });
    tenantId = answer.createTenant.tenant.id;
    adminKey = answer.createTenant.adminApiKeySecret;
    await keep({ tenantId, apiKeys: { admin: adminKey } });
  }

  const integrationId = await ensureIntegration(input, adminKey, record.integrationId ?? null);
  if (integrationId !== record.integrationId) await keep({ integrationId, apiKeys: {} });
  // The simulator begins anew with every start, without the webhook of an earlier one.
  const asAdmin = { url, insecureHttp: true, apiKey: adminKey };
  await askGateway(asAdmin, ENABLE_TICKET_FEED, { id: integrationId });

  const clientKeyId = await ensureDemoClientKey({ suite, url, tenantId, adminKey, operatorKey, path });
  const shop = { url, adminKey, tenantId };
  const ensureKey = async (name: 'agent' | 'dashboard' | 'auditor', wanted: WantedKey): Promise<string> => {
    const present = await isKey(url, record.apiKeys[name] ?? null, { ...wanted, tenantId: shop.tenantId });
    if (present !== null) return present;
    const made = await createKey(shop, `demo ${name}`, wanted);
    await keep({ apiKeys: { [name]: made } });
    return made;
  };
  return {
    tenantId,
    integrationId,
    apiKeys: {
      operator: operatorKey,
      admin: adminKey,
      agent: await ensureKey('agent', { role: 'AGENT', clientKeyId }),
      dashboard: await ensureKey('dashboard', { role: 'DASHBOARD', clientKeyId }),
      auditor: await ensureKey('auditor', { role: 'AUDITOR' }),
    },
  };
}

interface WantedKey {
  readonly role: string;
  readonly tenantId?: string;
  readonly clientKeyId?: string;
}

/** `apiKey` if the gateway knows it as what is wanted, else `null`. */
async function isKey(url: string, apiKey: string | null, wanted: WantedKey): Promise<string | null> {
  if (apiKey === null) return null;
  try {
    const { viewer } = await askGateway({ url, insecureHttp: true, apiKey }, VIEWER);
    const fits =
      viewer.apiKey.roles.includes(wanted.role) &&
      viewer.tenant.id === (wanted.tenantId ?? viewer.tenant.id) &&
      viewer.apiKey.clientKeyId === (wanted.clientKeyId ?? viewer.apiKey.clientKeyId);
    return fits ? apiKey : null;
  } catch (error) {
    if (isSealdeskError(error, 'UNAUTHENTICATED')) return null;
    throw error;
  }
}

async function createKey(
  { url, adminKey }: { readonly url: string; readonly adminKey: string },
  name: string,
  { role, clientKeyId }: WantedKey,
): Promise<string> {
  const key = { name, roles: [role], ...(clientKeyId === undefined ? {} : { clientKeyId }) };
  return (await askGateway({ url, insecureHttp: true, apiKey: adminKey }, CREATE_API_KEY, { input: key }))
    .createApiKey.secret;
}

/** The id of the demo's integration, also where only its record was lost. */
async function ensureIntegration(
  { url, oauthClient }: SetUpDemoInput,
  adminKey: string,
  id: string | null,
): Promise<string> {
  const address = { url, insecureHttp: true, apiKey: adminKey };
  const sealClient = async (): Promise<string> => {
    const sealed = await askGateway(address, SEAL_CREDENTIAL, {
      input: { type: 'OAUTH2_CLIENT', name: 'Simulator OAuth client', secret: { ...oauthClient } },
    });
    return sealed.sealCredential.credential.id;
  };
  const { integrations } = await askGateway(address, INTEGRATIONS);
  const nodes = integrations.edges.map(({ node }) => node);
  const present =
    nodes.find((node) => node.id === id) ??
    nodes.find((node) => node.name === INTEGRATION_NAME && node.credentialId !== null);
  if (present !== undefined) {
    // That of an earlier version of the demo allows less.
    const isComplete = OPERATIONS.every((name) => present.allowedOperations.includes(name));
    if (!isComplete) await askGateway(address, ALLOW_OPERATIONS, { id: present.id, operations: OPERATIONS });
    // Access that somebody was granted by an earlier simulator is gone with it.
    if (present.connection.credentialType !== 'OAUTH2_CLIENT') {
      await askGateway(address, USE_CREDENTIAL, { id: present.id, credentialId: await sealClient() });
    }
    return present.id;
  }
  const created = await askGateway(address, CREATE_INTEGRATION, {
    input: {
      systemType: 'ZENDESK',
      name: INTEGRATION_NAME,
      config: { subdomain: SUBDOMAIN },
      credentialId: await sealClient(),
      allowedOperations: OPERATIONS,
    },
  });
  return created.createIntegration.integration.id;
}
