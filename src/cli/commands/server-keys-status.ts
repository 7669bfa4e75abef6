import { defineCommand } from '../command.ts';
import {
  askKeyStatus,
  describeRotation,
  describeSigningKey,
  exitCodeOf,
  gatewayOf,
  type KeyStatusAnswer,
  SERVER_KEY_OPTIONS,
  watchRotations,
} from '../server-keys.ts';
import type { Terminal } from '../terminal.ts';

export const command = defineCommand({
  options: {
    ...SERVER_KEY_OPTIONS,
    wait: { type: 'boolean', help: 'show how far rotations are until nothing is left to re-wrap' },
  },
  description: `
Asks the running gateway (at --url, else at SEALDESK_PUBLIC_URL) which keys of its own a tenant has, and
what still rests on an old one. Needs an API key of an ADMIN of the tenant, or of an OPERATOR.`,
  async run({ values }, { terminal }) {
    const gateway = await gatewayOf(values, terminal, 'server-keys status');
    const status = values.wait
      ? await watchRotations(gateway, values, terminal)
      : await askKeyStatus(gateway, values);
    if (values.json) terminal.print(JSON.stringify(status));
    else printStatus(status, terminal);
    return values.wait ? exitCodeOf(status) : 0;
  },
});

function printStatus(status: KeyStatusAnswer, terminal: Terminal): void {
  terminal.print(`Tenant ${status.tenantId}`);
  terminal.print(`KMS key: ${status.kmsKeyArn ?? 'the default key of the gateway'}`);
  for (const { kmsKeyRef, secrets, credentials, accessTokens } of status.kmsKeys) {
    terminal.print(
      `  ${kmsKeyRef}  ${secrets} secrets, ${credentials} credentials, ${accessTokens} access tokens`,
    );
  }
  terminal.print('Vault key');
  for (const { version, credentials, accessTokens } of status.vaultKeys) {
    terminal.print(`  version ${version}  ${credentials} credentials, ${accessTokens} access tokens`);
  }
  terminal.print('Signing keys');
  for (const key of status.signingKeys) terminal.print(`  ${describeSigningKey(key)}`);
  terminal.print(status.rotations.length === 0 ? 'No rotations of vault key or KMS key' : 'Rotations');
  for (const rotation of status.rotations) terminal.print(`  ${describeRotation(rotation)}`);
}
