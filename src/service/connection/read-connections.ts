/** The connections of integrations as the database tells of them. */
import { assertRole, type Role } from '../../access/index.ts';
import { assertAuthenticated, type Call } from '../../proxy/index.ts';
import type { Tx } from '../../store/index.ts';
import { notFound } from '../audited.ts';
import type { ServiceDeps } from '../service-deps.ts';
import {
  type ConnectionRecord,
  endOf,
  type IntegrationConnectionView,
  toConnectionView,
} from './connection-view.ts';

const READERS: readonly Role[] = ['ADMIN', 'AGENT', 'DASHBOARD'];
/** Integrations that are measured one by one: those that end first. */
const MAX_MEASURED = 1_000;

/** How an integration that the caller has read is connected. For ADMIN, AGENT and DASHBOARD. */
export async function getIntegrationConnection(
  { store, clock }: ServiceDeps,
  call: Call,
  integrationId: string,
): Promise<IntegrationConnectionView> {
  assertAuthenticated(call);
  assertRole(call.caller, ...READERS);
  const { tenantId } = call.caller;
  const [record] = await store.withTenant(tenantId, (tx) =>
    selectConnections(tx).where('i.tenant_id', '=', tenantId).where('i.id', '=', integrationId).execute(),
  );
  if (record === undefined) throw notFound('integration');
  return toConnectionView(toRecord(record), clock.now());
}

/** The connections of all tenants, for metrics. */
export interface ConnectionReading {
  /** Of those whose end is known, soonest first and bounded. */
  readonly ends: readonly { readonly integrationId: string; readonly seconds: number }[];
  readonly needReconnect: number;
}

export async function readAllConnections({ store, clock }: ServiceDeps): Promise<ConnectionReading> {
  const now = clock.now();
  return store.withSystem('connection-reading', async (tx) => {
    const { count } = await tx
      .selectFrom('integrations')
      .select((row) => row.fn.countAll<number>().as('count'))
      .where('status', '=', 'NEEDS_RECONNECT')
      .executeTakeFirstOrThrow();
    const rows = await selectConnections(tx)
      .where('i.reconnect_reason', 'is', null)
      .where((where) =>
        where.or([
          where('c.type', '=', 'basic_auth'),
          where('c.expires_at', 'is not', null),
          where('t.refresh_expires_at', 'is not', null),
        ]),
      )
      .orderBy((row) => row.fn('least', ['c.expires_at', 't.refresh_expires_at']))
      .orderBy('i.id')
      .limit(MAX_MEASURED)
      .execute();
    const ends = rows.map(toRecord).flatMap((record) => {
      const end = endOf(record);
      if (end === null) return [];
      return { integrationId: record.integrationId, seconds: Math.round((end.getTime() - now) / 1_000) };
    });
    return { ends, needReconnect: Number(count) };
  });
}

function selectConnections(tx: Tx) {
  return tx
    .selectFrom('integrations as i')
    .leftJoin('credentials as c', (join) =>
      join.onRef('c.id', '=', 'i.credential_id').onRef('c.tenant_id', '=', 'i.tenant_id'),
    )
    .leftJoin('access_tokens as t', (join) =>
      join.onRef('t.credential_id', '=', 'c.id').onRef('t.credential_version', '=', 'c.version'),
    )
    .select([
      'i.id as integration_id',
      'i.status',
      'i.reconnect_reason',
      'i.reconnect_since',
      'c.type',
      'c.expires_at as credential_expires_at',
      't.expires_at as token_expires_at',
      't.refresh_expires_at',
    ]);
}

type Row = Awaited<ReturnType<ReturnType<typeof selectConnections>['execute']>>[number];

function toRecord(row: Row): ConnectionRecord {
  return {
    integrationId: row.integration_id,
    status: row.status,
    reconnectReason: row.reconnect_reason,
    reconnectSince: row.reconnect_since,
    credentialType: row.type,
    credentialExpiresAt: row.credential_expires_at,
    tokenExpiresAt: row.token_expires_at,
    refreshExpiresAt: row.refresh_expires_at,
  };
}
