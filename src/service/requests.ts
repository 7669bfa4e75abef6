/** What happens to every request before and after its use case: who asks, how often, and its entry in the log. */
import { authenticateApiKey, type Caller } from '../access/index.ts';
import { appendAuditEvents, type NewAuditEvent } from '../audit/index.ts';
import { isSealdeskError, SealdeskError } from '../base/index.ts';
import { type Call, describeCall } from '../proxy/index.ts';
import type { RecordRefusal } from './refusals.ts';
import type { ServiceDeps } from './service-deps.ts';

/** Calls a minute of one address that sends no API key. */
const ANONYMOUS_PER_MINUTE = 60;

/** A GraphQL operation as the log tells it: names of the schema, never of the caller. */
export interface OperationSummary {
  readonly eventId: string;
  readonly kind: 'query' | 'mutation' | 'document';
  readonly fields: readonly string[];
  /** The code of its first error, `null` where it had none. */
  readonly failure: string | null;
}

/** The caller whose API key `text` is, or UNAUTHENTICATED. */
export function authenticate({ store, clock }: ServiceDeps, text: string): Promise<Caller> {
  return store.withSystem('api-key-lookup', (tx) => authenticateApiKey(tx, text, clock.now()));
}

/** Counts the request against its key, or against its address where it has none. Throws TOO_MANY_REQUESTS. */
export function takeFromRate({ limiter }: ServiceDeps, call: Call): void {
  limiter.take(
    call.caller ?? { apiKeyId: `address ${call.ip ?? ''}`, requestsPerMinute: ANONYMOUS_PER_MINUTE },
  );
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
  if (details.auditEventId !== undefined || code === 'AUDIT_UNAVAILABLE' || code === 'KMS_UNAVAILABLE')
    return failure;
  if (call.caller === null && code !== 'UNAUTHENTICATED' && code !== 'TOO_MANY_REQUESTS') return failure;
  try {
    return failure.with({ auditEventId: await recordRefusal(call, code) });
  } catch (error) {
    if (isSealdeskError(error)) return error;
    return new SealdeskError(
      'AUDIT_UNAVAILABLE',
      'The audit log could not be written, so there is no answer.',
      { cause: error },
    );
  }
}

/**
 * Records a GraphQL operation before its answer leaves and resolves to its event's id. The events of
 * its use cases name it as parent. What a caller without a key is refused counts as a refusal.
 */
export async function recordOperation(
  { store, keyring, clock }: ServiceDeps,
  installationId: string,
  recordRefusal: RecordRefusal,
  call: Call,
  operation: OperationSummary,
): Promise<string> {
  const { failure, eventId, fields, kind } = operation;
  if (call.caller === null && failure !== null) return recordRefusal(call, failure);
  const tenantId = call.caller?.tenantId ?? installationId;
  const keys = await keyring.keysOf(tenantId);
  const [only, ...others] = fields;
  const event: NewAuditEvent = {
    ...describeCall({ ...call, parentEventId: null }),
    id: eventId,
    occurredAt: new Date(clock.now()).toISOString(),
    phase: 'SINGLE',
    action: only === undefined || others.length > 0 ? `graphql.${kind}` : `${kind}.${only}`,
    outcome: failure === null ? 'SUCCEEDED' : 'FAILED',
    ...(failure === null ? {} : { denialReason: failure }),
  };
  await store.withTenant(tenantId, (tx) =>
    appendAuditEvents(tx, { tenantId, headKey: keys.auditHeadKey(), events: [event] }),
  );
  return eventId;
}
