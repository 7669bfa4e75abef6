/**
 * The life of a client key.
 *
 * PENDING    registered: its signing half is proven, its receiving half is not. Ends as CONFIRMED when
 *            the client proves that it opened the welcome, as REVOKED, or after 24 hours by being
 *            purged as if it had never been. Nothing is sealed to it but the welcome.
 * CONFIRMED  both halves are proven, but nobody has said whose key it is. Nothing is sealed to it yet.
 *            Ends as ACTIVE when an ADMIN or OPERATOR maps it to the tenant, or as REVOKED.
 * ACTIVE     answers are sealed to it. Ends as RETIRED when a successor is asked for by STRICT, when one
 *            that was asked for by OVERLAP is mapped, or at the time that was set when it was mapped,
 *            without anybody's act; or as REVOKED. At most one of a lineage.
 * RETIRED    its place is another's, or its time is over. Nothing new is sealed to it; where it gave way by
 *            OVERLAP, whoever names it, answers under way and change feeds are still served for
 *            {@link OVERLAP_MS}. Ends as REVOKED where it turns out to be compromised.
 * REVOKED    ended by a person for a reason; nothing is ever sealed to it again. Final.
 *
 * A key and its successors form a lineage, named by the id of the first. A successor is PENDING or CONFIRMED
 * like any other key, at most one of a lineage at a time; until it is mapped it changes nothing but, by
 * STRICT, that the key before it stopped when it was asked for. Revoking it cancels the rotation. API keys
 * that are bound to a key of the lineage follow it; a key that logs in by itself speaks for itself alone.
 */
import type { Selectable } from 'kysely';
import type {
  ClientKeyRotationMode,
  ClientKeyStatus,
  ClientKeysTable,
  ClientKeyVoucher,
} from '../store/index.ts';
import { parseRestriction, type Restriction } from './restriction.ts';
import { parseRoles, type Role } from './role.ts';

/** For how long a key that gave way by OVERLAP is still sealed to, in milliseconds. */
export const OVERLAP_MS = 86_400_000;

/** Why a client key was ended: a closed list, so that no text about people comes to lie in the database. */
export const CLIENT_KEY_END_REASONS = Object.freeze([
  'UNSPECIFIED',
  'KEY_COMPROMISE',
  'KEY_LOST',
  'SUPERSEDED',
  'CESSATION_OF_OPERATION',
] as const);
export type ClientKeyEndReason = (typeof CLIENT_KEY_END_REASONS)[number];

/** The reason of the end that nobody brought about. */
export const EXPIRED = 'EXPIRED';

/** Which states a state may be left for. */
export const CLIENT_KEY_MOVES: Readonly<Record<ClientKeyStatus, readonly ClientKeyStatus[]>> = Object.freeze({
  PENDING: ['CONFIRMED', 'REVOKED'],
  CONFIRMED: ['ACTIVE', 'REVOKED'],
  ACTIVE: ['RETIRED', 'REVOKED'],
  RETIRED: ['REVOKED'],
  REVOKED: [],
});

/** The roles that a client key may have where it logs in by itself: reading, writing and following tickets. */
export const LOGIN_ROLES = Object.freeze(['AGENT', 'DASHBOARD'] as const satisfies readonly Role[]);

/** What a client key may do when it logs in by itself, as its mapping granted it. */
export interface ClientKeyLogin {
  readonly roles: readonly Role[];
  /** Narrows what the integrations permit; `null` does not. */
  readonly allowedOperations: readonly string[] | null;
}

interface ClientKeyBase {
  readonly id: string;
  readonly tenantId: string;
  /** The id of the first key of the line. */
  readonly lineageId: string;
  readonly name: string | null;
  /** RFC 7638 thumbprints of the two JWKs. */
  readonly kemKid: string;
  readonly sigKid: string;
  /** ML-KEM-768, 1184 bytes. */
  readonly kemPublicKey: Uint8Array;
  /** ML-DSA-65, 1952 bytes. */
  readonly sigPublicKey: Uint8Array;
  /** The id of the API key that registered it. */
  readonly registeredBy: string;
  readonly createdAt: Date;
  /** To the minute. */
  readonly lastUsedAt: Date | null;
  /** `null` where it may not log in. */
  readonly login: ClientKeyLogin | null;
  /**
   * Given with the mapping of the first key of a lineage, and kept by all after it from their registration on; `null`
   * before, and where the key is not restricted.
   */
  readonly restriction: Restriction | null;
  /** `null` for the first of a lineage. */
  readonly succession: Succession | null;
  /** When it ends by itself, `null` where no time was set. */
  readonly expiresAt: Date | null;
  /** The event of the audit log that tells of its mapping. */
  readonly mappedEventId: string | null;
}

