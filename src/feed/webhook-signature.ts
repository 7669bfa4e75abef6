/**
 * Signatures of Zendesk's webhooks: base64 of HMAC-SHA-256 over the timestamp as sent, followed by the raw body,
 * under the secret as text (zendesk-api §9, "Verifying webhooks"). The timestamp is signed, so a call that is
 * replayed late is refused; within the window a repeated call is known by its invocation.
 */
import { createHmac } from 'node:crypto';
import { type Clock, equalBytes, parseBase64 } from '../base/index.ts';

/** How far the timestamp may be from the present, either way. */
export const SIGNATURE_WINDOW_MS = 300_000;

const SIGNATURE_SIZE = 32;
const MAX_TIMESTAMP_CHARACTERS = 64;
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})$/;

export interface SignedDelivery {
  /** The exact bytes that came. */
  readonly body: Uint8Array;
  readonly signature: string | null;
  readonly timestamp: string | null;
}

/** Whether `secret` signed the delivery, in the same time whatever is wrong with it. */
export function isSignedBy(secret: string, { body, signature, timestamp }: SignedDelivery): boolean {
  const signed = createHmac('sha256', secret)
    .update(timestamp?.slice(0, MAX_TIMESTAMP_CHARACTERS) ?? '')
    .update(body)
    .digest();
  const given = parseBase64(signature ?? '');
  const compared = given?.length === SIGNATURE_SIZE ? given : new Uint8Array(SIGNATURE_SIZE);
  const isSame = equalBytes(signed, compared);
  return isSame && given?.length === SIGNATURE_SIZE;
}

/** Whether the timestamp is a time within the window around the present. */
export function isTimely(timestamp: string | null, clock: Pick<Clock, 'now'>): boolean {
  if (timestamp === null || !ISO_TIME.test(timestamp)) return false;
  return Math.abs(Date.parse(timestamp) - clock.now()) <= SIGNATURE_WINDOW_MS;
}
