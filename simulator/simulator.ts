/** What a running simulator offers to the program that opened it. */
import type { ActivityEvent } from './activity.ts';
import type { AccessToken, IssueOptions } from './credentials.ts';
import type { Delivery } from './delivery-log.ts';
import type { Faults } from './faults.ts';
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
  /**
   * Every kept version of a ticket, oldest first, as the API showed it; empty when there is no such ticket.
   * RangeError unless the simulator was opened with `history: true`.
   */
  history(id: number): TicketVersion[];
  readonly users: {
    readonly count: number;
    get(id: number): Readonly<UserRow> | null;
    byEmail(email: string): Readonly<UserRow> | null;
    /** Changes a user behind the API's back, e.g. `{ suspended: true }` or another role. */
    update(id: number, changes: Partial<Omit<UserRow, 'id' | 'createdAt'>>): void;
  };
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
