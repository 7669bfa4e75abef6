/** A tenant with a log and everything that looks after it, on either database; several processes where it is PostgreSQL. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import {
  type AuditEvent,
  appendAuditEvents,
  MAX_AUDIT_GROUP,
  type NewAuditEvent,
} from '../../../src/audit/index.ts';
import { type Clock, createId, type Log, silentLog, systemClock } from '../../../src/base/index.ts';
import { createNodeSuite } from '../../../src/envelope/node.ts';
import { type Kms, openLocalKms } from '../../../src/kms/index.ts';
import { createTenantByCommand } from '../../../src/service/index.ts';
import { openStore, type Store, type Tx } from '../../../src/store/index.ts';
import { type Keyring, openKeyring } from '../../../src/vault/index.ts';
import { createTestDatabase, type DatabaseKind } from '../../support/store.ts';

/** One process: its own connections and keys. */
export interface LogProcess {
  readonly store: Store;
  readonly kms: Kms;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly log: Log;
}

export interface LogRig extends AsyncDisposable {
  readonly first: LogProcess;
  /** A folder of the rig's own, gone with it. */
  readonly folder: string;
  /** Another process on the same PostgreSQL. */
  openProcess(log?: Log): Promise<LogProcess>;
  createTenant(): Promise<string>;
  /** Appends `count` events, each in a transaction of its own. */
  append(tenantId: string, count?: number, process?: LogProcess): Promise<readonly AuditEvent[]>;
  /** Appends `groups` groups of as many events as one takes. */
  appendMany(tenantId: string, groups: number): Promise<void>;
  /**
   * Runs statements as the owner of the database, triggers off. `$tenant` stands for the tenant's id, `$columns(T)`
   * for the columns of table T that are written and not computed.
   */
  tamper(tenantId: string, ...statements: readonly string[]): Promise<void>;
}

const TABLES = [
  'audit_events',
  'audit_nodes',
  'audit_heads',
  'audit_checkpoints',
  'audit_alarms',
  'audit_epochs',
];

export function eventOf(members: Partial<Extract<NewAuditEvent, { phase: 'SINGLE' }>> = {}): NewAuditEvent {
  return {
    ...{ id: createId('auditEvent'), occurredAt: new Date().toISOString(), phase: 'SINGLE' },
    actor: { type: 'SYSTEM', id: 'test' },
    ...{ action: 'test.act', outcome: 'SUCCEEDED' },
    ...members,
  };
}

export async function openLogRig(kind: DatabaseKind): Promise<LogRig> {
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'sealdesk-log-'));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const database = resources.use(await createTestDatabase(kind));
  const kms = resources.use(await openLocalKms({ file: join(folder, 'kms.key'), createIfMissing: true }));
  const openProcess = async (owner: AsyncDisposableStack, log: Log = silentLog): Promise<LogProcess> => {
    const store = owner.use(await openStore({ location: database.location }));
    const keyring = owner.use(openKeyring({ store, kms, suite: createNodeSuite() }));
    return { store, kms, keyring, clock: systemClock, log };
  };
  const first = await openProcess(resources);
  const kept = resources.move();
  return {
    first,
    folder,
    async openProcess(log) {
      if (kind === 'pglite') throw new TypeError('PGlite has one process');
      return openProcess(kept, log);
    },
    createTenant: async () => (await createTenantByCommand(first, 'Acme', null)).tenant.id,
    async append(tenantId, count = 1, { store, keyring } = first) {
      const appended: AuditEvent[] = [];
      for (let at = 0; at < count; at += 1) {
        const headKey = (await keyring.keysOf(tenantId)).auditHeadKey();
        const events = await store.withTenant(tenantId, (tx) =>
          appendAuditEvents(tx, { tenantId, headKey, events: [eventOf()] }),
        );
        appended.push(...events);
      }
      return appended;
    },
    async appendMany(tenantId, groups) {
      const { store, keyring } = first;
      for (let at = 0; at < groups; at += 1) {
        const headKey = (await keyring.keysOf(tenantId)).auditHeadKey();
        const events = Array.from({ length: MAX_AUDIT_GROUP }, () => eventOf());
        await store.withTenant(tenantId, (tx) => appendAuditEvents(tx, { tenantId, headKey, events }));
      }
    },
    async tamper(tenantId, ...statements) {
      const switched = (word: string) => TABLES.map((table) => `ALTER TABLE ${table} ${word} TRIGGER USER`);
      await first.store.withSystem('tenant-administration', async (tx) => {
        for (const statement of [...switched('DISABLE'), ...statements, ...switched('ENABLE')]) {
          const text = await withColumns(tx, statement);
          await sql.raw(text.replaceAll('$tenant', `'${tenantId}'`)).execute(tx);
        }
      });
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function withColumns(tx: Tx, statement: string): Promise<string> {
  const table = /\$columns\((\w+)\)/.exec(statement)?.[1];
  if (table === undefined) return statement;
  const { rows } = await sql<{ name: string }>`
    SELECT quote_ident(column_name) AS name FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name = ${table} AND is_generated = 'NEVER'
    ORDER BY ordinal_position`.execute(tx);
  return statement.replaceAll(`$columns(${table})`, rows.map(({ name }) => name).join(', '));
}
