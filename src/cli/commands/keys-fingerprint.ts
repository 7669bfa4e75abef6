import { isWelcomed } from '../../client/index.ts';
import { createNodeSuite } from '../../envelope/node.ts';
import { fingerprintOf, readClientKeyFile } from '../client-key-file.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  positionals: ['FILE'],
  description: `
Prints the fingerprint of the client key in FILE, over both its public halves, to be compared by voice or
on paper; and, where a gateway has welcomed it, its id there and the thumbprints of the signing keys
that it trusts, to be compared with the gateway's own.`,
  async run({ positionals: [file = ''] }, { terminal }) {
    const suite = createNodeSuite();
    const keyFile = await readClientKeyFile(suite, file);
    terminal.print(fingerprintOf(suite, keyFile));
    if (isWelcomed(keyFile)) {
      terminal.print(`${keyFile.key_id} of ${keyFile.tenant_id} at ${keyFile.gateway}`);
      for (const { kid } of keyFile.signing_keys) terminal.print(`trusts signing key ${kid}`);
    }
    return 0;
  },
});
