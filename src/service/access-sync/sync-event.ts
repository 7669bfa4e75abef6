import type { AuditOutcome, NewAuditEvent } from '../../audit/index.ts';
import { createId } from '../../base/index.ts';
import type { SyncRun } from '../../directory/index.ts';
import { SYNC_OPERATION } from './sync-operation.ts';

/** What the gateway does by itself of an access sync; `now` in milliseconds since 1970. */
export function syncEvent(
  action: 'access-sync.start' | 'access-sync.finish',
  run: Pick<SyncRun, 'id' | 'integrationId'>,
  now: number,
  ending: Pick<NewAuditEvent, 'denialReason' | 'durationMs' | 'upstreamStatus'> & {
    readonly outcome: AuditOutcome;
  },
): NewAuditEvent {
  return {
    id: createId('auditEvent', now),
    occurredAt: new Date(now).toISOString(),
    actor: { type: 'SYSTEM', id: 'access-sync' },
    phase: 'SINGLE',
    action,
    integrationId: run.integrationId,
    operation: SYNC_OPERATION,
    resource: run.id,
    ...ending,
  };
}
