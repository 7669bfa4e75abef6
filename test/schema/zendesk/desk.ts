/** A house whose agent asks the graph, and what its Zendesk saw of it. */
import type { LoggedRequest } from '../../../simulator/index.ts';
import { type House, useHouse } from '../../service/house.ts';
import { sealedGraphql } from '../../support/sealed-graphql.ts';
import type { DatabaseKind } from '../../support/store.ts';

/** An execution result; of as many shapes as there are documents. */
export type Result = ReturnType<typeof JSON.parse>;

export interface Desk {
  readonly house: House;
  readonly integrationId: string;
  /** The global id of an object of the account. */
  id(kind: 'ticket' | 'user' | 'organization', zendeskId: number | string): string;
  /** Asks as the agent, sealed; `$int` is the integration. */
  ask(query: string, variables?: Readonly<Record<string, unknown>>, apiKey?: string): Promise<Result>;
  /** The same, and what Zendesk was asked meanwhile. */
  watch(
    query: string,
    variables?: Readonly<Record<string, unknown>>,
    apiKey?: string,
  ): Promise<{ readonly result: Result; readonly calls: readonly LoggedRequest[] }>;
}

export function useDesk(database: DatabaseKind): () => Desk {
  // Enough for a page of a hundred that are not archived.
  const open = useHouse(database, { simulator: { tickets: 600 } });
  return () => {
    const house = open();
    const { gateway, tenant } = house;
    const { integrationId } = tenant;
    const ask = async (query: string, variables = {}, apiKey = tenant.keys.agent): Promise<Result> => {
      const { result } = await sealedGraphql(gateway, tenant, query, {
        apiKey,
        variables: query.includes('$int') ? { int: integrationId, ...variables } : variables,
      });
      return result;
    };
    return {
      house,
      integrationId,
      id: (kind, zendeskId) => `${integrationId}:${kind}:${zendeskId}`,
      ask,
      async watch(query, variables, apiKey) {
        const { total } = gateway.simulator.requests;
        const result = await ask(query, variables, apiKey);
        return {
          result,
          calls: gateway.simulator.requests.entries.filter(({ sequence }) => sequence > total),
        };
      },
    };
  };
}

/** Each error as `CODE at path`. */
export function errorsOf({ errors = [] }: Result): readonly string[] {
  return errors.map(
    ({ path = [], extensions }: { readonly path?: readonly unknown[]; readonly extensions: Result }) =>
      `${extensions.code} at ${path.join('.')}`,
  );
}

/** The refused fields of the first error, by path. */
export function fieldsOf({ errors = [] }: Result): Readonly<Record<string, string>> {
  const fields: readonly { readonly path: string; readonly message: string }[] =
    errors[0]?.extensions.fields ?? [];
  return Object.fromEntries(fields.map(({ path, message }) => [path, message]));
}
