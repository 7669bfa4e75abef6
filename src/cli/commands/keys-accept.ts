import { isId } from '../../base/index.ts';
import { acceptWelcome, encodeKeyFile } from '../../client/index.ts';
import { ENVELOPE_LIMITS } from '../../envelope/index.ts';
import { createNodeSuite } from '../../envelope/node.ts';
import { readClientKeyFile } from '../client-key-file.ts';
import { defineCommand } from '../command.ts';
import { UsageError } from '../command-error.ts';
import { findEnvelope } from '../find-envelope.ts';
import { quoteForShell } from '../package-root.ts';
import { replacePrivateFile } from '../private-file.ts';
import { readInputJson } from '../read-input.ts';

const CONFIRM =
  'mutation ($input: ConfirmClientKeyInput!) { confirmClientKey(input: $input) { clientKey { id status } } }';

export const command = defineCommand({
  positionals: ['FILE', 'WELCOME.json'],
  options: {
    tenant: { type: 'string', value: 'TENANT_ID', help: 'the tenant that the welcome must come from' },
    'signing-kid': {
      type: 'string',
      value: 'KID',
      help: 'thumbprint that the gateway’s signing key must have, learned elsewhere',
    },
  },
  description: `
Takes the welcome of the client key in FILE, which somebody else registered for you (sealdesk keys
public --tenant), without network: verifies it, keeps in FILE what it brings, and prints the
confirmation to hand back, with the call that sends it. WELCOME.json is the welcome envelope, the whole
answer of registerClientKey, or - for standard input.

Without --signing-kid the first signing key seen is trusted.`,
  async run({ values, positionals: [file = '', welcomeFile = '-'] }, { terminal }) {
    const { tenant: tenantId, 'signing-kid': signingKid } = values;
    if (tenantId !== undefined && !isId('tenant', tenantId)) {
      throw new UsageError(`--tenant takes the id of a tenant, got '${tenantId}'.`);
    }
    const suite = createNodeSuite();
    const before = await readClientKeyFile(suite, file);
    const welcome = findEnvelope(
      await readInputJson(terminal, welcomeFile, ENVELOPE_LIMITS.maxText),
      'welcome',
    );
    const { keyFile, confirmationMac } = await acceptWelcome(suite, before, welcome, {
      ...(tenantId === undefined ? {} : { tenantId }),
      ...(signingKid === undefined ? {} : { signingKid }),
    });
    await replacePrivateFile(file, encodeKeyFile(keyFile));
    const input = { keyId: keyFile.key_id, mac: confirmationMac };
    const call = JSON.stringify({ query: CONFIRM, variables: { input } });
    for (const { kid } of keyFile.signing_keys)
      terminal.warn(`${keyFile.key_id} now trusts signing key ${kid}`);
    terminal.warn('The confirmation to hand back, and the call that sends it; it needs no API key:');
    terminal.print(JSON.stringify(input));
    terminal.print(
      `curl -X POST ${quoteForShell(new URL('graphql', `${keyFile.gateway.replace(/\/$/, '')}/`).href)} ` +
        `-H "Content-Type: application/json" -d ${quoteForShell(call)}`,
    );
    return 0;
  },
});
