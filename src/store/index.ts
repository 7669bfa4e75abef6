/** The database: tables, migrations, row-level security, transactions, the lock on the data folder. */
export type { StoreLocation } from './database.ts';
export { FolderHeldError } from './folder-lock.ts';
export { clausesOf, type KeysetClauses, type KeysetPage, MAX_KEYSET_PAGE } from './keyset.ts';
export { type Channel, notify, type OnNotification } from './notifications.ts';
export {
  assertOutsideTransaction,
  DEFAULT_TENANT_ROLE,
  type OpenStoreOptions,
  openStore,
  type Store,
  type Tx,
} from './store.ts';
export { SYSTEM_PURPOSES, type SystemPurpose } from './system-purpose.ts';
export type * from './tables.ts';
export { roleSetupSql } from './tenant-role.ts';
