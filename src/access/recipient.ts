import { createHash } from 'node:crypto';
import { type Bytes, SealdeskError } from '../base/index.ts';
import { encodeFingerprint, encodeFingerprintInput } from '../envelope/index.ts';
import type { Tx } from '../store/index.ts';
import type { Caller } from './caller.ts';
import { type ClientKey, EXPIRED, isReceiving } from './client-key.ts';
import { findClientKey } from './client-keys.ts';
import { findStandingKey } from './lineage.ts';
import type { Restriction } from './restriction.ts';

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
  /** When it ends by itself, where that is within {@link REMINDER_MS}; else `null`. */
  readonly endsSoonAt: Date | null;
  /** What of Zendesk may be sealed to it, `null` where that is all. */
  readonly restriction: Restriction | null;
}

/** How long before its end a key's holder is reminded, in milliseconds. */
export const REMINDER_MS = 30 * 86_400_000;

/**
 * The recipient of an answer to `caller`. Of a client key that signed its login it is that key. Of an API key it is
 * the one that the request names (`X-Sealdesk-Key` or `connection_init.clientKey`), which must be of the lineage that
 * the API key is bound to, where it is; else the key that stands for that lineage. `now` is in milliseconds since 1970.
 *
 * Throws FORBIDDEN where the request names another key than the login allows, SEALED_RESPONSE_REQUIRED where there is
 * none, NOT_FOUND for a key that is unknown or another tenant's, CLIENT_KEY_NOT_MAPPED for one that is
 * not ACTIVE (saying who must do what), KEY_REVOKED.
 */
export async function chooseRecipient(
  tx: Tx,
  caller: RecipientsCaller,
  namedKeyId: string | null,
  now: number,
): Promise<Recipient> {
  const { kind, tenantId, clientKeyId: boundKeyId } = caller;
  const bound = boundKeyId === null ? null : await findBoundKey(tx, caller, boundKeyId, now);
  if (namedKeyId === null) {
    if (bound === null) throw noRecipient();
    return recipientOf(bound, now);
  }
  if (namedKeyId === bound?.id) return recipientOf(bound, now);
  const named = await findClientKey(tx, tenantId, namedKeyId, now);
  if (bound !== null && (kind === 'CLIENT_KEY' || named?.lineageId !== bound.lineageId)) {
    throw new SealdeskError(
      'FORBIDDEN',
      'The login is bound to another client key than the request names. Leave X-Sealdesk-Key out.',
    );
  }
  if (named === null) {
    throw new SealdeskError('NOT_FOUND', 'There is no client key of that id in this tenant.');
  }
  if (!isReceiving(named)) throw await explainRefusal(tx, named, now);
  return recipientOf(named, now);
}

/**
 * The same without a look into the database, where the caller is bound, the client key came with its look-up and no
 * other is named; else `null`. What changed since is noticed when the answer is recorded.
 */
export function boundRecipient(
  { boundKey }: Pick<Caller, 'boundKey'>,
  namedKeyId: string | null,
  now: number,
): Recipient | null {
  if (boundKey === null || (namedKeyId !== null && namedKeyId !== boundKey.id)) return null;
  return recipientOf(boundKey, now);
}

/**
 * What an answer to `caller` that is sealed to `recipient`, or, where that is `null`, leaves in the clear, is
 * restricted to. Who is bound has no other recipients than keys of the lineage it is bound to, which are all
 * restricted alike; an API key that is not is restricted only by the recipient it names.
 */
export function restrictionFor(
  { boundKey }: Pick<Caller, 'boundKey'>,
  recipient: Pick<Recipient, 'restriction'> | null,
): Restriction | null {
  return recipient === null ? (boundKey?.restriction ?? null) : recipient.restriction;
}

type RecipientsCaller = Pick<Caller, 'kind' | 'tenantId' | 'clientKeyId'>;

/** The key that stands for what an API key is bound to; a client key that logged in stands for itself alone. */
function findBoundKey(
  tx: Tx,
  { kind, tenantId }: RecipientsCaller,
  boundKeyId: string,
  now: number,
): Promise<ClientKey | null> {
  return kind === 'CLIENT_KEY'
    ? findClientKey(tx, tenantId, boundKeyId, now)
    : findStandingKey(tx, tenantId, boundKeyId, now);
}

