/** One GraphQL operation of a gateway, its answer checked. */
import { z } from 'zod';
import { isId, type JsonObject } from '../base/index.ts';
import { callGateway, GatewayAnswerError } from '../client/index.ts';
import { CommandError } from './command-error.ts';

/** Parts of answers that are printed: nothing but their own form passes. */
export const tenantIdAnswer = z.string().refine((id) => isId('tenant', id));
export const apiKeyIdAnswer = z.string().refine((id) => isId('apiKey', id));
export const apiKeyAnswer = z.string().regex(/^sd_live_[\w-]{1,128}$/);

export interface GatewayAddress {
  /** Where the gateway answers. */
  readonly url: string;
  readonly apiKey?: string;
  /** Allows clear http to another machine. */
  readonly insecureHttp?: boolean;
}

/**
 * The data of one operation as `answer` describes it. Throws SealdeskError with the gateway's own code,
 * GatewayAnswerError for an answer of another shape, CommandError where nobody answers.
 */
export async function askGateway<Answer>(
  { url, apiKey, insecureHttp = false }: GatewayAddress,
  operation: { readonly query: string; readonly answer: z.ZodType<Answer> },
  variables: JsonObject = {},
): Promise<Answer> {
  const connection = { gateway: url, fetch, insecureHttp, ...(apiKey === undefined ? {} : { apiKey }) };
  const data = await callGateway(connection, operation.query, variables).catch((error: unknown) => {
    throw asUnreached(error, url);
  });
  const parsed = operation.answer.safeParse(data);
  if (!parsed.success) throw new GatewayAnswerError('The gateway answered something else than was asked.');
  return parsed.data;
}

/** What `fetch` throws names neither host nor reason in its message; its cause does. */
export function asUnreached(error: unknown, url: string): unknown {
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new CommandError(`The gateway at ${url} did not answer in time.`);
  }
  if (!(error instanceof TypeError) || !(error.cause instanceof Error)) return error;
  const reason = 'code' in error.cause ? String(error.cause.code) : error.cause.message;
  return new CommandError(`The gateway at ${url} cannot be reached (${reason}).`);
}
