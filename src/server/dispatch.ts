/**
 * From a request to its answer: route, authenticate, limit, run, and turn what was thrown into one
 * of the coded failures. Only errors of ours pass with their text; anything else is INTERNAL with a
 * request id, its cause in the log.
 */
import { isSealdeskError, type Log, SealdeskError } from '../base/index.ts';
import { withMendLink } from '../proxy/index.ts';
import { CALLBACK_PATH, type Call, type Services } from '../service/index.ts';
import { admit } from './admit.ts';
import { anonymousCall } from './anonymous-call.ts';
import { type Answer, errorAnswer, jsonAnswer } from './answer.ts';
import { corsHeaders, preflightAnswer } from './cors.ts';
import { credentialOf } from './credential.ts';
import { graphqlErrorAnswer } from './graphql/error-answer.ts';
import type { GraphqlRoute } from './graphql/route.ts';
import { checkReadiness } from './health.ts';
import type { Dispatch } from './http-server.ts';
import { clientNonceOf, type Incoming } from './incoming.ts';
import { METRICS_PATH, type MetricsRoute } from './metrics-route.ts';
import { callbackFailure, oauthCallbackRoute } from './oauth-callback.ts';
import { RECONNECT_PATH, reconnectPage } from './reconnect-page.ts';
import { AUDIT_EXPORT_PATH, auditExportRoute } from './rest/audit-export.ts';
import { createIntegrationRoute } from './rest/create-integration.ts';
import { proxyOutboundRoute } from './rest/proxy-outbound.ts';
import type { RestRoute } from './rest/rest-route.ts';
import { vaultSealRoute } from './rest/vault-seal.ts';
import type { EdgeTally } from './tally.ts';
import { createWebhookRoute, WEBHOOK_PATH, type WebhookRoute } from './webhook.ts';
import { wellKnownKeysRoute } from './well-known.ts';

export interface DispatchOptions {
  readonly services: Services;
  readonly graphql: GraphqlRoute;
  readonly corsOrigins: readonly string[];
  readonly log: Log;
  /** Where answers are counted. */
  readonly tally?: EdgeTally;
  /** Shown at `/metrics`, which else is not there. */
  readonly metrics?: MetricsRoute;
}

const GRAPHQL_PATH = '/graphql';
const KEYS_PATH = '/.well-known/sealdesk/';
const REST_ROUTES: Readonly<Record<string, RestRoute>> = Object.freeze({
  '/api/v2/proxy/outbound': proxyOutboundRoute,
  '/api/v2/vault/seal': vaultSealRoute,
  '/api/v2/integrations': createIntegrationRoute,
});
/** The routes that take JSON for one use case each. */
export const REST_PATHS: readonly string[] = Object.freeze(Object.keys(REST_ROUTES));
const NAMED_PATHS: ReadonlySet<string> = new Set([
  GRAPHQL_PATH,
  METRICS_PATH,
  '/healthz',
  '/readyz',
  CALLBACK_PATH,
  ...REST_PATHS,
]);

/** The gateway's answer to every request. It never throws. */
export function createDispatch(options: DispatchOptions): Dispatch {
  const { services, corsOrigins, log, tally } = options;
  const routes: Routes = { ...options, webhook: createWebhookRoute(services) };
  return async (incoming) => {
    const cors = corsHeaders(incoming, corsOrigins);
    const answer = incoming.method === 'OPTIONS' ? preflightAnswer(cors) : await answerRequest(incoming);
    tally?.countAnswer(routeNameOf(incoming.path), answer.status);
    return {
      ...answer,
      headers: { ...answer.headers, ...allowHeader(incoming), 'x-request-id': incoming.requestId, ...cors },
    };
  };

  async function answerRequest(incoming: Incoming): Promise<Answer> {
    let call = anonymousCall(incoming);
    try {
      return await route(routes, incoming, (known) => {
        call = known;
      });
    } catch (error) {
      const failure = isSealdeskError(error) ? error : internalError(error, incoming.requestId, log);
      const recorded = withMendLink(await services.recordFailure(call, failure), services.publicUrl);
      switch (incoming.path) {
        case GRAPHQL_PATH:
          return graphqlErrorAnswer(recorded, incoming);
        case CALLBACK_PATH:
          return callbackFailure(recorded, incoming.requestId);
        default:
          return errorAnswer(recorded, incoming.requestId);
      }
    }
  }
}

/** INTERNAL, with the cause in the log under the request's id. */
export function internalError(error: unknown, requestId: string, log: Log): SealdeskError {
  log.error('A request failed inside the gateway', {
    requestId,
    error: error instanceof Error ? error : new TypeError('something other than an Error was thrown'),
  });
  return new SealdeskError(
    'INTERNAL',
    `The gateway failed. Give the operator this request id: ${requestId}.`,
  );
}

