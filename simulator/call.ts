/** One authenticated API call as handlers see it, and the world they work on. */
import type { Caller, Credentials } from './credentials.ts';
import type { IdempotencyCache } from './idempotency.ts';
import type { JobStatuses } from './job-statuses.ts';
import type { Messages } from './messages.ts';
import type { OAuthGrants } from './oauth-grants.ts';
import type { SideLoads, SimulatorClock } from './options.ts';
import type { UserRow } from './records.ts';
import type { Reply } from './reply.ts';
import { Refusal, titled, unauthenticated } from './reply.ts';
import type { Store } from './store.ts';
import { isRecord } from './validation.ts';
import type { WebhookRegistry } from './webhook-registry.ts';
import type { WebhookSender } from './webhook-sender.ts';

export interface World {
  readonly store: Store;
  readonly clock: SimulatorClock;
  readonly credentials: Credentials;
  readonly grants: OAuthGrants;
  readonly idempotency: IdempotencyCache;
  readonly jobs: JobStatuses;
  readonly webhooks: WebhookRegistry;
  readonly sender: WebhookSender;
  readonly messages: Messages;
  readonly sideLoads: SideLoads;
  /** Changes younger than this are not exported yet. */
  readonly exportLagSeconds: number;
  /** The account's owner. */
  readonly ownerId: number;
  /** Seats for agents and admins; null = no limit. */
  readonly seats: number | null;
}

export interface Call {
  readonly world: World;
  readonly method: string;
  /** Path without `.json`. */
  readonly path: string;
  readonly params: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Parsed JSON body; undefined when there was none. */
  readonly body: unknown;
  /** Bytes of the body, for fingerprints. */
  readonly rawBody: Uint8Array;
  /** `http://host[:port]` that `url` and `links` begin with. */
  readonly origin: string;
  readonly caller: Caller;
}

export type Handler = (call: Call) => Reply;

/** The signed-in user; routes that need one have been checked before. */
export const userOf = (call: Call): UserRow => {
  if (call.caller.kind === 'anonymous') throw unauthenticated();
  return call.caller.user;
};

/** The id in the path; a number that is no id gives 400 like Zendesk's routing does. */
export const idParam = (call: Call, index = 0): number => Number(call.params[index] ?? 'NaN');

/** The id in the path where ids are no numbers (jobs, webhooks). */
export const textParam = (call: Call, index = 0): string => call.params[index] ?? '';

/** The wrapped object of a write, e.g. `{"ticket":{…}}`. */
export const bodyObject = (call: Call, name: string): Record<string, unknown> => {
  const value = isRecord(call.body) ? call.body[name] : undefined;
  if (!isRecord(value)) {
    throw new Refusal(
      titled(
        400,
        'Invalid attribute',
        `You passed an invalid value for the ${name} attribute. Invalid parameter: ${name} is required`,
      ),
    );
  }
  return value;
};

/** `include=a,b` as a set; search's `tickets(users,groups)` form is flattened by its own handler. */
export const includes = (call: Call): ReadonlySet<string> =>
  new Set(
    (call.query.get('include') ?? '')
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  );

/** The header that tells of request keys which were ignored (Ruby-inspect text, as recorded). */
export const warnUnpermitted = (
  controller: string,
  action: string,
  keys: readonly string[],
): Record<string, string> =>
  keys.length === 0
    ? {}
    : {
        'x-zendesk-api-warn': `{:allowed_parameters=>{:controller=>"${controller}", :action=>"${action}", :unpermitted_keys=>[${keys
          .map((key) => `"${key.replace(/[^\w.[\]-]/g, '?')}"`)
          .join(', ')}], :invalid_values=>[]}}`,
      };
