/**
 * What of an error leaves by GraphQL: our coded failures with their text, the library's own
 * complaints about the document, and INTERNAL for all else, whose cause goes to the log.
 */
import { GraphQLError } from 'graphql';
import {
  ERROR_CODES,
  type ErrorCode,
  isErrorCode,
  isSealdeskError,
  type Log,
  SealdeskError,
} from '../../base/index.ts';
import { publicDetails } from '../answer.ts';

const TOO_MANY_TOKENS = /more than [\d,]+ tokens|token limit/i;

/** A GraphQL error whose `extensions.code` is one of ours. */
export function maskGraphqlError(error: unknown, log: Log): GraphQLError {
  const original = error instanceof GraphQLError ? error.originalError : error;
  const located = error instanceof GraphQLError ? error : undefined;
  const coded = innermostCoded(original);
  if (coded !== null) return publicGraphqlError(coded, located);
  if (located !== undefined && original === undefined) return documentError(located);
  log.error('A resolver failed inside the gateway', {
    error: original instanceof Error ? original : new TypeError('something other than an Error was thrown'),
  });
  const internal = new SealdeskError(
    'INTERNAL',
    'The gateway failed. Give the operator the request id of this answer.',
  );
  return publicGraphqlError(internal, located);
}

/** `error` as it may leave, at the place in the document where `located` arose. */
export function publicGraphqlError(error: SealdeskError, located?: GraphQLError): GraphQLError {
  return new GraphQLError(error.message, {
    ...(located?.nodes === undefined ? {} : { nodes: located.nodes }),
    ...(located?.path === undefined ? {} : { path: located.path }),
    extensions: { code: error.code, ...publicDetails(error) },
  });
}

/** Libraries wrap what resolvers and scopes throw; our error is then its cause. */
function innermostCoded(error: unknown): SealdeskError | null {
  if (isSealdeskError(error)) return error;
  if (error instanceof GraphQLError && error.originalError !== undefined)
    return innermostCoded(error.originalError);
  return null;
}

/** The library's own errors, which pass the mask as they are, with a code of ours. */
export function ensureCoded(error: GraphQLError): GraphQLError {
  return isErrorCode(error.extensions['code']) ? error : documentError(error);
}

/** Values that the library quotes from variables and literals. */
const QUOTED_VALUES: readonly (readonly [RegExp, string])[] = [
  [/ got invalid value .*?(?= at "|; |$)/s, ' got an invalid value'],
  [/(cannot represent (?:a |an )?[^:]*): .*$/s, '$1'],
  [/^(Expected value of type .*?), found .*$/s, '$1'],
];

/** Syntax and validation: the library's text speaks of the caller's own document; values in it are taken out. */
function documentError(error: GraphQLError): GraphQLError {
  const code: ErrorCode = TOO_MANY_TOKENS.test(error.message) ? 'QUERY_TOO_COMPLEX' : 'VALIDATION_FAILED';
  const message = QUOTED_VALUES.reduce(
    (text, [pattern, instead]) => text.replace(pattern, instead),
    error.message,
  );
  return new GraphQLError(message, {
    ...(error.nodes === undefined ? {} : { nodes: error.nodes }),
    ...(error.source === undefined ? {} : { source: error.source }),
    ...(error.positions === undefined ? {} : { positions: error.positions }),
    extensions: { code, retryable: ERROR_CODES[code].retryable },
  });
}
