/** What a failed command says: one line for what was to be expected, everything for what was not. */
import { AnchorError } from '../audit/index.ts';
import { isSealdeskError, type SealdeskError } from '../base/index.ts';
import { EnvelopeOpenError, FeedIntegrityError, GatewayAnswerError, printableLine } from '../client/index.ts';
import { ConfigError } from '../config.ts';
import { KeyFileError } from '../kms/index.ts';
import { FolderHeldError } from '../store/index.ts';
import { CommandError, UsageError } from './command-error.ts';

const EXPECTED = [
  AnchorError,
  CommandError,
  ConfigError,
  FolderHeldError,
  KeyFileError,
  EnvelopeOpenError,
  FeedIntegrityError,
  GatewayAnswerError,
] as const;

const FILE_REASONS: Readonly<Record<string, string>> = Object.freeze({
  ENOENT: 'there is no such file or folder',
  EEXIST: 'exists already and is not overwritten',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
});

export interface Failure {
  readonly text: string;
  readonly exitCode: 1 | 2;
}

export function describeFailure(error: unknown): Failure {
  const text = oneLine(error);
  if (text !== null) {
    return {
      text: printableLine(text.replaceAll(/\s*\n\s*/g, ' ')),
      exitCode: error instanceof UsageError ? 2 : 1,
    };
  }
  const shown = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { text: `This should not have happened; please report it:\n${shown}`, exitCode: 1 };
}

function oneLine(error: unknown): string | null {
  if (isSealdeskError(error)) {
    const unreached = describeUnreached(error);
    if (unreached !== null) return unreached;
    const fields = error.details.fields ?? [];
    const told = fields
      .filter(({ message }) => !error.message.includes(message))
      .map(({ path, message }) => `${path} ${message}.`.trim());
    return `${[error.message, ...told].join(' ')} (${error.code})`;
  }
  if (!(error instanceof Error)) return null;
  if (EXPECTED.some((known) => error instanceof known)) return error.message;
  return describePort(error) ?? describeFile(error) ?? describeDatabase(error) ?? describeOwnText(error);
}

/** A database that this process opens itself, where the text for callers of the gateway would not help. */
function describeUnreached({ code, cause }: SealdeskError): string | null {
  if (code !== 'AUDIT_UNAVAILABLE' || !(cause instanceof Error)) return null;
  const reason = 'code' in cause ? ` (${String(cause.code)})` : '';
  return `The database cannot be reached${reason}. Check DATABASE_URL.`;
}

function describePort(error: Error): string | null {
  if (!('syscall' in error) || !('code' in error)) return null;
  if (error.syscall === 'getaddrinfo' && 'hostname' in error) {
    return `The address ${String(error.hostname)} cannot be found (${String(error.code)}). Check SEALDESK_HOST.`;
  }
  if (error.syscall !== 'listen') return null;
  const port = 'port' in error ? `Port ${String(error.port)}` : 'The port';
  if (error.code === 'EADDRINUSE') {
    return `${port} is in use by another program. Stop it, or set PORT to another.`;
  }
  const address = 'address' in error ? ` of ${String(error.address)}` : '';
  return `${port}${address} cannot be listened on (${String(error.code)}). Check PORT and SEALDESK_HOST.`;
}

function describeFile(error: Error): string | null {
  if (!('path' in error) || !('code' in error) || typeof error.code !== 'string') return null;
  const reason = FILE_REASONS[error.code];
  return reason === undefined ? null : `${String(error.path)}: ${reason}.`;
}

/** What PostgreSQL answers at login is not customer text: a wrong password, a missing database. */
function describeDatabase(error: Error): string | null {
  if (!('severity' in error) || !('code' in error) || typeof error.code !== 'string') return null;
  return /^(28|3D)/.test(error.code) ? `The database refused the login: ${error.message}.` : null;
}

/** Rooms without an error class of their own say in a bare Error what an operator should do. */
function describeOwnText(error: Error): string | null {
  return error.constructor === Error && !('code' in error) ? error.message : null;
}
