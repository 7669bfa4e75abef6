/**
 * The life of a client key.
 *
 * PENDING    registered: its signing half is proven, its receiving half is not. Ends as CONFIRMED when
 *            the client proves that it opened the welcome, as REVOKED, or after 24 hours by being
 *            purged as if it had never been. Nothing is sealed to it but the welcome.
 * CONFIRMED  both halves are proven, but nobody has said whose key it is. Nothing is sealed to it yet.
 *            Ends as ACTIVE when an ADMIN or OPERATOR maps it to the tenant, or as REVOKED.
 * ACTIVE     answers are sealed to it. Ends as REVOKED.
 * REVOKED    ended by a person for a reason; nothing is ever sealed to it again. Final.
 * RETIRED    replaced by a successor of its lineage; nothing is sealed to it any more. Final. No move
 *            into it exists until keys can be rotated.
 *
 * A key and its successors form a lineage, named by the id of the first.
 */
import type { Selectable } from 'kysely';
import type { ClientKeyStatus, ClientKeysTable } from '../store/index.ts';

/** Why a client key was ended: a closed list, so that no text about people comes to lie in the database. */
export const CLIENT_KEY_END_REASONS = Object.freeze([
  'UNSPECIFIED',
  'KEY_COMPROMISE',
  'KEY_LOST',
  'SUPERSEDED',
  'CESSATION_OF_OPERATION',
] as const);
export type ClientKeyEndReason = (typeof CLIENT_KEY_END_REASONS)[number];

/** Which states a state may be left for. */
export const CLIENT_KEY_MOVES: Readonly<Record<ClientKeyStatus, readonly ClientKeyStatus[]>> = Object.freeze({
  PENDING: ['CONFIRMED', 'REVOKED'],
  CONFIRMED: ['ACTIVE', 'REVOKED'],
  ACTIVE: ['REVOKED'],
  RETIRED: [],
  REVOKED: [],
});

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
    | { readonly status: 'RETIRED' | 'REVOKED'; readonly endedAt: Date; readonly endReason: string }
  );

/** The client key of a row. Throws where the row lacks what its state needs. */
export function parseClientKey(row: Selectable<ClientKeysTable>): ClientKey {
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
  };
  const { status } = row;
  switch (status) {
    case 'PENDING':
      return { ...base, status, pendingUntil: present(row.pending_until) };
    case 'CONFIRMED':
      return { ...base, status, confirmedAt: present(row.confirmed_at) };
    case 'ACTIVE':
      return {
        ...base,
        status,
        confirmedAt: present(row.confirmed_at),
        mappedAt: present(row.mapped_at),
        mappedBy: present(row.mapped_by),
      };
    case 'RETIRED':
    case 'REVOKED':
      return { ...base, status, endedAt: present(row.ended_at), endReason: present(row.end_reason) };
    default:
      return status satisfies never;
  }
}

function present<T>(value: T | null): T {
  if (value === null) throw new Error('A client key is stored without what its state needs');
  return value;
}
