/** A bounded log of what callers sent, for assertions and statistics. Secrets of the Authorization header are not kept. */

export type RequestOutcome = 'pending' | 'answered' | 'closed' | 'hung';

export interface LoggedRequest {
  /** 1 for the first request since the start or the last reset. */
  readonly sequence: number;
  /** Milliseconds since 1970 by the simulator's clock. */
  readonly at: number;
  readonly method: string;
  /** Path without query and without `.json`. */
  readonly path: string;
  /** Query string without `?`. */
  readonly query: string;
  /** Null until answered, and when the socket was closed or left hanging. */
  readonly status: number | null;
  readonly outcome: RequestOutcome;
  /** Route, e.g. `GET /api/v2/tickets/:id`; null when no endpoint matched. */
  readonly endpoint: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** `basic`, `bearer` or null. */
  readonly authorization: string | null;
}

/** Request headers kept in the log. */
const KEPT_HEADERS = [
  'accept',
  'accept-encoding',
  'content-type',
  'content-length',
  'host',
  'idempotency-key',
  'if-none-match',
  'user-agent',
  'x-request-id',
] as const;

interface Waiter {
  readonly matches: (request: LoggedRequest) => boolean;
  readonly settle: (request: LoggedRequest) => void;
}

export interface WaitOptions {
  /** Only requests with a greater sequence count; default 0, so requests already logged count. */
  readonly after?: number;
  readonly signal?: AbortSignal;
}

export class RequestLog {
  readonly #capacity: number;
  #entries: LoggedRequest[] = [];
  #sequence = 0;
  #counts = new Map<string, number>();
  #statuses = new Map<string, number>();
  #waiters = new Set<Waiter>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The kept entries, oldest first. */
  get entries(): readonly LoggedRequest[] {
    return this.#entries;
  }

  /** Requests since the start or the last reset, also those no longer kept. */
  get total(): number {
    return this.#sequence;
  }

  /** Requests by endpoint, e.g. `GET /api/v2/tickets/:id`. */
  byEndpoint(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort());
  }

  /** Answers by status; sockets closed or left hanging under `closed` and `hung`. */
  byStatus(): Record<string, number> {
    return Object.fromEntries([...this.#statuses].sort());
  }

  arrive(request: {
    at: number;
    method: string;
    path: string;
    query: string;
    endpoint: string | null;
    headers: Readonly<Record<string, string | string[] | undefined>>;
  }): LoggedRequest {
    this.#sequence += 1;
    const headers: Record<string, string> = {};
    for (const name of KEPT_HEADERS) {
      const value = request.headers[name];
      if (typeof value === 'string') headers[name] = value;
    }
    const authorization = request.headers['authorization'];
    const entry: LoggedRequest = {
      ...request,
      sequence: this.#sequence,
      status: null,
      outcome: 'pending',
      headers,
      authorization:
        typeof authorization === 'string' ? (authorization.split(' ')[0]?.toLowerCase() ?? null) : null,
    };
    this.#entries.push(entry);
    if (this.#entries.length >= this.#capacity * 2) this.#entries = this.#entries.slice(-this.#capacity);
    const key = request.endpoint ?? 'unknown';
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    this.#notify(entry);
    return entry;
  }

  finish(entry: LoggedRequest, status: number | null, outcome: RequestOutcome): void {
    const index = this.#entries.lastIndexOf(entry);
    const finished: LoggedRequest = { ...entry, status, outcome };
    if (index >= 0) this.#entries[index] = finished;
    const key = status === null ? outcome : String(status);
    this.#statuses.set(key, (this.#statuses.get(key) ?? 0) + 1);
    this.#notify(finished);
  }

  #notify(entry: LoggedRequest): void {
    for (const waiter of this.#waiters) if (waiter.matches(entry)) waiter.settle(entry);
  }

  /**
   * Resolves with the first request that satisfies `predicate`, looked at both when it arrives (status null)
   * and when it is finished. Rejects with the signal's reason.
   */
  waitFor(predicate: (request: LoggedRequest) => boolean, options: WaitOptions = {}): Promise<LoggedRequest> {
    const after = options.after ?? 0;
    const matches = (entry: LoggedRequest): boolean => entry.sequence > after && predicate(entry);
    const { promise, resolve, reject } = Promise.withResolvers<LoggedRequest>();
    const known = this.#entries.find(matches);
    if (known) {
      resolve(known);
      return promise;
    }
    if (options.signal?.aborted) {
      reject(options.signal.reason);
      return promise;
    }
    const onAbort = (): void => {
      this.#waiters.delete(waiter);
      reject(options.signal?.reason);
    };
    const waiter: Waiter = {
      matches,
      settle: (entry) => {
        this.#waiters.delete(waiter);
        options.signal?.removeEventListener('abort', onAbort);
        resolve(entry);
      },
    };
    options.signal?.addEventListener('abort', onAbort, { once: true });
    this.#waiters.add(waiter);
    return promise;
  }

  clear(): void {
    this.#entries = [];
    this.#sequence = 0;
    this.#counts = new Map();
    this.#statuses = new Map();
  }
}
