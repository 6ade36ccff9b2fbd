/** The tenant's half of sync: a handler for any web-standard server. */
export type { SyncLimits } from './limits.ts';
export type { SyncRetention } from './retention.ts';
export { createSyncHandler, type SyncHandlerOptions } from './server/create-sync-handler.ts';
