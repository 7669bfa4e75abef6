import { z } from 'zod';
import { readConfig } from '../../config.ts';
import { createOperatorKey } from '../../service/index.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { openCommandBackend } from '../command-backend.ts';
import { CommandError } from '../command-error.ts';
import { CONNECTION_OPTIONS, parseGatewayUrl, readApiKey } from '../connection-options.ts';
import { apiKeyAnswer, apiKeyIdAnswer, askGateway, type GatewayAddress } from '../gateway-call.ts';

const DEFAULT_NAME = 'operator';

const CREATE_OPERATOR_KEY = {
  query: `mutation SealdeskCreateOperator($name: String!) {
    createApiKey(input: { name: $name, roles: [OPERATOR] }) { apiKey { id } secret }
  }`,
  answer: z.object({
    createApiKey: z.object({ apiKey: z.object({ id: apiKeyIdAnswer }), secret: apiKeyAnswer }),
  }),
};

interface OperatorKey {
  readonly apiKeyId: string;
  /** Shown this once. */
  readonly apiKey: string;
}

export const command = defineCommand({
  positionals: ['[NAME]'],
  options: { ...CONNECTION_OPTIONS, json: { type: 'boolean', help: 'print JSON' } },
  description: `
Creates an API key with the role OPERATOR, which creates tenants and maps client keys but reads no
tickets, and prints it this once. The first one of an installation is made beside the database, which
this command opens itself; later ones also at a running gateway, with the key of another OPERATOR.`,
  async run({ values, positionals: [name = DEFAULT_NAME] }, context) {
    const { terminal } = context;
    const apiKey = await readApiKey(values, terminal);
    const insecureHttp = values['insecure-http'];
    if (apiKey === null && values.url !== undefined) {
      throw new CommandError('--url needs the API key of another OPERATOR: --api-key or --api-key-file.');
    }
    const created =
      apiKey === null
        ? await createInDatabase(context, name)
        : await createAtGateway(
            { url: parseGatewayUrl(values.url ?? readConfig().publicUrl), apiKey, insecureHttp },
            name,
          );
    if (values.json) terminal.print(JSON.stringify(created));
    else {
      terminal.print(`OPERATOR key  ${created.apiKey}`);
      terminal.print('The key is shown this once; keep it where secrets are kept.');
    }
    return 0;
  },
});

async function createAtGateway(address: GatewayAddress, name: string): Promise<OperatorKey> {
  const { createApiKey } = await askGateway(address, CREATE_OPERATOR_KEY, { name });
  return { apiKeyId: createApiKey.apiKey.id, apiKey: createApiKey.secret };
}

async function createInDatabase({ house }: CommandContext, name: string): Promise<OperatorKey> {
  await using backend = await openCommandBackend(
    house,
    (url) =>
      `Stop it for the first OPERATOR key, or, with another OPERATOR’s key: sealdesk operator create --url ${url} --api-key-file FILE.`,
  );
  const { apiKey, secret } = await createOperatorKey(backend.deps, name);
  return { apiKeyId: apiKey.id, apiKey: secret };
}
