/** The GraphQL schema, made of one file a type family. `schema.graphql` is printed from it. */
import { builder } from './builder.ts';
import './scalars.ts';
import './tenant.ts';
import './api-key.ts';
import './client-key.ts';
import './credential.ts';
import './integration.ts';
import './proxy.ts';
import './audit.ts';

builder.queryType({ authScopes: { authenticated: true } });
builder.mutationType({ authScopes: { authenticated: true } });

export const schema = builder.toSchema();
