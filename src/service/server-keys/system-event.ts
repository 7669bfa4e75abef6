import type { NewAuditEvent } from '../../audit/index.ts';
import { createId } from '../../base/index.ts';

/** What the gateway did by itself to bring a rotation to its end; `now` in milliseconds since 1970. */
export function rotationEvent(action: string, resource: string, now: number): NewAuditEvent {
  return {
    id: createId('auditEvent', now),
    occurredAt: new Date(now).toISOString(),
    actor: { type: 'SYSTEM', id: 'key-rotation' },
    phase: 'SINGLE',
    outcome: 'SUCCEEDED',
    action,
    resource,
  };
}
