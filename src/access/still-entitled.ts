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
import { isReceiving, parseClientKey } from './client-key.ts';
import { assertMayLogIn } from './client-key-login.ts';
import { findClientKey } from './client-keys.ts';
import { explainRefusal, type Recipient } from './recipient.ts';
import { isSameRestriction } from './restriction.ts';

type Asking = Pick<Caller, 'kind' | 'tenantId' | 'id'>;
interface Ends {
  readonly revoked_at: Date | null;
  readonly expires_at: Date | null;
}

/** For what is sealed. Throws KEY_REVOKED, CLIENT_KEY_NOT_MAPPED or UNAUTHENTICATED. */
export async function assertStillEntitled(
  tx: Tx,
  caller: Asking,
  recipient: Pick<Recipient, 'keyId'>,
  now: number,
): Promise<void> {
  const { kind, tenantId, id } = caller;
  if (kind === 'CLIENT_KEY') return assertLoginValid(tx, caller, now);
  const row = await tx
    .selectFrom('client_keys')
    .innerJoin('api_keys', 'api_keys.tenant_id', 'client_keys.tenant_id')
    .selectAll('client_keys')
    .select(['api_keys.revoked_at as api_key_revoked_at', 'api_keys.expires_at as api_key_expires_at'])
    .where('client_keys.tenant_id', '=', tenantId)
    .where('client_keys.id', '=', recipient.keyId)
    .where('api_keys.id', '=', id)
    .forShare()
    .executeTakeFirst();
  if (row === undefined) throw new SealdeskError('KEY_REVOKED', 'The client key or the API key is gone.');
  const { api_key_revoked_at: revoked_at, api_key_expires_at: expires_at, ...clientKey } = row;
  assertNotEnded({ revoked_at, expires_at }, now);
  const key = parseClientKey(clientKey, now);
  if (!isReceiving(key)) throw await explainRefusal(tx, key, now);
}

/** That the key which signed the login, and which is its recipient, may still log in. */
async function assertLoginValid(tx: Tx, { tenantId, id }: Asking, now: number): Promise<void> {
  const row = await tx
    .selectFrom('client_keys')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .forShare()
    .executeTakeFirst();
  if (row === undefined) throw new SealdeskError('KEY_REVOKED', 'The client key is gone.');
  await assertMayLogIn(tx, parseClientKey(row, now), now);
}

/**
 * For what is in the clear, as it never is for a client key. Throws UNAUTHENTICATED, SEALED_RESPONSE_REQUIRED, or
 * CONFLICT where it was restricted meanwhile.
 */
export async function assertStillPlaintext(
  tx: Tx,
  { kind, tenantId, id, clientKeyId, boundKey }: Asking & Pick<Caller, 'clientKeyId' | 'boundKey'>,
  now: number,
): Promise<void> {
  if (kind === 'CLIENT_KEY') throw sealedOnly();
  const apiKey = await tx
    .selectFrom('api_keys')
    .select(['revoked_at', 'expires_at', 'delivery'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .forShare()
    .executeTakeFirst();
  assertNotEnded(apiKey, now);
  const key = clientKeyId === null ? null : await findClientKey(tx, tenantId, clientKeyId, now);
  if (!isSameRestriction(key?.restriction ?? null, boundKey?.restriction ?? null)) {
    throw new SealdeskError(
      'CONFLICT',
      'The client key of the API key was restricted while the call was under way. Send it again.',
    );
  }
  if (apiKey?.delivery === 'PLAINTEXT') return;
  throw sealedOnly();
}

function sealedOnly(): SealdeskError {
  return new SealdeskError(
    'SEALED_RESPONSE_REQUIRED',
    'The answers to this key leave sealed now. Ask for them sealed.',
  );
}

/**
 * For what holds nothing of Zendesk. Throws UNAUTHENTICATED, or as for what is sealed where a client key
 * logged in. With `ends`, an API key that the same transaction is about to end, both are locked for that,
 * always in the same order: two keys that end each other do not wait for one another.
 */
export async function assertStillValid(
  tx: Tx,
  caller: Asking,
  now: number,
  { ends = null }: { readonly ends?: string | null } = {},
): Promise<void> {
  const { kind, tenantId, id } = caller;
  if (kind === 'CLIENT_KEY') return assertLoginValid(tx, caller, now);
  const own = tx
    .selectFrom('api_keys')
    .select(['id', 'revoked_at', 'expires_at'])
    .where('tenant_id', '=', tenantId)
    .where('id', 'in', ends === null ? [id] : [id, ends])
    .orderBy('id');
  const rows = await (ends === null ? own.forShare() : own.forUpdate()).execute();
  assertNotEnded(
    rows.find((row) => row.id === id),
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
