/**
 * The one schema builder. Root fields are closed to callers without an API key unless they say
 * otherwise. Mutations are nullable, so that one that fails takes no answer of an earlier one with it.
 */
import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import SimpleObjectsPlugin from '@pothos/plugin-simple-objects';
import { type IdKind, kindOfId, SealdeskError } from '../src/base/index.ts';
import type { Call, GraphSession, Services } from '../src/service/index.ts';

/** What resolvers find in their context. */
export interface GraphqlContext {
  readonly call: Call;
  readonly services: Services;
  /** The operation's way to Zendesk. */
  readonly session: GraphSession;
}

/** Limits on a document: levels, fields on one level, and cost (a field costs 1, a list ten times its items). */
export const QUERY_LIMITS = Object.freeze({ depth: 12, breadth: 120, complexity: 5_000 });

export interface SchemaTypes {
  Context: GraphqlContext;
  DefaultFieldNullability: false;
  AuthScopes: { authenticated: boolean; public: boolean };
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    JSONObject: { Input: Record<string, unknown>; Output: object };
    HybridCryptoEnvelope: { Input: never; Output: object };
  };
}

/** Each object read by its id is a look-up of its own: a hundred of them with ten fields fit. */
const NODE_COST = QUERY_LIMITS.complexity / 100 - 10;

const NODE_TYPES: Readonly<Partial<Record<IdKind, string>>> = Object.freeze({
  tenant: 'Tenant',
  integration: 'Integration',
  credential: 'Credential',
  clientKey: 'ClientKey',
  apiKey: 'ApiKey',
  auditEvent: 'AuditEvent',
});

function typenameOf(id: string): string {
  const kind = kindOfId(id);
  const typename = kind === null ? undefined : NODE_TYPES[kind];
  if (typename === undefined) throw new SealdeskError('NOT_FOUND', 'No object has an id of this form.');
  return typename;
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
    // A page's size is counted by its connection.
    edgesFieldOptions: { complexity: { field: 1, multiplier: 1 } },
    nodesQueryOptions: {
      complexity: ({ ids }) => ({ field: NODE_COST * ids.length, multiplier: ids.length }),
    },
  },
  complexity: {
    defaultComplexity: 1,
    defaultListMultiplier: 10,
    limit: QUERY_LIMITS,
    complexityError: (kind) => {
      throw new SealdeskError(
        'QUERY_TOO_COMPLEX',
        `The document exceeds the limit on ${kind.toLowerCase()}. Ask for less at once.`,
        {
          subject: kind.toLowerCase(),
        },
      );
    },
  },
});
