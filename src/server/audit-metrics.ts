import { Counter, Gauge, type Registry } from 'prom-client';
import type { AuditReading } from '../service/index.ts';

/** What this process did for the anchor since it began. */
export interface AnchorTally {
  /** Checkpoints written. */
  readonly anchored: number;
  readonly anchorFailures: number;
}

/** Sets the metrics of the audit logs; `null` where nothing is known of them. */
export function auditMetrics(registry: Registry): (reading: AuditReading | null, tally: AnchorTally) => void {
  const registers = [registry];
  const readable = new Gauge({
    name: 'sealdesk_audit_readable',
    help: '1 where the audit logs could be read for this answer, else 0.',
    registers,
  });
  const alarms = new Gauge({
    name: 'sealdesk_audit_alarms',
    help: 'Audit logs that were found altered and to which nothing is appended, by what was found.',
    labelNames: ['kind'],
    registers,
  });
  const unsigned = new Gauge({
    name: 'sealdesk_audit_unsigned_events',
    help: 'Events of all audit logs that no checkpoint covers yet.',
    registers,
  });
  const age = new Gauge({
    name: 'sealdesk_audit_unsigned_age_seconds',
    help: 'The age of the oldest of them.',
    registers,
  });
  const failing = new Gauge({
    name: 'sealdesk_audit_anchor_failing',
    help: 'Audit logs whose newest checkpoints could not be written to the anchor.',
    registers,
  });
  const anchored = new Counter({
    name: 'sealdesk_audit_anchored_total',
    help: 'Checkpoints that this process wrote to the anchor.',
    registers,
  });
  const failures = new Counter({
    name: 'sealdesk_audit_anchor_failures_total',
    help: 'How often the anchor could not be used by this process.',
    registers,
  });
  return (reading, tally) => {
    readable.set(reading === null ? 0 : 1);
    for (const metric of [alarms, unsigned, age, failing, anchored, failures]) metric.reset();
    for (const [kind, count] of reading?.alarms ?? []) alarms.set({ kind }, count);
    if (reading !== null) {
      unsigned.set(reading.unsignedEvents);
      age.set(reading.unsignedAge);
      failing.set(reading.anchorFailing);
    }
    anchored.inc(tally.anchored);
    failures.inc(tally.anchorFailures);
  };
}
