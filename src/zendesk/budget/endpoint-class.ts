/**
 * The endpoints that Zendesk counts by themselves beside the account (zendesk-api §3.2 and §3.3). A class
 * bears the name of its header, `zendesk-ratelimit-<name>`, so that answers teach its limit; totals vary
 * by account, and a first guess stands only where the documented one holds for every account.
 */

/** The bucket that every call counts against. */
export const ACCOUNT = 'account';

export interface BucketSpec {
  /** Milliseconds that a call counts. */
  readonly windowMs: number;
  /** Calls a window until an answer tells the limit; `null`: not limited until then. */
  readonly firstGuess: number | null;
}

const MINUTE = 60_000;

const SPECS: Readonly<Record<string, BucketSpec>> = Object.freeze({
  __proto__: null,
  'incremental-exports': { windowMs: MINUTE, firstGuess: 10 },
  'search-export': { windowMs: MINUTE, firstGuess: 100 },
  'search-index': { windowMs: MINUTE, firstGuess: null },
  'tags-index': { windowMs: MINUTE, firstGuess: null },
  'tickets-destroy': { windowMs: MINUTE, firstGuess: null },
  'tickets-index': { windowMs: MINUTE, firstGuess: null },
  'tickets-update': { windowMs: MINUTE, firstGuess: null },
  'users-update': { windowMs: 1000, firstGuess: 1 },
} as unknown as Record<string, BucketSpec>);

const DEFAULT_SPEC: BucketSpec = Object.freeze({ windowMs: MINUTE, firstGuess: null });

const ROUTES: readonly (readonly [method: string, path: RegExp, name: string])[] = [
  ['GET', /^incremental\//, 'incremental-exports'],
  ['GET', /^search\/export$/, 'search-export'],
  ['GET', /^search$/, 'search-index'],
  ['GET', /^tags$/, 'tags-index'],
  ['DELETE', /^tickets\/\d+$/, 'tickets-destroy'],
  ['GET', /^tickets$/, 'tickets-index'],
  ['PUT', /^tickets\/(?:\d+|update_many)$/, 'tickets-update'],
  ['PUT', /^users\/\d+$/, 'users-update'],
  ['POST', /^users\/create_or_update$/, 'users-update'],
];

/** The class that a call counts against beside the account, or `null`. `path` is without query. */
export function endpointClassOf(method: string, path: string): string | null {
  const resource = path.replace(/^\/api\/v2\//, '').replace(/\.json$/, '');
  return ROUTES.find(([verb, route]) => verb === method && route.test(resource))?.[2] ?? null;
}

/** How the bucket `name` counts; {@link ACCOUNT} by the minute, unlimited by itself only for classes. */
export function specOf(name: string): BucketSpec {
  return SPECS[name] ?? DEFAULT_SPEC;
}
