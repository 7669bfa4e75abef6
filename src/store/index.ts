/** The database: tables, migrations, row-level security, transactions, the lock on the data folder. */

export type * from './audit-tables.ts';
export type * from './connect-tables.ts';
export type { StoreLocation } from './database.ts';
export type * from './directory-tables.ts';
export type * from './feed-tables.ts';
export { FolderHeldError } from './folder-lock.ts';
export { clausesOf, type KeysetClauses, type KeysetPage, MAX_KEYSET_PAGE } from './keyset.ts';
export { type Channel, notify, type OnNotification } from './notifications.ts';
export type * from './provisioning-tables.ts';
export {
  arrayOf,
  createStatement,
  runSteps,
  type StatementAnswer,
  type StatementValue,
  type Step,
} from './statement.ts';
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
