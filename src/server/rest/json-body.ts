import { parseUtf8, SealdeskError } from '../../base/index.ts';
import type { Incoming } from '../incoming.ts';

/** The JSON value of the body, or VALIDATION_FAILED. */
export function parseJsonBody(incoming: Incoming): unknown {
  const text = parseUtf8(incoming.body);
  try {
    if (text !== null) return JSON.parse(text);
  } catch {
    // Answered below: the parser's own message quotes the body.
  }
  throw new SealdeskError('VALIDATION_FAILED', 'The body is not well-formed JSON in UTF-8.');
}