/** How a key came to take another's place. */
export interface Succession {
  readonly predecessorId: string;
  readonly mode: ClientKeyRotationMode;
  readonly vouchedBy: ClientKeyVoucher;
}

interface Ended {
  /** `null` where it was never mapped. */
  readonly mappedAt: Date | null;
  readonly mappedBy: string | null;
  readonly endedAt: Date;
  readonly endReason: string;
  /** Who ended it, and the event that tells so; `null` where its time was over. */
  readonly endedBy: string | null;
  readonly endedEventId: string | null;
}

export type ClientKey = ClientKeyBase &
  (
    | { readonly status: 'PENDING'; readonly pendingUntil: Date }
    | { readonly status: 'CONFIRMED'; readonly confirmedAt: Date }
    | {
        readonly status: 'ACTIVE';
        readonly confirmedAt: Date;
        readonly mappedAt: Date;
        readonly mappedBy: string;
      }
    | (Ended & {
        readonly status: 'RETIRED';
        /** Until when it is still sealed to, `null` where it is not. */
        readonly overlapUntil: Date | null;
      })
    | (Ended & { readonly status: 'REVOKED' })
  );

/**
 * The client key of a row as it is at `now` (milliseconds since 1970): one whose time is over is RETIRED, whatever
 * the row says. Throws where the row lacks what its state needs.
 */
export function parseClientKey(row: Selectable<ClientKeysTable>, now: number): ClientKey {
  const base: ClientKeyBase = {
    id: row.id,
    tenantId: row.tenant_id,
    lineageId: row.lineage_id,
    name: row.name,
    kemKid: row.kem_kid,
    sigKid: row.sig_kid,
    kemPublicKey: row.kem_public_key,
    sigPublicKey: row.sig_public_key,
    registeredBy: row.registered_by,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    login: parseLogin(row),
    restriction: parseRestriction(row),
    succession: parseSuccession(row),
    expiresAt: row.expires_at,
    mappedEventId: row.mapped_event_id,
  };
  const mapped = { mappedAt: row.mapped_at, mappedBy: row.mapped_by };
  const { status } = row;
  switch (status) {
    case 'PENDING':
      return { ...base, status, pendingUntil: present(row.pending_until) };
    case 'CONFIRMED':
      return { ...base, status, confirmedAt: present(row.confirmed_at) };
    case 'ACTIVE':
      if (row.expires_at !== null && row.expires_at.getTime() <= now) {
        const over = { endedAt: row.expires_at, endReason: EXPIRED, endedBy: null, endedEventId: null };
        return { ...base, ...mapped, ...over, status: 'RETIRED', overlapUntil: null };
      }
      return {
        ...base,
        status,
        confirmedAt: present(row.confirmed_at),
        mappedAt: present(row.mapped_at),
        mappedBy: present(row.mapped_by),
      };
    case 'RETIRED': {
      const isOverlapping = row.overlap_until !== null && row.overlap_until.getTime() > now;
      const overlapUntil = isOverlapping ? row.overlap_until : null;
      return { ...base, ...mapped, ...parseEnd(row), status, overlapUntil };
    }
    case 'REVOKED':
      return { ...base, ...mapped, ...parseEnd(row), status };
    default:
      return status satisfies never;
  }
}

/** Whether anything may be sealed to the key, and so whether it may log in where that was granted. */
export function isReceiving(key: ClientKey): boolean {
  return key.status === 'ACTIVE' || (key.status === 'RETIRED' && key.overlapUntil !== null);
}

function parseLogin({ login_roles, login_operations }: Selectable<ClientKeysTable>): ClientKeyLogin | null {
  return login_roles === null
    ? null
    : { roles: parseRoles(login_roles), allowedOperations: login_operations };
}

function parseSuccession(row: Selectable<ClientKeysTable>): Succession | null {
  const { predecessor_id: predecessorId } = row;
  if (predecessorId === null) return null;
  return { predecessorId, mode: present(row.rotation_mode), vouchedBy: present(row.vouched_by) };
}

function parseEnd(row: Selectable<ClientKeysTable>): Omit<Ended, 'mappedAt' | 'mappedBy'> {
  return {
    endedAt: present(row.ended_at),
    endReason: present(row.end_reason),
    endedBy: row.ended_by,
    endedEventId: row.ended_event_id,
  };
}

function present<T>(value: T | null): T {
  if (value === null) throw new Error('A client key is stored without what its state needs');
  return value;
}
