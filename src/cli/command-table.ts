/** The commands by name, each loaded only when it is used. */
import type { Command } from './command.ts';

export interface CommandRow {
  /** One line for the list of commands. */
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

export const COMMANDS: Readonly<Record<string, CommandRow>> = Object.freeze({
  start: {
    summary: 'the demo where nothing is configured, else the gateway',
    load: () => import('./commands/start.ts'),
  },
  serve: { summary: 'run the gateway', load: () => import('./commands/serve.ts') },
  demo: {
    summary: 'run the gateway with a simulated Zendesk beside it, ready to try',
    load: () => import('./commands/demo.ts'),
  },
  migrate: {
    summary: 'bring the database to the newest version',
    load: () => import('./commands/migrate.ts'),
  },
  doctor: {
    summary: 'check settings, database, keys and runtime',
    load: () => import('./commands/doctor.ts'),
  },
  connect: {
    summary: 'connect an integration to its Zendesk account by OAuth',
    load: () => import('./commands/connect.ts'),
  },
  'keys generate': {
    summary: 'make a client key',
    load: () => import('./commands/keys-generate.ts'),
  },
  'keys public': {
    summary: 'print the public half of a client key, to hand over',
    load: () => import('./commands/keys-public.ts'),
  },
  'keys fingerprint': {
    summary: 'print the fingerprints of a client key, to compare by voice',
    load: () => import('./commands/keys-fingerprint.ts'),
  },
  'keys register': {
    summary: 'register a client key with a gateway',
    load: () => import('./commands/keys-register.ts'),
  },
  'keys accept': {
    summary: 'take the welcome of a key that was handed over, without network',
    load: () => import('./commands/keys-accept.ts'),
  },
  'keys rotate': {
    summary: 'put another client key in the place of one',
    load: () => import('./commands/keys-rotate.ts'),
  },
  'keys status': {
    summary: 'ask the gateway what became of a client key, and what is next',
    load: () => import('./commands/keys-status.ts'),
  },
  'keys verify': {
    summary: 'check a client key file by itself, without network',
    load: () => import('./commands/keys-verify.ts'),
  },
  open: {
    summary: 'verify and decrypt an envelope',
    load: () => import('./commands/open.ts'),
  },
  query: {
    summary: 'ask the typed graph, sealed, and print the opened answer',
    load: () => import('./commands/query.ts'),
  },
  'export directory': {
    summary: 'write the synced people of a Zendesk account as CSV, opened here',
    load: () => import('./commands/export-directory.ts'),
  },
  'export review': {
    summary: 'write who has access to a Zendesk account as CSV, to be reviewed',
    load: () => import('./commands/export-review.ts'),
  },
  'feed tail': {
    summary: 'follow the changes of tickets, opened, one line each',
    load: () => import('./commands/feed-tail.ts'),
  },
  'audit verify': {
    summary: 'verify an exported part of the audit log, with files alone',
    load: () => import('./commands/audit-verify.ts'),
  },
  'audit accept-restore': {
    summary: 'go on with an audit log that was found altered, as after the restore of a backup',
    load: () => import('./commands/audit-accept-restore.ts'),
  },
  'audit export': {
    summary: 'export events of the audit log as a bundle that proves itself',
    load: () => import('./commands/audit-export.ts'),
  },
  'audit tail': {
    summary: 'follow the audit log, one line of JSON for each event',
    load: () => import('./commands/audit-tail.ts'),
  },
  'tenant create': {
    summary: 'create a tenant and its first ADMIN key',
    load: () => import('./commands/tenant-create.ts'),
  },
  'server-keys status': {
    summary: 'show the keys of the gateway, and what rests on an old one',
    load: () => import('./commands/server-keys-status.ts'),
  },
  'server-keys rotate': {
    summary: 'change a signing key, a vault key or a KMS key',
    load: () => import('./commands/server-keys-rotate.ts'),
  },
  'server-keys cancel': {
    summary: 'take back a signing key that does not sign yet',
    load: () => import('./commands/server-keys-cancel.ts'),
  },
  'operator create': {
    summary: 'create an OPERATOR key, the first one of an installation',
    load: () => import('./commands/operator-create.ts'),
  },
} satisfies Record<string, CommandRow>);

/** The list of commands; of one family where `family` names it. */
export function listCommands(family?: string): string {
  const rows = Object.entries(COMMANDS).filter(
    ([name]) => family === undefined || name.startsWith(`${family} `),
  );
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    `Usage: sealdesk ${family === undefined ? 'COMMAND' : `${family} COMMAND`} [ARGUMENTS]`,
    '',
    'Commands:',
    ...rows.map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    family === undefined
      ? 'sealdesk COMMAND --help tells more; sealdesk --version prints the version.'
      : `sealdesk ${family} COMMAND --help tells more.`,
    '',
  ].join('\n');
}

/** Whether commands begin with this word and another one. */
export function isFamily(word: string): boolean {
  return Object.keys(COMMANDS).some((name) => name.startsWith(`${word} `));
}
