import { z } from 'zod';
import { assertAuthenticated, type Call, type ProxyAnswer, runProxied } from '../proxy/index.ts';
import { parseInput } from './input.ts';
import type { ServiceDeps } from './service-deps.ts';

const MAX_OPERATION_CHARACTERS = 64;

const ProxyOutboundInput = z.strictObject({
  integrationId: z.string().max(64),
  operation: z.string().max(MAX_OPERATION_CHARACTERS),
  payload: z.record(z.string(), z.unknown()),
  idempotencyKey: z.string().nullish(),
});

/** Runs one operation of the catalogue for the caller; see `runProxied`. */
export async function proxyOutbound(deps: ServiceDeps, call: Call, input: unknown): Promise<ProxyAnswer> {
  assertAuthenticated(call);
  // A GraphQL document may hold many operations: each counts, as if it had come by itself.
  if (call.parentEventId !== null) deps.limiter.take(call.caller);
  const { integrationId, operation, payload, idempotencyKey = null } = parseInput(ProxyOutboundInput, input);
  return runProxied(deps, call, { integrationId, operation, payload, idempotencyKey });
}
