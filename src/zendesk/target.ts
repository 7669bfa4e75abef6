/** Query members; `undefined` ones are left out, a list repeats its name (`role[]`). */
export type ZendeskQuery = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined>
>;

const MAX_TARGET_LENGTH = 8192;
const PATH = /^\/api\/v2(?:\/[A-Za-z0-9_-]+)+(?:\.json)?$/;

/**
 * Path and query of a call. The path is built by our own code from words and numeric ids, so anything
 * else in it is misuse (TypeError), and so is a target over 8 192 characters.
 */
export function encodeTarget(path: string, query: ZendeskQuery = {}): string {
  if (!PATH.test(path)) throw new TypeError('"path" must be a plain path below /api/v2/');
  const search = Object.entries(query)
    .flatMap(([name, value]) =>
      (typeof value === 'object' ? value : value === undefined ? [] : [value]).map(
        (one) => `${encodeURIComponent(name)}=${encodeURIComponent(String(one))}`,
      ),
    )
    .join('&');
  const target = search === '' ? path : `${path}?${search}`;
  if (target.length > MAX_TARGET_LENGTH) throw new TypeError('"query" makes the target too long');
  return target;
}
