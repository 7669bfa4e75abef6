/**
 * The API without sockets: host check, account limit, endpoint, login, scopes, endpoint limits, body, handler,
 * in the order a caller can tell apart by the answers. Synchronous, so no two calls interleave.
 */
import type { Call, World } from './call.ts';
import { decideConsent, showConsent } from './consent.ts';
import type { Caller } from './credentials.ts';
import { accountLimited, type EndpointLimit, endpointLimited } from './endpoint-limits.ts';
import { exchangeToken, parseTokenRequest } from './oauth.ts';
import type { BucketState, RateLimiter } from './rate-limit.ts';
import {
  coded,
  empty,
  forbidden,
  invalidAttribute,
  json,
  listed,
  Refusal,
  type Reply,
  text,
  unauthenticated,
} from './reply.ts';
import { matchRoute, misusedId, type Route, type RouteMatch, requiredScopes } from './routes.ts';

export interface ApiRequest {
  readonly method: string;
  /** Path without `.json`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
  readonly origin: string;
  readonly host: string;
}

export interface ApiOptions {
  readonly world: World;
  readonly limiter: RateLimiter;
  readonly limits: ReadonlyMap<string, EndpointLimit>;
  readonly headerSpelling: 'current' | '2023';
  readonly knownSubdomains: readonly string[] | null;
}

/** Larger request bodies are refused with 413. */
export const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

const header = (request: ApiRequest, name: string): string => {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
};

const assertSubdomain = (request: ApiRequest, known: readonly string[] | null): void => {
  if (known === null) return;
  const subdomain = request.host.split(':')[0]?.split('.')[0] ?? '';
  if (known.includes(subdomain.toLowerCase())) return;
  throw new Refusal(
    json(404, {
      error: {
        title: `No help desk at ${request.host}`,
        message:
          'There is no help desk configured at this address. This means that the address is available and that you can claim it.',
      },
    }),
  );
};

const assertAllowed = (route: Route, caller: Caller): void => {
  if (route.audience === 'anyone' && caller.kind === 'anonymous') return;
  if (caller.kind === 'anonymous') throw unauthenticated();
  const scopes = requiredScopes(route);
  if (
    caller.scopes !== null &&
    scopes.length > 0 &&
    !scopes.some((scope) => caller.scopes?.includes(scope))
  ) {
    throw new Refusal(coded(403, 'Forbidden', `Missing the following required scopes: ${scopes[0]}`));
  }
  if (
    route.audience === 'agent' &&
    (caller.user.role === 'end-user' || caller.user.suspended || !caller.user.active)
  ) {
    throw forbidden();
  }
  if (route.audience === 'admin' && (caller.user.role !== 'admin' || caller.user.suspended)) {
    throw route.resource === 'webhooks'
      ? new Refusal(listed(403, 'Forbidden', 'Forbidden', 'Only administrators can manage webhooks'))
      : forbidden();
  }
};

const parseBody = (request: ApiRequest): unknown => {
  if (request.method === 'GET' || request.body.length === 0) return undefined;
  if (!header(request, 'content-type').toLowerCase().includes('json')) {
    throw new Refusal(coded(415, 'UnsupportedMediaType', 'Content-Type must be application/json'));
  }
  try {
    const value: unknown = JSON.parse(Buffer.from(request.body).toString('utf8'));
    return value;
  } catch {
    throw new Refusal(text(400, 'There was a problem in the JSON you submitted'));
  }
};

const totalHeaders = (state: BucketState): Record<string, string> => ({
  'x-rate-limit': String(state.total),
  'x-rate-limit-remaining': String(state.remaining),
});

const rateHeaders = (options: ApiOptions, state: BucketState): Record<string, string> => {
  const prefix = options.headerSpelling === 'current' ? 'ratelimit' : 'rate-limit';
  return {
    ...totalHeaders(state),
    [`${prefix}-limit`]: String(state.total),
    [`${prefix}-remaining`]: String(state.remaining),
    [`${prefix}-reset`]: String(state.resets),
  };
};

const takeLimits = (
  options: ApiOptions,
  route: Route,
  call: Call,
): { headers: Record<string, string>; refused: Reply | null } => {
  const headers: Record<string, string> = {};
  const prefix = options.headerSpelling === 'current' ? 'zendesk-ratelimit' : 'zendesk-rate-limit';
  for (const use of route.limits) {
    const limit = options.limits.get(use.name);
    if (!limit) throw new RangeError(`no limit is called ${use.name}`);
    const { taken, state } = options.limiter.takeEndpoint(
      use.key ? `${use.name}:${use.key(call)}` : use.name,
      limit.total,
      limit.windowMs,
    );
    headers[`${prefix}-${use.name}`] =
      `total=${state.total}; remaining=${state.remaining}; resets=${state.resets}`;
    if (!taken) return { headers, refused: endpointLimited(limit, state.resets) };
  }
  return { headers, refused: null };
};

const assertSize = (request: ApiRequest): void => {
  if (request.body.length > MAX_REQUEST_BYTES) {
    throw new Refusal(coded(413, 'RequestEntityTooLarge', 'The request body is too large'));
  }
};

const assertRoute = (request: ApiRequest, match: RouteMatch | null): RouteMatch => {
  if (match) return match;
  const resource = misusedId(request.method, request.path);
  if (resource !== null) throw invalidAttribute('id', 'must be an integer', `${resource}/show`);
  throw new Refusal(coded(404, 'InvalidEndpoint', 'Not found'));
};

const guard = (work: () => Reply): Reply => {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) return error.reply;
    throw error;
  }
};

