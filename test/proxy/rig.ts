/** A gateway with a tenant, a clock that hurries through back-offs, and outages of its database at will. */
import { createHash } from 'node:crypto';
import { type AuditEvent, getAuditEvent, listAuditEvents } from '../../src/audit/index.ts';
import { type Clock, SealdeskError } from '../../src/base/index.ts';
import { RENEWAL_PATIENCE_MS } from '../../src/proxy/access-token.ts';
import type { Store } from '../../src/store/index.ts';
import {
  type OpenGatewayOptions,
  openTestGateway,
  type RestAnswer,
  type TestGateway,
} from '../support/gateway.ts';
import { createTestTenant, dataOf, type TestTenant, type TestTenantOptions } from '../support/tenant.ts';

export const SEALED = { accept: 'application/vnd.sealdesk.envelope+json' } as const;

/** Longest wait that is over at once: back-offs and pauses, but no deadline, and no patience with a renewal. */
const HURRIED_MS = 12_000;

/** The time of day, moved on by every wait for a back-off; deadlines pass by `advance` only. */
export interface HurriedClock extends Clock {
  advance(milliseconds: number): void;
}

export function createHurriedClock(): HurriedClock {
  let offset = 0;
  let timers: { readonly at: number; readonly resolve: () => void }[] = [];
  const now = (): number => Date.now() + offset;
  const advance = (milliseconds: number): void => {
    offset += milliseconds;
    const due = timers.filter((timer) => timer.at <= now());
    timers = timers.filter((timer) => !due.includes(timer));
    for (const timer of due) timer.resolve();
  };
  return {
    now,
    advance,
    wait(milliseconds, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const timer = { at: now() + milliseconds, resolve };
      const onAbort = (): void => {
        timers = timers.filter((other) => other !== timer);
        reject(signal?.reason);
      };
      if (signal?.aborted) {
        onAbort();
        return promise;
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      timers.push(timer);
      if (milliseconds <= HURRIED_MS && milliseconds !== RENEWAL_PATIENCE_MS) advance(milliseconds);
      return promise;
    },
  };
}

/** A store that fails on demand, as the real one does when its database is gone. */
export class Outage {
  #failure: (() => Error) | null = null;

  readonly wrap = (store: Store): Store => ({
    kind: store.kind,
    applied: store.applied,
    withTenant: async (tenantId, work) => {
      this.#check();
      return store.withTenant(tenantId, work);
    },
    runAtOnce: async (tenantId, steps) => {
      this.#check();
      return store.runAtOnce(tenantId, steps);
    },
    executeForJobs: async (text, values) => {
      this.#check();
      return store.executeForJobs(text, values);
    },
    withSystem: async (purpose, work) => {
      this.#check();
      return store.withSystem(purpose, work);
    },
    listen: (onNotification) => store.listen(onNotification),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  });

  begin(
    failure: () => Error = () => new SealdeskError('AUDIT_UNAVAILABLE', 'The database does not answer.'),
  ): void {
    this.#failure = failure;
  }

  end(): void {
    this.#failure = null;
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure();
  }
}

export interface Rig extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly tenant: TestTenant;
  readonly clock: HurriedClock;
  readonly outage: Outage;
  /** The tenant's whole log, oldest first. */
  events(): Promise<readonly AuditEvent[]>;
  /** The event of this id; fails where there is none. */
  eventOf(id: string): Promise<AuditEvent>;
  /** Calls that reached Zendesk. */
  calls(method?: string): number;
  /** `operationStatus` as the agent sees it. */
  statusOf(
    intentId: string,
  ): Promise<{ readonly state: string; readonly outcome: { readonly id: string } | null }>;
}

export interface RigOptions extends OpenGatewayOptions {
  readonly tenant?: TestTenantOptions;
}

export async function openRig(options: RigOptions = {}): Promise<Rig> {
  const { tenant: tenantOptions, ...gatewayOptions } = options;
  const clock = createHurriedClock();
  const outage = new Outage();
  await using resources = new AsyncDisposableStack();
  const gateway = resources.use(
    await openTestGateway({
      clock,
      wrapStore: outage.wrap,
      ...gatewayOptions,
      transport: { headersTimeout: 300, ...options.transport },
      simulator: {
        clock,
        accountLimit: 100_000,
        endpointLimits: { 'tickets-update': 10_000 },
        ...options.simulator,
      },
    }),
  );
  const tenant = await createTestTenant(gateway, tenantOptions);
  const events = async (): Promise<readonly AuditEvent[]> => {
    const all: AuditEvent[] = [];
    for (;;) {
      const after = all.at(-1)?.index ?? null;
      const page = await gateway.store.withTenant(tenant.id, (tx) =>
        listAuditEvents(tx, tenant.id, { after, limit: 100 }),
      );
      if (page.length === 0) return all;
      all.push(...page);
    }
  };
  const kept = resources.move();
  return {
    gateway,
    tenant,
    clock,
    outage,
    events,
    async eventOf(id) {
      const event = await gateway.store.withTenant(tenant.id, (tx) => getAuditEvent(tx, tenant.id, id));
      if (event === null) throw new Error(`There is no audit event ${id}`);
      return event;
    },
    calls: (method) =>
      gateway.simulator.requests.entries.filter((one) => method === undefined || one.method === method)
        .length,
    async statusOf(intentId) {
      const answer = await gateway.graphql(
        'query($id: ID!) { operationStatus(intentId: $id) { state outcome { id } } }',
        { apiKey: tenant.keys.agent, variables: { id: intentId } },
      );
      return dataOf(answer)['operationStatus'] ?? { state: 'missing', outcome: null };
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** What a refusal tells: status, code, details and its event. */
export function refusalOf({ status, json }: RestAnswer) {
  const { code, message, details } = json.error;
  return { status, code, message, details, auditEventId: json.meta.audit_event_id };
}

export const NEW_TICKET = {
  subject: 'The lamp flickers',
  comment: { body: 'It flickers since Monday.', public: true },
} as const;

/** Design §4 by other means: SHA-256 of context ‖ 0 ‖ for each part its length as 8 bytes ‖ the part. */
export function transcriptSha256(envelope: { readonly encrypted: Readonly<Record<string, string>> }): string {
  const hash = createHash('sha256').update('sealdesk/envelope/v1').update(Buffer.of(0));
  for (const name of ['protected', 'ciphertext_kem', 'nonce', 'ciphertext_data']) {
    const part = Buffer.from(envelope.encrypted[name] ?? '', 'base64');
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(part.length));
    hash.update(length).update(part);
  }
  return hash.digest('base64url');
}
