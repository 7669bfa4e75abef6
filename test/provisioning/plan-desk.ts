/** An ADMIN who plans and applies, and the Zendesk that it happens in. */
import { afterEach } from 'vitest';
import type { LoggedRequest } from '../../simulator/index.ts';
import { type EventView, type House, newestEvents, useHouse } from '../service/house.ts';
import type { OpenGatewayOptions } from '../support/gateway.ts';
import { sealedGraphql } from '../support/sealed-graphql.ts';
import type { DatabaseKind } from '../support/store.ts';

/** Of as many shapes as there are documents. */
export type Result = ReturnType<typeof JSON.parse>;

export const PLAN = `id integrationId kind state isStopping fingerprint changes people staff failure
  warnings { code } counts { pending done failed stale left unchanged blocked }
  items(first: 100) { nodes { position state userId name email failure blocked { reason message }
    warnings { code count names } differences { field is wished }
    steps { kind state field from to count failure upstreamStatus intentId } } }`;

const INPUTS: Readonly<Record<string, string>> = {
  provisionUser: 'ProvisionUserInput',
  provisionMany: 'ProvisionManyInput',
  changeUserRole: 'ChangeUserRoleInput',
  assignGroups: 'AssignGroupsInput',
  suspendUser: 'SuspendUserInput',
  unsuspendUser: 'SuspendUserInput',
  deprovisionUser: 'DeprovisionUserInput',
};
export const PLANNING = Object.keys(INPUTS);

export interface AskOptions {
  readonly apiKey?: string;
}

export interface PlanDesk {
  readonly house: House;
  readonly integrationId: string;
  readonly users: House['gateway']['simulator']['users'];
  /** Asks as the ADMIN, sealed. */
  ask(query: string, variables?: Readonly<Record<string, unknown>>, options?: AskOptions): Promise<Result>;
  /** The execution result of a mutation that makes a plan. */
  tryPlan(name: string, input: Readonly<Record<string, unknown>>, options?: AskOptions): Promise<Result>;
  /** The plan; fails with its errors. */
  plan(name: string, input: Readonly<Record<string, unknown>>): Promise<Result>;
  tryApply(planId: string, options?: AskOptions): Promise<Result>;
  apply(planId: string): Promise<Result>;
  read(planId: string): Promise<Result>;
  /** The plan once it is not being applied any more. */
  settled(planId: string): Promise<Result>;
  /** What Zendesk was asked to change since `since`, as `METHOD path`. */
  writes(since?: number): readonly string[];
  events(last?: number): Promise<readonly EventView[]>;
}

export const PATIENT: OpenGatewayOptions = {
  simulator: {
    tickets: 60,
    accountLimit: 100_000,
    endpointLimits: { 'users-update': 1_000, 'per-user-updates': 1_000, 'tickets-update': 1_000 },
  },
  planTimes: { pause: 10 },
};

export function usePlanDesk(database: DatabaseKind, options: OpenGatewayOptions = PATIENT): () => PlanDesk {
  const open = useHouse(database, options);
  afterEach(() => open().gateway.simulator.faults.clear());
  return () => planDeskOf(open());
}

export function planDeskOf(house: House): PlanDesk {
  const { gateway, tenant } = house;
  const { integrationId } = tenant;
  const ask: PlanDesk['ask'] = async (query, variables = {}, { apiKey = tenant.keys.admin } = {}) => {
    const headers = { 'x-sealdesk-key': tenant.keyFile.key_id };
    return (await sealedGraphql(gateway, tenant, query, { apiKey, variables, headers })).result;
  };
  const tryPlan: PlanDesk['tryPlan'] = (name, input, asking) =>
    ask(
      `mutation($input: ${INPUTS[name]}!) { ${name}(input: $input) { ${PLAN} } }`,
      { input: { integrationId, ...input } },
      asking,
    );
  const tryApply: PlanDesk['tryApply'] = (planId, asking) =>
    ask(`mutation($id: ID!) { applyPlan(planId: $id) { ${PLAN} } }`, { id: planId }, asking);
  const read = async (planId: string): Promise<Result> =>
    dataOf(await ask(`query($id: ID!) { provisioningPlan(id: $id) { ${PLAN} } }`, { id: planId }))
      .provisioningPlan;
  return {
    house,
    integrationId,
    users: gateway.simulator.users,
    ask,
    tryPlan,
    plan: async (name, input) => dataOf(await tryPlan(name, input))[name],
    tryApply,
    read,
    apply: async (planId) => dataOf(await tryApply(planId)).applyPlan,
    async settled(planId) {
      await gateway.deps.planRuns.run({ tenantId: tenant.id, planId, items: 1 });
      return read(planId);
    },
    writes: (since = 0) =>
      gateway.simulator.requests.entries
        .filter(({ sequence, method }: LoggedRequest) => sequence > since && method !== 'GET')
        .map(({ method, path }) => `${method} ${path.replace(/^\/api\/v2/, '').replace(/\.json$/, '')}`),
    events: (last) => newestEvents(gateway, tenant.keys.auditor, last),
  };
}

export function dataOf(result: Result): Result {
  if (result.errors !== undefined) throw new Error(`GraphQL answered ${JSON.stringify(result.errors)}`);
  return result.data;
}

export function codeOf({ errors }: Result): string | null {
  return errors?.[0]?.extensions.code ?? null;
}

/** The paths of the refused fields of the first error. */
export function fieldsOf({ errors }: Result): Readonly<Record<string, string>> {
  const fields: readonly { readonly path: string; readonly message: string }[] =
    errors?.[0]?.extensions.fields ?? [];
  return Object.fromEntries(fields.map(({ path, message }) => [path, message]));
}

export function stepsOf(plan: Result, position = 0): readonly string[] {
  return plan.items.nodes[position].steps.map(
    ({ kind, state }: { readonly kind: string; readonly state: string }) => `${kind} ${state}`,
  );
}
