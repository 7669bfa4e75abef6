/**
 * Node says once of each new algorithm of its Web Crypto that it is experimental: advice for programmers,
 * which would stand between an answer and its reader. Every other warning is passed on.
 */
export function muteExperimentalWarnings(): Disposable {
  const { emitWarning } = process;
  process.emitWarning = (...given: readonly unknown[]) => {
    const [, type] = given;
    if (type !== 'ExperimentalWarning') Reflect.apply(emitWarning, process, given);
  };
  return {
    [Symbol.dispose]() {
      process.emitWarning = emitWarning;
    },
  };
}
