import { z } from 'zod';
import { readConfig } from '../../config.ts';
import { createTenantByCommand } from '../../service/index.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { openCommandBackend } from '../command-backend.ts';
import { CommandError } from '../command-error.ts';
import { CONNECTION_OPTIONS, parseGatewayUrl, readApiKey } from '../connection-options.ts';
import { apiKeyAnswer, askGateway, type GatewayAddress, tenantIdAnswer } from '../gateway-call.ts';

interface CreatedTenant {
  readonly tenantId: string;
  /** Shown this once. */
  readonly adminApiKey: string;
}

interface NewTenant {
  readonly name: string;
  readonly kmsKeyArn: string | null;
}

const CREATE_TENANT = {
  query: `mutation SealdeskCreateTenant($name: String!, $kmsKeyArn: String) {
    createTenant(input: { name: $name, kmsKeyArn: $kmsKeyArn }) { tenant { id } adminApiKeySecret }
  }`,
  answer: z.object({
    createTenant: z.object({ tenant: z.object({ id: tenantIdAnswer }), adminApiKeySecret: apiKeyAnswer }),
  }),
};

export const command = defineCommand({
  positionals: ['NAME'],
  options: {
    ...CONNECTION_OPTIONS,
    'kms-key-arn': {
      type: 'string',
      value: 'ARN',
      help: 'the tenant’s own AWS KMS key; the default key where left out',
    },
    json: { type: 'boolean', help: 'print JSON' },
  },
  description: `
Creates a tenant with its keys and its audit log, and prints its id and its first ADMIN key, which is
shown this once. With an API key of an OPERATOR it asks the running gateway (at --url, else at
SEALDESK_PUBLIC_URL); without one it opens the database of the environment itself.`,
  async run({ values, positionals: [name = ''] }, context) {
    const { terminal } = context;
    const apiKey = await readApiKey(values, terminal);
    const insecureHttp = values['insecure-http'];
    if (apiKey === null && values.url !== undefined) {
      throw new CommandError('--url needs the API key of an OPERATOR: --api-key or --api-key-file.');
    }
    const tenant: NewTenant = { name, kmsKeyArn: values['kms-key-arn'] ?? null };
    const created =
      apiKey === null
        ? await createInDatabase(context, tenant)
        : await createAtGateway(
            { url: parseGatewayUrl(values.url ?? readConfig().publicUrl), apiKey, insecureHttp },
            tenant,
          );
    if (values.json) terminal.print(JSON.stringify(created));
    else {
      terminal.print(`Tenant     ${created.tenantId}`);
      terminal.print(`ADMIN key  ${created.adminApiKey}`);
      terminal.print('The key is shown this once; keep it where secrets are kept.');
    }
    return 0;
  },
});

async function createAtGateway(address: GatewayAddress, tenant: NewTenant): Promise<CreatedTenant> {
  const { createTenant } = await askGateway(address, CREATE_TENANT, { ...tenant });
  return { tenantId: createTenant.tenant.id, adminApiKey: createTenant.adminApiKeySecret };
}

async function createInDatabase({ house }: CommandContext, tenant: NewTenant): Promise<CreatedTenant> {
  await using backend = await openCommandBackend(
    house,
    (url) =>
      `Ask it instead: sealdesk tenant create NAME --url ${url} --api-key-file FILE, with an OPERATOR key.`,
  );
  const { deps } = backend;
  if (tenant.kmsKeyArn !== null && deps.kms.name !== 'aws') {
    throw new CommandError('--kms-key-arn needs SEALDESK_KMS=aws.');
  }
  const founded = await createTenantByCommand(deps, tenant.name, tenant.kmsKeyArn);
  if (founded.secret === null) throw new TypeError('The new tenant has no first API key');
  return { tenantId: founded.tenant.id, adminApiKey: founded.secret };
}
