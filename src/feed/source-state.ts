/** Where a feed stands at its sources: its webhook at Zendesk and its place in Zendesk's export. */
import { sql } from 'kysely';
import type { FeedStatus, Tx } from '../store/index.ts';

export interface FeedKey {
  readonly tenantId: string;
  readonly integrationId: string;
}

/** A webhook at Zendesk, with its signing secret sealed for {@link webhookSecretLocation}. */
export interface FeedWebhook {
  readonly id: string;
  readonly secret: Uint8Array;
}

export interface Feed extends FeedKey {
  readonly status: FeedStatus;
  readonly enabledAt: Date;
  readonly webhook: FeedWebhook | null;
  /** Of the secret; counts how often the feed was switched. */
  readonly webhookVersion: number;
  readonly webhookFault: string | null;
  /** Unix seconds from which the export begins where there is no cursor. */
  readonly exportStart: number;
  readonly exportCursor: string | null;
  readonly exportPolledAt: Date | null;
  readonly exportCompleteUntil: Date | null;
  readonly exportFault: string | null;
  readonly loadFault: string | null;
  readonly appended: number;
  readonly repaired: number;
}

/** The place that the webhook's signing secret is sealed for. */
export function webhookSecretLocation(integrationId: string, version: number) {
  return { table: 'ticket_feeds', rowId: integrationId, column: 'webhook_secret', version } as const;
}

/** The feed of an integration; `null` where none was ever enabled. */
export async function readFeed(tx: Tx, { tenantId, integrationId }: FeedKey): Promise<Feed | null> {
  const row = await tx
    .selectFrom('ticket_feeds')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .executeTakeFirst();
  if (row === undefined) return null;
  return {
    tenantId,
    integrationId,
    status: row.status,
    enabledAt: row.enabled_at,
    webhook:
      row.webhook_id === null || row.webhook_secret === null
        ? null
        : { id: row.webhook_id, secret: new Uint8Array(row.webhook_secret) },
    webhookVersion: row.webhook_version,
    webhookFault: row.webhook_fault,
    exportStart: row.export_start,
    exportCursor: row.export_cursor,
    exportPolledAt: row.export_polled_at,
    exportCompleteUntil: row.export_complete_until,
    exportFault: row.export_fault,
    loadFault: row.load_fault,
    appended: row.appended,
    repaired: row.repaired,
  };
}

export interface FeedEnabling extends FeedKey {
  readonly at: Date;
  readonly webhook: FeedWebhook | null;
  /** That the secret was sealed for. */
  readonly webhookVersion: number;
  readonly webhookFault: string | null;
  /** Used for the first enabling only: a feed that was off goes on from where it stood. */
  readonly exportStart: number;
}

/** Turns the feed on, or puts another webhook in place of that of a feed that is. */
export async function enableFeed(tx: Tx, enabling: FeedEnabling): Promise<void> {
  const { tenantId, integrationId, at, webhook, webhookVersion, webhookFault, exportStart } = enabling;
  const changed = {
    status: 'ENABLED',
    webhook_id: webhook?.id ?? null,
    webhook_secret: webhook?.secret ?? null,
    webhook_version: webhookVersion,
    webhook_fault: webhookFault,
    export_fault: null,
    load_fault: null,
  } as const;
  await tx
    .insertInto('ticket_feeds')
    .values({
      tenant_id: tenantId,
      integration_id: integrationId,
      enabled_at: at,
      export_start: exportStart,
      ...changed,
    })
    .onConflict((conflict) =>
      conflict.column('integration_id').doUpdateSet((column) => ({
        ...changed,
        enabled_at: sql<Date>`CASE WHEN ticket_feeds.status = 'ENABLED' THEN ticket_feeds.enabled_at
          ELSE ${column.ref('excluded.enabled_at')} END`,
      })),
    )
    .execute();
  await tx
    .insertInto('feed_heads')
    .values({ tenant_id: tenantId, integration_id: integrationId })
    .onConflict((conflict) => conflict.column('integration_id').doNothing())
    .execute();
}

