/** What happens to every request before and after its use case: who asks, how often, and the entry of a failure. */
import { authenticateApiKey, type Caller, type InboundLimiter } from '../access/index.ts';
import { isSealdeskError, type SealdeskError } from '../base/index.ts';
import type { Call } from '../proxy/index.ts';
import { auditUnavailable } from './record-event.ts';
import type { RecordRefusal } from './refusals.ts';
import type { ServiceDeps } from './service-deps.ts';
import { takeForStranger } from './strangers.ts';

/**
 * The caller whose API key `text` is, or UNAUTHENTICATED. A wrong key counts against the address that
 * sent it, so that nobody can keep the database busy with guesses.
 */
export async function authenticate(
  { store, clock }: ServiceDeps,
  strangers: InboundLimiter,
  text: string,
  ip: string | null,
): Promise<Caller> {
  try {
    return await store.withSystem('api-key-lookup', (tx) => authenticateApiKey(tx, text, clock.now()));
  } catch (error) {
    if (isSealdeskError(error, 'UNAUTHENTICATED')) takeForStranger(strangers, ip);
    throw error;
  }
}

/** Counts the request against its key, or against its address where it has none. Throws TOO_MANY_REQUESTS. */
export function takeFromRate({ limiter }: ServiceDeps, strangers: InboundLimiter, call: Call): void {
  if (call.caller === null) takeForStranger(strangers, call.ip);
  else limiter.take(call.caller);
}

/**
 * The failure with the event that records it, written now unless the use case has. Without a caller
 * only refused keys and rates are recorded: what strangers send elsewhere changes nothing and is
 * answered with nothing.
 */
export async function recordFailure(
  recordRefusal: RecordRefusal,
  call: Call,
  failure: SealdeskError,
): Promise<SealdeskError> {
  const { code, details } = failure;
  if (details.auditEventId !== undefined || code === 'AUDIT_UNAVAILABLE') return failure;
  if (call.caller === null && code !== 'UNAUTHENTICATED' && code !== 'TOO_MANY_REQUESTS') return failure;
  try {
    return failure.with({ auditEventId: await recordRefusal(call, code) });
  } catch (error) {
    return isSealdeskError(error) ? error : auditUnavailable(error);
  }
}
