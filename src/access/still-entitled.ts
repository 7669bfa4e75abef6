import { SealdeskError } from '../base/index.ts';
import type { Tx } from '../store/index.ts';
import type { Caller } from './caller.ts';
import { findClientKey } from './client-keys.ts';
import { type Recipient, recipientOf } from './recipient.ts';

/**
 * That nothing was revoked while the answer was being made: to be asked in the transaction that
 * records it. Both keys are locked against change until then, so that in the log a revocation stands
 * either before a refusal or after the answer.
 *
 * Throws KEY_REVOKED, CLIENT_KEY_NOT_MAPPED or UNAUTHENTICATED.
 */
export async function assertStillEntitled(
  tx: Tx,
  caller: Pick<Caller, 'tenantId' | 'apiKeyId'>,
  recipient: Pick<Recipient, 'keyId'>,
): Promise<void> {
  const { tenantId, apiKeyId } = caller;
  const apiKey = await tx
    .selectFrom('api_keys')
    .select('revoked_at')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', apiKeyId)
    .forShare()
    .executeTakeFirst();
  if (apiKey?.revoked_at !== null) {
    throw new SealdeskError('UNAUTHENTICATED', 'The API key was revoked while the call was under way.');
  }
  await tx
    .selectFrom('client_keys')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', recipient.keyId)
    .forShare()
    .execute();
  const clientKey = await findClientKey(tx, tenantId, recipient.keyId);
  if (clientKey === null) throw new SealdeskError('KEY_REVOKED', 'The client key is gone.');
  recipientOf(clientKey);
}
