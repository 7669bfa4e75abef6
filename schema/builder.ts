/**
 * The one schema builder. Root fields are closed to callers without an API key unless they say
 * otherwise. Mutations are nullable, so that one that fails takes no answer of an earlier one with it.
 */
import SchemaBuilder, { brandWithType } from '@pothos/core';
import ComplexityPlugin, { type ComplexityErrorFn } from '@pothos/plugin-complexity';
import RelayPlugin, { resolveNodes } from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import SimpleObjectsPlugin from '@pothos/plugin-simple-objects';
import type { GraphQLResolveInfo } from 'graphql';
import { type IdKind, type JsonValue, kindOfId, SealdeskError } from '../src/base/index.ts';
import type {
  AccessSyncRunView,
  AuditTailEvent,
  Call,
  GraphSession,
  Services,
  TicketFeedEvent,
  TicketSubscription,
} from '../src/service/index.ts';
import { costliestField, DEFAULT_LIST_MULTIPLIER } from './costliest-field.ts';
import { CALL_COST } from './zendesk/costs.ts';
import { zendeskTypeOf } from './zendesk/node-id.ts';

/** What resolvers find in their context. */
export interface GraphqlContext {
  readonly call: Call;
  readonly services: Services;
  /** The operation's way to Zendesk. */
  readonly session: GraphSession;
  /**
   * Changes that were refused although they are answered with data, by the response name of their root
   * field: the result tells each of them as an error, whatever was selected.
   */
  readonly refused: Map<string, SealdeskError>;
  /**
   * Opens the one source of a subscription; there for subscriptions only. What is then made of an event is
   * the same for all subscribers, so resolvers of events find nothing in their context.
   */
  readonly openTicketChanges: (
    subscription: TicketSubscription,
  ) => Promise<AsyncIterableIterator<TicketFeedEvent>>;
  /** The same for the audit log, after a cursor. */
  readonly openAuditTail: (after: string | null) => Promise<AsyncIterableIterator<AuditTailEvent>>;
  /** The same for an access sync, by the id of its run. */
  readonly openSyncProgress: (runId: string) => Promise<AsyncIterableIterator<AccessSyncRunView>>;
}

/**
 * Limits on a document: levels, selected fields in all, and cost (a field costs 1, a list its size times
 * its items). The widest screen of an agent has to fit: 100 tickets with all their fields, people and
 * organizations cost some 16 000. What needs a Zendesk call of its own costs `CALL_COST`, so that a
 * document leads to at most 80 of them.
 */
export const QUERY_LIMITS = Object.freeze({ depth: 14, breadth: 240, complexity: 20_000 });

export interface SchemaTypes {
  Context: GraphqlContext;
  DefaultFieldNullability: false;
  AuthScopes: { authenticated: boolean; public: boolean };
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    JSON: { Input: JsonValue; Output: JsonValue };
    Cursor: { Input: string; Output: string };
    SafeInt: { Input: number; Output: number };
    JSONObject: { Input: Record<string, unknown>; Output: object };
    HybridCryptoEnvelope: { Input: never; Output: object };
  };
}

/** Each object of the gateway's own by its id is a look-up of its own: a hundred of them with ten fields fit. */
const NODE_COST = QUERY_LIMITS.complexity / 100 - 10;

const NODE_TYPES: Readonly<Partial<Record<IdKind, string>>> = Object.freeze({
  tenant: 'Tenant',
  integration: 'Integration',
  credential: 'Credential',
  clientKey: 'ClientKey',
  apiKey: 'ApiKey',
  auditEvent: 'AuditEvent',
});

/** Stands in place of a type for what is no id of an object: only that id fails, not all asked for beside it. */
const NO_TYPE = '';

/** The type whose id `id` is. Ids name their own type, so they serve as global ids as they are. */
function typenameOf(id: string): string {
  const kind = kindOfId(id);
  return (kind === null ? zendeskTypeOf(id) : NODE_TYPES[kind]) ?? NO_TYPE;
}

interface NodeId {
  readonly typename: string;
  readonly id: string;
}

function assertObjectId({ typename }: NodeId): void {
  if (typename === NO_TYPE) throw new SealdeskError('NOT_FOUND', 'No object has an id of this form.');
}

const BATCHED_TYPES: ReadonlySet<string> = new Set(['Ticket', 'User', 'Organization']);

/** Objects of Zendesk are loaded a hundred at a time, but a comment is looked for in its ticket. */
function costOfNode({ typename }: NodeId): number {
  if (typename === 'Comment') return CALL_COST;
  return BATCHED_TYPES.has(typename) ? 1 : NODE_COST;
}

/** Objects that one call of Zendesk's brings. */
const BATCH_SIZE = 100;
/** Ids of one `nodes`. */
export const MAX_NODES = 200;

/** Zendesk's objects take a call for each started hundred. Ids above the bound are refused with their own text. */
function costOfNodes(ids: readonly NodeId[]) {
  const counted = ids.slice(0, MAX_NODES);
  const batched = counted.filter(({ typename }) => BATCHED_TYPES.has(typename)).length;
  return {
    field: counted.reduce((sum, id) => sum + costOfNode(id), CALL_COST * Math.ceil(batched / BATCH_SIZE)),
    multiplier: counted.length,
  };
}

