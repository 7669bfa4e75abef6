/** From the arguments of the program to a command and its exit code. */

import type { Command } from './command.ts';
import { UsageError } from './command-error.ts';
import { COMMANDS, isFamily, listCommands } from './command-table.ts';
import { describeFailure } from './describe-failure.ts';
import type { House } from './house.ts';
import { readVersion } from './package-root.ts';
import { createProcessTerminal, type Terminal, withPrintableText } from './terminal.ts';

const HELP_WORDS: ReadonlySet<string | undefined> = new Set(['help', '--help', '-h']);

/**
 * Runs the command that `argv` (without program and script) names and answers its exit code: 0, 1 for
 * a failure, 2 where the command line was not understood. Never throws; failures go to standard error.
 */
export async function runCommandLine(
  argv: readonly string[],
  house: House,
  output: Terminal = createProcessTerminal(),
): Promise<number> {
  const terminal = withPrintableText(output);
  try {
    return await run(argv, house, terminal);
  } catch (error) {
    const { text, exitCode } = describeFailure(error);
    terminal.warn(`sealdesk: ${text}`);
    return exitCode;
  }
}

async function run(argv: readonly string[], house: House, terminal: Terminal): Promise<number> {
  const [first] = argv;
  if (first === '--version' || first === '-V') {
    terminal.print(readVersion());
    return 0;
  }
  if (first === undefined || HELP_WORDS.has(first)) return help(argv.slice(1), terminal);
  const found = await findCommand(argv);
  if (found !== null) return found.command.run(found.name, found.rest, { house, terminal });
  if (!isFamily(first)) {
    throw new UsageError(`There is no command '${first}'. sealdesk --help lists the commands.`);
  }
  const second = argv[1];
  if (second !== undefined && !HELP_WORDS.has(second)) {
    throw new UsageError(`There is no command '${first} ${second}'. See sealdesk ${first} --help.`);
  }
  terminal.write(listCommands(first));
  return second === undefined ? 2 : 0;
}

async function help(words: readonly string[], terminal: Terminal): Promise<number> {
  const [first] = words;
  if (first === undefined) {
    terminal.write(listCommands());
    return 0;
  }
  const found = await findCommand(words);
  if (found !== null) terminal.write(found.command.help(found.name));
  else if (isFamily(first)) terminal.write(listCommands(first));
  else throw new UsageError(`There is no command '${words.join(' ')}'. sealdesk --help lists the commands.`);
  return 0;
}

interface FoundCommand {
  readonly name: string;
  readonly command: Command;
  readonly rest: readonly string[];
}

async function findCommand(words: readonly string[]): Promise<FoundCommand | null> {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    const row = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (row !== undefined) return { name, command: (await row.load()).command, rest: words.slice(length) };
  }
  return null;
}
