/** What a running simulator offers to the program that opened it. */
import type { ActivityEvent } from './activity.ts';
import type { AccessToken, IssueOptions } from './credentials.ts';
import type { Delivery } from './delivery-log.ts';
import type { Faults } from './faults.ts';
import type { OAuthBehaviour } from './oauth-grants.ts';
import type { CommentRow, TicketRow, UserRow } from './records.ts';
import type { LoggedRequest, RequestLog, WaitOptions } from './request-log.ts';
import type { TicketVersion } from './ticket-history.ts';
import type { DisturbanceOptions } from './webhook-disturbance.ts';
import type { Webhook } from './webhook-registry.ts';

/** Live activity; see activity.ts. A reset of the data stops it. */
export interface ActivityControl {
  readonly perMinute: number;
  readonly steps: number;
  start(perMinute: number, seed?: number): void;
  stop(): void;
  step(count?: number): ActivityEvent[];
  subscribe(listener: (event: ActivityEvent) => void): () => void;
}

/**
 * Tickets past the API: for assertions, and to play the account's agents without login, limits and request log.
 * `fields` are those of `{"ticket":{…}}`; what the API would refuse is a RangeError.
 */
export interface TicketsControl {
  /** Tickets that are not deleted. */
  readonly count: number;
  /** The stored row, live, don't change it; null when there is none or it is deleted. */
  get(id: number): Readonly<TicketRow> | null;
  comments(id: number): readonly CommentRow[];
  /** Every ticket that is not deleted, by ascending id. */
  all(): readonly Readonly<TicketRow>[];
  description(id: number): string | null;
  /** The ticket's JSON as it is now, deleted or not; null when there is none of this id. */
  current(id: number): Readonly<Record<string, unknown>> | null;
  /** Returns the new ticket's id. */
  create(fields: Readonly<Record<string, unknown>>): number;
  change(id: number, fields: Readonly<Record<string, unknown>>): void;
  delete(id: number): void;
  restore(id: number): void;
  /** Deletes for good, whether the ticket is in the trash already or not. */
  scrub(id: number): void;
  /** Closes the tickets `ids` in favour of `id`. */
  merge(id: number, ids: readonly number[]): void;
  /** Moves `generated_timestamp` to the present second, and `updated_at` not; no webhook tells of it. */
  systemUpdate(id: number): void;
}

/**
 * Users past the API: for assertions, and to play the account's other admins. `fields` are those of
 * `{"user":{…}}`; what the API would refuse its owner is a RangeError.
 */
export interface UsersControl {
  /** Users in all, deleted ones included. */
  readonly count: number;
  readonly ownerId: number;
  readonly seatsUsed: number;
  /** The stored row, live, don't change it; null when there is none. */
  get(id: number): Readonly<UserRow> | null;
  byEmail(email: string): Readonly<UserRow> | null;
  /** The user's JSON as it is now, deleted or not; null when there is none of this id. */
  current(id: number): Readonly<Record<string, unknown>> | null;
  groupIds(id: number): readonly number[];
  sessionIds(id: number): readonly number[];
  /** Changes the row itself, unchecked, e.g. `{ suspended: true }`, another role or `lastLoginAt`. */
  update(id: number, changes: Partial<Omit<UserRow, 'id' | 'createdAt'>>): void;
  /** Returns the new user's id. */
  create(fields: Readonly<Record<string, unknown>>): number;
  change(id: number, fields: Readonly<Record<string, unknown>>): void;
  delete(id: number): void;
  /** Deletes for good, whether the user is deleted already or not. */
  scrub(id: number): void;
  join(id: number, groupId: number): void;
  leave(id: number, groupId: number): void;
  /** Begins a session and moves the last login. Returns the session's id. */
  signIn(id: number): number;
}

/** The account's webhooks and what becomes of their deliveries; see webhook-delivery.ts. */
export interface WebhooksControl {
  /** With their signing secrets. */
  list(): readonly Webhook[];
  /** The newest deliveries, by the order they fell due; states move on in place. */
  readonly deliveries: readonly Delivery[];
  /** Settled deliveries by state since the start or the last reset. */
  counts(): Readonly<Record<string, number>>;
  /** Deliveries neither made nor given up yet. */
  readonly pending: number;
  readonly paused: boolean;
  readonly disturbance: Required<DisturbanceOptions> | null;
  /** Spoils all later deliveries, the same way for the same seed; replaces the disturbance before. */
  disturb(options: DisturbanceOptions): void;
  /** Ends the disturbance. */
  calm(): void;
  /** Begins no further attempt until `resume`. */
  pause(): void;
  resume(): void;
  /** Resolves once everything due was delivered or given up. Rejects with the signal's reason. */
  untilDelivered(signal?: AbortSignal): Promise<void>;
}

/** The token endpoint and the consent page; see oauth-grants.ts. A reset ends what was set. */
export interface OAuthControl {
  readonly behaviour: Required<OAuthBehaviour>;
  behave(behaviour: OAuthBehaviour): void;
  /** Consents, or denies, as the form of the consent page does; where the browser is sent then. */
  consent(authorizationUrl: string, options?: ConsentOptions): string;
}

export interface ConsentOptions {
  /** Who consents; default the demo admin. */
  readonly email?: string;
  readonly decision?: 'allow' | 'deny';
}

export interface Simulator extends AsyncDisposable {
  /** `http://127.0.0.1:4001` */
  readonly url: string;
  readonly port: number;
  readonly faults: Faults;
  readonly requests: RequestLog;
  readonly activity: ActivityControl;
  /** Another user of the account's request budget. */
  readonly consumer: {
    readonly perMinute: number;
    consume(requests: number): void;
    /** Requests per minute of the simulator's clock; 0 stops. */
    start(perMinute: number): void;
  };
  readonly tickets: TicketsControl;
  readonly webhooks: WebhooksControl;
  readonly oauth: OAuthControl;
  /**
   * Every kept version of a ticket, oldest first, as the API showed it; empty when there is no such ticket.
   * RangeError unless the simulator was opened with `history: true`.
   */
  history(id: number): TicketVersion[];
  readonly users: UsersControl;
  /** Gives out an OAuth token; with `clientId` and `refreshExpiresIn` it comes with a refresh token. */
  issueAccessToken(options?: IssueOptions): AccessToken;
  /** False when the token is not known (any more). */
  revokeAccessToken(token: string): boolean;
  /** Resolves with the first request, past or future, that satisfies the predicate; see RequestLog.waitFor. */
  waitForRequest(
    predicate: (request: LoggedRequest) => boolean,
    options?: WaitOptions,
  ): Promise<LoggedRequest>;
  /**
   * Clears logs, faults, counters and second consumer, ends the disturbance of webhooks and resumes them;
   * `data: true` also restores the seeded account and credentials, without webhooks and what was due at them.
   */
  reset(options?: { readonly data?: boolean }): void;
}
