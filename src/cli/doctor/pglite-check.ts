/** The embedded database: looked at through the gateway that holds it, else opened. Opening applies missing migrations. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { z } from 'zod';
import type { Config } from '../../config.ts';
import { FolderHeldError, openStore, type Store } from '../../store/index.ts';
import { storeLocation } from '../store-location.ts';
import { apiTokenFinding } from './api-token-finding.ts';
import { type Finding, note, ok, wrong } from './finding.ts';

const TIMEOUT_MS = 5_000;

export async function checkPGlite(config: Config): Promise<Finding[]> {
  if (!(await isPresent(join(config.dataDir, 'pgdata')))) {
    return [note(`Database: embedded, made in ${config.dataDir} at the first start.`)];
  }
  try {
    await using store = await openStore({ location: storeLocation(config), tenantRole: config.dbRole });
    return [
      ok(
        `Database: embedded PostgreSQL ${await versionOf(store)} in ${config.dataDir}; nobody else holds it`,
      ),
      apiTokenFinding(await countApiTokens(store), Date.now()),
    ];
  } catch (error) {
    if (!(error instanceof FolderHeldError)) throw error;
    return [
      ok(`Database: embedded, held by process ${error.pid} at ${error.url}`),
      await checkHolder(error.url),
    ];
  }
}

async function versionOf(store: Store): Promise<string> {
  const { rows } = await store.withSystem('health', (tx) =>
    sql<{ version: string }>`SELECT current_setting('server_version') AS version`.execute(tx),
  );
  return rows[0]?.version ?? 'of unknown version';
}

async function countApiTokens(store: Store): Promise<number> {
  const tenants = await store.withSystem('tenant-administration', (tx) =>
    tx.selectFrom('tenants').select('id').execute(),
  );
  let count = 0;
  for (const { id } of tenants) {
    const rows = await store.withTenant(id, (tx) =>
      tx.selectFrom('credentials').select('id').where('type', '=', 'basic_auth').execute(),
    );
    count += rows.length;
  }
  return count;
}

const Readiness = z.object({ database: z.boolean(), keys: z.boolean() });

/** What the running gateway says of itself. */
async function checkHolder(url: string): Promise<Finding> {
  try {
    const response = await fetch(new URL('/readyz', url), {
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const { database, keys } = Readiness.parse(await response.json());
    if (database && keys) return ok(`Gateway: ${url} is ready; its database and its keys answer`);
    const missing = [database ? [] : ['its database'], keys ? [] : ['its keys']].flat().join(' and ');
    return wrong(`Gateway: ${url} runs but is not ready: ${missing} cannot be used.`);
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
