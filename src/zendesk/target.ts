/** Query members; `undefined` ones are left out, a list repeats its name (`role[]`). */
export type ZendeskQuery = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined>
>;

/** Characters; the fields that operations put into a query are bounded below it. */
const MAX_TARGET_LENGTH = 8192;
const PATH = /^\/api\/v2(?:\/[A-Za-z0-9_-]+)+(?:\.json)?$/;

/**
 * Path and query of a call. The path is built by our own code from words and numeric ids, so anything
 * else in it is misuse (TypeError), and so is a query that is not well-formed Unicode or makes the
 * target longer than 8 192 characters: what callers send is bounded before it comes here.
 */
export function encodeTarget(path: string, query: ZendeskQuery = {}): string {
  if (!PATH.test(path)) throw new TypeError('"path" must be a plain path below /api/v2/');
  const search = Object.entries(query)
    .flatMap(([name, value]) =>
      (typeof value === 'object' ? value : value === undefined ? [] : [value]).map(
        (one) => `${encodeURIComponent(name)}=${encodeValue(String(one))}`,
      ),
    )
    .join('&');
  const target = search === '' ? path : `${path}?${search}`;
  if (target.length > MAX_TARGET_LENGTH) throw new TypeError('"query" makes the target too long');
  return target;
}

function encodeValue(value: string): string {
  if (!value.isWellFormed()) throw new TypeError('"query" must be well-formed Unicode');
  return encodeURIComponent(value);
}
