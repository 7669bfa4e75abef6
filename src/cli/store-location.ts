import type { Config } from '../config.ts';
import type { StoreLocation } from '../store/index.ts';

/** Where the configured database is. */
export function storeLocation(config: Config): StoreLocation {
  return config.databaseUrl === null
    ? { kind: 'pglite', folder: config.dataDir, url: config.publicUrl }
    : { kind: 'postgres', connectionString: config.databaseUrl };
}
