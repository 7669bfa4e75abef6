/**
 * Which tickets a restricted client key was shown: where one of them leaves what the key is restricted to, its stream
 * of the change feed says so, also where the feed had not told of the ticket before.
 */
import type { Restriction } from '../../access/index.ts';
import { lockLog, putShownTickets, type StreamKey } from '../../feed/index.ts';
import type { Tx } from '../../store/index.ts';

/**
 * Notes them in the transaction that records the answer, before that takes any lock of a key. Under the lock of the
 * log: an append either comes before, and the feed knows the ticket then, or after, and finds the note.
 */
export async function noteShown(
  tx: Tx,
  key: StreamKey,
  restriction: Restriction,
  ticketIds: readonly number[],
): Promise<void> {
  if (ticketIds.length === 0) return;
  await lockLog(tx, key.tenantId, key.integrationId);
  await putShownTickets(tx, key, restriction, ticketIds);
}
