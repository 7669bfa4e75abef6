/** A failure that the user can act on: shown as one line, exit code 1. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
}

/** The command line itself cannot be understood: shown as one line, exit code 2. */
export class UsageError extends CommandError {
  override readonly name = 'UsageError';
}
