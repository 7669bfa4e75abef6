/** What a simulator can be told at start, with the defaults and their checks. */
import { ADMIN_EMAIL, AGENT_EMAIL, CUSTOMER_EMAIL, SUSPENDED_EMAIL } from './account.ts';
import { LANGUAGES, type Language } from './messages.ts';

/** Milliseconds since 1970; injected by tests that must not wait for windows, expiries and cursors. */
export interface SimulatorClock {
  now(): number;
}

/** Account-wide requests per minute (rate-limits page; Support API counted). */
export const PLAN_LIMITS = {
  team: 200,
  growth: 400,
  professional: 400,
  enterprise: 700,
  enterprise_plus: 2500,
} as const;
export type Plan = keyof typeof PLAN_LIMITS;

export const SIDE_LOADS = ['partial', 'whole'] as const;
export type SideLoads = (typeof SIDE_LOADS)[number];

export interface ApiTokenAccount {
  /** The user the token acts as; created in the role given when the data set doesn't have the address. */
  readonly email: string;
  readonly token: string;
  readonly role?: 'end-user' | 'agent' | 'admin';
  readonly suspended?: boolean;
}

export interface OAuthClientAccount {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Scopes the client may ask for. */
  readonly scopes: readonly string[];
  readonly kind?: 'confidential' | 'public';
  /** Where the consent page may send people back to: absolute, https but on this machine. Default none. */
  readonly redirectUris?: readonly string[];
  /** The user that client_credentials tokens act as; default the demo admin. */
  readonly email?: string;
  /** Tokens expire after 30 minutes although the request named no `expires_in` (and the answer doesn't say so). */
  readonly enforceExpiry?: boolean;
}

export interface AccessTokenAccount {
  readonly token: string;
  readonly scopes: readonly string[];
  readonly email?: string;
  /** Milliseconds since 1970; absent = never. */
  readonly expiresAt?: number;
}

/** How webhooks are delivered; see webhook-delivery.ts. */
export interface WebhookDeliveryOptions {
  /** Milliseconds until an attempt is given up; default 12,000. */
  readonly timeoutMs?: number;
  /** Milliseconds before a timeout or a 409 is retried; default 1,000. */
  readonly retryDelayMs?: number;
  /** Attempts at a time per webhook; default 8. With 1 events arrive in the order they happened. */
  readonly concurrency?: number;
  /** Events waiting per webhook; further ones are dropped. Default 10,000. */
  readonly queueSize?: number;
  /** Deliveries kept in the log; default 5,000. */
  readonly logSize?: number;
}

/** Who is in the account besides what the tickets need; see dataset-people.ts. */
export interface PeopleOptions {
  /** Users in all, staff included, 0 to 1,000,000; default by the number of tickets. */
  readonly count?: number;
  /** Agents and admins among them, 5 to 5,000; default 24. */
  readonly staff?: number;
  /** Gives the staff custom roles, light agents, long absences, missing second factors and suspensions. */
  readonly varied?: boolean;
  /** Adds the people of odd-people.ts. */
  readonly odd?: boolean;
  /** Seats that agents and admins take; over it none can be added. Default: no limit. */
  readonly seats?: number;
  /** Address of the account's owner; default a seeded admin who is none of the demo people. */
  readonly owner?: string;
}

export interface SimulatorOptions {
  /** 0 (default) takes a free port. */
  readonly port?: number;
  readonly host?: string;
  /** Seeded tickets, 0 to 1,000,000; default 3,000. */
  readonly tickets?: number;
  readonly seed?: number;
  readonly people?: PeopleOptions;
  readonly plan?: Plan;
  readonly window?: 'fixed' | 'sliding';
  /** Requests per minute of the account in place of the plan's. */
  readonly accountLimit?: number;
  /** Totals by endpoint limit name (endpoint-limits.ts), e.g. `{ 'tickets-index': 20000 }`. */
  readonly endpointLimits?: Readonly<Record<string, number>>;
  /** `off` lifts every limit that isn't set by name, for benchmarks; default `on`. */
  readonly limits?: 'on' | 'off';
  /** `2023` sends `rate-limit*` and `zendesk-rate-limit-*` in place of today's `ratelimit*`. */
  readonly headerSpelling?: 'current' | '2023';
  readonly clock?: SimulatorClock;
  /** The moment the seeded data ends, in milliseconds; see dataset.ts for the default. */
  readonly anchor?: number;
  readonly accounts?: {
    readonly apiTokens?: readonly ApiTokenAccount[];
    readonly oauthClients?: readonly OAuthClientAccount[];
    readonly accessTokens?: readonly AccessTokenAccount[];
  };
  /** When given, a first host label outside this list gets the "No help desk" 404. */
  readonly knownSubdomains?: readonly string[];
  /** Origin used in `url` and `links` in place of the requested one (host-mapped accounts). */
  readonly canonicalOrigin?: string;
  readonly language?: Language;
  readonly activityPerMinute?: number;
  /**
   * Whether side-loaded users and organizations have all their fields or, as the documentation leaves
   * room for, only those that say who it is; default `partial`.
   */
  readonly sideLoads?: SideLoads;
  /**
   * Seconds a change stays out of the incremental export, and the least age of `start_time`; default 60 as at
   * Zendesk. With 0 a change is exported as soon as its second is over.
   */
  readonly exportLagSeconds?: number;
  readonly webhooks?: WebhookDeliveryOptions;
  /** Keeps every version of every changed ticket for `history(id)`; default false. */
  readonly history?: boolean;
  /** Ticket versions kept; default 100,000. */
  readonly historySize?: number;
  /** Entries kept in the request log; default 10,000. */
  readonly requestLogSize?: number;
}

