/** What a command is: its options as data, from which both its help and its parsing are made. */
import { parseArgs } from 'node:util';
import { UsageError } from './command-error.ts';
import type { House } from './house.ts';
import type { Terminal } from './terminal.ts';

export interface Option {
  readonly type: 'string' | 'boolean';
  /** What stands for its value in the help; for `string` only. */
  readonly value?: string;
  /** Whether it may be given more than once; for `string` only. Its values are then a list. */
  readonly multiple?: boolean;
  readonly help: string;
}

type Options = Readonly<Record<string, Option>>;

export type OptionValues<Given extends Options> = {
  readonly [Name in keyof Given]: Given[Name]['type'] extends 'boolean'
    ? boolean
    : Given[Name] extends { readonly multiple: true }
      ? readonly string[]
      : string | undefined;
};

/** What a command runs in. */
export interface CommandContext {
  readonly house: House;
  readonly terminal: Terminal;
}

export interface CommandDefinition<Given extends Options> {
  /** Names of the positional arguments; one in brackets may be left out. */
  readonly positionals?: readonly string[];
  readonly options?: Given;
  /** What it does, for its help; lines of at most 100 characters. */
  readonly description: string;
  /** Its exit code. */
  readonly run: (
    input: { readonly values: OptionValues<Given>; readonly positionals: readonly string[] },
    context: CommandContext,
  ) => Promise<number>;
}

export interface Command {
  help(name: string): string;
  run(name: string, args: readonly string[], context: CommandContext): Promise<number>;
}

const HELP: Option = { type: 'boolean', help: 'this text' };

/** A command that refuses what it does not know with {@link UsageError} and answers `--help` itself. */
export function defineCommand<const Given extends Options>(definition: CommandDefinition<Given>): Command {
  const { positionals: names = [], description } = definition;
  const options: Options = definition.options ?? {};
  const known: Options = { ...options, help: HELP };
  const help = (name: string): string => helpText(name, names, known, description);
  return Object.freeze<Command>({
    help,
    async run(name, args, context) {
      const { values, positionals } = parseArguments(name, args, known);
      if (values['help'] === true) {
        context.terminal.write(help(name));
        return 0;
      }
      assertPositionals(name, names, positionals);
      const given = Object.fromEntries(
        Object.entries(options).map(([word, option]) => [word, givenValue(option, values[word])]),
      ) as OptionValues<Given>;
      return definition.run({ values: given, positionals }, context);
    },
  });
}

function givenValue({ type, multiple }: Option, value: unknown): unknown {
  if (type === 'boolean') return value === true;
  return multiple === true ? (value ?? []) : value;
}

function parseArguments(
  name: string,
  args: readonly string[],
  options: Options,
): { readonly values: Readonly<Record<string, unknown>>; readonly positionals: readonly string[] } {
  const types = Object.fromEntries(
    Object.entries(options).map(([option, { type, multiple = false }]) => [option, { type, multiple }]),
  );
  try {
    return parseArgs({ args: [...args], options: types, strict: true, allowPositionals: true });
  } catch (error) {
    // Node names the offending argument in the first sentence; what follows is advice for programmers.
    const reason = error instanceof Error ? (error.message.split(/\. |\n/)[0] ?? '') : 'Wrong arguments';
    throw new UsageError(`${reason.replace(/\.$/, '')}. See sealdesk ${name} --help.`);
  }
}

function assertPositionals(name: string, names: readonly string[], given: readonly string[]): void {
  const missing = names.slice(given.length).find((one) => !one.startsWith('['));
  if (missing !== undefined) throw new UsageError(`${missing} is missing. See sealdesk ${name} --help.`);
  if (given.length > names.length) {
    throw new UsageError(`Unexpected argument '${given[names.length]}'. See sealdesk ${name} --help.`);
  }
}

function helpText(name: string, names: readonly string[], options: Options, description: string): string {
  const left = (option: string): string =>
    `--${option}${options[option]?.type === 'string' ? ` ${options[option].value ?? 'VALUE'}` : ''}`;
  const width = Math.max(...Object.keys(options).map((option) => left(option).length));
  return [
    `Usage: ${['sealdesk', name, ...names, '[OPTIONS]'].join(' ')}`,
    '',
    description.trim(),
    '',
    'Options:',
    ...Object.entries(options).map(([option, { help }]) => `  ${left(option).padEnd(width)}  ${help}`),
    '',
  ].join('\n');
}
