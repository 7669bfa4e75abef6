import { type Kysely, sql } from 'kysely';

/**
 * Connections that Zendesk does not accept any more, why and since when; and until when the refresh token of a
 * connection can be used. An integration that an admin switched off keeps the reason, so that switching it on
 * again does not hide it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS: readonly string[] = [
  `ALTER TABLE integrations DROP CONSTRAINT integrations_status_check`,
  `ALTER TABLE integrations
     ADD COLUMN reconnect_reason text
       CHECK (reconnect_reason IN ('REFUSED', 'EXPIRED', 'LOST_IN_REFRESH')),
     ADD COLUMN reconnect_since timestamptz,
     ADD CONSTRAINT integrations_status_check CHECK (status IN ('ACTIVE', 'DISABLED', 'NEEDS_RECONNECT')),
     ADD CONSTRAINT integrations_reconnect_told CHECK ((reconnect_reason IS NULL) = (reconnect_since IS NULL)),
     ADD CONSTRAINT integrations_reconnect_status CHECK (
       (status <> 'NEEDS_RECONNECT' OR reconnect_reason IS NOT NULL)
       AND (status <> 'ACTIVE' OR reconnect_reason IS NULL))`,
  `ALTER TABLE access_tokens ADD COLUMN refresh_expires_at timestamptz`,
];