/** Whether the path belongs to the webhooks service, which counts its calls apart from the account's. */
const isWebhookPath = (path: string): boolean => /^\/api\/v2\/webhooks(\/|$)/.test(path);

/** Counts a call of the webhooks service; its `x-rate-limit` is its own. */
const takeWebhooks = (options: ApiOptions, path: string): { taken: boolean; state: BucketState } => {
  const name = path === '/api/v2/webhooks/test' ? 'webhooks-test' : 'webhooks';
  const limit = options.limits.get(name);
  if (!limit) throw new RangeError(`no limit is called ${name}`);
  return options.limiter.takeEndpoint(name, limit.total, limit.windowMs);
};

const takeAccount = (options: ApiOptions): { taken: boolean; state: BucketState } => {
  const taken = options.limiter.takeAccount();
  return { taken, state: options.limiter.accountState() };
};

const handleApi = (options: ApiOptions, request: ApiRequest, match: RouteMatch | null): Reply => {
  const { world } = options;
  const ofWebhooks = isWebhookPath(request.path);
  const { taken, state } = ofWebhooks ? takeWebhooks(options, request.path) : takeAccount(options);
  const headers = ofWebhooks ? totalHeaders(state) : rateHeaders(options, state);
  const reply = guard(() => {
    if (!taken) return accountLimited(state.resets);
    assertSize(request);
    const { route, params } = assertRoute(request, match);
    const caller = world.credentials.authenticate(header(request, 'authorization') || undefined);
    assertAllowed(route, caller);
    const call: Call = {
      world,
      method: request.method,
      path: request.path,
      params,
      query: request.query,
      headers: request.headers,
      body: undefined,
      rawBody: request.body,
      origin: request.origin,
      caller,
    };
    const limits = takeLimits(options, route, call);
    Object.assign(headers, limits.headers);
    return limits.refused ?? route.handler({ ...call, body: parseBody(request) });
  });
  return { ...reply, headers: { ...headers, ...reply.headers } };
};

const handleToken = (options: ApiOptions, request: ApiRequest): Reply => {
  assertSize(request);
  if (request.method !== 'POST') return empty(404);
  return exchangeToken(
    options.world,
    parseTokenRequest(header(request, 'content-type').toLowerCase(), request.body),
  );
};

const CONSENT_PATH = '/oauth/authorizations/new';
const DECISION_PATH = '/oauth/authorizations';

const handleConsent = ({ world }: ApiOptions, request: ApiRequest): Reply => {
  assertSize(request);
  if (request.path === CONSENT_PATH && request.method === 'GET') return showConsent(world, request.query);
  if (request.path === DECISION_PATH && request.method === 'POST') return decideConsent(world, request.body);
  return empty(404);
};

/** Answers one request. Never throws for anything a caller can send. */
export const handleRequest = (options: ApiOptions, request: ApiRequest): Reply =>
  guard(() => {
    assertSubdomain(request, options.knownSubdomains);
    if (request.path === '/oauth/tokens') return handleToken(options, request);
    if (request.path.startsWith(DECISION_PATH)) return handleConsent(options, request);
    if (!request.path.startsWith('/api/v2/')) throw new Refusal(coded(404, 'InvalidEndpoint', 'Not found'));
    return handleApi(options, request, matchRoute(request.method, request.path));
  });

/** Name of the endpoint for logs and statistics, e.g. `GET /api/v2/tickets/:id`. */
export const endpointName = (method: string, path: string): string | null => {
  if (['/oauth/tokens', CONSENT_PATH, DECISION_PATH].includes(path)) return `${method} ${path}`;
  const match = matchRoute(method, path);
  return match ? `${match.route.method} ${match.route.template}` : null;
};
