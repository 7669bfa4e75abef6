import { createKeyFile, encodeKeyFile } from '../../client/index.ts';
import { createNodeSuite } from '../../envelope/node.ts';
import { fingerprintOf } from '../client-key-file.ts';
import { defineCommand } from '../command.ts';
import { createPrivateFile } from '../private-file.ts';

export const command = defineCommand({
  positionals: ['FILE'],
  description: `
Makes a client key, ML-KEM-768 to receive and ML-DSA-65 to sign, and writes it to FILE, readable by you
alone (mode 0600). A file that exists is not overwritten. Its private halves stay in the file: nobody
can open for you what was sealed to a key that is lost. Next: sealdesk keys register.`,
  async run({ positionals: [file = ''] }, { terminal }) {
    const suite = createNodeSuite();
    const keyFile = createKeyFile(suite);
    await createPrivateFile(file, encodeKeyFile(keyFile));
    terminal.print(`Wrote ${file}. Its fingerprint:`);
    terminal.print(fingerprintOf(suite, keyFile));
    return 0;
  },
});
