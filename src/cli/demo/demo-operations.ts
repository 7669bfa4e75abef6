/** The GraphQL operations that set up the demo, each with what is read of its answer. */
import { z } from 'zod';

const Id = z.object({ id: z.string() });

export const VIEWER = {
  query: '{ viewer { apiKey { roles clientKeyId } tenant { id } } }',
  answer: z.object({
    viewer: z.object({
      apiKey: z.object({ roles: z.array(z.string()), clientKeyId: z.string().nullable() }),
      tenant: Id,
    }),
  }),
};

export const CREATE_TENANT = {
  query: `mutation ($name: String!) {
    createTenant(input: { name: $name }) { tenant { id } adminApiKeySecret }
  }`,
  answer: z.object({ createTenant: z.object({ tenant: Id, adminApiKeySecret: z.string() }) }),
};

export const CREATE_API_KEY = {
  query: 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }',
  answer: z.object({ createApiKey: z.object({ secret: z.string() }) }),
};

export const INTEGRATIONS = {
  query:
    '{ integrations(first: 50) { edges { node { id name credentialId allowedOperations connection { credentialType } } } } }',
  answer: z.object({
    integrations: z.object({
      edges: z.array(
        z.object({
          node: z.object({
            id: z.string(),
            name: z.string(),
            credentialId: z.string().nullable(),
            allowedOperations: z.array(z.string()),
            connection: z.object({ credentialType: z.string().nullable() }),
          }),
        }),
      ),
    }),
  }),
};

export const SEAL_CREDENTIAL = {
  query: 'mutation ($input: SealCredentialInput!) { sealCredential(input: $input) { credential { id } } }',
  answer: z.object({ sealCredential: z.object({ credential: Id }) }),
};

export const CREATE_INTEGRATION = {
  query: `mutation ($input: CreateIntegrationInput!) {
    createIntegration(input: $input) { integration { id } }
  }`,
  answer: z.object({ createIntegration: z.object({ integration: Id }) }),
};

export const ALLOW_OPERATIONS = {
  query: `mutation ($id: ID!, $operations: [String!]!) {
    updateIntegration(input: { id: $id, allowedOperations: $operations }) { integration { id } }
  }`,
  answer: z.object({ updateIntegration: z.object({ integration: Id }) }),
};

export const USE_CREDENTIAL = {
  query: `mutation ($id: ID!, $credentialId: ID!) {
    updateIntegration(input: { id: $id, credentialId: $credentialId }) { integration { id } }
  }`,
  answer: z.object({ updateIntegration: z.object({ integration: Id }) }),
};

export const ENABLE_TICKET_FEED = {
  query: 'mutation ($id: ID!) { enableTicketFeed(integrationId: $id) { auditEventId } }',
  answer: z.object({ enableTicketFeed: z.object({ auditEventId: z.string() }) }),
};

export const CLIENT_KEY_STATUS = {
  query: 'query ($id: ID!) { node(id: $id) { ... on ClientKey { status } } }',
  answer: z.object({ node: z.object({ status: z.string() }).nullable() }),
};

export const MAP_CLIENT_KEY = {
  query: 'mutation ($id: ID!) { mapClientKey(keyId: $id) { clientKey { id } } }',
  answer: z.object({ mapClientKey: z.object({ clientKey: Id }) }),
};
