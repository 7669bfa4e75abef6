/**
 * Bodies of Zendesk's answers, from bytes to values. They are untrusted: an answer may be HTML, cut
 * off, absurdly nested, or carry a secret that nobody asked for.
 */
import { type JsonValue, parseUtf8 } from '../base/index.ts';

/** Deepest nesting that is read; Zendesk's own objects stay below 12. */
export const MAX_JSON_DEPTH = 64;

/** Members that hold a secret of the account or of the session and leave no answer. */
const SECRET_MEMBERS: ReadonlySet<string> = new Set([
  'authenticity_token',
  'access_token',
  'refresh_token',
  'api_token',
  'full_token',
  'client_secret',
  'signing_secret',
  'password',
  'crypted_password',
]);

type Parsed = JsonValue | undefined;

/**
 * The JSON value that `bytes` are, without its secret members; `undefined` when they are not
 * well-formed UTF-8 JSON or nest deeper than {@link MAX_JSON_DEPTH}.
 */
export function parseJsonBody(bytes: Uint8Array): Parsed {
  const value = parseRawJson(bytes);
  return value !== undefined && stripSecrets(value, 0) ? value : undefined;
}

/** As {@link parseJsonBody}, with every member kept: for calls that are made to learn a secret. */
export function parseRawJson(bytes: Uint8Array): Parsed {
  const text = parseUtf8(bytes);
  if (text === null) return undefined;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    // The parser's own error quotes the body, so it goes no further.
    return undefined;
  }
}

/** Removes secret members in place, the value being ours alone; `false` when nested too deep. */
function stripSecrets(value: JsonValue, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth > MAX_JSON_DEPTH) return false;
  if (Array.isArray(value)) return value.every((element) => stripSecrets(element, depth + 1));
  const members = value as { [member: string]: JsonValue };
  for (const name in members) {
    if (SECRET_MEMBERS.has(name)) delete members[name];
    else if (!stripSecrets(members[name] as JsonValue, depth + 1)) return false;
  }
  return true;
}
