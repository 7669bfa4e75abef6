/** Connecting Zendesk accounts by OAuth, and disconnecting them. */
import type { ConnectionView } from '../src/service/index.ts';
import { builder } from './builder.ts';
import { Integration } from './integration.ts';

const ConnectionStatus = builder.enumType('ZendeskConnectionStatus', {
  description: 'How far it is to connect an account.',
  values: {
    PENDING: { description: 'An admin is asked at Zendesk.' },
    UNDER_WAY: { description: 'The admin has come back, and the account is being looked at.' },
    CONNECTED: { description: 'The integration uses the access that was granted.' },
    DENIED: { description: 'The access was denied, at Zendesk or here.' },
    FAILED: { description: 'It could not be connected; `failure` tells why.' },
    EXPIRED: { description: 'Nobody came back within ten minutes.' },
  } as const,
});

const ConnectionFailure = builder.simpleObject('ZendeskConnectionFailure', {
  description: 'Why an account was not connected (docs/connecting.md).',
  fields: (t) => ({
    code: t.string({ description: 'A stable token.' }),
    message: t.string({ description: 'What went wrong, in plain words.' }),
    remedy: t.string({ description: 'What to do about it.' }),
    missingScopes: t.stringList({ description: 'The scopes that Zendesk did not grant.' }),
  }),
});

const Connection = builder.objectRef<ConnectionView>('ZendeskConnection').implement({
  description:
    'One attempt to connect an account by OAuth. It can be asked for a day. Nothing answers its tokens.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'To ask `zendeskConnection` with.' }),
    integrationId: t.exposeID('integrationId', { description: 'The integration that is connected.' }),
    status: t.field({
      type: ConnectionStatus,
      description: 'How far it is.',
      resolve: ({ status }) => status,
    }),
    scopes: t.exposeStringList('scopes', {
      description: 'What is asked for: what the allowed operations of the integration need.',
    }),
    failure: t.field({
      type: ConnectionFailure,
      nullable: true,
      description: 'Why it was not connected; null where it was, or may still be.',
      resolve: ({ failure }) => failure && { ...failure, missingScopes: [...failure.missingScopes] },
    }),
    credentialId: t.exposeID('credentialId', {
      nullable: true,
      description: 'The credential that holds the tokens; null until it is connected.',
    }),
    replacedCredentialId: t.exposeID('replacedCredentialId', {
      nullable: true,
      description:
        'The credential that the integration used before and no longer does; `deleteCredential` removes it.',
    }),
    leftAtZendeskUntil: t.expose('leftAtZendeskUntil', {
      type: 'DateTime',
      nullable: true,
      description:
        'Until when access may live at Zendesk that was granted and could not be taken back; null for none.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was begun.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'Until when the admin may come back.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ended.',
    }),
  }),
});

builder.queryField('zendeskConnection', (t) =>
  t.field({
    nullable: true,
    type: Connection,
    description: 'How it went to connect an account. For ADMIN.',
    args: { id: t.arg.id({ required: true, description: 'Of `connectZendesk`.' }) },
    resolve: (_root, { id }, { call, services }) => services.getZendeskConnection(call, id),
  }),
);

builder.mutationFields((t) => ({
  connectZendesk: t.field({
    nullable: true,
    type: builder.simpleObject('ConnectZendeskPayload', {
      description: 'What `connectZendesk` began.',
      fields: (payload) => ({
        connection: payload.field({ type: Connection, description: 'What was begun.' }),
        authorizationUrl: payload.string({
          description:
            'Where an admin of the account is sent by browser: good once, for ten minutes. Whoever has it can finish the connection.',
        }),
        auditEventId: payload.id({ description: 'The audit event that records it.' }),
      }),
    }),
    description:
      'Begins to connect an integration to its Zendesk account by OAuth (authorization code with PKCE). Id, policy and history of the integration stay. The OAuth client is the one named, else the one by which the integration is connected already, else that of the installation. For ADMIN.',
    args: {
      integrationId: t.arg.id({ required: true, description: 'The integration.' }),
      returnTo: t.arg.string({
        required: false,
        description:
          'Where the page at the end links to, with `connected` or `connect_error` added: a path of the gateway, or a URL of it or of an origin in SEALDESK_CORS_ORIGINS.',
      }),
      credentialId: t.arg.id({
        required: false,
        description: 'A sealed OAUTH2_CLIENT to ask with.',
      }),
      clientId: t.arg.string({ required: false, description: 'An OAuth client to ask with.' }),
      clientSecret: t.arg.string({
        required: false,
        description: 'The secret of `clientId`; left out for a public client.',
      }),
    },
    resolve: (_root, args, { call, services }) => services.connectZendesk(call, args),
  }),
  disconnectZendesk: t.field({
    nullable: true,
    type: builder.simpleObject('DisconnectZendeskPayload', {
      description: 'What `disconnectZendesk` did.',
      fields: (payload) => ({
        integration: payload.field({ type: Integration, description: 'The integration as it is now.' }),
        deletedId: payload.id({ description: 'The credential that is gone.' }),
        isRevoked: payload.boolean({ description: 'Whether Zendesk accepts it no more.' }),
        message: payload.string({ description: 'What was done, and what is left to do, in plain words.' }),
        auditEventId: payload.id({ description: 'The audit event that records it.' }),
      }),
    }),
    description:
      'Revokes the access of an integration at Zendesk and deletes its credential; policy and history stay. Where Zendesk cannot be reached the credential is deleted all the same. For ADMIN.',
    args: { integrationId: t.arg.id({ required: true, description: 'The integration.' }) },
    resolve: (_root, args, { call, services }) => services.disconnectZendesk(call, args),
  }),
}));