/** Turns the feed off, forgets its webhook, and takes the lease from whoever holds it; under the lock of the log. */
export async function disableFeed(
  tx: Tx,
  { tenantId, integrationId }: FeedKey,
  webhookFault: string | null,
): Promise<void> {
  await tx
    .updateTable('feed_heads')
    .set({ lease_holder: null, lease_until: null })
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .execute();
  await tx
    .updateTable('ticket_feeds')
    .set(({ eb }) => ({
      status: 'DISABLED',
      webhook_id: null,
      webhook_secret: null,
      webhook_version: eb('webhook_version', '+', 1),
      webhook_fault: webhookFault,
      export_fault: null,
      load_fault: null,
    }))
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .execute();
}

/** What one page of the export led to. */
export interface ExportStep {
  /** `null` begins anew at `start`. */
  readonly cursor: string | null;
  /** Unix seconds; left as it is where it is left out. */
  readonly start?: number;
  readonly polledAt: Date;
  /** Never moves back. */
  readonly completeUntil: Date | null;
}

/** Moves the feed's place in the export on; under the lock of the log. */
export async function advanceExport(tx: Tx, integrationId: string, step: ExportStep): Promise<void> {
  await sql`
    UPDATE ticket_feeds SET export_cursor = ${step.cursor}, export_polled_at = ${step.polledAt},
      export_start = coalesce(${step.start ?? null}::bigint, export_start), export_fault = NULL,
      export_complete_until = greatest(export_complete_until, ${step.completeUntil}::timestamptz)
    WHERE integration_id = ${integrationId}`.execute(tx);
}

/** Notes why the export or the loading does not go on, an upper-case token; `null` that it does. */
export async function noteFault(
  tx: Tx,
  integrationId: string,
  source: 'export' | 'load',
  fault: string | null,
): Promise<void> {
  const column = source === 'export' ? 'export_fault' : 'load_fault';
  await tx
    .updateTable('ticket_feeds')
    .set({ [column]: fault })
    .where('integration_id', '=', integrationId)
    .where(column, 'is distinct from', fault)
    .execute();
}

/** Counts versions that were appended, and those of them that only the export told of. */
export async function countAppended(
  tx: Tx,
  integrationId: string,
  { appended, repaired }: { readonly appended: number; readonly repaired: number },
): Promise<void> {
  await sql`
    UPDATE ticket_feeds SET appended = appended + ${appended}, repaired = repaired + ${repaired}
    WHERE integration_id = ${integrationId}`.execute(tx);
}

/** The enabled feeds of active integrations that nobody attends to, of every tenant but `except`, in any order. */
export async function findUnattendedFeeds(
  tx: Tx,
  limit: number,
  except: readonly string[] = [],
): Promise<readonly FeedKey[]> {
  return tx
    .selectFrom('ticket_feeds as f')
    .innerJoin('feed_heads as h', 'h.integration_id', 'f.integration_id')
    .innerJoin('integrations as i', 'i.id', 'f.integration_id')
    .select(['f.tenant_id as tenantId', 'f.integration_id as integrationId'])
    .where('f.status', '=', 'ENABLED')
    .where('i.status', '=', 'ACTIVE')
    .where(sql<boolean>`NOT f.tenant_id = ANY(${[...except]}::text[])`)
    .where((where) =>
      where.or([
        where('h.lease_holder', 'is', null),
        where('h.lease_until', '<=', sql<Date>`clock_timestamp()`),
      ]),
    )
    .orderBy(sql`random()`)
    .limit(limit)
    .execute();
}

/** The tenant of an integration that has a feed; `null` where there is none. */
export async function findFeedTenant(tx: Tx, integrationId: string): Promise<string | null> {
  const row = await tx
    .selectFrom('ticket_feeds')
    .select('tenant_id')
    .where('integration_id', '=', integrationId)
    .executeTakeFirst();
  return row?.tenant_id ?? null;
}
