/** One gateway for a suite: two tenants, a clock that can be moved on, and the auditor's view of the log. */
import { afterAll, beforeAll } from 'vitest';
import { type Clock, systemClock } from '../../src/base/index.ts';
import {
  type OpenGatewayOptions,
  openTestGateway,
  type RestAnswer,
  type TestGateway,
} from '../support/gateway.ts';
import type { DatabaseKind } from '../support/store.ts';
import { createTestTenant, type TestTenant } from '../support/tenant.ts';

/** Real time, ahead by what it was moved. */
export class MovableClock implements Clock {
  #ahead = 0;
  now(): number {
    return Date.now() + this.#ahead;
  }
  wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return systemClock.wait(milliseconds, signal);
  }
  advance(milliseconds: number): void {
    this.#ahead += milliseconds;
  }
}

export interface House extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly clock: MovableClock;
  /** The tenant that acts, and another that it must not reach. */
  readonly tenant: TestTenant;
  readonly other: TestTenant;
}

export async function openHouse(database: DatabaseKind, options: OpenGatewayOptions = {}): Promise<House> {
  const clock = new MovableClock();
  const gateway = await openTestGateway({ database, clock, ...options });
  const tenant = await createTestTenant(gateway);
  const other = await createTestTenant(gateway, { name: 'Globex' });
  return { gateway, clock, tenant, other, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() };
}

/** Opens a house before the suite and closes it after; the function answers it within tests. */
export function useHouse(database: DatabaseKind, options: OpenGatewayOptions = {}): () => House {
  let house: House | undefined;
  beforeAll(async () => {
    house = await openHouse(database, options);
  });
  afterAll(() => house?.[Symbol.asyncDispose]());
  return () => {
    if (house === undefined) throw new Error('The house opens before the first test');
    return house;
  };
}

export interface EventView {
  readonly id: string;
  readonly index: number;
  readonly action: string;
  readonly phase: string;
  readonly outcome: string | null;
  readonly denialReason: string | null;
  readonly parentId: string | null;
  readonly resource: string | null;
  readonly operation: string | null;
  readonly integrationId: string | null;
  readonly ip: string | null;
  readonly count: number;
  readonly occurredAt: string;
  readonly actor: { readonly type: string; readonly id: string };
  readonly clientKey: Readonly<Record<string, string | null>> | null;
}

export const EVENT_FIELDS =
  'id index action phase outcome denialReason parentId resource operation integrationId ip count occurredAt actor { type id } clientKey { kemKid sigKid predecessorId mode vouchedBy expiresAt endReason }';

/** The event as the auditor behind `auditorKey` reads it. */
export async function readEvent(gateway: TestGateway, auditorKey: string, id: string): Promise<EventView> {
  const { json } = await gateway.graphql(
    `query($id: ID!) { node(id: $id) { ... on AuditEvent { ${EVENT_FIELDS} } } }`,
    { apiKey: auditorKey, variables: { id } },
  );
  if (json.errors !== undefined) throw new Error(`The event was not found: ${JSON.stringify(json.errors)}`);
  return json.data.node;
}

/** The newest `last` events, oldest first. */
export async function newestEvents(
  gateway: TestGateway,
  auditorKey: string,
  last = 20,
): Promise<readonly EventView[]> {
  const { json } = await gateway.graphql(
    `query($last: Int!) { auditEvents(last: $last) { edges { node { ${EVENT_FIELDS} } } } }`,
    { apiKey: auditorKey, variables: { last } },
  );
  return json.data.auditEvents.edges.map(({ node }: { readonly node: EventView }) => node);
}

/** An auditor of the installation, whose log takes what belongs to no tenant. */
export async function installationAuditor(gateway: TestGateway): Promise<string> {
  const { json } = await gateway.graphql(
    'mutation { createApiKey(input: { name: "auditor", roles: [AUDITOR] }) { secret } }',
    { apiKey: gateway.operatorKey },
  );
  return json.data.createApiKey.secret;
}

/** The code of a failure, REST or GraphQL; `null` for a success. */
export function codeOf({ json }: RestAnswer): string | null {
  return json?.error?.code ?? json?.errors?.[0]?.extensions?.code ?? null;
}

/** The audit event that an answer names. */
export function eventIdOf({ json }: RestAnswer): string {
  return json?.meta?.audit_event_id ?? json?.extensions?.auditEventId ?? json?.audit_event_id;
}

/** How many requests the simulated Zendesk has had. */
export function zendeskCalls({ simulator }: TestGateway): number {
  return simulator.requests.total;
}