function noRecipient(): SealdeskError {
  return new SealdeskError(
    'SEALED_RESPONSE_REQUIRED',
    'The answer leaves sealed only and no recipient is known. Bind the API key to a client key or name one in X-Sealdesk-Key.',
  );
}

/** The recipient that a key is which stands for its lineage. Throws CLIENT_KEY_NOT_MAPPED or KEY_REVOKED. */
function recipientOf(key: ClientKey, now: number): Recipient {
  if (!isReceiving(key)) throw refusalOf(key, key);
  const endsAt = key.status === 'RETIRED' ? key.overlapUntil : key.expiresAt;
  return {
    keyId: key.id,
    lineageId: key.lineageId,
    kemPublicKey: Uint8Array.from(key.kemPublicKey),
    kemKid: key.kemKid,
    lastUsedAt: key.lastUsedAt,
    restriction: key.restriction,
    endsSoonAt: endsAt !== null && endsAt.getTime() - now <= REMINDER_MS ? endsAt : null,
  };
}

/** Why nothing is sealed to `key` at `now`, and what is to be handed to whom. */
export async function explainRefusal(tx: Tx, key: ClientKey, now: number): Promise<SealdeskError> {
  return refusalOf(key, (await findStandingKey(tx, key.tenantId, key.id, now)) ?? key);
}

function refusalOf(key: ClientKey, standing: ClientKey): SealdeskError {
  const isRevoked = key.status === 'REVOKED';
  const next = isRevoked && standing.id === key.id ? REPLACE_REVOKED : nextStep(standing);
  return new SealdeskError(
    isRevoked ? 'KEY_REVOKED' : 'CLIENT_KEY_NOT_MAPPED',
    `The client key ${describe(key)}. ${next}`,
    { subject: standing.id },
  );
}

const REPLACE_REVOKED =
  'Its holder generates, registers and has mapped a new one; an ADMIN can hand in its successor with rotateClientKey.';

function describe(key: ClientKey): string {
  const name = key.succession === null ? key.id : `${key.id}, successor of ${key.succession.predecessorId},`;
  const { status } = key;
  switch (status) {
    case 'PENDING':
      return `${name} is PENDING`;
    case 'CONFIRMED':
      return `${name} is CONFIRMED but not mapped`;
    case 'ACTIVE':
      return `${name} is ACTIVE`;
    case 'RETIRED':
      return key.endReason === EXPIRED
        ? `${key.id} ended at ${key.endedAt.toISOString()}, as was set when it was mapped`
        : `${key.id} was replaced at ${key.endedAt.toISOString()}`;
    case 'REVOKED':
      return `${key.id} was revoked (${key.endReason})`;
    default:
      return status satisfies never;
  }
}

/** What has to be done so that something is sealed to the lineage of `standing`, and by whom. */
function nextStep(standing: ClientKey): string {
  const { id, status } = standing;
  switch (status) {
    case 'ACTIVE':
      return `Its successor ${id} is ACTIVE: use that key (sealdesk keys rotate FILE puts it in the old one’s place).`;
    case 'CONFIRMED':
      return `Hand to an ADMIN of the tenant or an OPERATOR: ${handOver(standing)}.`;
    case 'PENDING':
      return `The holder of ${id} must confirm it (sealdesk keys register FILE, of a successor keys rotate FILE); then hand to an ADMIN of the tenant or an OPERATOR: ${handOver(standing)}.`;
    case 'RETIRED':
      return standing.overlapUntil !== null
        ? `${id} of its lineage is still sealed to, until ${standing.overlapUntil.toISOString()}.`
        : 'No successor of it is on its way: its holder makes one with sealdesk keys rotate FILE; where its file is lost, an ADMIN hands one in with rotateClientKey.';
    case 'REVOKED':
      return `${id} of its lineage was revoked (${standing.endReason}). ${REPLACE_REVOKED}`;
    default:
      return status satisfies never;
  }
}

function handOver(key: ClientKey): string {
  const { id, kemKid, sigKid } = key;
  const digest = createHash('sha256').update(encodeFingerprintInput({ kem: kemKid, sig: sigKid }));
  const fingerprint = encodeFingerprint(Uint8Array.from(digest.digest()));
  return `key id ${id}, fingerprint ${fingerprint}. They compare the fingerprint with its holder (sealdesk keys fingerprint FILE) and map the key: mapClientKey(keyId: "${id}")`;
}
