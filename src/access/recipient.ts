import { type Bytes, SealdeskError } from '../base/index.ts';
import type { Tx } from '../store/index.ts';
import type { Caller } from './caller.ts';
import type { ClientKey } from './client-key.ts';
import { findClientKey } from './client-keys.ts';

/** The key that an answer is sealed to. */
export interface Recipient {
  readonly keyId: string;
  readonly lineageId: string;
  /** ML-KEM-768, 1184 bytes. */
  readonly kemPublicKey: Bytes;
  /** RFC 7638 thumbprint of the ML-KEM JWK. */
  readonly kemKid: string;
  /** When something was last sealed to it, to the minute. */
  readonly lastUsedAt: Date | null;
}

/**
 * The recipient of an answer to `caller`: the client key its API key is bound to, else the one that
 * the request names (`X-Sealdesk-Key` or `connection_init.clientKey`).
 *
 * Throws FORBIDDEN where a bound API key names another key, SEALED_RESPONSE_REQUIRED where there is
 * none, NOT_FOUND for a key that is unknown or another tenant's, CLIENT_KEY_NOT_MAPPED for one that is
 * not ACTIVE (saying who must do what), KEY_REVOKED.
 */
export async function chooseRecipient(
  tx: Tx,
  caller: RecipientsCaller,
  headerKeyId: string | null,
): Promise<Recipient> {
  const keyId = chooseKeyId(caller, headerKeyId);
  const key = await findClientKey(tx, caller.tenantId, keyId);
  if (key === null) throw new SealdeskError('NOT_FOUND', 'There is no client key of that id in this tenant.');
  return recipientOf(key);
}

/**
 * The same without a look into the database, where the API key is bound and the client key came with the
 * look-up of the caller; else `null`. What changed since is noticed when the answer is recorded.
 */
export function boundRecipient(
  caller: RecipientsCaller & Pick<Caller, 'boundKey'>,
  headerKeyId: string | null,
): Recipient | null {
  chooseKeyId(caller, headerKeyId);
  return caller.boundKey === null ? null : recipientOf(caller.boundKey);
}

type RecipientsCaller = Pick<Caller, 'tenantId' | 'clientKeyId'>;

function chooseKeyId({ clientKeyId: boundKeyId }: RecipientsCaller, headerKeyId: string | null): string {
  if (boundKeyId !== null && headerKeyId !== null && headerKeyId !== boundKeyId) {
    throw new SealdeskError(
      'FORBIDDEN',
      'The API key is bound to another client key than the request names. Leave X-Sealdesk-Key out.',
    );
  }
  const keyId = boundKeyId ?? headerKeyId;
  if (keyId === null) {
    throw new SealdeskError(
      'SEALED_RESPONSE_REQUIRED',
      'The answer leaves sealed only and no recipient is known. Bind the API key to a client key or name one in X-Sealdesk-Key.',
    );
  }
  return keyId;
}

/** The recipient that an ACTIVE key is. Throws CLIENT_KEY_NOT_MAPPED or KEY_REVOKED. */
export function recipientOf(key: ClientKey): Recipient {
  const { status } = key;
  switch (status) {
    case 'ACTIVE':
      return {
        keyId: key.id,
        lineageId: key.lineageId,
        kemPublicKey: Uint8Array.from(key.kemPublicKey),
        kemKid: key.kemKid,
        lastUsedAt: key.lastUsedAt,
      };
    case 'PENDING':
      throw notMapped(
        key,
        'is PENDING. Its holder must confirm it (sealdesk keys register does), then an ADMIN or OPERATOR must map it with mapClientKey.',
      );
    case 'CONFIRMED':
      throw notMapped(
        key,
        'is CONFIRMED but not mapped. An ADMIN or OPERATOR must map it with mapClientKey.',
      );
    case 'RETIRED':
      throw notMapped(key, 'was replaced by another. Use its successor.');
    case 'REVOKED':
      throw new SealdeskError(
        'KEY_REVOKED',
        `The client key ${key.id} was revoked. Generate, register and map a new one.`,
        { subject: key.id },
      );
    default:
      return status satisfies never;
  }
}

function notMapped(key: ClientKey, what: string): SealdeskError {
  return new SealdeskError('CLIENT_KEY_NOT_MAPPED', `The client key ${key.id} ${what}`, { subject: key.id });
}
