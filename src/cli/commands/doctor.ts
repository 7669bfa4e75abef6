import { type Config, readConfig, SETTINGS, type SettingName } from '../../config.ts';
import { defineCommand } from '../command.ts';
import { checkAnchor } from '../doctor/audit-check.ts';
import type { Finding } from '../doctor/finding.ts';
import { checkKms } from '../doctor/kms-check.ts';
import { checkPGlite } from '../doctor/pglite-check.ts';
import { checkPostgres } from '../doctor/postgres-check.ts';
import { checkRuntime } from '../doctor/runtime-check.ts';

export const command = defineCommand({
  description: `
Prints the settings of the environment, secrets only as set or not, and checks what the gateway stands
on: Node and its cryptography, the database and its role, the key management service, credentials
that will end, what still rests on an old key of the gateway, the audit logs and their anchor. Exit code 1
where something is wrong. An embedded database that nobody holds is opened, which applies missing
migrations; a PostgreSQL is only looked at.`,
  async run(_input, { terminal }) {
    const config = readConfig();
    terminal.print('Settings');
    const names = Object.keys(SETTINGS) as SettingName[];
    const width = Math.max(...names.map((name) => name.length));
    for (const name of names) {
      terminal.print(
        `  ${name.padEnd(width)}  ${config.given[name] ?? `${SETTINGS[name].default}  (default)`}`,
      );
    }
    terminal.print();
    terminal.print('Checks');
    const kms = await checkKms(config);
    const findings = [
      ...(await checkRuntime()),
      ...(await checkDatabase(config, kms.keyRef)),
      kms.finding,
      await checkAnchor(config),
    ];
    for (const { verdict, text } of findings) terminal.print(`  ${verdict.padEnd(5)}  ${text}`);
    return findings.some(({ verdict }) => verdict === 'wrong') ? 1 : 0;
  },
});

function checkDatabase(config: Config, defaultKeyRef: string | null): Promise<Finding[]> {
  return config.databaseUrl === null
    ? checkPGlite(config, defaultKeyRef)
    : checkPostgres(config.databaseUrl, config, defaultKeyRef);
}
