/**
 * What is put beside the events of a bundle, to read them by: which operations are allowed to whom and since when
 * each was, and which keys there are and were, as the database has it now. Ids, names of operations, thumbprints,
 * statuses and times only.
 */
import { type SqlBool, sql } from 'kysely';
import type { JsonObject } from '../../base/index.ts';
import type { Store, Tx } from '../../store/index.ts';
import type { HistoryLine } from '../../tlog/index.ts';

/** Rows that are read at once. */
const PAGE = 100;

interface HistoryRow {
  readonly id: string;
  readonly line: HistoryLine;
}

type ReadPage = (tx: Tx, tenantId: string, after: string) => Promise<readonly HistoryRow[]>;

/**
 * Policies of integrations, every change of those that there are and were, policies of API keys, which never change,
 * client keys, signing keys: each by its id, which is the order of making.
 */
export async function* readHistory(store: Store, tenantId: string): AsyncGenerator<HistoryLine, void> {
  for (const readPage of SECTIONS) {
    for (let after = ''; ; ) {
      const place = after;
      const rows = await store.withTenant(tenantId, (tx) => readPage(tx, tenantId, place));
      yield* rows.map(({ line }) => line);
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE) break;
      after = last.id;
    }
  }
}

const readIntegrations: ReadPage = async (tx, tenantId, after) => {
  const rows = await tx
    .selectFrom('integrations')
    .select(['id', 'system_type', 'status', 'allowed_operations', 'created_at', 'updated_at'])
    .where('tenant_id', '=', tenantId)
    .where('id', '>', after)
    .orderBy('id')
    .limit(PAGE)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    line: lineOf('policy', {
      integration_id: row.id,
      system_type: row.system_type,
      status: row.status,
      allowed_operations: row.allowed_operations,
      ...timesOf({ created_at: row.created_at, updated_at: row.updated_at }),
    }),
  }));
};

const readPolicyChanges: ReadPage = async (tx, tenantId, after) => {
  const rows = await tx
    .selectFrom('audit_events')
    .select(['id', 'index', 'action', 'operation', 'resource', 'occurred_at', 'actor_id'])
    .where('tenant_id', '=', tenantId)
    // Written out, as the partial index has it.
    .where(sql<SqlBool>`action IN ('policy.allow', 'policy.withdraw')`)
    .where('index', '>', after === '' ? -1 : Number(after))
    .orderBy('index')
    .limit(PAGE)
    .execute();
  return rows.map((row) => ({
    id: String(row.index),
    line: lineOf('policy', {
      integration_id: row.resource,
      change: row.action,
      operation: row.operation,
      changed_by: row.actor_id,
      audit_event_id: row.id,
      ...timesOf({ changed_at: row.occurred_at }),
    }),
  }));
};

const readApiKeys: ReadPage = async (tx, tenantId, after) => {
  const rows = await tx
    .selectFrom('api_keys')
    .select(['id', 'roles', 'allowed_operations', 'client_key_id', 'delivery', 'created_by'])
    .select(['created_at', 'expires_at', 'revoked_at'])
    .where('tenant_id', '=', tenantId)
    .where('id', '>', after)
    .orderBy('id')
    .limit(PAGE)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    line: lineOf('policy', {
      api_key_id: row.id,
      roles: row.roles,
      allowed_operations: row.allowed_operations,
      client_key_id: row.client_key_id,
      delivery: row.delivery,
      created_by: row.created_by,
      ...timesOf({ created_at: row.created_at, expires_at: row.expires_at, revoked_at: row.revoked_at }),
    }),
  }));
};

const readClientKeys: ReadPage = async (tx, tenantId, after) => {
  const rows = await tx
    .selectFrom('client_keys')
    .select(['id', 'lineage_id', 'status', 'kem_kid', 'sig_kid', 'registered_by', 'mapped_by', 'end_reason'])
    .select(['created_at', 'confirmed_at', 'mapped_at', 'ended_at'])
    .where('tenant_id', '=', tenantId)
    .where('id', '>', after)
    .orderBy('id')
    .limit(PAGE)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    line: lineOf('client_key', {
      key_id: row.id,
      lineage_id: row.lineage_id,
      status: row.status,
      kem_kid: row.kem_kid,
      sig_kid: row.sig_kid,
      registered_by: row.registered_by,
      mapped_by: row.mapped_by,
      end_reason: row.end_reason,
      ...timesOf({
        ...{ created_at: row.created_at, confirmed_at: row.confirmed_at },
        ...{ mapped_at: row.mapped_at, ended_at: row.ended_at },
      }),
    }),
  }));
};

const readSigningKeys: ReadPage = async (tx, tenantId, after) => {
  const rows = await tx
    .selectFrom('signing_keys')
    .select(['id', 'kid', 'version', 'status', 'not_before', 'not_after'])
    .where('tenant_id', '=', tenantId)
    .where('id', '>', after)
    .orderBy('id')
    .limit(PAGE)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    line: lineOf('signing_key', {
      kid: row.kid,
      version: row.version,
      status: row.status,
      ...timesOf({ not_before: row.not_before, not_after: row.not_after }),
    }),
  }));
};

const SECTIONS = [readIntegrations, readPolicyChanges, readApiKeys, readClientKeys, readSigningKeys] as const;

function lineOf(type: HistoryLine['type'], members: JsonObject): HistoryLine {
  return { type, members };
}

function timesOf(times: Readonly<Record<string, Date | null>>): JsonObject {
  return Object.fromEntries(Object.entries(times).map(([name, time]) => [name, time?.toISOString() ?? null]));
}
