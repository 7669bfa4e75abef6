import type { AuditEventView } from '../views.ts';

/** What following the log hands on. */
export interface AuditTailEvent {
  /** The place after this event, also a cursor of `auditEvents`. */
  readonly cursor: string;
  readonly event: AuditEventView;
}
