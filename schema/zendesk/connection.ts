/** Connections over Zendesk's lists: forwards only, since Zendesk's own cursors and pages lead forwards. */
import type { OutputRef } from '@pothos/core';
import { DEFAULT_SLICE, type Found, MAX_SLICE, PROTECTED, type Slice } from '../../src/service/index.ts';
import { builder } from '../builder.ts';

/** A slice whose nodes are objects of the graph. */
export interface ConnectionObject<Node> {
  readonly slice: Slice<Node>;
  readonly after: string | null;
}

type Edge<Node> = Slice<Node>['edges'][number];
/** An object type or a union of them. */
type NodeRef<Node> = OutputRef<Node>;

/** The one PageInfo of all connections; ours are never truncated. */
const PageInfo = builder.pageInfoRef();

builder.objectField(PageInfo, 'truncated', (t) =>
  t.boolean({
    description:
      'Whether more match than can ever be reached by paging: Zendesk answers at most 1 000 hits of a search, which filtered lists of tickets are, and 10 000 of a search for people. Narrow the filter, for instance by dates. Always false for lists of the gateway’s own.',
    resolve: (info) => 'truncated' in info && info.truncated === true,
  }),
);

/** Arguments of every connection here; further ones beside them. */
export const sliceArgs = {
  first: {
    defaultValue: DEFAULT_SLICE,
    description: `How many at most, from 1 to ${MAX_SLICE}.`,
  },
  after: { description: 'The cursor to go on from: the `endCursor` of the page before.' },
} as const;

/** A slice as a connection: `toNode` makes of each view the object that stands behind the graph's. */
export function toConnectionObject<View, Node>(
  { account, view }: Found<Slice<View>>,
  after: string | null | undefined,
  toNode: (found: Found<View>) => Node,
): ConnectionObject<Node> {
  const edges = view.edges.map(({ cursor, node }) => ({ cursor, node: toNode({ account, view: node }) }));
  return { slice: { ...view, edges }, after: after ?? null };
}

/**
 * The connection type of `node`, with its edge. `what` names its objects in descriptions, `count` says
 * what Zendesk tells of their number.
 */
export function createConnection<Node>(
  name: string,
  node: NodeRef<Node>,
  { what, count }: { readonly what: string; readonly count: string },
) {
  const edge = builder.objectRef<Edge<Node>>(`${name}Edge`).implement({
    description: `One of the ${what} of a page, with its place in the list.`,
    extensions: PROTECTED,
    fields: (t) => ({
      cursor: t.exposeString('cursor', { description: 'Its place in the list, to go on `after`.' }),
      // A generic node cannot be checked against what the builder derives of it.
      node: t.field({ type: node, description: 'The object itself.', resolve: (one) => one.node as never }),
    }),
  });
  return builder.objectRef<ConnectionObject<Node>>(`${name}Connection`).implement({
    description: `A page of ${what}, and where it stands in the list.`,
    extensions: PROTECTED,
    fields: (t) => ({
      nodes: t.field({
        type: [node],
        complexity: { field: 1, multiplier: 1 },
        description: `The ${what} of the page.`,
        resolve: ({ slice }) => slice.edges.map((one) => one.node),
      }),
      edges: t.field({
        type: [edge],
        complexity: { field: 1, multiplier: 1 },
        description: `The ${what} of the page, each with its cursor.`,
        resolve: ({ slice }) => [...slice.edges],
      }),
      pageInfo: t.field({
        type: PageInfo,
        description: 'Whether the list goes on, and from where.',
        resolve: ({ slice, after }) => ({
          hasNextPage: slice.hasNextPage,
          hasPreviousPage: after !== null,
          startCursor: slice.edges[0]?.cursor ?? null,
          endCursor: slice.edges.at(-1)?.cursor ?? null,
          truncated: slice.truncated,
        }),
      }),
      totalCount: t.int({
        nullable: true,
        description: count,
        resolve: ({ slice }) => slice.totalCount,
      }),
    }),
  });
}
