import { builder } from './builder.ts';

const ProxyOutboundInput = builder.inputType('ProxyOutboundInput', {
  fields: (t) => ({
    integrationId: t.id({ required: true }),
    operation: t.string({ required: true, description: 'One of docs/operations.md.' }),
    payload: t.field({ type: 'JSONObject', required: true }),
    idempotencyKey: t.string({
      required: false,
      description:
        'For create_ticket: the caller’s own name for this creation, so that it can be sent again.',
    }),
  }),
});

builder.mutationField('proxyOutbound', (t) =>
  t.field({
    nullable: true,
    type: builder.simpleObject('ProxyResult', {
      fields: (payload) => ({
        envelope: payload.field({ type: 'HybridCryptoEnvelope' }),
        auditEventId: payload.id(),
      }),
    }),
    description:
      'Runs one Zendesk operation; the answer is sealed to the caller’s client key. For AGENT, reads also for DASHBOARD.',
    complexity: 50,
    args: { input: t.arg({ type: ProxyOutboundInput, required: true }) },
    resolve: async (_root, { input }, { call, services }) => {
      const { envelope, auditEventId, failure } = await services.proxyOutbound(
        { ...call, acceptsSealedErrors: false },
        input,
      );
      if (failure !== null) throw failure;
      return { envelope, auditEventId };
    },
  }),
);
