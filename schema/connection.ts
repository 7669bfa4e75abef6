import type { Connection } from '../src/service/index.ts';
import { builder } from './builder.ts';

/** The arguments of every connection: `first` with `after`, or `last` with `before`; 50 by default, 100 at most. */
export type PageArgs = {
  readonly first?: number | null | undefined;
  readonly last?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly before?: string | null | undefined;
};

/** What the resolvers of a connection return to the relay plugin. */
export function connectionResult<Node>(connection: Connection<Node>) {
  return { edges: [...connection.edges], pageInfo: connection.pageInfo };
}

/** The cost of a connection field: its page size times what a node costs. */
export function connectionCost(args: PageArgs): { readonly field: number; readonly multiplier: number } {
  // A size out of bounds is refused with its own text when the page is read.
  return { field: 1, multiplier: Math.min(Math.max(args.first ?? args.last ?? 50, 1), 100) };
}

builder.globalConnectionFields(() => ({}));
