/**
 * What of an error leaves by GraphQL: our coded failures with their text, the library's own
 * complaints about the document, and INTERNAL for all else, whose cause goes to the log.
 */
import { type DocumentNode, GraphQLError } from 'graphql';
import {
  ERROR_CODES,
  type ErrorCode,
  isErrorCode,
  isSealdeskError,
  type Log,
  SealdeskError,
} from '../../base/index.ts';
import { withMendLink } from '../../proxy/index.ts';
import { invalidInput } from '../../service/index.ts';
import { publicDetails } from '../answer.ts';
import { inputPath } from './input-path.ts';
import { inputIssueOf, type Telling, withoutValues } from './without-values.ts';

const TOO_MUCH = /more than [\d,]+ tokens|token limit|introspection depth/i;

/** A GraphQL error whose `extensions.code` is one of ours, or a complaint about the document, still to be {@link ensureCoded}. */
export function maskGraphqlError(error: unknown, log: Log, publicUrl: string): GraphQLError {
  const original = error instanceof GraphQLError ? error.originalError : error;
  const located = error instanceof GraphQLError ? error : undefined;
  const coded = innermostCoded(original);
  if (coded !== null) return publicGraphqlError(withMendLink(coded, publicUrl), located);
  if (located !== undefined && isAboutDocument(located)) return located;
  return publicGraphqlError(internal('A resolver failed inside the gateway', original, log), located);
}

/** Why a result cannot be answered: `error` where it is ours, else INTERNAL, and the log has the cause. */
export function unencodable(error: unknown, log: Log): SealdeskError {
  if (isSealdeskError(error)) return error;
  return internal('The result of an operation could not be encoded', error, log);
}

function internal(what: string, cause: unknown, log: Log): SealdeskError {
  log.error(what, {
    error: cause instanceof Error ? cause : new TypeError('something other than an Error was thrown'),
  });
  return new SealdeskError(
    'INTERNAL',
    'The gateway failed. Give the operator the request id of this answer.',
  );
}

/** `error` as it may leave, at the place in the document where `located` arose. Behind it, and never shown in the clear, is the failure itself. */
export function publicGraphqlError(
  error: SealdeskError,
  located?: Partial<Pick<GraphQLError, 'nodes' | 'path'>>,
): GraphQLError {
  return new GraphQLError(error.message, {
    ...(located?.nodes === undefined ? {} : { nodes: located.nodes }),
    ...(located?.path === undefined ? {} : { path: located.path }),
    originalError: error,
    extensions: { code: error.code, ...publicDetails(error) },
  });
}

/** The library's own: it has no cause but another of its own kind, and, for a variable, no place in the result yet. */
function isAboutDocument({ originalError, path }: GraphQLError): boolean {
  return originalError === undefined || (originalError instanceof GraphQLError && path === undefined);
}

/** Libraries wrap what resolvers and scopes throw; our error is then its cause. */
function innermostCoded(error: unknown): SealdeskError | null {
  if (isSealdeskError(error)) return error;
  if (error instanceof GraphQLError && error.originalError !== undefined)
    return innermostCoded(error.originalError);
  return null;
}

/** The library's own errors about `document`, which pass the mask as they are, with a code of ours; `null` is one that could not be read. */
export function ensureCoded(
  error: GraphQLError,
  document: DocumentNode | null,
  telling: Telling,
): GraphQLError {
  if (isErrorCode(error.extensions['code'])) return error;
  return (document === null ? null : inputError(error, document, telling)) ?? documentError(error);
}

/** Of a value that was written into the document: its place, and what is wrong with it. */
function inputError(error: GraphQLError, document: DocumentNode, telling: Telling): GraphQLError | null {
  const issue = inputIssueOf(error.message, telling);
  if (issue === null) return null;
  const [node] = error.nodes ?? [];
  const place = (node === undefined ? null : inputPath(document, node)) ?? [];
  const path = [...place, ...(issue.member === null ? [] : [issue.member])].join('.');
  return publicGraphqlError(invalidInput([{ path, message: issue.message }]), { nodes: error.nodes });
}

/** Syntax and validation: the library's text speaks of the caller's own document; values in it are taken out. */
function documentError(error: GraphQLError): GraphQLError {
  const code: ErrorCode = TOO_MUCH.test(error.message) ? 'QUERY_TOO_COMPLEX' : 'VALIDATION_FAILED';
  return new GraphQLError(withoutValues(error.message), {
    ...(error.nodes === undefined ? {} : { nodes: error.nodes }),
    ...(error.source === undefined ? {} : { source: error.source }),
    ...(error.positions === undefined ? {} : { positions: error.positions }),
    extensions: { code, retryable: ERROR_CODES[code].retryable },
  });
}
