/**
 * The rotations of a tenant's vault key and KMS key: that one is under way, how far it is, and who does it.
 *
 * - RUNNING: begun, in the same transaction as the change of the key. Of each kind a tenant has one at most.
 *   Whoever *claims* it works on it until a time that renewing moves on; once that is over, another may claim
 *   it and goes on where the database says that something still rests on an old key. Left as DONE when nothing
 *   does any more, or as SUPERSEDED by the next change of the same key.
 * - DONE, SUPERSEDED: over; kept as history.
 *
 * The claim only keeps processes from doing the same work: every write of theirs holds by itself. Its time is
 * the database's.
 */
import { type Selectable, sql } from 'kysely';
import type { KeyRotationKind, KeyRotationState, KeyRotationsTable, Tx } from '../store/index.ts';

const MAX_KEPT_IN_VIEW = 20;

export interface KeyRotation {
  readonly id: number;
  readonly tenantId: string;
  readonly what: KeyRotationKind;
  /** Versions of the vault key, or references to KMS keys: what records rested on when it began. */
  readonly from: readonly string[];
  readonly to: string;
  /** Records that rested on an old key when it began. */
  readonly total: number;
  readonly state: KeyRotationState;
  /** An error code: why the last attempt did not go on; `null` where it did. */
  readonly failure: string | null;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
}

export interface NewKeyRotation {
  readonly tenantId: string;
  readonly what: KeyRotationKind;
  readonly from: readonly string[];
  readonly to: string;
  readonly total: number;
  readonly now: Date;
}

/** Begins a rotation; one of the same kind that was under way is SUPERSEDED. */
export async function insertKeyRotation(tx: Tx, rotation: NewKeyRotation): Promise<KeyRotation> {
  const { tenantId, what, from, to, total, now } = rotation;
  await tx
    .updateTable('key_rotations')
    .set({ state: 'SUPERSEDED', finished_at: now, lease_holder: null, lease_until: null })
    .where('tenant_id', '=', tenantId)
    .where('what', '=', what)
    .where('state', '=', 'RUNNING')
    .execute();
  const row = await tx
    .insertInto('key_rotations')
    .values({
      tenant_id: tenantId,
      what,
      from_refs: [...from],
      to_ref: to,
      total,
      state: 'RUNNING',
      started_at: now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return fromRow(row);
}

/** The newest rotations of a tenant, newest first. */
export async function listKeyRotations(tx: Tx, tenantId: string): Promise<readonly KeyRotation[]> {
  const rows = await tx
    .selectFrom('key_rotations')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy('id', 'desc')
    .limit(MAX_KEPT_IN_VIEW)
    .execute();
  return rows.map(fromRow);
}

/** The one of a kind that is under way, or `null`. */
export async function findRunningRotation(
  tx: Tx,
  tenantId: string,
  what: KeyRotationKind,
): Promise<KeyRotation | null> {
  const row = await tx
    .selectFrom('key_rotations')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('what', '=', what)
    .where('state', '=', 'RUNNING')
    .executeTakeFirst();
  return row === undefined ? null : fromRow(row);
}

/** At most `limit` rotations of any tenant that are under way and that nobody works on. For `withSystem`. */
export async function findUnclaimedRotations(tx: Tx, limit: number): Promise<readonly KeyRotation[]> {
  const rows = await tx
    .selectFrom('key_rotations')
    .selectAll()
    .where('state', '=', 'RUNNING')
    .where((where) =>
      where.or([where('lease_holder', 'is', null), where('lease_until', '<=', sql<Date>`clock_timestamp()`)]),
    )
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(fromRow);
}

export interface RotationClaim {
  readonly id: number;
  /** A random name of the process. */
  readonly holder: string;
  readonly lifetimeMs: number;
}

/** Claims the rotation, or moves the end of the own claim on; `false` where it is over or another's. */
export async function claimRotation(tx: Tx, { id, holder, lifetimeMs }: RotationClaim): Promise<boolean> {
  const { rows } = await sql`
    UPDATE key_rotations SET lease_holder = ${holder},
      lease_until = clock_timestamp() + ${lifetimeMs} * interval '1 millisecond'
    WHERE id = ${id} AND state = 'RUNNING'
      AND (lease_holder IS NULL OR lease_holder = ${holder} OR lease_until <= clock_timestamp())
    RETURNING 1`.execute(tx);
  return rows.length === 1;
}

/**
 * Ends the work for now. `failure` is the code of what kept it from going on, `null` where nothing did: then
 * the claim is given back, else it stays until its time is over, so that nobody tries again at once.
 */
export async function releaseRotation(
  tx: Tx,
  { id, holder, failure }: Pick<RotationClaim, 'id' | 'holder'> & { readonly failure: string | null },
): Promise<void> {
  await tx
    .updateTable('key_rotations')
    .set({ failure, ...(failure === null ? { lease_holder: null, lease_until: null } : {}) })
    .where('id', '=', id)
    .where('lease_holder', '=', holder)
    .where('state', '=', 'RUNNING')
    .execute();
}

/** Ends the rotation as DONE; `false` where it is over already. */
export async function finishRotation(tx: Tx, id: number, now: Date): Promise<boolean> {
  const row = await tx
    .updateTable('key_rotations')
    .set({ state: 'DONE', finished_at: now, failure: null, lease_holder: null, lease_until: null })
    .where('id', '=', id)
    .where('state', '=', 'RUNNING')
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

function fromRow(row: Selectable<KeyRotationsTable>): KeyRotation {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    what: row.what,
    from: row.from_refs,
    to: row.to_ref,
    total: row.total,
    state: row.state,
    failure: row.failure,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}
