/**
 * The mapping of a client key: whose it is, until when at most, what it may do when it logs in by itself, what it is
 * restricted to; and the end of the key before it. Who may grant that was judged before.
 */
import { SealdeskError } from '../base/index.ts';
import type { Tx } from '../store/index.ts';
import { type ClientKey, type ClientKeyLogin, EXPIRED, OVERLAP_MS, parseClientKey } from './client-key.ts';
import {
  findClientKey,
  lockClientKey,
  lockClientKeys,
  moveClientKey,
  type RecordedKeyAct,
  unknownKey,
} from './client-keys.ts';
import { assertOperationNames } from './fields.ts';
import { isSameRestriction, type Restriction, toRestrictionColumns } from './restriction.ts';
import { assertRolesOfTenant } from './role.ts';
import { findTenant } from './tenants.ts';

export interface MapClientKeyAct extends RecordedKeyAct {
  /** When it ends by itself; never where left out. */
  readonly expiresAt?: Date | null;
  /** What the key may do when it logs in by itself, `null` where it may not; what it inherits where left out. */
  readonly login?: ClientKeyLogin | null | undefined;
  /** What the key is good for only; all, or of a successor what its lineage is good for, where left out. */
  readonly restriction?: Restriction | null;
}

/**
 * An ADMIN or OPERATOR (`by`) says that the key is the tenant's. The key of its lineage that was ACTIVE is RETIRED by
 * that; by OVERLAP it is sealed to for {@link OVERLAP_MS} more. A successor has the restriction of the key before it,
 * whether it is given again or not.
 * Throws NOT_FOUND, KEY_REVOKED, CONFLICT where the key is not CONFIRMED, saying why, or is to be restricted in
 * another way than its lineage, or VALIDATION_FAILED for a login that this tenant may not grant.
 */
export async function mapClientKey(tx: Tx, act: MapClientKeyAct): Promise<ClientKey> {
  await lockClientKeys(tx, act.tenantId);
  const key = await lockClientKey(tx, act);
  if (key.status === 'PENDING') {
    throw new SealdeskError(
      'CONFLICT',
      'The client key is PENDING. Its holder must first confirm it with confirmClientKey (sealdesk keys register does).',
      { subject: key.id },
    );
  }
  if (key.status === 'ACTIVE') {
    throw new SealdeskError('CONFLICT', 'The client key is mapped already.', { subject: key.id });
  }
  if (key.status !== 'CONFIRMED') return moveClientKey(tx, key, 'ACTIVE', act.now, {});
  const restriction = restrictionOf(key, act.restriction ?? null);
  const login = act.login === undefined ? await inheritedLogin(tx, key, act.now) : act.login;
  if (login !== null) await assertGrantable(tx, act.tenantId, login);
  await retireActive(tx, key, act);
  return moveClientKey(tx, key, 'ACTIVE', act.now, {
    mapped_at: new Date(act.now),
    mapped_by: act.by,
    mapped_event_id: act.eventId,
    expires_at: act.expiresAt ?? null,
    login_roles: login === null ? null : [...login.roles],
    login_operations: login?.allowedOperations == null ? null : [...login.allowedOperations],
    ...toRestrictionColumns(restriction),
  });
}

/** The restriction that the key is mapped with where `wanted` is asked for. */
function restrictionOf(
  { id, succession, restriction }: ClientKey,
  wanted: Restriction | null,
): Restriction | null {
  if (succession === null) return wanted;
  if (wanted === null || isSameRestriction(restriction, wanted)) return restriction;
  throw new SealdeskError(
    'CONFLICT',
    'The client key succeeds one that was mapped with another restriction, which its successors keep. Leave restrictTo out, or register a key of a new lineage.',
    { subject: id },
  );
}

/**
 * What a successor may do when it logs in, where its mapping does not say: the same as the key that vouched for it
 * with its own signature. Nothing where an ADMIN asked for it, since nobody has shown then that the holder is the
 * same; nothing either where that key was revoked, which vouches for nothing.
 */
async function inheritedLogin(
  tx: Tx,
  { tenantId, succession }: ClientKey,
  now: number,
): Promise<ClientKeyLogin | null> {
  if (succession?.vouchedBy !== 'PREDECESSOR') return null;
  const predecessor = await findClientKey(tx, tenantId, succession.predecessorId, now);
  return predecessor === null || predecessor.status === 'REVOKED' ? null : predecessor.login;
}

async function assertGrantable(
  tx: Tx,
  tenantId: string,
  { roles, allowedOperations }: ClientKeyLogin,
): Promise<void> {
  const tenant = await findTenant(tx, tenantId);
  if (tenant === null) throw unknownKey();
  assertRolesOfTenant(tenant.kind, roles);
  if (allowedOperations !== null) assertOperationNames(allowedOperations);
}

/** Before the key of a lineage is mapped: the one that is ACTIVE by its row gives way, or has ended already. */
async function retireActive(tx: Tx, successor: ClientKey, act: RecordedKeyAct): Promise<void> {
  const row = await tx
    .selectFrom('client_keys')
    .selectAll()
    .where('tenant_id', '=', act.tenantId)
    .where('lineage_id', '=', successor.lineageId)
    .where('status', '=', 'ACTIVE')
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) return;
  const end = row.expires_at;
  // As the row says, whether or not its time is over.
  const active = parseClientKey(row, Number.NEGATIVE_INFINITY);
  if (end !== null && end.getTime() <= act.now) {
    await moveClientKey(tx, active, 'RETIRED', act.now, { ended_at: end, end_reason: EXPIRED });
    return;
  }
  const overlap = Math.min(act.now + OVERLAP_MS, end?.getTime() ?? Number.POSITIVE_INFINITY);
  await moveClientKey(tx, active, 'RETIRED', act.now, {
    ended_at: new Date(act.now),
    end_reason: 'SUPERSEDED',
    ended_by: act.by,
    ended_event_id: act.eventId,
    overlap_until: successor.succession?.mode === 'OVERLAP' ? new Date(overlap) : null,
  });
}
