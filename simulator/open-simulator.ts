/**
 * A stand-in Zendesk account: data, credentials, limits, faults and life behind one HTTP server.
 *
 * It trusts nobody and protects nothing: the credentials are invented and documented, the control API has no
 * login, everything is in memory. Made for tests, demos and benchmarks of Zendesk clients.
 */
import type { ApiOptions } from './api.ts';
import { handleControl } from './control.ts';
import { createEndpointLimits } from './endpoint-limits.ts';
import { Faults } from './faults.ts';
import { createOAuthControl } from './oauth-control.ts';
import { type Account, openAccount } from './open-account.ts';
import { assertOptions, NO_LIMIT, PLAN_LIMITS, type SimulatorOptions } from './options.ts';
import { RateLimiter } from './rate-limit.ts';
import { RequestLog } from './request-log.ts';
import { openServer } from './server.ts';
import type { ActivityControl, Simulator, WebhooksControl } from './simulator.ts';
import { TicketDesk } from './ticket-desk.ts';
import { createTicketsControl } from './tickets-control.ts';
import { UserDesk } from './user-desk.ts';
import { createUsersControl } from './users-control.ts';

const DEFAULT_LOG_SIZE = 10_000;

/** The account is looked up at every use, since a reset replaces it. */
const createActivityControl = (account: () => Account): ActivityControl => ({
  get perMinute() {
    return account().activity.perMinute;
  },
  get steps() {
    return account().activity.steps;
  },
  start: (perMinute, activitySeed) => account().activity.start(perMinute, activitySeed),
  stop: () => account().activity.stop(),
  step: (count) => account().activity.step(count),
  subscribe: (listener) => account().activity.subscribe(listener),
});

const createWebhooksControl = (account: () => Account): WebhooksControl => ({
  list: () => account().world.webhooks.list(),
  get deliveries() {
    return account().delivery.deliveries;
  },
  counts: () => account().delivery.counts(),
  get pending() {
    return account().delivery.pending;
  },
  get paused() {
    return account().delivery.paused;
  },
  get disturbance() {
    return account().delivery.disturbance;
  },
  disturb: (disturbance) => account().delivery.disturb(disturbance),
  calm: () => account().delivery.calm(),
  pause: () => account().delivery.pause(),
  resume: () => account().delivery.resume(),
  untilDelivered: (signal) => account().delivery.untilDelivered(signal),
});

/** Opens a simulator; dispose it to free the port. RangeError on options out of range, EADDRINUSE on a taken port. */
export const openSimulator = async (options: SimulatorOptions = {}): Promise<Simulator> => {
  assertOptions(options);
  const clock = options.clock ?? { now: () => Date.now() };
  const plan = options.plan ?? 'enterprise';
  const limiter = new RateLimiter(
    clock,
    options.window ?? 'fixed',
    options.accountLimit ?? (options.limits === 'off' ? NO_LIMIT : PLAN_LIMITS[plan]),
  );
  const limits = createEndpointLimits(plan, options.endpointLimits ?? {}, options.limits ?? 'on');
  const faults = new Faults();
  const requests = new RequestLog(options.requestLogSize ?? DEFAULT_LOG_SIZE);
  const originOf = (): string => options.canonicalOrigin ?? simulator.url;
  let account = openAccount(options, clock, originOf);
  const desk = new TicketDesk(() => account.world, originOf);
  const userDesk = new UserDesk(() => account.world, originOf);
  const apiOptions = (): ApiOptions => ({
    world: account.world,
    limiter,
    limits,
    headerSpelling: options.headerSpelling ?? 'current',
    knownSubdomains: options.knownSubdomains?.map((name) => name.toLowerCase()) ?? null,
  });
  const host = options.host ?? '127.0.0.1';
  const server = await openServer(
    {
      api: apiOptions,
      faults,
      log: requests,
      now: () => clock.now(),
      canonicalOrigin: options.canonicalOrigin ?? null,
      control: (request) => handleControl(simulator, { tickets: desk, users: userDesk }, request),
    },
    options.port ?? 0,
    host,
  );
  const authority = host.includes(':') ? `[${host}]` : host;
  let closing: Promise<void> | null = null;
  /** Accounts that a reset replaced, on their way out. */
  const leaving: Promise<void>[] = [];

  const close = async (): Promise<void> => {
    await Promise.all([...leaving, account[Symbol.asyncDispose]()]);
    await server.close();
  };

  const simulator: Simulator = {
    url: `http://${authority}:${server.port}`,
    port: server.port,
    faults,
    requests,
    activity: createActivityControl(() => account),
    consumer: {
      get perMinute() {
        return limiter.consumerPerMinute;
      },
      consume: (count) => limiter.consume(count),
      start: (perMinute) => limiter.setConsumerRate(perMinute),
    },
    tickets: createTicketsControl(() => account.world.store, desk),
    webhooks: createWebhooksControl(() => account),
    oauth: createOAuthControl(() => account.world),
    history: (id) => {
      if (!account.history) throw new RangeError('"history" must be true for a simulator to keep versions');
      return account.history.versions(id);
    },
    users: createUsersControl(() => account.world, userDesk),
    issueAccessToken: (issue = {}) => account.world.credentials.issue(issue),
    revokeAccessToken: (token) => account.world.credentials.revoke(token),
    waitForRequest: (predicate, wait) => requests.waitFor(predicate, wait),
    reset: (reset = {}) => {
      faults.clear();
      requests.clear();
      limiter.reset();
      account.world.grants.behave({});
      if (!reset.data) {
        account.delivery.reset();
        return;
      }
      leaving.push(account[Symbol.asyncDispose]());
      account = openAccount(options, clock, originOf);
    },
    [Symbol.asyncDispose]: () => {
      closing ??= close();
      return closing;
    },
  };
  if (options.activityPerMinute) simulator.activity.start(options.activityPerMinute);
  return simulator;
};
