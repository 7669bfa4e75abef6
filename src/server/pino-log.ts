/**
 * The log port over pino: JSON lines on standard error. An error is written as its class, code and
 * the stack frames; its message only where it is our own text, since a driver's or parser's
 * message can quote data.
 */
import { type DestinationStream, destination, pino } from 'pino';
import { isSealdeskError, type Log, type LogFields } from '../base/index.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Opens the log of the process; `stream` is where lines go, standard error by default. */
export function createPinoLog(level: LogLevel, stream: DestinationStream = destination(2)): Log {
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream);
  return Object.freeze({
    debug: (message: string, fields?: LogFields) => logger.debug(plain(fields), message),
    info: (message: string, fields?: LogFields) => logger.info(plain(fields), message),
    warn: (message: string, fields?: LogFields) => logger.warn(plain(fields), message),
    error: (message: string, fields?: LogFields) => logger.error(plain(fields), message),
  });
}

function plain(fields: LogFields = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? describeError(value) : value,
    ]),
  );
}

interface ErrorDescription {
  readonly class: string;
  readonly code?: string;
  readonly message?: string;
  readonly frames: readonly string[];
  readonly cause?: ErrorDescription;
}

const MAX_CAUSES = 4;

function describeError(error: Error, depth = 0): ErrorDescription {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return {
    class: error.constructor.name,
    ...(code === undefined ? {} : { code }),
    ...(isSealdeskError(error) ? { message: error.message } : {}),
    frames: (error.stack ?? '')
      .split('\n')
      .filter((line) => /^\s+at /.test(line))
      .map((line) => line.trim())
      .slice(0, 12),
    ...(error.cause instanceof Error && depth < MAX_CAUSES
      ? { cause: describeError(error.cause, depth + 1) }
      : {}),
  };
}
