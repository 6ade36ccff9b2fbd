import type { Logger } from 'pino';
import type { Images } from '../images/registry.ts';
import type { Billing } from '../ports/billing.ts';
import type { Databases } from '../ports/databases.ts';
import type { Machines } from '../ports/machines.ts';
import type { Vault } from '../ports/vault.ts';
import type { Store } from '../store/database.ts';

/** A point between two things that a workflow does: where a process that is killed leaves it. */
export interface StepBoundary {
  /** `provision:<tenant>`, `deploy:<release>` or `operate:<operation>`; a repeated provisioning has a number after it. */
  readonly workflowId: string;
  /** The step's name; provider calls within a step have none of their own. */
  readonly step: string;
  /** `before` and `after` its work, at each attempt; `recorded`: the engine has its result, also from before a crash. */
  readonly moment: 'before' | 'after' | 'recorded';
}

/** What the steps of the workflows work with. */
export interface WorkflowContext {
  readonly store: Store;
  readonly vault: Vault;
  readonly databases: Databases;
  readonly machines: Machines;
  readonly billing: Pick<Billing, 'cancelSubscription'>;
  readonly images: Pick<Images, 'listTenants' | 'remove'>;
  readonly logger: Logger;
  /** The address of a tenant's page. */
  appUrl(hostname: string): string;
  /** What each call to a provider takes beyond its work, in ms: for looking at what happens in between. */
  readonly providerDelayMs: number;
  /** How long a new machine may take until it is healthy, in ms. */
  readonly healthTimeoutMs: number;
  /** Between two looks at a machine's health, in ms. */
  readonly healthIntervalMs: number;
  /** Before the first repetition of a failed step, in ms; each further waits twice as long. */
  readonly retryIntervalMs: number;
  /**
   * The pauses of a workflow whose provider is away, in ms, one after the other: after each the step is tried once more,
   * after the last it fails.
   */
  readonly outagePausesMs: readonly number[];
  /** Aborted when the engine closes. */
  readonly signal: AbortSignal;
  /** Whether this process is still the one that runs the workflow: another may have taken it for dead. */
  ownsWorkflow(workflowId: string): Promise<boolean>;
  /** The tenant that the workflow works for. */
  findTenantId(): Promise<string>;
  /**
   * Called at each boundary of each step, which waits for it: tests stop a workflow there and kill the process.
   * @defaultValue nobody
   */
  readonly onBoundary?: ((boundary: StepBoundary) => void | Promise<void>) | undefined;
}