type NoteCall = (call: Call) => void;
type Routes = DispatchOptions & { readonly webhook: WebhookRoute };

async function route(routes: Routes, incoming: Incoming, note: NoteCall): Promise<Answer> {
  const { services, graphql, webhook, metrics } = routes;
  const { path } = incoming;
  if (incoming.refusal !== null) {
    // What was not read has proven nothing.
    if (incoming.refusal.code === 'PAYLOAD_TOO_LARGE') services.takeFromRate(anonymousCall(incoming));
    throw incoming.refusal;
  }
  const restRoute = Object.hasOwn(REST_ROUTES, path) ? REST_ROUTES[path] : undefined;
  if (restRoute !== undefined) {
    assertMethod(incoming);
    const call = await admitCaller(services, incoming, note);
    assertJson(incoming);
    return restRoute(services, call, incoming);
  }
  if (path.startsWith(AUDIT_EXPORT_PATH)) {
    assertMethod(incoming);
    return auditExportRoute(services, await admitCaller(services, incoming, note), path);
  }
  if (path === GRAPHQL_PATH) {
    assertMethod(incoming);
    const call = await admitRequest(services, incoming, note);
    assertJson(incoming);
    return graphql(call, incoming);
  }
  if (path.startsWith(WEBHOOK_PATH)) {
    assertMethod(incoming);
    return webhook(anonymousCall(incoming), incoming);
  }
  if (path === METRICS_PATH && metrics !== undefined) {
    assertMethod(incoming);
    return metrics(incoming, () => services.takeFromRate(anonymousCall(incoming)));
  }
  if (path === '/healthz') return jsonAnswer(200, { status: 'ok' });
  if (path === '/readyz') return checkReadiness(services);
  if (path === CALLBACK_PATH) {
    assertMethod(incoming);
    services.takeFromRate(anonymousCall(incoming));
    return oauthCallbackRoute(services, anonymousCall(incoming), incoming.query);
  }
  if (path.startsWith(RECONNECT_PATH)) {
    assertMethod(incoming);
    services.takeFromRate(anonymousCall(incoming));
    return reconnectPage();
  }
  if (path.startsWith(KEYS_PATH)) {
    assertMethod(incoming);
    services.takeFromRate(anonymousCall(incoming));
    return wellKnownKeysRoute(services, path);
  }
  throw new SealdeskError('NOT_FOUND', 'There is no such route. The GraphQL API is POST /graphql.');
}

async function admitRequest(services: Services, incoming: Incoming, note: NoteCall): Promise<Call> {
  const { headers } = incoming;
  const call = await admit(services, anonymousCall(incoming), credentialOf(headers), note);
  note(call);
  return { ...call, clientNonce: clientNonceOf(headers) };
}

/** {@link admitRequest} for what needs a caller. */
async function admitCaller(services: Services, incoming: Incoming, note: NoteCall): Promise<Call> {
  const call = await admitRequest(services, incoming, note);
  if (call.caller !== null) return call;
  throw new SealdeskError('UNAUTHENTICATED', 'This needs an API key. Send it as X-API-Key.');
}

/** The one method of a route; `null` where any will do, or there is no such route. */
function methodOf(path: string): 'GET' | 'POST' | null {
  if (path === GRAPHQL_PATH || path.startsWith(WEBHOOK_PATH) || Object.hasOwn(REST_ROUTES, path))
    return 'POST';
  const isRead = [KEYS_PATH, AUDIT_EXPORT_PATH, RECONNECT_PATH].some((prefix) => path.startsWith(prefix));
  return isRead || path === METRICS_PATH || path === CALLBACK_PATH ? 'GET' : null;
}

/** The route as metrics name it, which is never what a stranger made up. */
function routeNameOf(path: string): string {
  if (NAMED_PATHS.has(path)) return path;
  const prefixes = [WEBHOOK_PATH, KEYS_PATH, AUDIT_EXPORT_PATH, RECONNECT_PATH];
  return prefixes.find((prefix) => path.startsWith(prefix)) ?? 'other';
}

function assertMethod({ method, path }: Incoming): void {
  const only = methodOf(path);
  if (only === null || method === only) return;
  throw new SealdeskError('VALIDATION_FAILED', `This route answers ${only} only.`);
}

/** `Allow` where the route does not answer the method. */
function allowHeader({ method, path }: Incoming): Record<string, string> {
  const only = methodOf(path);
  return only === null || method === only || method === 'OPTIONS' ? {} : { allow: only };
}

/** A page can send a form or plain text to any host unasked, JSON only after a preflight. */
function assertJson(incoming: Incoming): void {
  const type = incoming.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return;
  throw new SealdeskError('VALIDATION_FAILED', 'The body must be JSON: send Content-Type: application/json.');
}
