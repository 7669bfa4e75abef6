/**
 * That nothing was taken back while a call was under way: to be asked in the transaction that records
 * what is about to happen, a change or an answer. The keys are locked against change until then, so that
 * in the log a revocation stands either before a refusal or after what was still allowed.
 *
 * `now` is in milliseconds since 1970.
 */
import { SealdeskError } from '../base/index.ts';
import type { Tx } from '../store/index.ts';
import type { Caller } from './caller.ts';
import { parseClientKey } from './client-key.ts';
import { type Recipient, recipientOf } from './recipient.ts';

type Asking = Pick<Caller, 'tenantId' | 'apiKeyId'>;
interface Ends {
  readonly revoked_at: Date | null;
  readonly expires_at: Date | null;
}

/** For what is sealed. Throws KEY_REVOKED, CLIENT_KEY_NOT_MAPPED or UNAUTHENTICATED. */
export async function assertStillEntitled(
  tx: Tx,
  { tenantId, apiKeyId }: Asking,
  recipient: Pick<Recipient, 'keyId'>,
  now: number,
): Promise<void> {
  const row = await tx
    .selectFrom('client_keys')
    .innerJoin('api_keys', 'api_keys.tenant_id', 'client_keys.tenant_id')
    .selectAll('client_keys')
    .select(['api_keys.revoked_at', 'api_keys.expires_at'])
    .where('client_keys.tenant_id', '=', tenantId)
    .where('client_keys.id', '=', recipient.keyId)
    .where('api_keys.id', '=', apiKeyId)
    .forShare()
    .executeTakeFirst();
  if (row === undefined) throw new SealdeskError('KEY_REVOKED', 'The client key or the API key is gone.');
  const { revoked_at, expires_at, ...clientKey } = row;
  assertNotEnded({ revoked_at, expires_at }, now);
  recipientOf(parseClientKey(clientKey));
}

/** For what is in the clear. Throws UNAUTHENTICATED or SEALED_RESPONSE_REQUIRED. */
export async function assertStillPlaintext(
  tx: Tx,
  { tenantId, apiKeyId }: Asking,
  now: number,
): Promise<void> {
  const apiKey = await tx
    .selectFrom('api_keys')
    .select(['revoked_at', 'expires_at', 'delivery'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', apiKeyId)
    .forShare()
    .executeTakeFirst();
  assertNotEnded(apiKey, now);
  if (apiKey?.delivery === 'PLAINTEXT') return;
  throw new SealdeskError(
    'SEALED_RESPONSE_REQUIRED',
    'The answers to this API key leave sealed now. Ask for them sealed.',
  );
}

/**
 * For what holds nothing of Zendesk. Throws UNAUTHENTICATED. With `ends`, an API key that the same
 * transaction is about to end, both are locked for that, always in the same order: two keys that end
 * each other do not wait for one another.
 */
export async function assertStillValid(
  tx: Tx,
  { tenantId, apiKeyId }: Asking,
  now: number,
  { ends = null }: { readonly ends?: string | null } = {},
): Promise<void> {
  const own = tx
    .selectFrom('api_keys')
    .select(['id', 'revoked_at', 'expires_at'])
    .where('tenant_id', '=', tenantId)
    .where('id', 'in', ends === null ? [apiKeyId] : [apiKeyId, ends])
    .orderBy('id');
  const rows = await (ends === null ? own.forShare() : own.forUpdate()).execute();
  assertNotEnded(
    rows.find(({ id }) => id === apiKeyId),
    now,
  );
}

function assertNotEnded(apiKey: Ends | undefined, now: number): void {
  if (apiKey?.revoked_at !== null) {
    throw new SealdeskError('UNAUTHENTICATED', 'The API key was revoked while the call was under way.');
  }
  if (apiKey.expires_at !== null && apiKey.expires_at.getTime() <= now) {
    throw new SealdeskError('UNAUTHENTICATED', 'The API key expired while the call was under way.');
  }
}
