/**
 * A stand-in Zendesk account: data, credentials, limits, faults and life behind one HTTP server.
 *
 * It trusts nobody and protects nothing: the credentials are invented and documented, the control API has no
 * login, everything is in memory. Made for tests, demos and benchmarks of Zendesk clients.
 */
import { Activity } from './activity.ts';
import type { ApiOptions } from './api.ts';
import { handleControl } from './control.ts';
import { Credentials } from './credentials.ts';
import { datasetAnchor } from './dataset.ts';
import { createEndpointLimits } from './endpoint-limits.ts';
import { Faults } from './faults.ts';
import { IdempotencyCache } from './idempotency.ts';
import { messagesIn } from './messages.ts';
import { assertOptions, PLAN_LIMITS, type SimulatorOptions } from './options.ts';
import { RateLimiter } from './rate-limit.ts';
import { RequestLog } from './request-log.ts';
import { openServer } from './server.ts';
import type { Simulator } from './simulator.ts';
import { Store } from './store.ts';

const DEFAULT_TICKETS = 3000;
const DEFAULT_SEED = 20_261_121;
const DEFAULT_LOG_SIZE = 10_000;

interface Account {
  readonly store: Store;
  readonly credentials: Credentials;
  readonly activity: Activity;
  readonly api: ApiOptions;
}

/** Opens a simulator; dispose it to free the port. RangeError on options out of range, EADDRINUSE on a taken port. */
export const openSimulator = async (options: SimulatorOptions = {}): Promise<Simulator> => {
  assertOptions(options);
  const clock = options.clock ?? { now: () => Date.now() };
  const plan = options.plan ?? 'enterprise';
  const seed = options.seed ?? DEFAULT_SEED;
  const limiter = new RateLimiter(
    clock,
    options.window ?? 'fixed',
    options.accountLimit ?? PLAN_LIMITS[plan],
  );
  const limits = createEndpointLimits(plan, options.endpointLimits ?? {});
  const faults = new Faults();
  const requests = new RequestLog(options.requestLogSize ?? DEFAULT_LOG_SIZE);

  const openAccount = (): Account => {
    const anchor = options.anchor ?? datasetAnchor(clock.now());
    const store = new Store({ seed, tickets: options.tickets ?? DEFAULT_TICKETS, anchor });
    const credentials = new Credentials(clock, store, options.accounts);
    return {
      store,
      credentials,
      activity: new Activity(store, clock, seed),
      api: {
        world: {
          store,
          clock,
          credentials,
          idempotency: new IdempotencyCache(clock),
          messages: messagesIn(options.language ?? 'en'),
          sideLoads: options.sideLoads ?? 'partial',
        },
        limiter,
        limits,
        headerSpelling: options.headerSpelling ?? 'current',
        knownSubdomains: options.knownSubdomains?.map((name) => name.toLowerCase()) ?? null,
      },
    };
  };

  let account = openAccount();
  const host = options.host ?? '127.0.0.1';
  const server = await openServer(
    {
      api: () => account.api,
      faults,
      log: requests,
      now: () => clock.now(),
      canonicalOrigin: options.canonicalOrigin ?? null,
      control: (method, path, body, contentType) => handleControl(simulator, method, path, body, contentType),
    },
    options.port ?? 0,
    host,
  );
  const authority = host.includes(':') ? `[${host}]` : host;
  let closing: Promise<void> | null = null;

  const simulator: Simulator = {
    url: `http://${authority}:${server.port}`,
    port: server.port,
    faults,
    requests,
    activity: {
      get perMinute() {
        return account.activity.perMinute;
      },
      get steps() {
        return account.activity.steps;
      },
      start: (perMinute, activitySeed) => account.activity.start(perMinute, activitySeed),
      stop: () => account.activity.stop(),
      step: (count) => account.activity.step(count),
      subscribe: (listener) => account.activity.subscribe(listener),
    },
    consumer: {
      get perMinute() {
        return limiter.consumerPerMinute;
      },
      consume: (count) => limiter.consume(count),
      start: (perMinute) => limiter.setConsumerRate(perMinute),
    },
    tickets: {
      get count() {
        return account.store.tickets.reduce((count, row) => count + (row.deletedAt === null ? 1 : 0), 0);
      },
      get: (id) => account.store.ticket(id),
      comments: (id) => {
        const row = account.store.ticket(id);
        return row ? account.store.comments(row) : [];
      },
      all: () => account.store.tickets.filter((row) => row.deletedAt === null),
      description: (id) => {
        const row = account.store.ticket(id);
        return row ? account.store.description(row) : null;
      },
    },
    users: {
      get count() {
        return account.store.users.length;
      },
      get: (id) => account.store.user(id),
      byEmail: (email) => account.store.userByEmail(email),
      update: (id, changes) => {
        const user = account.store.user(id);
        if (!user) throw new RangeError(`"id" must be that of a user, got ${id}`);
        account.store.updateUser(user, changes);
      },
    },
    issueAccessToken: (issue = {}) => account.credentials.issue(issue),
    revokeAccessToken: (token) => account.credentials.revoke(token),
    waitForRequest: (predicate, wait) => requests.waitFor(predicate, wait),
    reset: (reset = {}) => {
      faults.clear();
      requests.clear();
      limiter.reset();
      if (!reset.data) return;
      account.activity.stop();
      account = openAccount();
    },
    [Symbol.asyncDispose]: () => {
      account.activity.stop();
      closing ??= server.close();
      return closing;
    },
  };
  if (options.activityPerMinute) simulator.activity.start(options.activityPerMinute);
  return simulator;
};
