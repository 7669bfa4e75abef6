/** A tenant with an empty audit log, and events to put into it. */

import {
  type AuditEvent,
  appendAuditEvents,
  createAuditHead,
  type NewAuditEvent,
} from '../../src/audit/index.ts';
import { createId } from '../../src/base/index.ts';
import type { Store } from '../../src/store/index.ts';

export const headKey = new Uint8Array(32).fill(7);
export const START = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

type Single = Extract<NewAuditEvent, { phase: 'SINGLE' }>;
type Intent = Extract<NewAuditEvent, { phase: 'INTENT' }>;
type Outcome = Extract<NewAuditEvent, { phase: 'OUTCOME' }>;

export async function createTenantLog(store: Store): Promise<string> {
  const tenantId = createId('tenant');
  await store.withSystem('tenant-administration', async (tx) => {
    await tx.insertInto('tenants').values({ id: tenantId, kind: 'CUSTOMER', name: 'Test' }).execute();
    await createAuditHead(tx, { tenantId, headKey });
  });
  return tenantId;
}

function base() {
  return {
    id: createId('auditEvent'),
    occurredAt: new Date(START).toISOString(),
    actor: { type: 'API_KEY', id: createId('apiKey') },
  } as const;
}

export function single(members: Partial<Single> = {}): Single {
  return { ...base(), phase: 'SINGLE', action: 'proxy.outbound', outcome: 'SUCCEEDED', ...members };
}

export function intent(members: Partial<Intent> = {}): Intent {
  return { ...base(), phase: 'INTENT', action: 'proxy.outbound', operation: 'create_ticket', ...members };
}

export function outcomeOf(intentId: string, members: Partial<Outcome> = {}): Outcome {
  return {
    ...base(),
    phase: 'OUTCOME',
    action: 'proxy.outbound',
    intentId,
    outcome: 'SUCCEEDED',
    ...members,
  };
}

export function append(
  store: Store,
  tenantId: string,
  ...events: readonly NewAuditEvent[]
): Promise<readonly AuditEvent[]> {
  return store.withTenant(tenantId, (tx) => appendAuditEvents(tx, { tenantId, headKey, events }));
}
