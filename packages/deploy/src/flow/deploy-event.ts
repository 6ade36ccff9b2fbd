import type { DeployStep } from '../deploy-error.ts';
import type { StepProgress } from '../image-builder.ts';

/** What a finished step found out or did; never a secret. */
export type StepFacts = Readonly<Record<string, string | number | boolean>>;

/** One event of a deploy. Every step starts and completes once, in the order of {@link DeployStep}. */
export type DeployEvent =
  | { readonly type: 'step-started'; readonly step: DeployStep }
  | ({ readonly type: 'step-progress'; readonly step: DeployStep } & StepProgress)
  | { readonly type: 'step-completed'; readonly step: DeployStep; readonly seconds: number; readonly facts: StepFacts }
  | { readonly type: 'deploy-completed'; readonly result: DeployResult };

/** A tenant that runs its new image. */
export interface DeployResult {
  /** The tenant that was deployed. */
  readonly tenantId: string;
  /** `registry/repository:tag`. */
  readonly image: string;
  /** Digest of the image that runs; unknown when nothing was pushed and the server does not say. */
  readonly digest?: string | undefined;
  /** The tenant's status afterwards, usually `running`. */
  readonly status: string;
  /** The deploy on the server, from one that keeps releases. */
  readonly operationId?: string | undefined;
  /** Number of the release, from a server that counts them. */
  readonly release?: number | undefined;
  /** Where the tenant serves, if it is known. */
  readonly appUrl?: string | undefined;
  /** Bytes that the registry did not have; unknown when docker pushed. */
  readonly uploadedBytes?: number | undefined;
  /** How long all steps took. */
  readonly seconds: number;
}
