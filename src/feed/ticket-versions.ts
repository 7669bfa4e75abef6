/**
 * The last version of each ticket that was appended: ids, times and a keyed hash, nothing else of the ticket itself.
 *
 * Versions are ordered by `generated_timestamp` where both tell it, else by `updated_at`. Both are whole seconds,
 * so within one second the hash alone tells versions apart; what was loaded later is then the newer, since
 * nobody loads a ticket twice at once.
 */
import { sql } from 'kysely';
import type { FeedTicketState, Tx } from '../store/index.ts';
import type { FeedKey } from './source-state.ts';

export interface TicketVersion {
  readonly updatedAt: Date;
  /** Unix seconds. */
  readonly generatedAt: number | null;
  /** Keyed hash of the snapshot, base64url. */
  readonly hash: string;
}

/** Where a ticket belongs, which decides to whom it is told. */
export interface TicketPlace {
  readonly organizationId: number | null;
  readonly requesterId: number | null;
  /** Whether any of its comments is public. */
  readonly isPublic: boolean;
}

export interface KnownTicket extends TicketVersion {
  /** Of the last version that was shown, `null` where that was not kept. */
  readonly place: TicketPlace | null;
  readonly ticketId: number;
  readonly state: FeedTicketState;
}

/** NEWER than what is known, the SAME snapshot, or OLDER: an answer that came from a copy that lags behind. */
export type VersionOrder = 'NEWER' | 'SAME' | 'OLDER';

/** How a version that Zendesk shows stands to the one that is known, if any. */
export function orderOf(known: KnownTicket | null, found: TicketVersion): VersionOrder {
  if (known === null) return 'NEWER';
  if (isBefore(found, known)) return 'OLDER';
  return known.state === 'PRESENT' && known.hash === found.hash ? 'SAME' : 'NEWER';
}

function isBefore(a: TicketVersion, b: TicketVersion): boolean {
  const generated = a.generatedAt === null || b.generatedAt === null ? 0 : a.generatedAt - b.generatedAt;
  return generated === 0 ? a.updatedAt.getTime() < b.updatedAt.getTime() : generated < 0;
}

/**
 * What is known of a ticket once it is gone: the version before, at the time of its end where that is told, so
 * that an answer from before it counts as older.
 */
export function goneVersion(
  known: KnownTicket | null,
  { ticketId, permanent, at }: { readonly ticketId: number; readonly permanent: boolean; readonly at: Date },
): KnownTicket {
  const seconds = Math.floor(at.getTime() / 1_000);
  const generatedAt = known?.generatedAt ?? null;
  return {
    ticketId,
    state: permanent ? 'ERASED' : 'DELETED',
    updatedAt: known !== null && known.updatedAt > at ? known.updatedAt : at,
    generatedAt: generatedAt === null ? null : Math.max(generatedAt, seconds),
    hash: known?.hash ?? '',
    place: known?.place ?? null,
  };
}

/** By id; those never seen are missing. */
export async function readVersions(
  tx: Tx,
  integrationId: string,
  ids: readonly number[],
): Promise<ReadonlyMap<number, KnownTicket>> {
  if (ids.length === 0) return new Map();
  const rows = await tx
    .selectFrom('feed_tickets')
    .selectAll()
    .where('integration_id', '=', integrationId)
    .where('ticket_id', 'in', ids)
    .execute();
  return new Map(
    rows.map((row) => [
      row.ticket_id,
      {
        ticketId: row.ticket_id,
        state: row.state,
        updatedAt: row.updated_at,
        generatedAt: row.generated_at,
        hash: row.snapshot_hash,
        place:
          row.is_public === null
            ? null
            : {
                organizationId: row.organization_id,
                requesterId: row.requester_id,
                isPublic: row.is_public,
              },
      },
    ]),
  );
}

/** Puts `versions` in place of what was known; under the lock of the log. */
export async function putVersions(
  tx: Tx,
  { tenantId, integrationId }: FeedKey,
  versions: readonly KnownTicket[],
): Promise<void> {
  if (versions.length === 0) return;
  const rows = versions.map(({ place, ...version }) => ({ ...version, ...place }));
  await sql`
    INSERT INTO feed_tickets
      (integration_id, tenant_id, ticket_id, state, updated_at, generated_at, snapshot_hash,
       organization_id, requester_id, is_public)
    SELECT ${integrationId}, ${tenantId}, v."ticketId", v.state, v."updatedAt", v."generatedAt", v.hash,
      v."organizationId", v."requesterId", v."isPublic"
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
      AS v("ticketId" bigint, state text, "updatedAt" timestamptz, "generatedAt" bigint, hash text,
        "organizationId" bigint, "requesterId" bigint, "isPublic" boolean)
    ON CONFLICT (integration_id, ticket_id) DO UPDATE SET state = excluded.state,
      updated_at = excluded.updated_at, generated_at = excluded.generated_at,
      snapshot_hash = excluded.snapshot_hash, organization_id = excluded.organization_id,
      requester_id = excluded.requester_id, is_public = excluded.is_public`.execute(tx);
}
