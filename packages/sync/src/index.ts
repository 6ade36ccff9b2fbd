/** Files between a project and its running tenant, both ways, without losing any. */
export { applySync, type SyncResult } from './apply-sync.ts';
export type { FileChange, FileFacts } from './file-facts.ts';
export type { SyncLimits } from './limits.ts';
export type { LeftFile, SyncConflict, SyncDirection, SyncPlan, SyncResolution } from './plan/sync-plan.ts';
export { type PlanSyncOptions, planSync } from './plan-sync.ts';
export { rememberShipped } from './remember-shipped.ts';
export type { SyncRetention } from './retention.ts';
export { isSyncError, SyncError, type SyncErrorCode, type SyncErrorFacts } from './sync-error.ts';
export { type SyncFilesOptions, syncFiles } from './sync-files.ts';
export type { SyncEvent, SyncOptions, SyncRemote } from './sync-options.ts';
export { getSyncStatus, type SyncStatus } from './sync-status.ts';
export { type UndoResult, type UndoSyncOptions, undoSync } from './undo-sync.ts';
