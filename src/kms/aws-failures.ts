/**
 * What a failure of AWS KMS means here. Sources: AWS KMS API reference, errors of GenerateDataKey and
 * Decrypt, and "Common Errors"; the SDK's names for failures of the network and of credentials.
 */
import type { SealdeskError } from '../base/index.ts';
import { AttemptTimeoutError } from './attempts.ts';
import { misfit, unavailable } from './kms.ts';

type Failure = 'BUSY' | 'OUTAGE' | 'KEY_UNUSABLE' | 'KEY_UNKNOWN' | 'DENIED' | 'LOGIN' | 'MISFIT' | 'OTHER';

const FAILURES: Readonly<Record<string, Failure>> = Object.freeze(
  Object.assign(Object.create(null) as Record<string, Failure>, {
    ThrottlingException: 'BUSY',
    Throttling: 'BUSY',
    ThrottledException: 'BUSY',
    TooManyRequestsException: 'BUSY',
    RequestThrottled: 'BUSY',
    RequestThrottledException: 'BUSY',
    RequestLimitExceeded: 'BUSY',
    LimitExceededException: 'BUSY',
    SlowDown: 'BUSY',
    KMSInternalException: 'OUTAGE',
    DependencyTimeoutException: 'OUTAGE',
    KeyUnavailableException: 'OUTAGE',
    InternalFailure: 'OUTAGE',
    InternalServerError: 'OUTAGE',
    ServiceUnavailable: 'OUTAGE',
    ServiceUnavailableException: 'OUTAGE',
    RequestTimeout: 'OUTAGE',
    RequestTimeoutException: 'OUTAGE',
    TimeoutError: 'OUTAGE',
    AttemptTimeoutError: 'OUTAGE',
    DisabledException: 'KEY_UNUSABLE',
    KMSInvalidStateException: 'KEY_UNUSABLE',
    InvalidKeyUsageException: 'KEY_UNUSABLE',
    NotFoundException: 'KEY_UNKNOWN',
    InvalidArnException: 'KEY_UNKNOWN',
    ValidationException: 'KEY_UNKNOWN',
    AccessDeniedException: 'DENIED',
    AccessDenied: 'DENIED',
    UnrecognizedClientException: 'LOGIN',
    InvalidClientTokenId: 'LOGIN',
    InvalidSignatureException: 'LOGIN',
    SignatureDoesNotMatch: 'LOGIN',
    ExpiredToken: 'LOGIN',
    ExpiredTokenException: 'LOGIN',
    IncompleteSignature: 'LOGIN',
    MissingAuthenticationToken: 'LOGIN',
    CredentialsProviderError: 'LOGIN',
    TokenProviderError: 'LOGIN',
    InvalidCiphertextException: 'MISFIT',
    IncorrectKeyException: 'MISFIT',
  } satisfies Record<string, Failure>),
);

const NETWORK_CODES: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return 'OTHER';
  if (error instanceof AttemptTimeoutError) return 'OUTAGE';
  const named = FAILURES[error.name];
  if (named !== undefined) return named;
  if ('code' in error && NETWORK_CODES.has(error.code)) return 'OUTAGE';
  const status = statusOf(error);
  if (status === 429) return 'BUSY';
  return status !== null && status >= 500 ? 'OUTAGE' : 'OTHER';
}

function statusOf(error: Error): number | null {
  if (!('$metadata' in error) || typeof error.$metadata !== 'object' || error.$metadata === null) return null;
  const { httpStatusCode } = error.$metadata as { readonly httpStatusCode?: unknown };
  return typeof httpStatusCode === 'number' ? httpStatusCode : null;
}

/** Whether the same call may succeed in a moment. */
export function isPassing(error: unknown): boolean {
  const failure = failureOf(error);
  return failure === 'BUSY' || failure === 'OUTAGE';
}

/** `error` in our own words, which name no key, account or principal; the original is its `cause`. */
export function translateFailure(error: unknown): SealdeskError {
  const failure = failureOf(error);
  switch (failure) {
    case 'BUSY':
      return unavailable('The key management service is too busy for us. Try again later.', error);
    case 'OUTAGE':
      return unavailable('The key management service does not answer. Try again later.', error);
    case 'KEY_UNUSABLE':
      return unavailable('The KMS key is disabled, or not in a state to be used. Enable it in KMS.', error);
    case 'KEY_UNKNOWN':
      return unavailable(
        'The key management service does not know the KMS key. Check its ARN and region.',
        error,
      );
    case 'DENIED':
      return unavailable('The key management service denies us the KMS key. Check the key policy.', error);
    case 'LOGIN':
      return unavailable(
        'The key management service does not accept our AWS credentials, or there are none.',
        error,
      );
    case 'MISFIT':
      return misfit(error);
    case 'OTHER':
      return unavailable('The key management service refused a request.', error);
    default:
      return failure satisfies never;
  }
}
