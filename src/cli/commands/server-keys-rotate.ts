import { z } from 'zod';
import type { JsonObject } from '../../base/index.ts';
import { defineCommand } from '../command.ts';
import { UsageError } from '../command-error.ts';
import { askGateway, type GatewayAddress } from '../gateway-call.ts';
import {
  describeRotation,
  describeSigningKey,
  exitCodeOf,
  gatewayOf,
  ROTATION_FIELDS,
  rotationAnswer,
  SERVER_KEY_OPTIONS,
  SIGNING_KEY_FIELDS,
  signingKeyAnswer,
  tenantVariable,
  watchRotations,
} from '../server-keys.ts';

const ROTATE_SIGNING = {
  query: `mutation SealdeskRotateSigningKey($tenantId: ID, $now: Boolean) {
    rotateSigningKey(tenantId: $tenantId, now: $now) { signingKey { ${SIGNING_KEY_FIELDS} } } }`,
  answer: z.object({ rotateSigningKey: z.object({ signingKey: signingKeyAnswer }) }),
};
const ROTATE_VAULT = {
  query: `mutation SealdeskRotateVaultKey($tenantId: ID) {
    rotateVaultKey(tenantId: $tenantId) { rotation { ${ROTATION_FIELDS} } } }`,
  answer: z.object({ rotateVaultKey: z.object({ rotation: rotationAnswer }) }),
};
const ROTATE_KMS = {
  query: `mutation SealdeskRotateKmsKey($tenantId: ID, $kmsKeyArn: String) {
    rotateKmsKey(tenantId: $tenantId, kmsKeyArn: $kmsKeyArn) { rotation { ${ROTATION_FIELDS} } } }`,
  answer: z.object({ rotateKmsKey: z.object({ rotation: rotationAnswer }) }),
};

export const command = defineCommand({
  positionals: ['WHICH'],
  options: {
    ...SERVER_KEY_OPTIONS,
    now: { type: 'boolean', help: 'signing: revoke the present key, which others may know' },
    'kms-key-arn': {
      type: 'string',
      value: 'ARN',
      help: 'kms: the tenant’s own AWS KMS key; the default key where left out',
    },
    wait: { type: 'boolean', help: 'vault, kms: show how far it is until nothing is left to re-wrap' },
  },
  description: `
Changes a key that the running gateway (at --url, else at SEALDESK_PUBLIC_URL) holds for a tenant. WHICH is

  signing  the key that signs envelopes. The next one is published at once and signs a day later; clients
           follow by themselves. With --now the present key is revoked and the next one signs at once:
           every client key has to be welcomed anew, or to pin the new signing key (docs/keys.md).
  vault    the key that credentials are sealed to. What is stored is re-wrapped in the background.
  kms      the key of the key management service. It is tried out first; what is stored is re-wrapped in
           the background. For OPERATOR.

Needs an API key of an ADMIN of the tenant, or of an OPERATOR.`,
  async run({ values, positionals: [which = ''] }, { terminal }) {
    if (!isWhich(which)) {
      throw new UsageError(
        `WHICH is signing, vault or kms, got '${which}'. See sealdesk server-keys rotate --help.`,
      );
    }
    if (values.now && which !== 'signing') throw new UsageError('--now goes with signing only.');
    if (values.wait && which === 'signing') throw new UsageError('--wait goes with vault and kms only.');
    const kmsKeyArn = values['kms-key-arn'];
    if (kmsKeyArn !== undefined && which !== 'kms') throw new UsageError('--kms-key-arn goes with kms only.');
    const gateway = await gatewayOf(values, terminal, 'server-keys rotate');
    const tenant = tenantVariable(values);
    if (which === 'signing') {
      const { rotateSigningKey } = await askGateway(gateway, ROTATE_SIGNING, { ...tenant, now: values.now });
      const { signingKey } = rotateSigningKey;
      terminal.print(values.json ? JSON.stringify(signingKey) : describeSigningKey(signingKey));
      return 0;
    }
    const rotation = await rotateStored(gateway, which, {
      ...tenant,
      ...(kmsKeyArn === undefined ? {} : { kmsKeyArn }),
    });
    terminal.print(values.json ? JSON.stringify(rotation) : describeRotation(rotation));
    return values.wait ? exitCodeOf(await watchRotations(gateway, values, terminal)) : 0;
  },
});

const WHICH = ['signing', 'vault', 'kms'] as const;
type Which = (typeof WHICH)[number];

function isWhich(text: string): text is Which {
  return WHICH.some((known) => known === text);
}

async function rotateStored(
  gateway: GatewayAddress,
  which: Exclude<Which, 'signing'>,
  variables: JsonObject,
): Promise<z.infer<typeof rotationAnswer>> {
  if (which === 'vault') return (await askGateway(gateway, ROTATE_VAULT, variables)).rotateVaultKey.rotation;
  return (await askGateway(gateway, ROTATE_KMS, variables)).rotateKmsKey.rotation;
}
