/** The terminal as a port: what commands read and write, and where tests listen. */
import { printableText } from '../client/index.ts';

export interface Terminal {
  /** To standard output. */
  write(data: string | Uint8Array): void;
  /** One line to standard output. */
  print(line?: string): void;
  /** One line to standard error. */
  warn(line: string): void;
  /** Standard input, once. */
  readonly input: AsyncIterable<Uint8Array>;
}

/** The terminal of this process. A reader that goes away early (`| head`) ends the program quietly. */
export function createProcessTerminal(): Terminal {
  process.stdout.on('error', (error) => {
    if ('code' in error && error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  return Object.freeze({
    write: (data: string | Uint8Array) => void process.stdout.write(data),
    print: (line = '') => void process.stdout.write(`${line}\n`),
    warn: (line: string) => void process.stderr.write(`${line}\n`),
    input: process.stdin,
  });
}

/** `terminal` for commands: text is shown without what a terminal would obey, bytes go out as they are. */
export function withPrintableText(terminal: Terminal): Terminal {
  return Object.freeze<Terminal>({
    write: (data) => terminal.write(typeof data === 'string' ? printableText(data) : data),
    print: (line = '') => terminal.print(printableText(line)),
    warn: (line) => terminal.warn(printableText(line)),
    input: terminal.input,
  });
}
