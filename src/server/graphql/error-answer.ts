import type { SealdeskError } from '../../base/index.ts';
import { type Answer, jsonAnswer, publicDetails, retryAfterHeader } from '../answer.ts';
import type { Incoming } from '../incoming.ts';
import { graphqlMediaType } from './media-type.ts';

/** A failure before anything was executed, in the form of an execution result without data. */
export function graphqlErrorAnswer(error: SealdeskError, { requestId, headers }: Incoming): Answer {
  const { auditEventId } = error.details;
  return jsonAnswer(
    error.status,
    {
      errors: [{ message: error.message, extensions: { code: error.code, ...publicDetails(error) } }],
      extensions: { ...(auditEventId === undefined ? {} : { auditEventId }), requestId },
    },
    { 'content-type': `${graphqlMediaType(headers)}; charset=utf-8`, ...retryAfterHeader(error) },
  );
}
