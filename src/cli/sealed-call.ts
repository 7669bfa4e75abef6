/** One GraphQL operation whose answer comes sealed, opened and checked; asked again where waiting may help. */
import type { z } from 'zod';
import { isErrorCode, isSealdeskError, type JsonObject, SealdeskError, systemClock } from '../base/index.ts';
import { GatewayAnswerError, type GraphqlRequestError, printableLine } from '../client/index.ts';
import { CommandError } from './command-error.ts';
import { asUnreached } from './gateway-call.ts';
import { asUnsent, type KeyFileClient } from './key-file-client.ts';

/** Times that one operation is sent before its failure is told. */
const MAX_TRIES = 6;
const MAX_WAIT_SECONDS = 120;
/** Characters of a failure's text. */
const MAX_MESSAGE = 2_000;

export interface SealedOperation<Answer> {
  readonly query: string;
  readonly answer: z.ZodType<Answer>;
}

export interface SealedCallOptions {
  readonly signal: AbortSignal;
  /** Whether a gateway that cannot be reached is asked again, as one that was reached before. */
  readonly isUnderWay: boolean;
  /** Told before it is asked again, with seconds. */
  readonly onWait: (failure: Error, seconds: number) => void;
}

/**
 * The data of `operation` as its `answer` describes it. Rejects with SealdeskError, with the gateway's own code and
 * text, CommandError where nobody answers, GatewayAnswerError for an answer of another shape, EnvelopeOpenError for
 * one that is not to be believed, and the reason of `signal`.
 */
export async function askSealed<Answer>(
  connection: KeyFileClient,
  operation: SealedOperation<Answer>,
  variables: JsonObject,
  { signal, isUnderWay, onWait }: SealedCallOptions,
): Promise<Answer> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await askOnce(connection, operation, variables, signal);
    } catch (error) {
      signal.throwIfAborted();
      const failure = asUnsent(asUnreached(error, connection.url));
      const isWorthIt =
        isPassing(failure) || (isUnderWay && failure !== error && failure instanceof CommandError);
      if (!(failure instanceof Error) || !isWorthIt || tried === MAX_TRIES) throw failure;
      const seconds = secondsUntilNext(failure, tried);
      onWait(failure, seconds);
      await systemClock.wait(seconds * 1000, signal);
    }
  }
}

async function askOnce<Answer>(
  { client }: KeyFileClient,
  { query, answer }: SealedOperation<Answer>,
  variables: JsonObject,
  signal: AbortSignal,
): Promise<Answer> {
  const { data, errors } = await client.request(query, variables, { signal });
  const [failure] = errors ?? [];
  if (failure !== undefined) throw failureOf(failure);
  const parsed = answer.safeParse(data);
  if (!parsed.success) throw new GatewayAnswerError('The gateway answered something else than was asked.');
  return parsed.data;
}

function failureOf({ message, extensions = {} }: GraphqlRequestError): Error {
  const { code, retryAfter } = extensions;
  const text = printableLine(message.slice(0, MAX_MESSAGE));
  if (!isErrorCode(code)) return new GatewayAnswerError(`The gateway refused the request: ${text}`);
  return new SealdeskError(code, text, typeof retryAfter === 'number' ? { retryAfter } : {});
}

function isPassing(error: unknown): boolean {
  return isSealdeskError(error) && error.retryable;
}

/** As the gateway says, else twice as long each time. */
function secondsUntilNext(failure: Error, tried: number): number {
  const told = isSealdeskError(failure) ? failure.details.retryAfter : undefined;
  const seconds = told !== undefined && Number.isFinite(told) ? Math.ceil(told) : 2 ** (tried - 1);
  return Math.min(MAX_WAIT_SECONDS, Math.max(1, seconds));
}
