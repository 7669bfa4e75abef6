/** The terminal as a port: what commands read and write, and where tests listen. */
export interface Terminal {
  /** To standard output, as it is. */
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
