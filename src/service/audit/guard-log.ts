import { AUDIT_ALARMS, AuditFault, raiseAlarm, readEpoch } from '../../audit/index.ts';
import { SealdeskError } from '../../base/index.ts';
import type { ServiceDeps } from '../service-deps.ts';

/**
 * Runs `work`, which looks at a log. Where it finds the log altered, the alarm is raised, which stops every
 * append to it; the caller then gets AUDIT_UNAVAILABLE, its cause the {@link AuditFault}.
 */
export async function guardLog<T>(
  { store, log }: Pick<ServiceDeps, 'store' | 'log'>,
  tenantId: string,
  work: () => Promise<T>,
): Promise<T> {
  // Before the work: what is found concerns this epoch, not one that an operator opens meanwhile.
  const epoch = await store.withTenant(tenantId, (tx) => readEpoch(tx, tenantId));
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AuditFault)) throw error;
    const { kind, index } = error;
    await store.withTenant(tenantId, (tx) => raiseAlarm(tx, { tenantId, epoch, kind, index }));
    log.error('The audit log of a tenant was found altered; nothing is appended to it any more', {
      ...{ tenantId, epoch, kind, index },
    });
    throw alteredLog(kind, error);
  }
}

/** AUDIT_UNAVAILABLE for a log that was found altered. */
export function alteredLog(kind: string, cause?: unknown): SealdeskError {
  const meaning = Object.hasOwn(AUDIT_ALARMS, kind) ? AUDIT_ALARMS[kind as keyof typeof AUDIT_ALARMS] : kind;
  return new SealdeskError(
    'AUDIT_UNAVAILABLE',
    `The audit log was found altered: ${meaning}. Nothing is recorded or answered for this tenant until an operator has found out why.`,
    cause === undefined ? {} : { cause },
  );
}
