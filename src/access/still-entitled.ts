/**
 * That nothing was taken back while an answer was being made: to be asked in the transaction that
 * records it. The keys are locked against change until then, so that in the log a revocation stands
 * either before a refusal or after the answer.
 */
import { SealdeskError } from '../base/index.ts';
import type { Tx } from '../store/index.ts';
import type { Caller } from './caller.ts';
import { parseClientKey } from './client-key.ts';
import { type Recipient, recipientOf } from './recipient.ts';

type Asking = Pick<Caller, 'tenantId' | 'apiKeyId'>;

/** For an answer that is sealed. Throws KEY_REVOKED, CLIENT_KEY_NOT_MAPPED or UNAUTHENTICATED. */
export async function assertStillEntitled(
  tx: Tx,
  { tenantId, apiKeyId }: Asking,
  recipient: Pick<Recipient, 'keyId'>,
): Promise<void> {
  const row = await tx
    .selectFrom('client_keys')
    .innerJoin('api_keys', 'api_keys.tenant_id', 'client_keys.tenant_id')
    .selectAll('client_keys')
    .select('api_keys.revoked_at')
    .where('client_keys.tenant_id', '=', tenantId)
    .where('client_keys.id', '=', recipient.keyId)
    .where('api_keys.id', '=', apiKeyId)
    .forShare()
    .executeTakeFirst();
  if (row === undefined) throw new SealdeskError('KEY_REVOKED', 'The client key or the API key is gone.');
  const { revoked_at, ...clientKey } = row;
  if (revoked_at !== null) throw revokedMeanwhile();
  recipientOf(parseClientKey(clientKey));
}

/** For an answer in the clear. Throws UNAUTHENTICATED or SEALED_RESPONSE_REQUIRED. */
export async function assertStillPlaintext(tx: Tx, { tenantId, apiKeyId }: Asking): Promise<void> {
  const apiKey = await tx
    .selectFrom('api_keys')
    .select(['revoked_at', 'delivery'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', apiKeyId)
    .forShare()
    .executeTakeFirst();
  if (apiKey?.revoked_at !== null) throw revokedMeanwhile();
  if (apiKey.delivery === 'PLAINTEXT') return;
  throw new SealdeskError(
    'SEALED_RESPONSE_REQUIRED',
    'The answers to this API key leave sealed now. Ask for them sealed.',
  );
}

function revokedMeanwhile(): SealdeskError {
  return new SealdeskError('UNAUTHENTICATED', 'The API key was revoked while the call was under way.');
}
