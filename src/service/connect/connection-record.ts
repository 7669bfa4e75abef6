/**
 * How an authorization leaves its entry in the audit log: one `connection.complete`, by the caller who began it,
 * in the transaction that ends it.
 */
import type { NewAuditEvent } from '../../audit/index.ts';
import { createId } from '../../base/index.ts';
import {
  type Authorization,
  type AuthorizationEnd,
  type AuthorizationKey,
  type Call,
  describeCall,
  endAuthorization,
} from '../../proxy/index.ts';
import type { Tx } from '../../store/index.ts';
import type { TenantKeys } from '../../vault/index.ts';
import { appendEvents } from '../record-event.ts';

export type EndedAbout = AuthorizationKey & Pick<Authorization, 'integrationId' | 'requestedBy'>;

export interface RecordedEnd {
  readonly authorization: Authorization;
  readonly auditEventId: string;
  /** What Zendesk granted; left out where nothing was connected. */
  readonly grantedScopes?: readonly string[];
}

/** Ends it and appends its entry; `null` where another process has ended it, and then nothing was done. */
export async function endRecorded(
  tx: Tx,
  keys: TenantKeys,
  about: EndedAbout,
  end: AuthorizationEnd,
  /** The request of the browser; `null` where the gateway went on by itself. */
  call: Call | null,
): Promise<RecordedEnd | null> {
  const authorization = await endAuthorization(tx, about, end);
  if (authorization === null) return null;
  const id = createId('auditEvent', end.at.getTime());
  const actor = { type: 'API_KEY', id: about.requestedBy } as const;
  const event: NewAuditEvent = {
    ...(call === null ? {} : describeCall(call)),
    actor,
    id,
    occurredAt: end.at.toISOString(),
    phase: 'SINGLE',
    action: 'connection.complete',
    integrationId: about.integrationId,
    resource: about.id,
    ...outcomeOf(end),
  };
  const headKey = keys.auditHeadKey();
  try {
    await appendEvents(tx, about.tenantId, headKey, [event]);
  } finally {
    headKey.fill(0);
  }
  return { authorization, auditEventId: id };
}

function outcomeOf({
  status,
  failure,
}: AuthorizationEnd): Pick<Extract<NewAuditEvent, { phase: 'SINGLE' }>, 'outcome' | 'denialReason'> {
  switch (status) {
    case 'CONNECTED':
      return { outcome: 'SUCCEEDED' };
    case 'DENIED':
      return { outcome: 'DENIED', denialReason: failure ?? 'ACCESS_DENIED' };
    case 'FAILED':
      return { outcome: 'FAILED', denialReason: failure ?? 'INTERNAL' };
    default:
      return status satisfies never;
  }
}
