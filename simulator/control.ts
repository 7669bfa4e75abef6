/**
 * The control API under `/__simulator/`: what tests and demos in other processes use in place of the
 * programmatic one. Bodies are JSON and are checked strictly. No login; keep the port on the loopback address.
 */
import { z } from 'zod';
import { type ControlRequest, defined, parseBody } from './control-input.ts';
import { controlOAuth } from './control-oauth.ts';
import { controlTickets } from './control-tickets.ts';
import { controlUsers } from './control-users.ts';
import { controlWebhooks, webhookStatus } from './control-webhooks.ts';
import { coded, empty, json, Refusal, type Reply } from './reply.ts';
import type { Simulator } from './simulator.ts';
import type { TicketDesk } from './ticket-desk.ts';
import type { UserDesk } from './user-desk.ts';

const seconds = z.number().int().min(0).max(86_400);
const applied = z.boolean().optional();

const effectSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('latency'), milliseconds: z.number().int().min(0).max(600_000) }),
  z.strictObject({
    kind: z.literal('rate-limited'),
    retryAfter: seconds.nullable().optional(),
    body: z.enum(['text', 'json', 'html', 'edge']).optional(),
  }),
  z.strictObject({
    kind: z.literal('status'),
    status: z.number().int().min(200).max(599),
    applied,
    retryAfter: seconds.optional(),
    body: z.string().max(65_536).optional(),
    contentType: z.string().max(200).optional(),
  }),
  z.strictObject({ kind: z.literal('html'), status: z.number().int().min(200).max(599).optional(), applied }),
  z.strictObject({ kind: z.literal('truncated') }),
  z.strictObject({ kind: z.literal('close'), applied }),
  z.strictObject({ kind: z.literal('hang'), applied }),
]);

const faultSchema = z.strictObject({
  method: z.string().max(10).optional(),
  path: z.string().max(200).optional(),
  count: z.number().int().min(1).optional(),
  skip: z.number().int().min(0).optional(),
  effect: effectSchema,
});

const activitySchema = z.strictObject({
  perMinute: z.number().positive().max(60_000),
  seed: z.number().int().optional(),
});
const stepSchema = z.strictObject({ count: z.number().int().min(1).max(10_000).default(1) });
const consumerSchema = z.union([
  z.strictObject({ requests: z.number().int().min(0).max(1_000_000) }),
  z.strictObject({ perMinute: z.number().min(0).max(1_000_000) }),
]);
const resetSchema = z.strictObject({ data: z.boolean().default(false) });
const tokenSchema = z.strictObject({
  email: z.string().optional(),
  clientId: z.string().optional(),
  scopes: z.array(z.string()).optional(),
  expiresIn: z.number().int().nullable().optional(),
  refreshExpiresIn: z.number().int().nullable().optional(),
});

export interface Desks {
  readonly tickets: TicketDesk;
  readonly users: UserDesk;
}

const statusOf = (simulator: Simulator): Record<string, unknown> => ({
  url: simulator.url,
  tickets: simulator.tickets.count,
  users: simulator.users.count,
  seats_used: simulator.users.seatsUsed,
  requests: {
    total: simulator.requests.total,
    by_endpoint: simulator.requests.byEndpoint(),
    by_status: simulator.requests.byStatus(),
  },
  activity: { per_minute: simulator.activity.perMinute, steps: simulator.activity.steps },
  consumer: { per_minute: simulator.consumer.perMinute },
  webhooks: webhookStatus(simulator),
  faults: simulator.faults.list(),
});

const route = (simulator: Simulator, desks: Desks, request: ControlRequest): Reply => {
  const { method, path } = request;
  const fault = /^\/faults\/(\d+)$/.exec(path);
  if (fault && method === 'DELETE') return empty(simulator.faults.remove(Number(fault[1])) ? 204 : 404);
  switch (`${method} ${path}`) {
    case 'GET /':
    case 'GET /stats':
      return json(200, statusOf(simulator));
    case 'GET /requests':
      return json(200, { requests: simulator.requests.entries });
    case 'GET /faults':
      return json(200, { faults: simulator.faults.list() });
    case 'POST /faults': {
      const rule = parseBody(faultSchema, request);
      return json(201, { id: simulator.faults.add({ ...defined(rule), effect: defined(rule.effect) }) });
    }
    case 'DELETE /faults':
      simulator.faults.clear();
      return empty(204);
    case 'POST /activity': {
      const input = parseBody(activitySchema, request);
      simulator.activity.start(input.perMinute, input.seed);
      return json(200, { per_minute: simulator.activity.perMinute });
    }
    case 'DELETE /activity':
      simulator.activity.stop();
      return empty(204);
    case 'POST /activity/step':
      return json(200, { events: simulator.activity.step(parseBody(stepSchema, request).count) });
    case 'POST /consumer': {
      const input = parseBody(consumerSchema, request);
      if ('requests' in input) simulator.consumer.consume(input.requests);
      else simulator.consumer.start(input.perMinute);
      return json(200, { per_minute: simulator.consumer.perMinute });
    }
    case 'POST /reset':
      simulator.reset(parseBody(resetSchema, request));
      return empty(204);
    case 'POST /tokens':
      return json(201, simulator.issueAccessToken(defined(parseBody(tokenSchema, request))));
    default: {
      const reply =
        controlTickets(simulator, desks.tickets, request) ??
        controlUsers(simulator, desks.users, request) ??
        controlWebhooks(simulator, request) ??
        controlOAuth(simulator, request);
      if (reply) return reply;
      throw new Refusal(coded(404, 'InvalidEndpoint', 'Not found'));
    }
  }
};

/** Answers one control call. */
export const handleControl = (simulator: Simulator, desks: Desks, request: ControlRequest): Reply => {
  try {
    return route(simulator, desks, request);
  } catch (error) {
    if (error instanceof Refusal) return error.reply;
    if (error instanceof RangeError) return coded(400, 'InvalidControl', error.message);
    throw error;
  }
};
