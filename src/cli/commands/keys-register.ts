import { encodeKeyFile, isWelcomed, registerKeyFile, type WelcomedKeyFile } from '../../client/index.ts';
import { createNodeSuite } from '../../envelope/node.ts';
import { confirmKeyFile, fingerprintOf, readClientKeyFile } from '../client-key-file.ts';
import { defineCommand } from '../command.ts';
import { UsageError } from '../command-error.ts';
import { CONNECTION_OPTIONS, parseGatewayUrl, readApiKey } from '../connection-options.ts';
import { asUnreached } from '../gateway-call.ts';
import { replacePrivateFile } from '../private-file.ts';

export const command = defineCommand({
  positionals: ['FILE'],
  options: {
    ...CONNECTION_OPTIONS,
    'signing-kid': {
      type: 'string',
      value: 'KID',
      help: 'thumbprint that the gateway’s signing key must have, learned elsewhere',
    },
  },
  description: `
Registers the client key in FILE with the gateway: proves its signing half, takes the welcome, keeps in
FILE what the welcome brings (MAC key and the signing keys to trust), and confirms the receiving half.
Any API key of the tenant will do. Afterwards an ADMIN or OPERATOR maps the key (mutation mapClientKey).

Without --signing-kid the first signing key seen is trusted. A key that was welcomed but not confirmed
is confirmed again, for which no API key is needed.`,
  async run({ values, positionals: [file = ''] }, { terminal }) {
    const suite = createNodeSuite();
    const insecureHttp = values['insecure-http'];
    const keyFile = await readClientKeyFile(suite, file);
    if (isWelcomed(keyFile)) {
      const gateway = values.url === undefined ? keyFile.gateway : parseGatewayUrl(values.url);
      const status = await confirmKeyFile(suite, keyFile, { gateway, fetch, insecureHttp }).catch(
        (error: unknown) => {
          throw asUnreached(error, gateway);
        },
      );
      terminal.write(outcome(keyFile, status, fingerprintOf(suite, keyFile)));
      return 0;
    }
    const apiKey = await readApiKey(values, terminal);
    if (values.url === undefined || apiKey === null) {
      throw new UsageError(
        '--url and --api-key (or --api-key-file) are needed. See sealdesk keys register --help.',
      );
    }
    const gateway = parseGatewayUrl(values.url);
    const registered = await registerKeyFile(suite, {
      gateway,
      fetch,
      apiKey,
      insecureHttp,
      keyFile,
      keep: (welcomed) => replacePrivateFile(file, encodeKeyFile(welcomed)),
      ...(values['signing-kid'] === undefined ? {} : { signingKid: values['signing-kid'] }),
    }).catch((error: unknown) => {
      throw asUnreached(error, gateway);
    });
    terminal.write(outcome(registered.keyFile, registered.status, fingerprintOf(suite, keyFile)));
    return 0;
  },
});

function outcome(keyFile: WelcomedKeyFile, status: string, fingerprint: string): string {
  return [
    `Client key   ${keyFile.key_id} (${status}) of ${keyFile.tenant_id}`,
    `Fingerprint  ${fingerprint}`,
    ...keyFile.signing_keys.map(({ kid }) => `Trusts       signing key ${kid}`),
    ...(status === 'CONFIRMED'
      ? ['Next: an ADMIN or OPERATOR compares the fingerprint and maps the key with mapClientKey.']
      : []),
    '',
  ].join('\n');
}
