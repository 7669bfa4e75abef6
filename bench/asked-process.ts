/** A child process that is asked one question at a time, over the channel that Node gives to its children. */
import { type ChildProcess, type Serializable, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

type Reply<Answer> = { readonly answer: Answer } | { readonly failure: string };

export interface AskedProcess<Question, Answer> extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Rejects with what failed in the child, and where it ended. */
  ask(question: Question): Promise<Answer>;
}

/** Runs one of our files under this Node until disposed; it is to call {@link answerQuestions}. */
export function openAskedProcess<Question extends Serializable, Answer>(
  args: readonly string[],
): AskedProcess<Question, Answer> {
  const child = spawn(process.execPath, [...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit').then((): never => {
    throw new Error(`${args.at(-1)} ended`);
  });
  ended.catch(() => undefined);
  return {
    child,
    async ask(question) {
      const answered = once(child, 'message');
      child.send(question);
      const [reply] = (await Promise.race([answered, ended])) as [Reply<Answer>];
      if ('failure' in reply) throw new Error(`${args.at(-1)}: ${reply.failure}`);
      return reply.answer;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await ended.catch(() => undefined);
    },
  };
}

/** Answers whoever opened this process, until that one is gone. */
export function answerQuestions<Question, Answer>(answer: (question: Question) => Promise<Answer>): void {
  const send = (reply: Reply<Answer>): void => {
    process.send?.(reply);
  };
  process.on('message', (question: Question) => {
    answer(question).then(
      (answered) => send({ answer: answered }),
      (error: unknown) =>
        send({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.once('disconnect', () => process.exit(0));
}
