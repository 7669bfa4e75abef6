import { z } from 'zod';
import { isId, systemClock } from '../../base/index.ts';
import { printableLine } from '../../client/index.ts';
import { readConfig } from '../../config.ts';
import { defineCommand } from '../command.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { CONNECTION_OPTIONS, parseGatewayUrl, readApiKey } from '../connection-options.ts';
import { askGateway, type GatewayAddress } from '../gateway-call.ts';
import { readInputText } from '../read-input.ts';
import type { Terminal } from '../terminal.ts';

const POLL_MS = 2_000;
const MAX_SECRET_BYTES = 2_048;

const connection = z.object({
  id: z.string().refine((id) => isId('run', id)),
  status: z.enum(['PENDING', 'UNDER_WAY', 'CONNECTED', 'DENIED', 'FAILED', 'EXPIRED']),
  credentialId: z.string().nullable(),
  replacedCredentialId: z.string().nullable(),
  leftAtZendeskUntil: z.string().nullable(),
  failure: z
    .object({
      code: z.string(),
      message: z.string(),
      remedy: z.string(),
      missingScopes: z.array(z.string()),
    })
    .nullable(),
});
type ConnectionAnswer = z.infer<typeof connection>;

const FIELDS =
  'id status credentialId replacedCredentialId leftAtZendeskUntil failure { code message remedy missingScopes }';
const BEGIN = {
  query: `mutation SealdeskConnect($integrationId: ID!, $credentialId: ID, $clientId: String, $clientSecret: String) {
    connectZendesk(integrationId: $integrationId, credentialId: $credentialId, clientId: $clientId,
      clientSecret: $clientSecret) { authorizationUrl connection { ${FIELDS} } } }`,
  answer: z.object({
    connectZendesk: z.object({ authorizationUrl: z.url({ protocol: /^https?$/ }), connection }),
  }),
};
const ASK = {
  query: `query SealdeskConnection($id: ID!) { zendeskConnection(id: $id) { ${FIELDS} } }`,
  answer: z.object({ zendeskConnection: connection }),
};

export const command = defineCommand({
  positionals: ['INTEGRATION'],
  options: {
    'client-id': { type: 'string', value: 'ID', help: 'the OAuth client of Zendesk to connect with' },
    'client-secret-file': {
      type: 'string',
      value: 'FILE',
      help: 'file with that client’s secret, - for standard input; none if public',
    },
    credential: { type: 'string', value: 'ID', help: 'a sealed OAUTH2_CLIENT to connect with' },
    ...CONNECTION_OPTIONS,
  },
  description: `
Connects the integration to its Zendesk account by OAuth: prints an address to open in a browser where
you are signed in to Zendesk as an admin, and waits until access was allowed or denied there, ten minutes
at most. Id, policy and history of the integration stay, whatever credential it had before.

Without --client-id and --credential it connects with the OAuth client that the integration has already,
else with that of the installation. Asks the running gateway (at --url, else at SEALDESK_PUBLIC_URL), with
an API key of an ADMIN. The exit code is 1 where the account was not connected. docs/connecting.md tells
how to make an OAuth client.`,
  async run({ values, positionals: [integrationId = ''] }, { terminal }) {
    const { 'client-id': clientId, 'client-secret-file': secretFile, credential: credentialId } = values;
    if (secretFile !== undefined && clientId === undefined) {
      throw new UsageError('--client-secret-file needs --client-id. See sealdesk connect --help.');
    }
    if (secretFile === '-' && values['api-key-file'] === '-') {
      throw new UsageError('Standard input can be named once only. See sealdesk connect --help.');
    }
    const apiKey = await readApiKey(values, terminal);
    if (apiKey === null) {
      throw new UsageError('--api-key (or --api-key-file) is missing. See sealdesk connect --help.');
    }
    const address: GatewayAddress = {
      url: parseGatewayUrl(values.url ?? readConfig().publicUrl),
      apiKey,
      insecureHttp: values['insecure-http'],
    };
    const clientSecret = secretFile === undefined ? undefined : await readSecret(terminal, secretFile);
    const { connectZendesk: begun } = await askGateway(address, BEGIN, {
      integrationId,
      ...(credentialId === undefined ? {} : { credentialId }),
      ...(clientId === undefined ? {} : { clientId }),
      ...(clientSecret === undefined ? {} : { clientSecret }),
    });
    terminal.print('Open this address in a browser that is signed in to Zendesk as an admin:');
    terminal.print(printableLine(begun.authorizationUrl));
    terminal.print('Waiting for the answer, ten minutes at most ...');
    const ended = await waitForEnd(address, begun.connection);
    for (const line of linesOf(integrationId, ended)) terminal.print(line);
    return ended.status === 'CONNECTED' ? 0 : 1;
  },
});

async function readSecret(terminal: Terminal, file: string): Promise<string> {
  const secret = (await readInputText(terminal, file, MAX_SECRET_BYTES)).trim();
  if (!/^[\x21-\x7e]+$/.test(secret))
    throw new CommandError('The client secret is empty or has spaces in it.');
  return secret;
}

async function waitForEnd(address: GatewayAddress, begun: ConnectionAnswer): Promise<ConnectionAnswer> {
  let present = begun;
  while (present.status === 'PENDING' || present.status === 'UNDER_WAY') {
    await systemClock.wait(POLL_MS);
    present = (await askGateway(address, ASK, { id: begun.id })).zendeskConnection;
  }
  return present;
}

function linesOf(integrationId: string, ended: ConnectionAnswer): readonly string[] {
  const { status, failure, credentialId, replacedCredentialId, leftAtZendeskUntil } = ended;
  if (status === 'CONNECTED') {
    return [
      `Connected: ${printableLine(integrationId)} uses ${printableLine(credentialId ?? 'its credential')}.`,
      ...(replacedCredentialId === null
        ? []
        : [
            `Next: delete ${printableLine(replacedCredentialId)} (deleteCredential) if nothing else needs it.`,
          ]),
      ...(leftAtZendeskUntil === null
        ? []
        : [
            `The tokens that it had before could not be revoked at Zendesk; they end by ${printableLine(leftAtZendeskUntil)}.`,
          ]),
    ];
  }
  if (failure === null) return ['Not connected: nobody came back from Zendesk in time. Begin again.'];
  const { code, message, remedy, missingScopes } = failure;
  return [
    `Not connected (${printableLine(code)}): ${printableLine(message)}`,
    ...(missingScopes.length === 0 ? [] : [`Missing: ${printableLine(missingScopes.join(' '))}`]),
    printableLine(remedy),
    ...(leftAtZendeskUntil === null
      ? []
      : [
          `Zendesk may have granted access that could not be taken back; it ends by ${printableLine(leftAtZendeskUntil)}.`,
        ]),
  ];
}
