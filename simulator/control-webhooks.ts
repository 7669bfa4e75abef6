/** `/__simulator/webhooks`: deliveries, disturbances, pausing and waiting until everything due was sent. */
import { z } from 'zod';
import { type ControlRequest, defined, parseBody } from './control-input.ts';
import { empty, json, jsonLater, type Reply } from './reply.ts';
import type { Simulator } from './simulator.ts';

const share = z.number().min(0).max(1).optional();
const disturbanceSchema = z.strictObject({
  loss: share,
  duplicate: share,
  disorder: share,
  seed: z.number().int().optional(),
});
const settleSchema = z.strictObject({ timeoutMs: z.number().int().min(1).max(600_000).default(60_000) });

/** Counts for `/stats` and `/webhooks`. */
export const webhookStatus = ({ webhooks }: Simulator): Record<string, unknown> => ({
  pending: webhooks.pending,
  paused: webhooks.paused,
  disturbance: webhooks.disturbance,
  deliveries: webhooks.counts(),
});

const settle = async (simulator: Simulator, timeoutMs: number): Promise<object> => {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    await simulator.webhooks.untilDelivered(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return webhookStatus(simulator);
};

/** Answers a call under `/webhooks`; null when the path is not one of these. */
export const controlWebhooks = (simulator: Simulator, request: ControlRequest): Reply | null => {
  const { webhooks } = simulator;
  switch (`${request.method} ${request.path}`) {
    case 'GET /webhooks':
      return json(200, { webhooks: webhooks.list(), ...webhookStatus(simulator) });
    case 'GET /webhooks/deliveries':
      return json(200, { deliveries: webhooks.deliveries });
    case 'POST /webhooks/disturbance':
      webhooks.disturb(defined(parseBody(disturbanceSchema, request)));
      return json(200, { disturbance: webhooks.disturbance });
    case 'DELETE /webhooks/disturbance':
      webhooks.calm();
      return empty(204);
    case 'POST /webhooks/pause':
      webhooks.pause();
      return empty(204);
    case 'POST /webhooks/resume':
      webhooks.resume();
      return empty(204);
    case 'POST /webhooks/settle':
      return jsonLater(200, settle(simulator, parseBody(settleSchema, request).timeoutMs));
    default:
      return null;
  }
};
