/** Rotation in the database: a successor in the lineage of a key. Proofs were checked before. */
import { SealdeskError } from '../base/index.ts';
import type { ClientKeyRotationMode, ClientKeyVoucher, Tx } from '../store/index.ts';
import type { ClientKey, ClientKeyEndReason } from './client-key.ts';
import {
  insertClientKey,
  lockClientKey,
  lockClientKeys,
  moveClientKey,
  type NewClientKey,
  type RecordedKeyAct,
} from './client-keys.ts';
import { isWaiting, lastMapped, listLineage } from './lineage.ts';

export interface Rotation {
  readonly mode: ClientKeyRotationMode;
  readonly vouchedBy: ClientKeyVoucher;
  readonly successor: Omit<NewClientKey, 'succession' | 'now' | 'tenantId'>;
}

/**
 * Registers a successor of the key that `act` names, as PENDING. STRICT retires that key, and what overlaps with it,
 * at once; OVERLAP leaves it as it is. A successor that waits already is returned where it is this very one, so that
 * a client may ask again for a welcome that it lost.
 *
 * Throws NOT_FOUND; CONFLICT where the key was never mapped, is not the last of its lineage, or another successor
 * waits; KEY_REVOKED where the holder of a revoked key asks.
 */
export async function startRotation(
  tx: Tx,
  act: RecordedKeyAct,
  { mode, vouchedBy, successor }: Rotation,
): Promise<ClientKey> {
  const { tenantId, clientKeyId, now } = act;
  await lockClientKeys(tx, tenantId);
  const old = await lockClientKey(tx, act);
  const lineage = await listLineage(tx, tenantId, clientKeyId, now);
  assertMayGiveWay(old, lineage, vouchedBy);
  const waiting = lineage.find((key) => key.succession !== null && isWaiting(key, now));
  if (waiting !== undefined) {
    if (isSame(waiting, successor, { mode, vouchedBy, clientKeyId })) return waiting;
    throw new SealdeskError(
      'CONFLICT',
      `A successor waits already: ${waiting.id} (${waiting.status}). Map it, or cancel it with revokeClientKey, before another is asked for.`,
      { subject: waiting.id },
    );
  }
  const inserted = await insertClientKey(tx, {
    ...successor,
    tenantId,
    now,
    succession: {
      ...{ predecessorId: old.id, lineageId: old.lineageId, restriction: old.restriction },
      ...{ mode, vouchedBy },
    },
  });
  if (mode === 'STRICT') await stopLineage(tx, old, act);
  return inserted;
}

/** The id of the successor that waits, where its halves are these: what asks again for its welcome. */
export async function findWaitingSuccessor(
  tx: Tx,
  tenantId: string,
  clientKeyId: string,
  kids: Pick<NewClientKey, 'kemKid' | 'sigKid'>,
  now: number,
): Promise<string | null> {
  const lineage = await listLineage(tx, tenantId, clientKeyId, now);
  const waiting = lineage.find(
    (key) => key.succession?.predecessorId === clientKeyId && isPendingAs(key, kids, now),
  );
  return waiting?.id ?? null;
}

/** Ends the successor on its way where the key alone vouched for it, for the same reason: that one, or `null`. */
export async function revokeVouched(
  tx: Tx,
  act: RecordedKeyAct & { readonly reason: ClientKeyEndReason },
): Promise<ClientKey | null> {
  const { tenantId, clientKeyId, now, reason } = act;
  const lineage = await listLineage(tx, tenantId, clientKeyId, now);
  const vouched = lineage.find(
    ({ succession, status }) =>
      succession?.predecessorId === clientKeyId &&
      succession.vouchedBy === 'PREDECESSOR' &&
      (status === 'PENDING' || status === 'CONFIRMED'),
  );
  if (vouched === undefined) return null;
  return moveClientKey(tx, vouched, 'REVOKED', now, {
    ended_at: new Date(now),
    end_reason: reason,
    ended_by: act.by,
    ended_event_id: act.eventId,
  });
}

function assertMayGiveWay(old: ClientKey, lineage: readonly ClientKey[], vouchedBy: ClientKeyVoucher): void {
  if (old.status === 'PENDING' || old.status === 'CONFIRMED') {
    throw new SealdeskError(
      'CONFLICT',
      `The client key is ${old.status}: it was never mapped, so there is nothing to take over. Revoke it and register another.`,
      { subject: old.id },
    );
  }
  const last = lastMapped(lineage);
  if (last === null || last.id !== old.id) {
    throw new SealdeskError(
      'CONFLICT',
      last === null
        ? 'The client key was never mapped, so there is nothing to take over. Register another.'
        : `The client key was replaced by ${last.id}. Rotate that one.`,
      { subject: last?.id ?? old.id },
    );
  }
  if (old.status === 'REVOKED' && vouchedBy === 'PREDECESSOR') {
    throw new SealdeskError(
      'KEY_REVOKED',
      'The client key was revoked and vouches for nothing any more. An ADMIN can hand in its successor with rotateClientKey, mode STRICT.',
      { subject: old.id },
    );
  }
}

/** STRICT: nothing is sealed to the lineage until its successor is mapped. */
async function stopLineage(tx: Tx, old: ClientKey, act: RecordedKeyAct): Promise<void> {
  if (old.status === 'ACTIVE') {
    await moveClientKey(tx, old, 'RETIRED', act.now, {
      ended_at: new Date(act.now),
      end_reason: 'SUPERSEDED',
      ended_by: act.by,
      ended_event_id: act.eventId,
    });
  }
  await tx
    .updateTable('client_keys')
    .set({ overlap_until: null })
    .where('tenant_id', '=', act.tenantId)
    .where('lineage_id', '=', old.lineageId)
    .where('overlap_until', 'is not', null)
    .execute();
}

function isPendingAs(
  key: ClientKey,
  { kemKid, sigKid }: Pick<NewClientKey, 'kemKid' | 'sigKid'>,
  now: number,
): boolean {
  const isSameKey = key.kemKid === kemKid && key.sigKid === sigKid;
  return isSameKey && key.status === 'PENDING' && isWaiting(key, now);
}

function isSame(
  waiting: ClientKey,
  successor: Rotation['successor'],
  asked: Pick<Rotation, 'mode' | 'vouchedBy'> & { readonly clientKeyId: string },
): boolean {
  const { succession, status } = waiting;
  return (
    status === 'PENDING' &&
    waiting.id === successor.id &&
    waiting.kemKid === successor.kemKid &&
    waiting.sigKid === successor.sigKid &&
    succession?.predecessorId === asked.clientKeyId &&
    succession.mode === asked.mode &&
    succession.vouchedBy === asked.vouchedBy
  );
}
