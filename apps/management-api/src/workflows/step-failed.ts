import type { FailureClass } from '../ports/failure.ts';

/** A step that failed for good; `reason` is one line for the tenant's owner. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
  readonly reason: string;
  readonly failureClass: FailureClass;
  /** Whether the provider that it called is away, and may be back. */
  readonly outage: boolean;

  constructor(reason: string, facts: { readonly failureClass?: FailureClass; readonly outage?: boolean } = {}) {
    super(reason);
    this.reason = reason;
    this.failureClass = facts.failureClass ?? 'permanent';
    this.outage = facts.outage ?? false;
  }
}

/** A promise that never settles leaves the workflow as it is; the process ends or drops it. */
export function forever(): Promise<never> {
  return new Promise(() => {});
}
