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
import './zendesk/ticket.ts';
import './zendesk/comment.ts';
import './zendesk/user.ts';
import './zendesk/organization.ts';
import './zendesk/integration-fields.ts';
import './zendesk/changes.ts';

builder.queryType({ authScopes: { authenticated: true } });
builder.mutationType({ authScopes: { authenticated: true } });

export const schema = builder.toSchema();
