import { encodeUtf8, equalBytes } from '../../base/index.ts';
import { importKeys, isWelcomed, type KeyFile } from '../../client/index.ts';
import { openHpke, type Suite, sealHpke } from '../../envelope/index.ts';
import { createNodeSuite } from '../../envelope/node.ts';
import { confirmationOf, fingerprintOf, readClientKeyFile } from '../client-key-file.ts';
import { defineCommand } from '../command.ts';
import { CommandError } from '../command-error.ts';

/** Signs nothing that any protocol knows. */
const SELF_TEST = encodeUtf8('sealdesk/self-test/v1');

export const command = defineCommand({
  positionals: ['FILE'],
  description: `
Checks the client key in FILE by itself, without network: that others can't read the file, that it is
whole, that both public halves and their thumbprints are those of the seeds, that what is sealed to it
opens and what it signs verifies, and that MAC key and signing keys are usable. The exit code is 1, and
the first thing that is wrong is named, where it is not a good key.`,
  async run({ positionals: [file = ''] }, { terminal }) {
    const suite = createNodeSuite();
    const keyFile = await readClientKeyFile(suite, file);
    terminal.print('ok  the file is whole and its owner’s alone');
    terminal.print('ok  both public halves and thumbprints are those of the seeds');
    await assertReceives(suite, keyFile);
    terminal.print('ok  what is sealed to the ML-KEM-768 key opens');
    await assertSigns(suite, keyFile);
    terminal.print('ok  what the ML-DSA-65 key signs verifies');
    if (isWelcomed(keyFile)) {
      await confirmationOf(suite, keyFile);
      terminal.print('ok  the MAC key is usable');
      const usable = keyFile.signing_keys.filter(({ status }) => status !== 'REVOKED');
      if (usable.length === 0) throw new CommandError('Every signing key that the file trusts is REVOKED.');
      terminal.print(`ok  ${usable.length} of ${keyFile.signing_keys.length} trusted signing keys usable`);
      terminal.print(`${keyFile.key_id} of ${keyFile.tenant_id} at ${keyFile.gateway}`);
    } else {
      terminal.print('No gateway has welcomed it yet.');
    }
    terminal.print(`Fingerprint  ${fingerprintOf(suite, keyFile)}`);
    return 0;
  },
});

async function assertReceives(suite: Suite, keyFile: KeyFile): Promise<void> {
  const { kem } = importKeys(suite, keyFile);
  const text = { info: SELF_TEST, aad: SELF_TEST };
  const plaintext = suite.randomBytes(32);
  const recipient = suite.importKemPublicKey(kem.publicKey);
  const { enc, ciphertext } = await sealHpke(suite, { ...text, recipient, plaintext });
  const opened = await openHpke(suite, { ...text, recipient: kem, enc, ciphertext });
  if (opened !== null && equalBytes(opened.plaintext, plaintext)) return;
  throw new CommandError('What is sealed to the ML-KEM-768 key does not open.');
}

async function assertSigns(suite: Suite, keyFile: KeyFile): Promise<void> {
  const { sig } = importKeys(suite, keyFile);
  const message = suite.randomBytes(32);
  const signature = await sig.sign(message, SELF_TEST);
  if (await suite.importVerifyingKey(sig.publicKey).verify(message, signature, SELF_TEST)) return;
  throw new CommandError('What the ML-DSA-65 key signs does not verify.');
}
