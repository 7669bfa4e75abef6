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
  open: {
    summary: 'verify and decrypt an envelope',
    load: () => import('./commands/open.ts'),
  },
  query: {
    summary: 'ask the typed graph, sealed, and print the opened answer',
    load: () => import('./commands/query.ts'),
  },
  'feed tail': {
    summary: 'follow the changes of tickets, opened, one line each',
    load: () => import('./commands/feed-tail.ts'),
  },
  'tenant create': {
    summary: 'create a tenant and its first ADMIN key',
    load: () => import('./commands/tenant-create.ts'),
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
