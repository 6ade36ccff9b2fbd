/** Look into a Postgres database, back it up, restore and clone it, and reach it through a local port. */
export { type Backup, type BackupOptions, type BackupProgress, backUp } from './back-up.ts';
export type { BackupDescription, BackupFormat } from './backup-description.ts';
export { checkBackup, type StoredBackup } from './check-backup.ts';
export { type CloneOptions, cloneDatabase } from './clone-database.ts';
export type { ConnectOptions } from './connect.ts';
export {
  type DatabaseAddress,
  parseDatabaseUrl,
  showAddress,
  type TlsMode,
  toPostgresEnvironment,
} from './database-address.ts';
export {
  DatabaseError,
  type DatabaseErrorCode,
  type DatabaseErrorFacts,
  isDatabaseError,
  type RowDifference,
} from './database-error.ts';
export { type DatabaseDescription, describeDatabase } from './describe-database.ts';
export { listTables, type RowCounts, type TableSummary } from './list-tables.ts';
export { type DatabaseProxy, openProxy, type ProxyOptions } from './open-proxy.ts';
export {
  type DatabaseSession,
  openSession,
  type QueryResult,
  type QueryValue,
  type StatementOptions,
} from './open-session.ts';
export {
  type FoundTool,
  type PlacedTool,
  type PostgresTool,
  resolvePostgresTool,
  type ToolOptions,
  type ToolPlace,
  type ToolPlaceQuery,
} from './postgres-tools.ts';
export { type Restored, type RestoreOptions, restore } from './restore.ts';
export { type QueryOptions, runQuery } from './run-query.ts';
export { type SplitStatements, splitStatements } from './split-statements.ts';
export { type VerifyOptions, verifyBackup } from './verify-backup.ts';
