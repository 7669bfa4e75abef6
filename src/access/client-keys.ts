/** Client keys in the database: registering, the moves of {@link CLIENT_KEY_MOVES}, reading. Proofs and MACs were checked before. */
import { sql } from 'kysely';
import { isId, SealdeskError } from '../base/index.ts';
import type { ClientKeyStatus, Tx } from '../store/index.ts';
import {
  CLIENT_KEY_MOVES,
  type ClientKey,
  type ClientKeyEndReason,
  type EXPIRED,
  parseClientKey,
  type Succession,
} from './client-key.ts';
import { assertName } from './fields.ts';
import { type Restriction, toRestrictionColumns } from './restriction.ts';

/** How long a registration waits to be confirmed. */
export const PENDING_LIFETIME_MS = 86_400_000;
/** How many registrations of one tenant may wait at once. */
export const MAX_PENDING_KEYS = 20;
const TOUCH_INTERVAL_MS = 60_000;

export interface NewClientKey {
  readonly id: string;
  readonly tenantId: string;
  readonly name?: string | null | undefined;
  readonly kemKid: string;
  readonly sigKid: string;
  readonly kemPublicKey: Uint8Array;
  readonly sigPublicKey: Uint8Array;
  readonly registeredBy: string;
  /** Whose place it is to take, the lineage of that and its restriction; the first of a lineage without. */
  readonly succession?:
    | (Succession & { readonly lineageId: string; readonly restriction: Restriction | null })
    | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Which key is meant, and when. */
export interface ClientKeyAct {
  readonly tenantId: string;
  readonly clientKeyId: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What changes a mapped key, and the event that records it. */
export interface RecordedKeyAct extends ClientKeyAct {
  /** The id of the API key, or of the client key that signed. */
  readonly by: string;
  readonly eventId: string;
}

/**
 * Registers a key as PENDING after purging what was never confirmed in time. Throws CONFLICT where either half is
 * known in the tenant, or {@link MAX_PENDING_KEYS} are waiting that are nobody's successors.
 */
export async function insertClientKey(tx: Tx, key: NewClientKey): Promise<ClientKey> {
  const { id, tenantId, name = null, kemKid, sigKid, now } = key;
  if (!isId('clientKey', id)) throw new TypeError('"id" must be the id of a client key');
  if (name !== null) assertName(name);
  await lockClientKeys(tx, tenantId);
  await purgeExpired(tx, tenantId, now);
  await assertUnknown(tx, tenantId, kemKid, sigKid);
  const { succession } = key;
  if (succession === undefined) await assertFewWaiting(tx, tenantId);
  const row = await tx
    .insertInto('client_keys')
    .values({
      id,
      tenant_id: tenantId,
      lineage_id: succession?.lineageId ?? id,
      predecessor_id: succession?.predecessorId ?? null,
      rotation_mode: succession?.mode ?? null,
      vouched_by: succession?.vouchedBy ?? null,
      ...toRestrictionColumns(succession?.restriction ?? null),
      status: 'PENDING',
      name,
      kem_kid: kemKid,
      sig_kid: sigKid,
      kem_public_key: key.kemPublicKey,
      sig_public_key: key.sigPublicKey,
      registered_by: key.registeredBy,
      created_at: new Date(now),
      pending_until: new Date(now + PENDING_LIFETIME_MS),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return parseClientKey(row, now);
}

/**
 * The client proved its receiving half. A key that is CONFIRMED or ACTIVE already is returned as it is,
 * so that a client may repeat a confirmation whose answer it lost.
 * Throws NOT_FOUND, KEY_REVOKED, or CONFLICT where the registration has expired or the key was replaced.
 */
export async function confirmClientKey(tx: Tx, act: ClientKeyAct): Promise<ClientKey> {
  const key = await lockClientKey(tx, act);
  if (key.status === 'CONFIRMED' || key.status === 'ACTIVE') return key;
  if (key.status === 'PENDING' && key.pendingUntil.getTime() <= act.now) {
    throw new SealdeskError(
      'CONFLICT',
      'The registration was not confirmed within 24 hours. Register the key again.',
    );
  }
  return moveClientKey(tx, key, 'CONFIRMED', act.now, {
    confirmed_at: new Date(act.now),
    pending_until: null,
  });
}

/** Ends a key that is not revoked yet, at once. Throws NOT_FOUND, KEY_REVOKED where it is revoked. */
export async function revokeClientKey(
  tx: Tx,
  act: RecordedKeyAct & { readonly reason: ClientKeyEndReason },
): Promise<ClientKey> {
  await lockClientKeys(tx, act.tenantId);
  const key = await lockClientKey(tx, act);
  return moveClientKey(tx, key, 'REVOKED', act.now, {
    ended_at: new Date(act.now),
    end_reason: act.reason,
    ended_by: act.by,
    ended_event_id: act.eventId,
    overlap_until: null,
  });
}

/** The key in whatever state it is at `now` (milliseconds since 1970), or `null`. */
export async function findClientKey(
  tx: Tx,
  tenantId: string,
  clientKeyId: string,
  now: number,
): Promise<ClientKey | null> {
  const row = await tx
    .selectFrom('client_keys')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', clientKeyId)
    .executeTakeFirst();
  return row === undefined ? null : parseClientKey(row, now);
}

/** Whose key it is, or `null`. For `withSystem('client-key-lookup')`. */
export async function findTenantOfClientKey(tx: Tx, clientKeyId: string): Promise<string | null> {
  const row = await tx
    .selectFrom('client_keys')
    .select('tenant_id')
    .where('id', '=', clientKeyId)
    .executeTakeFirst();
  return row?.tenant_id ?? null;
}

/** Whether {@link touchClientKey} has something to note; `now` in milliseconds since 1970. */
export function isClientKeyTouchDue(lastUsedAt: Date | null, now: number): boolean {
  return lastUsedAt === null || lastUsedAt.getTime() <= now - TOUCH_INTERVAL_MS;
}

/** Notes that something was sealed to the key, at most once a minute; not at all where `lastUsedAt`, as just read, is younger. */
export async function touchClientKey(
  tx: Tx,
  { tenantId, clientKeyId, now }: ClientKeyAct,
  lastUsedAt: Date | null = null,
): Promise<void> {
  if (!isClientKeyTouchDue(lastUsedAt, now)) return;
  const due = new Date(now - TOUCH_INTERVAL_MS);
  await tx
    .updateTable('client_keys')
    .set({ last_used_at: new Date(now) })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', clientKeyId)
    .where((row) => row.or([row('last_used_at', 'is', null), row('last_used_at', '<=', due)]))
    .execute();
}

/** Notes the same of several keys, which whoever calls does not do more often than it is to be exact. Waits for nobody who holds one. */
export async function touchClientKeys(
  tx: Tx,
  tenantId: string,
  clientKeyIds: readonly string[],
  now: number,
): Promise<void> {
  if (clientKeyIds.length === 0) return;
  const time = new Date(now);
  await tx
    .updateTable('client_keys')
    .set({ last_used_at: time })
    .where('tenant_id', '=', tenantId)
    .where('id', 'in', (keys) =>
      keys
        .selectFrom('client_keys')
        .select('id')
        .where('tenant_id', '=', tenantId)
        .where('id', 'in', [...clientKeyIds])
        .where((row) => row.or([row('last_used_at', 'is', null), row('last_used_at', '<', time)]))
        .forUpdate()
        .skipLocked(),
    )
    .execute();
}

/** Throws NOT_FOUND, KEY_REVOKED or, for a PENDING key, CONFLICT unless an API key may be bound to the client key. */
export async function assertBindable(
  tx: Tx,
  tenantId: string,
  clientKeyId: string,
  now: number,
): Promise<void> {
  const key = await findClientKey(tx, tenantId, clientKeyId, now);
  if (key === null) throw unknownKey();
  if (key.status === 'REVOKED' || key.status === 'RETIRED') throw revoked(key);
  if (key.status === 'PENDING') {
    throw new SealdeskError(
      'CONFLICT',
      'The client key is PENDING. It can be bound once its holder has confirmed it.',
      {
        subject: key.id,
      },
    );
  }
}

/** The one function that changes a key's state. Throws KEY_REVOKED or CONFLICT for a move that does not exist. */
export async function moveClientKey(
  tx: Tx,
  key: ClientKey,
  to: ClientKeyStatus,
  now: number,
  values: {
    readonly confirmed_at?: Date;
    readonly pending_until?: null;
    readonly mapped_at?: Date;
    readonly mapped_by?: string;
    readonly mapped_event_id?: string;
    readonly expires_at?: Date | null;
    readonly login_roles?: string[] | null;
    readonly login_operations?: string[] | null;
    readonly scope_integration_id?: string | null;
    readonly scope_organization_id?: number | null;
    readonly scope_requester_id?: number | null;
    readonly ended_at?: Date;
    readonly end_reason?: ClientKeyEndReason | typeof EXPIRED;
    readonly ended_by?: string;
    readonly ended_event_id?: string;
    readonly overlap_until?: Date | null;
  },
): Promise<ClientKey> {
  if (key.status === 'REVOKED') throw revoked(key);
  if (!CLIENT_KEY_MOVES[key.status].includes(to)) {
    throw new SealdeskError('CONFLICT', `The client key is ${key.status} and cannot become ${to}.`, {
      subject: key.id,
    });
  }
  const row = await tx
    .updateTable('client_keys')
    .set({ ...values, status: to })
    .where('tenant_id', '=', key.tenantId)
    .where('id', '=', key.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return parseClientKey(row, now);
}

/** One registration, mapping, rotation or end of a tenant at a time, so that what was looked at stays true until the commit. */
export async function lockClientKeys(tx: Tx, tenantId: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`client-keys/${tenantId}`}, 0))`.execute(tx);
}

/** The key, held until the transaction ends. Throws NOT_FOUND. */
export async function lockClientKey(
  tx: Tx,
  { tenantId, clientKeyId, now }: ClientKeyAct,
): Promise<ClientKey> {
  const row = await tx
    .selectFrom('client_keys')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', clientKeyId)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw unknownKey();
  return parseClientKey(row, now);
}

/** No API key points at a PENDING key ({@link assertBindable}), so nothing is left dangling. */
async function purgeExpired(tx: Tx, tenantId: string, now: number): Promise<void> {
  await tx
    .deleteFrom('client_keys')
    .where('tenant_id', '=', tenantId)
    .where('status', '=', 'PENDING')
    .where('pending_until', '<=', new Date(now))
    .execute();
}

async function assertFewWaiting(tx: Tx, tenantId: string): Promise<void> {
  const { waiting } = await tx
    .selectFrom('client_keys')
    .select((row) => row.fn.countAll<number>().as('waiting'))
    .where('tenant_id', '=', tenantId)
    .where('status', '=', 'PENDING')
    .where('predecessor_id', 'is', null)
    .executeTakeFirstOrThrow();
  if (waiting < MAX_PENDING_KEYS) return;
  throw new SealdeskError(
    'CONFLICT',
    `${MAX_PENDING_KEYS} client keys of this tenant wait to be confirmed. Confirm or revoke some first.`,
  );
}

async function assertUnknown(tx: Tx, tenantId: string, kemKid: string, sigKid: string): Promise<void> {
  const known = await tx
    .selectFrom('client_keys')
    .select(['id', 'status'])
    .where('tenant_id', '=', tenantId)
    .where((row) => row.or([row('kem_kid', '=', kemKid), row('sig_kid', '=', sigKid)]))
    .executeTakeFirst();
  if (known === undefined) return;
  throw new SealdeskError(
    'CONFLICT',
    `This key or one half of it is registered already, as ${known.id} (${known.status}). Generate a new key.`,
    { subject: known.id },
  );
}

export function unknownKey(): SealdeskError {
  return new SealdeskError('NOT_FOUND', 'There is no such client key.');
}

function revoked(key: ClientKey): SealdeskError {
  return new SealdeskError('KEY_REVOKED', 'The client key has ended. Generate, register and map a new one.', {
    subject: key.id,
  });
}
