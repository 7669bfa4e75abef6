/** The embedded database: looked at through the gateway that holds it, else opened. Opening applies missing migrations. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { z } from 'zod';
import { countClientKeys } from '../../access/index.ts';
import { listAlarms } from '../../audit/index.ts';
import type { Config } from '../../config.ts';
import { FolderHeldError, openStore, type Store } from '../../store/index.ts';
import { storeLocation } from '../store-location.ts';
import { alarmFinding } from './audit-check.ts';
import { clientKeyFindings } from './client-key-findings.ts';
import { checkConnections } from './connection-findings.ts';
import { type Finding, note, ok, wrong } from './finding.ts';
import { checkServerKeys } from './server-keys-check.ts';

const TIMEOUT_MS = 5_000;

export async function checkPGlite(config: Config, defaultKeyRef: string | null): Promise<Finding[]> {
  if (!(await isPresent(join(config.dataDir, 'pgdata')))) {
    return [note(`Database: embedded, made in ${config.dataDir} at the first start.`)];
  }
  try {
    await using store = await openStore({ location: storeLocation(config), tenantRole: config.dbRole });
    return [
      ok(
        `Database: embedded PostgreSQL ${await versionOf(store)} in ${config.dataDir}; nobody else holds it`,
      ),
      ...(await checkConnections((statement) => rowsOf(store, statement), Date.now())),
      alarmFinding(await store.withSystem('audit-watch', (tx) => listAlarms(tx))),
      ...clientKeyFindings(
        await store.withSystem('client-key-count', (tx) => countClientKeys(tx, Date.now())),
      ),
      ...(await checkServerKeys((statement) => rowsOf(store, statement), defaultKeyRef)),
    ];
  } catch (error) {
    if (!(error instanceof FolderHeldError)) throw error;
    return [
      ok(`Database: embedded, held by process ${error.pid} at ${error.url}`),
      await checkHolder(error.url),
    ];
  }
}

async function rowsOf(store: Store, statement: string): Promise<readonly unknown[]> {
  const { rows } = await store.withSystem('tenant-administration', (tx) => sql.raw(statement).execute(tx));
  return rows;
}

async function versionOf(store: Store): Promise<string> {
  const { rows } = await store.withSystem('health', (tx) =>
    sql<{ version: string }>`SELECT current_setting('server_version') AS version`.execute(tx),
  );
  return rows[0]?.version ?? 'of unknown version';
}

const Readiness = z.object({ database: z.boolean(), keys: z.boolean(), audit: z.boolean() });

/** What the running gateway says of itself. */
async function checkHolder(url: string): Promise<Finding> {
  try {
    const response = await fetch(new URL('/readyz', url), {
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const { database, keys, audit } = Readiness.parse(await response.json());
    if (database && keys && audit) return ok(`Gateway: ${url} is ready; its database and its keys answer`);
    const missing = [
      database ? [] : ['its database cannot be used'],
      keys ? [] : ['its keys cannot be used'],
      audit ? [] : ['an audit log was found altered; stop it and run sealdesk doctor again'],
    ];
    return wrong(`Gateway: ${url} runs but is not ready: ${missing.flat().join(', and ')}.`);
  } catch {
    return wrong(`Gateway: ${url} does not answer. If another command holds the folder, try again later.`);
  }
}

async function isPresent(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
