/** Reading the audit log, and what became of a change. */
import { z } from 'zod';
import {
  AUDIT_ACTOR_TYPES,
  AUDIT_OUTCOMES,
  AUDIT_PHASES,
  getAuditEvent as getAuditEventRow,
  listAuditEvents as listAuditEventRows,
  type OperationStatus,
  readOperationStatus,
} from '../audit/index.ts';
import { isId } from '../base/index.ts';
import type { Call } from '../proxy/index.ts';
import { notFound } from './audited.ts';
import { idField, parseInput, resourceField, tokenField } from './input.ts';
import { type Connection, numberKey, type PageInput, parsePage, toConnection } from './page.ts';
import { readOwn } from './read.ts';
import type { ServiceDeps } from './service-deps.ts';
import type { AuditEventView } from './views.ts';

export type OperationStatusView = OperationStatus;

const FilterInput = z.object({
  from: z.date().nullish(),
  to: z.date().nullish(),
  actorId: tokenField.nullish(),
  action: tokenField.nullish(),
  operation: tokenField.nullish(),
  outcome: z.enum(AUDIT_OUTCOMES).nullish(),
  integrationId: idField('integration').nullish(),
  phase: z.enum(AUDIT_PHASES).nullish(),
  resource: resourceField.nullish(),
  requestId: tokenField.nullish(),
  denialReason: tokenField.nullish(),
  actorType: z.enum(AUDIT_ACTOR_TYPES).nullish(),
  keyId: idField('clientKey').nullish(),
});

/** The tenant's log, oldest first; `last` reads from its end. For AUDITOR. */
export function listAuditEvents(
  deps: ServiceDeps,
  call: Call,
  filterInput: unknown,
  pageInput: PageInput,
): Promise<Connection<AuditEventView>> {
  return readOwn(deps, call, ['AUDITOR'], async (tx, tenantId) => {
    const filter = parseInput(FilterInput, filterInput);
    const page = parsePage(pageInput);
    const rows = await listAuditEventRows(tx, tenantId, {
      filter: Object.fromEntries(Object.entries(filter).filter(([, value]) => value != null)),
      after: numberKey(page, 'after') ?? undefined,
      before: numberKey(page, 'before') ?? undefined,
      backwards: page.backwards,
      limit: page.limit,
    });
    return toConnection(
      rows,
      page,
      (event) => String(event.index),
      (event) => event,
    );
  });
}

export function getAuditEvent(deps: ServiceDeps, call: Call, id: string): Promise<AuditEventView> {
  return readOwn(deps, call, ['AUDITOR'], async (tx, tenantId) => {
    const event = await getAuditEventRow(tx, tenantId, id);
    if (event === null) throw notFound('audit event');
    return event;
  });
}

/** What became of the change that an intent announced. An AGENT sees its own key's changes only. */
export function getOperationStatus(
  deps: ServiceDeps,
  call: Call,
  intentId: string,
): Promise<OperationStatusView> {
  return readOwn(deps, call, ['AGENT', 'ADMIN', 'AUDITOR'], async (tx, tenantId, { caller }) => {
    const status = isId('auditEvent', intentId) ? await readOperationStatus(tx, tenantId, intentId) : null;
    const seesAll = caller.roles.includes('ADMIN') || caller.roles.includes('AUDITOR');
    if (status === null || (!seesAll && status.intent.actor.id !== caller.id)) throw notFound('intent');
    return status;
  });
}
