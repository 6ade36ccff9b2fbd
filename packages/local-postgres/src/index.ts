/** A Postgres server on this computer for local tenants, in Docker, with a database and a role for each. */
export { canUseDocker } from './docker.ts';
export { createDockerTools, type DockerToolsOptions } from './docker-tools.ts';
export {
  isLocalPostgresError,
  LocalPostgresError,
  type LocalPostgresErrorCode,
  type LocalPostgresErrorFacts,
} from './local-postgres-error.ts';
export { forgetTenantDatabase, listTenantDatabases, recordTenantDatabase } from './record-tenant-database.ts';
export type { TenantDatabaseEntry } from './shared-config.ts';
export {
  type DockerPostgresOptions,
  type LocalPostgres,
  type RemoveDockerPostgresOptions,
  removeDockerPostgres,
  startDockerPostgres,
} from './start-docker-postgres.ts';
export {
  createTenantDatabase,
  type DatabaseListing,
  databaseName,
  dropTenantDatabase,
  listDatabases,
  type TenantDatabaseOptions,
} from './tenant-database.ts';
