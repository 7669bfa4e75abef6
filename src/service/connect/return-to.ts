/**
 * Where the page at the end may link to: a place of the gateway itself, or of an origin that the operator lists.
 * Whatever a browser might read in another way than we do is refused, not repaired: backslashes, controls, spaces,
 * anything beyond ASCII, a name before the host, another scheme.
 */
import { invalidInput } from '../input.ts';

export const MAX_RETURN_TO_CHARACTERS = 2_048;
const VISIBLE = /^[\x21-\x7e]+$/;
/** With an authority of host and port alone. */
const ABSOLUTE =
  /^https?:\/\/[a-z0-9.-]+(?::\d{1,5})?(?:[/?#]|$)|^https?:\/\/\[[0-9a-f:.]+\](?::\d{1,5})?(?:[/?#]|$)/i;
const PATH = /^\/(?!\/)/;

export interface ReturnOrigins {
  /** How clients reach the gateway, without a slash at the end. */
  readonly publicUrl: string;
  /** Other origins that may be linked to. */
  readonly returnOrigins: readonly string[];
}

/** `text` as the absolute URL that is linked to. Throws VALIDATION_FAILED. */
export function parseReturnTo(text: string, { publicUrl, returnOrigins }: ReturnOrigins): string {
  const own = new URL(publicUrl).origin;
  const isPlain = text.length <= MAX_RETURN_TO_CHARACTERS && VISIBLE.test(text) && !text.includes('\\');
  const isPath = PATH.test(text);
  const url = isPlain && (isPath || ABSOLUTE.test(text)) ? URL.parse(text, own) : null;
  const isKnown = url !== null && (url.origin === own || (!isPath && returnOrigins.includes(url.origin)));
  if (!isKnown || url.username !== '' || url.password !== '') {
    throw invalidInput([
      {
        path: 'returnTo',
        message:
          'must be a path of the gateway, or a URL of the gateway or of an origin in SEALDESK_CORS_ORIGINS',
      },
    ]);
  }
  return url.href;
}

/** `returnTo` with how it ended as a query member. */
export function withEnding(returnTo: string, name: 'connected' | 'connect_error', value: string): string {
  const url = new URL(returnTo);
  for (const member of ['connected', 'connect_error']) url.searchParams.delete(member);
  url.searchParams.set(name, value);
  return url.href;
}