export const DEFAULT_API_TOKEN = 'demo-api-token-not-secret';
export const DEFAULT_OAUTH_CLIENT = 'sealdesk_demo';
export const DEFAULT_OAUTH_SECRET = 'demo-client-secret-not-secret';
/** The same as {@link DEFAULT_OAUTH_CLIENT}, but public: PKCE in place of a secret. */
export const DEFAULT_PUBLIC_CLIENT = 'sealdesk_demo_public';
/** The callback of the demo gateway. */
export const DEFAULT_REDIRECT_URI = 'http://localhost:4000/oauth/zendesk/callback';
export const DEFAULT_ACCESS_TOKEN = 'demo-access-token-not-secret';

export const DEFAULT_API_TOKENS: readonly ApiTokenAccount[] = [
  { email: ADMIN_EMAIL, token: DEFAULT_API_TOKEN },
  { email: AGENT_EMAIL, token: DEFAULT_API_TOKEN },
  { email: CUSTOMER_EMAIL, token: DEFAULT_API_TOKEN },
  { email: SUSPENDED_EMAIL, token: DEFAULT_API_TOKEN },
];

/** The invented OAuth clients, sending people back to `redirectUris`. */
export const defaultOAuthClients = (
  redirectUris: readonly string[] = [DEFAULT_REDIRECT_URI],
): readonly OAuthClientAccount[] => {
  const client = { clientSecret: DEFAULT_OAUTH_SECRET, scopes: ['read', 'write'], redirectUris };
  return [
    { ...client, clientId: DEFAULT_OAUTH_CLIENT },
    { ...client, clientId: DEFAULT_PUBLIC_CLIENT, kind: 'public' },
    { ...client, clientId: 'sealdesk_demo_enforced', enforceExpiry: true },
  ];
};

export const DEFAULT_ACCESS_TOKENS: readonly AccessTokenAccount[] = [
  { token: DEFAULT_ACCESS_TOKEN, scopes: ['read', 'write'] },
  { token: 'demo-read-token-not-secret', scopes: ['read'] },
  { token: 'demo-expired-token-not-secret', scopes: ['read', 'write'], expiresAt: 0 },
];

export const DEFAULT_EXPORT_LAG_SECONDS = 60;
export const DEFAULT_WEBHOOK_TIMEOUT_MS = 12_000;

const MAX_TICKETS = 1_000_000;
/** Of requests, where limits are off. */
export const NO_LIMIT = 1_000_000_000;

const assertInteger = (name: string, value: number | undefined, least: number, most: number): void => {
  if (value === undefined) return;
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new RangeError(`"${name}" must be an integer from ${least} to ${most}, got ${value}`);
  }
};

const assertRedirectUri = (uri: string): void => {
  const url = URL.parse(uri);
  const isLocal = url !== null && ['localhost', '127.0.0.1'].includes(url.hostname);
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLocal)) return;
  throw new RangeError(`"redirectUris" must be absolute, and https but on this machine, got ${uri}`);
};

/** Throws RangeError on a value out of range; the message names the option. */
export const assertOptions = (options: SimulatorOptions): void => {
  assertInteger('port', options.port, 0, 65_535);
  assertInteger('tickets', options.tickets, 0, MAX_TICKETS);
  assertInteger('seed', options.seed, -(2 ** 31), 2 ** 32);
  assertInteger('accountLimit', options.accountLimit, 1, 1_000_000);
  assertInteger('requestLogSize', options.requestLogSize, 1, 1_000_000);
  assertInteger('exportLagSeconds', options.exportLagSeconds, 0, 86_400);
  assertInteger('historySize', options.historySize, 1, 10_000_000);
  assertInteger('people.count', options.people?.count, 0, MAX_TICKETS);
  assertInteger('people.staff', options.people?.staff, 5, 5000);
  assertInteger('people.seats', options.people?.seats, 0, 1_000_000);
  const webhooks = options.webhooks ?? {};
  assertInteger('webhooks.timeoutMs', webhooks.timeoutMs, 1, 600_000);
  assertInteger('webhooks.retryDelayMs', webhooks.retryDelayMs, 0, 600_000);
  assertInteger('webhooks.concurrency', webhooks.concurrency, 1, 1000);
  assertInteger('webhooks.queueSize', webhooks.queueSize, 1, 1_000_000);
  assertInteger('webhooks.logSize', webhooks.logSize, 1, 1_000_000);
  for (const { redirectUris = [] } of options.accounts?.oauthClients ?? [])
    redirectUris.forEach(assertRedirectUri);
  if (options.plan !== undefined && !Object.hasOwn(PLAN_LIMITS, options.plan)) {
    throw new RangeError(`"plan" must be one of ${Object.keys(PLAN_LIMITS).join(', ')}, got ${options.plan}`);
  }
  if (options.sideLoads !== undefined && !SIDE_LOADS.includes(options.sideLoads)) {
    throw new RangeError(`"sideLoads" must be one of ${SIDE_LOADS.join(', ')}, got ${options.sideLoads}`);
  }
  if (options.language !== undefined && !LANGUAGES.includes(options.language)) {
    throw new RangeError(`"language" must be one of ${LANGUAGES.join(', ')}, got ${options.language}`);
  }
};
