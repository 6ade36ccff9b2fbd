import type { SyncLimits } from './limits.ts';
import type { SyncRetention } from './retention.ts';

/** The tenant's side of a sync. */
export interface SyncRemote {
  /** Where its server is, for example `https://shop.example.com`. */
  readonly url: string;
  /** The tenant's sync token; a function is called for every request. */
  readonly token: string | (() => string | Promise<string>);
  /** Sends the requests. @defaultValue Node's own HTTP client */
  readonly fetch?: typeof fetch | undefined;
  /** Attempts after the first one, when the connection breaks or the tenant answers 429, 502, 503 or 504. @defaultValue 4 */
  readonly retries?: number | undefined;
  /** Pause before the first of them, in milliseconds; doubles with each, at most 30 s. @defaultValue 2000 */
  readonly retryDelayMs?: number | undefined;
  /** Longest silence of the tenant, in milliseconds. @defaultValue 60 000 */
  readonly timeoutMs?: number | undefined;
}

/** What happens during a sync. */
export type SyncEvent =
  | { readonly type: 'download-progress'; readonly bytes: number; readonly total: number }
  | { readonly type: 'upload-started'; readonly files: number; readonly bytes: number }
  | { readonly type: 'transfer-retried'; readonly attempt: number; readonly reason: string };

/** A project and a tenant. */
export interface SyncOptions {
  /** The folder whose files are synced, for example the project's `services`. */
  readonly root: string;
  /** Where is kept what was synced last, and every snapshot: a folder for each tenant, on the same disk as `root`. */
  readonly stateDirectory: string;
  /** The tenant. */
  readonly remote: SyncRemote;
  /**
   * What stays out of it on both sides, in the words of `.gitignore`; secrets and `.systemprompt/` always do.
   *
   * @defaultValue `['/profiles/']`: in a tenant they are a part of its image
   */
  readonly ignore?: readonly string[] | undefined;
  /** More than that is refused. */
  readonly limits?: SyncLimits | undefined;
  /** How long is kept here what syncs replace and delete; the tenant has its own rule. @defaultValue 20 syncs and 30 days */
  readonly keep?: SyncRetention | undefined;
  /** Called with what happens, for a progress display. @defaultValue nothing */
  readonly onEvent?: ((event: SyncEvent) => void) | undefined;
  /** Gives up with `SP_SYNC_ABORTED`; the next sync finishes what was begun. */
  readonly signal?: AbortSignal | undefined;
}

export const defaultIgnore: readonly string[] = ['/profiles/'];
