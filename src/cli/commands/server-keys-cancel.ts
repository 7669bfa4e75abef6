import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { askGateway } from '../gateway-call.ts';
import {
  describeSigningKey,
  gatewayOf,
  SERVER_KEY_OPTIONS,
  SIGNING_KEY_FIELDS,
  signingKeyAnswer,
  tenantVariable,
} from '../server-keys.ts';

const CANCEL = {
  query: `mutation SealdeskCancelSigningKey($tenantId: ID) {
    cancelSigningKeyRotation(tenantId: $tenantId) { signingKey { ${SIGNING_KEY_FIELDS} } } }`,
  answer: z.object({ cancelSigningKeyRotation: z.object({ signingKey: signingKeyAnswer }) }),
};

export const command = defineCommand({
  options: SERVER_KEY_OPTIONS,
  description: `
Takes back a signing key that does not sign yet, until ten minutes before it would. Asks the running gateway
(at --url, else at SEALDESK_PUBLIC_URL). Needs an API key of an ADMIN of the tenant, or of an OPERATOR.`,
  async run({ values }, { terminal }) {
    const gateway = await gatewayOf(values, terminal, 'server-keys cancel');
    const { cancelSigningKeyRotation } = await askGateway(gateway, CANCEL, tenantVariable(values));
    const { signingKey } = cancelSigningKeyRotation;
    terminal.print(values.json ? JSON.stringify(signingKey) : describeSigningKey(signingKey));
    return 0;
  },
});
