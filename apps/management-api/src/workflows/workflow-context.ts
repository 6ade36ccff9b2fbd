import type { Logger } from 'pino';
import type { Images } from '../images/registry.ts';
import type { Billing } from '../ports/billing.ts';
import type { Databases } from '../ports/databases.ts';
import type { Machines } from '../ports/machines.ts';
import type { Vault } from '../ports/vault.ts';
import type { Store } from '../store/database.ts';

/** What the steps of the workflows work with. */
export interface WorkflowContext {
  readonly store: Store;
  readonly vault: Vault;
  readonly databases: Databases;
  readonly machines: Machines;
  readonly billing: Pick<Billing, 'cancelSubscription'>;
  readonly images: Pick<Images, 'remove'>;
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
  /** Aborted when the engine closes. */
  readonly signal: AbortSignal;
}
