/** The control plane of SystemPrompt Cloud, for real providers or whole on one computer. */
export { createManagementApi, type ManagementApiOptions, type Ports } from './api.ts';
export { type AuditVerification, verifyAuditLog } from './audit/verify-audit-log.ts';
export { defaultRateLimits, type RateLimit, type RateLimits } from './http/rate-limits.ts';
export { type ReadinessCheck } from './http/readiness.ts';
export { isLocalCloudError, LocalCloudError, type LocalCloudErrorCode } from './local/local-cloud-error.ts';
export {
  type LocalCloud,
  type LocalCloudOptions,
  removeLocalCloud,
  startLocalCloud,
} from './local/start-local-cloud.ts';
export { createMetrics, type Metrics } from './metrics/metrics.ts';
export {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  removeEmbeddedPostgres,
  startEmbeddedPostgres,
} from './postgres/embedded.ts';
export { type KeptPostgres, keepEmbeddedPostgres, stopEmbeddedPostgres } from './postgres/keep-running.ts';
export { openStore, type Store } from './store/database.ts';
export { migrateStore } from './store/migrate.ts';
