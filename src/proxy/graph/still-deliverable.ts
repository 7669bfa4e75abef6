import {
  assertStillEntitled,
  assertStillPlaintext,
  assertStillValid,
  type Caller,
} from '../../access/index.ts';
import type { Tx } from '../../store/index.ts';
import type { Delivery } from './graph-session.ts';

/**
 * That an answer may still leave as it was settled at the start: to be asked in the transaction that
 * records what is about to happen; `now` in milliseconds since 1970. Throws UNAUTHENTICATED,
 * KEY_REVOKED, CLIENT_KEY_NOT_MAPPED or SEALED_RESPONSE_REQUIRED.
 */
export async function assertStillDeliverable(
  tx: Tx,
  caller: Caller,
  delivery: Delivery,
  now: number,
): Promise<void> {
  switch (delivery.kind) {
    case 'SEALED':
      return assertStillEntitled(tx, caller, delivery.recipient, now);
    case 'PLAINTEXT':
      return assertStillPlaintext(tx, caller, now);
    case 'NONE':
      return assertStillValid(tx, caller, now);
    default:
      return delivery satisfies never;
  }
}
