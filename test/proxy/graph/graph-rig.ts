/** Sessions of the typed graph against the simulator, made as the gateway makes them for each operation. */
import { type Caller, chooseRecipient } from '../../../src/access/index.ts';
import { appendAuditEvents, type NewAuditEvent } from '../../../src/audit/index.ts';
import { createId } from '../../../src/base/index.ts';
import {
  type Call,
  createGraphSession,
  type Delivery,
  type GraphAccount,
  type GraphSession,
  type OperationName,
} from '../../../src/proxy/index.ts';
import { ALL_OPERATIONS } from '../../support/tenant.ts';
import type { Rig } from '../rig.ts';

export interface SessionOptions {
  /** The agent's by default; `null` for none. */
  readonly apiKey?: string | null;
  readonly delivery?: Delivery;
  readonly signal?: AbortSignal;
  readonly takeFromRate?: () => void;
}

export interface TestSession {
  readonly session: GraphSession;
  readonly eventId: string;
  /** The tenant's integration, for every operation unless some are named. */
  account(operations?: readonly OperationName[]): Promise<GraphAccount>;
  /** The events of the session. */
  events(answered?: boolean): Promise<readonly NewAuditEvent[]>;
  /** Appends them to the log, as the end of an operation does. */
  record(answered?: boolean): Promise<void>;
}

export async function openSession(
  rig: Pick<Rig, 'gateway' | 'tenant'>,
  options: SessionOptions = {},
): Promise<TestSession> {
  const { gateway, tenant } = rig;
  const { apiKey = tenant.keys.agent, takeFromRate = () => undefined } = options;
  const caller = apiKey === null ? null : await gateway.services.authenticate(apiKey, '127.0.0.1');
  const delivery = options.delivery ?? (await sealedDelivery(rig, caller));
  const now = gateway.deps.clock.now();
  const eventId = createId('auditEvent', now);
  const call: Call = {
    caller,
    requestId: 'request-of-a-test',
    ip: '127.0.0.1',
    requestTarget: 'POST /graphql',
    requestSha256: 'A'.repeat(43),
    clientNonce: null,
    recipientKeyId: null,
    acceptsSealedErrors: false,
    parentEventId: null,
    signal: options.signal ?? new AbortController().signal,
  };
  const session = createGraphSession(gateway.deps, call, { eventId, delivery, startedAt: now, takeFromRate });
  const keys = () => gateway.deps.keyring.keysOf(tenant.id);
  const events = async (answered = true) => session.events(await keys(), { answered });
  return {
    session,
    eventId,
    account: (operations = ALL_OPERATIONS) => session.account(tenant.integrationId, operations),
    events,
    async record(answered = true) {
      const headKey = (await keys()).auditHeadKey();
      const append = { tenantId: tenant.id, headKey, events: await events(answered) };
      await gateway.store.withTenant(tenant.id, (tx) => appendAuditEvents(tx, append));
    },
  };
}

/** To the tenant's client key. */
async function sealedDelivery(
  { gateway, tenant }: Pick<Rig, 'gateway' | 'tenant'>,
  caller: Caller | null,
): Promise<Delivery> {
  if (caller === null) return { kind: 'NONE' };
  const recipient = await gateway.store.withTenant(caller.tenantId, (tx) =>
    chooseRecipient(tx, caller, tenant.keyFile.key_id, Date.now()),
  );
  return { kind: 'SEALED', recipient };
}

/** Method and path, without the query, of what reached Zendesk since `from`. */
export function callsSince(rig: Rig, from: number): readonly string[] {
  return rig.gateway.simulator.requests.entries.slice(from).map(({ method, path }) => `${method} ${path}`);
}

/** How many calls have reached Zendesk. */
export function callCount(rig: Rig): number {
  return rig.gateway.simulator.requests.entries.length;
}
