/** What a child that is to be killed gets in its environment. */
export interface ChildOptions {
  readonly databaseUrl: string;
  readonly providerUrl: string;
  readonly vaultKey: string;
  readonly takeOverIntervalMs?: number | undefined;
  /** Holds every workflow at its so-manieth boundary in this process. */
  readonly holdAt?: number | undefined;
  readonly maxRecoveries?: number | undefined;
  /** A workflow and where in it the process kills itself: `<workflow> <boundary>`. */
  readonly deadly?: string | undefined;
}

export type ParentMessage =
  /** Starts a workflow, to be held at a label; with `tell` each boundary is told. */
  | {
      readonly type: 'start';
      readonly workflowId: string;
      readonly stopAt?: string | undefined;
      readonly tell?: boolean | undefined;
    }
  /** Lets a workflow that is held go on. */
  | { readonly type: 'release'; readonly workflowId: string }
  /** Follows a tenant's events, and tells them. */
  | { readonly type: 'follow'; readonly tenantId: string };

export type ChildMessage =
  | { readonly type: 'ready' }
  /** `label` is a boundary, numbered in its workflow. */
  | { readonly type: 'reached' | 'stopped'; readonly workflowId: string; readonly label: string }
  | {
      readonly type: 'event';
      readonly tenantId: string;
      readonly sequence: number;
      readonly eventType: string;
    }
  | { readonly type: 'failed'; readonly reason: string };