function assertFewNodes(ids: readonly unknown[]): void {
  if (ids.length <= MAX_NODES) return;
  throw new SealdeskError(
    'VALIDATION_FAILED',
    `\`nodes\` takes at most ${MAX_NODES} ids. Ask for fewer at once.`,
    {
      fields: [{ path: 'ids', message: `has more than ${MAX_NODES} ids` }],
    },
  );
}

async function resolveNode(id: NodeId, context: GraphqlContext, info: GraphQLResolveInfo): Promise<unknown> {
  assertObjectId(id);
  const node = await (await resolveNodes(builder, context, info, [id]))[0];
  // The same object asked for twice comes from the plugin's cache, before the plugin has told its type.
  brandWithType(node, id.typename as never);
  return node;
}

type ComplexityKind = Parameters<ComplexityErrorFn>[0];
type Measured = Parameters<ComplexityErrorFn>[1];

/** Names what was counted and its limit, and of the cost the part that is most of it, by the document’s own names. */
function tooComplex(
  kind: ComplexityKind,
  { depth, breadth, complexity }: Measured,
  info: GraphQLResolveInfo,
): string {
  switch (kind) {
    case 'Depth':
      return `The document is ${depth} levels deep; the limit is ${QUERY_LIMITS.depth}. Ask for less at once.`;
    case 'Breadth':
      return `The document selects ${breadth} fields; the limit is ${QUERY_LIMITS.breadth}. Ask for less at once.`;
    default: {
      const costliest = costliestField(info);
      const part = costliest === null ? '' : ` Most of it is ${costliest.path}, with ${costliest.cost}.`;
      return `The document costs ${complexity}; the limit is ${QUERY_LIMITS.complexity}.${part} Ask for smaller pages or fewer fields.`;
    }
  }
}

export const builder = new SchemaBuilder<SchemaTypes>({
  plugins: [ScopeAuthPlugin, RelayPlugin, SimpleObjectsPlugin, ComplexityPlugin],
  defaultFieldNullability: false,
  scopeAuth: {
    authorizeOnSubscribe: true,
    authScopes: (context) => ({ authenticated: context.call.caller !== null, public: true }),
    unauthorizedError: () =>
      new SealdeskError(
        'UNAUTHENTICATED',
        'This needs an API key. Send it as X-API-Key or as Authorization: Bearer.',
      ),
  },
  relay: {
    clientMutationId: 'omit',
    cursorType: 'String',
    // Our ids name their own type, so they serve as global ids as they are.
    encodeGlobalID: (_typename, id) => String(id),
    decodeGlobalID: (id) => ({ typename: typenameOf(id), id }),
    nodeTypeOptions: { description: 'Anything with an id that `node` and `nodes` find again.' },
    idFieldOptions: { description: 'The global id: `node` finds the object again by it.' },
    pageInfoTypeOptions: { description: 'Where a page stands in its list.' },
    hasNextPageFieldOptions: { description: 'Whether the list goes on after this page.' },
    hasPreviousPageFieldOptions: { description: 'Whether something comes before this page.' },
    startCursorFieldOptions: { description: 'The cursor of the first of the page; null for an empty one.' },
    endCursorFieldOptions: {
      description: 'The cursor of the last of the page, to go on `after`; null for an empty one.',
    },
    edgesFieldOptions: {
      // A page's size is counted by its connection.
      complexity: { field: 1, multiplier: 1 },
      description: 'What the page holds, each with its cursor.',
    },
    nodesOnConnection: {
      complexity: { field: 1, multiplier: 1 },
      description: 'What the page holds, where the cursor of each is of no interest.',
    },
    firstArgOptions: { description: 'How many at most, from 1 to 100, of the beginning; 50 where left out.' },
    afterArgOptions: { description: 'The cursor to go on from: the `endCursor` of the page before.' },
    lastArgOptions: {
      description: 'How many at most, from 1 to 100, of the end; not together with `first`.',
    },
    beforeArgOptions: { description: 'The cursor to go back from: the `startCursor` of the page after.' },
    pageInfoFieldOptions: { description: 'Where the page stands in its list.' },
    cursorFieldOptions: { description: 'Its place in the list.' },
    nodeFieldOptions: { description: 'The object itself.' },
    defaultEdgeTypeOptions: { description: 'One object of a page, with its place in the list.' },
    defaultConnectionTypeOptions: { description: 'A page of a list, and where it stands in it.' },
    nodeQueryOptions: {
      description: 'Any object by its global id; null where there is none.',
      args: { id: { description: 'The global id.' } },
      complexity: ({ id }) => ({ field: costOfNode(id), multiplier: 1 }),
      resolve: (_root, { id }, context, info) => resolveNode(id, context, info),
    },
    nodesQueryOptions: {
      description:
        'Objects by their global ids, in their order; null where there is none, with an error of its own where one may not be read.',
      args: { ids: { description: `The global ids, of any types; at most ${MAX_NODES}.` } },
      complexity: ({ ids }) => costOfNodes(ids),
      resolve: (_root, { ids }, context, info) => {
        assertFewNodes(ids);
        return ids.map((id) => resolveNode(id, context, info));
      },
    },
  },
  complexity: {
    defaultComplexity: 1,
    defaultListMultiplier: DEFAULT_LIST_MULTIPLIER,
    limit: QUERY_LIMITS,
    complexityError: (kind, measured, info) => {
      const subject = kind.toLowerCase();
      throw new SealdeskError('QUERY_TOO_COMPLEX', tooComplex(kind, measured, info), { subject });
    },
  },
});
