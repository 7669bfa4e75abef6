import type { GraphQLResolveInfo } from 'graphql';
import { encodeObjectId, type GraphEntry, type NumberedKind } from '../../src/service/index.ts';
import type { GraphqlContext } from '../builder.ts';
import { integrationOf } from './node-id.ts';
import { type Narrowed, operationsOf } from './selection.ts';

/** Where the resolved field enters the account of `integrationId`, with all that its selection needs there. */
export function entryOf(
  integrationId: string,
  { session }: GraphqlContext,
  info: GraphQLResolveInfo,
  narrowed?: Narrowed,
): GraphEntry {
  return { session, integrationId, operations: operationsOf(info, narrowed) };
}

/** The same for `node` and `nodes`, which lead to an object of `typeName` and need what leads there. */
export function nodeEntryOf(
  id: string,
  context: GraphqlContext,
  info: GraphQLResolveInfo,
  typeName: string,
  operation: GraphEntry['operations'][number],
): GraphEntry {
  const entry = entryOf(integrationOf(id), context, info, { Node: [typeName] });
  return { ...entry, operations: [operation, ...entry.operations] };
}

/** The global id of an object behind an account. */
export function globalId(
  kind: NumberedKind,
  { account, id }: { readonly account: { readonly integrationId: string }; readonly id: number },
): string {
  return encodeObjectId({ kind, integrationId: account.integrationId, zendeskId: id });
}
