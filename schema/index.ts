/** The GraphQL schema, made of one file a type family. `schema.graphql` is printed from it. */
import { measuredBy } from '../src/service/index.ts';
import { builder } from './builder.ts';
import { measureDocument } from './document-cost.ts';
import './scalars.ts';
import './tenant.ts';
import './api-key.ts';
import './client-key.ts';
import './client-key-changes.ts';
import './credential.ts';
import './integration.ts';
import './proxy.ts';
import './audit.ts';
import './audit-proof.ts';
import './audit-export.ts';
import './audit-tail.ts';
import './server-keys.ts';
import './ticket-feed.ts';
import './zendesk-connection.ts';
import './access-sync.ts';
import './provisioning.ts';
import './provisioning-changes.ts';
import './provisioning-settings.ts';
import './zendesk/ticket.ts';
import './zendesk/comment.ts';
import './zendesk/user.ts';
import './zendesk/organization.ts';
import './zendesk/integration-fields.ts';
import './zendesk/my-tickets.ts';
import './zendesk/changes.ts';
import './directory.ts';
import './access-review.ts';

builder.queryType({
  description: 'What can be read. Everything needs an API key.',
  authScopes: { authenticated: true },
});
builder.mutationType({
  description:
    'What can be changed. Those of one document run one after the other; one that fails is null, with an error of its own.',
  authScopes: { authenticated: true },
});
builder.subscriptionType({
  description:
    'What can be followed. Everything needs an API key, and changes of tickets a client key to seal to.',
  authScopes: { authenticated: true },
});

export const schema = builder.toSchema({ extensions: measuredBy(measureDocument) });
