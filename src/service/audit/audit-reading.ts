import { type AuditTotals, listAlarms, readAuditTotals } from '../../audit/index.ts';
import type { ServiceDeps } from '../service-deps.ts';

/** What is measured of the audit logs, over all tenants. */
export interface AuditReading extends AuditTotals {
  /** How many alarms of each kind stand. */
  readonly alarms: ReadonlyMap<string, number>;
}

export async function readAudit({ store }: Pick<ServiceDeps, 'store'>): Promise<AuditReading> {
  return store.withSystem('audit-watch', async (tx) => {
    const alarms = Map.groupBy(await listAlarms(tx), ({ kind }) => kind);
    const totals = await readAuditTotals(tx);
    return { ...totals, alarms: new Map([...alarms].map(([kind, raised]) => [kind, raised.length])) };
  });
}
