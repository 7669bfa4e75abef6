import { builder } from './builder.ts';
import { CALL_COST } from './zendesk/costs.ts';

const ProxyOutboundInput = builder.inputType('ProxyOutboundInput', {
  description: 'One operation to run on Zendesk.',
  fields: (t) => ({
    integrationId: t.id({ required: true, description: 'The integration whose account it runs on.' }),
    operation: t.string({ required: true, description: 'One of docs/operations.md.' }),
    payload: t.field({
      type: 'JSONObject',
      required: true,
      description: 'The fields of the operation, as docs/operations.md lists them.',
    }),
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
      description: 'The answer of one operation.',
      fields: (payload) => ({
        envelope: payload.field({
          type: 'HybridCryptoEnvelope',
          description: 'The result, sealed: hand it whole to an opener.',
        }),
        auditEventId: payload.id({ description: 'The audit event that records the call.' }),
      }),
    }),
    description:
      'Runs one Zendesk operation; the answer is sealed to the caller’s client key. For AGENT, reads also for DASHBOARD.',
    complexity: CALL_COST,
    args: {
      input: t.arg({ type: ProxyOutboundInput, required: true, description: 'The operation to run.' }),
    },
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
