/** What a running simulator offers to the program that opened it. */
import type { ActivityEvent } from './activity.ts';
import type { AccessToken, IssueOptions } from './credentials.ts';
import type { Faults } from './faults.ts';
import type { CommentRow, TicketRow, UserRow } from './records.ts';
import type { LoggedRequest, RequestLog, WaitOptions } from './request-log.ts';

/** Live activity; see activity.ts. A reset of the data stops it. */
export interface ActivityControl {
  readonly perMinute: number;
  readonly steps: number;
  start(perMinute: number, seed?: number): void;
  stop(): void;
  step(count?: number): ActivityEvent[];
  subscribe(listener: (event: ActivityEvent) => void): () => void;
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
  /** Read access to the stored tickets for assertions; rows are live, don't change them. */
  readonly tickets: {
    readonly count: number;
    get(id: number): Readonly<TicketRow> | null;
    comments(id: number): readonly CommentRow[];
    /** Every ticket that is not deleted, by ascending id. */
    all(): readonly Readonly<TicketRow>[];
    description(id: number): string | null;
  };
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
  /** Clears log, faults, counters and second consumer; `data: true` also restores the seeded account and credentials. */
  reset(options?: { readonly data?: boolean }): void;
}
