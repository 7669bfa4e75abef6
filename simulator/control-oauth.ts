/** `/__simulator/oauth`: how the token endpoint misbehaves. */
import { z } from 'zod';
import { type ControlRequest, defined, parseBody } from './control-input.ts';
import { json, type Reply } from './reply.ts';
import type { Simulator } from './simulator.ts';

const behaviourSchema = z.strictObject({
  dropScopes: z.array(z.string().max(100)).max(100).optional(),
  omitExpiresIn: z.boolean().optional(),
});

/** Null when the call is for something else. */
export const controlOAuth = (simulator: Simulator, request: ControlRequest): Reply | null => {
  if (request.path !== '/oauth') return null;
  if (request.method === 'POST') simulator.oauth.behave(defined(parseBody(behaviourSchema, request)));
  else if (request.method !== 'GET') return null;
  const { dropScopes, omitExpiresIn } = simulator.oauth.behaviour;
  return json(200, { dropScopes, omitExpiresIn });
};
