/** Cross-origin requests: none but from the origins that the operator lists, and never with cookies. */
import type { Answer } from './answer.ts';
import type { Incoming } from './incoming.ts';

const PREFLIGHT_SECONDS = 600;
const REQUEST_HEADERS = 'authorization, content-type, x-api-key, x-sealdesk-key, x-sealdesk-nonce';

/** The headers that let the calling page read the answer; none for an origin that is not listed. */
export function corsHeaders(incoming: Incoming, origins: readonly string[]): Record<string, string> {
  const origin = incoming.headers.get('origin');
  const listed = origin !== null && origins.includes(origin);
  return {
    ...(origins.length > 0 ? { vary: 'Origin' } : {}),
    ...(listed
      ? {
          'access-control-allow-origin': origin,
          'access-control-expose-headers': 'retry-after, x-request-id',
        }
      : {}),
  };
}

/** The answer to a preflight; without the headers of a listed origin the browser refuses to go on. */
export function preflightAnswer(cors: Readonly<Record<string, string>>): Answer {
  const allowed = 'access-control-allow-origin' in cors;
  return {
    status: 204,
    headers: allowed
      ? {
          'access-control-allow-methods': 'POST, GET',
          'access-control-allow-headers': REQUEST_HEADERS,
          'access-control-max-age': String(PREFLIGHT_SECONDS),
        }
      : {},
    body: '',
  };
}
