import { runCommandLine } from '../../src/cli/index.ts';

/** A command under way in this process, whose lines are waited for. */
export class CommandUnderWay {
  readonly out: string[] = [];
  readonly err: string[] = [];
  readonly code: Promise<number>;
  #arrived = Promise.withResolvers<void>();

  constructor(args: readonly string[]) {
    const note = (lines: string[], line: string): void => {
      lines.push(line);
      this.#arrived.resolve();
      this.#arrived = Promise.withResolvers();
    };
    const refuse = () => Promise.reject(new TypeError('This command needs no house'));
    this.code = runCommandLine(
      args,
      { openBackend: refuse, openGateway: refuse },
      {
        write: (data) => note(this.out, String(data)),
        print: (line = '') => note(this.out, line),
        warn: (line) => note(this.err, line),
        input: (async function* () {})(),
      },
    );
  }

  /** The first line of either output that `wanted` matches. */
  async until(wanted: RegExp): Promise<string> {
    for (;;) {
      const found = [...this.out, ...this.err].find((line) => wanted.test(line));
      if (found !== undefined) return found;
      await this.#arrived.promise;
    }
  }

  /** Ctrl+C. */
  async interrupt(): Promise<number> {
    process.emit('SIGINT', 'SIGINT');
    return this.code;
  }
}
