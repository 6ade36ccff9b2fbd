import { isCloudApiError } from '@sp/cloud-api';
import { DeployError, type DeployStep, isDeployError, throwIfAborted, withFacts } from '../deploy-error.ts';
import type { StepProgress } from '../image-builder.ts';
import type { DeployEvent, StepFacts } from './deploy-event.ts';

/** What all steps of one deploy share. */
export interface StepContext {
  readonly tenantId: string;
  readonly emit: (event: DeployEvent) => void;
  readonly signal: AbortSignal;
  /** The deploy on the server, once it has one: every error from then on names it. */
  operationId?: string | undefined;
}

/** Runs one step between its events, and gives its failure the step's name. */
export async function runStep<T>(
  step: DeployStep,
  context: StepContext,
  work: (onProgress: (progress: StepProgress) => void) => Promise<{ readonly value: T; readonly facts: StepFacts }>,
): Promise<T> {
  const { emit, signal } = context;
  const started = performance.now();
  try {
    throwIfAborted(signal);
    emit({ type: 'step-started', step });
    const { value, facts } = await work((progress) => emit({ type: 'step-progress', step, ...progress }));
    throwIfAborted(signal);
    emit({ type: 'step-completed', step, seconds: secondsSince(started), facts });
    return value;
  } catch (error) {
    throw failureOf(error, { step, ...context });
  }
}

/** Seconds since a `performance.now()`, to the millisecond. */
export function secondsSince(started: number): number {
  return Math.round(performance.now() - started) / 1000;
}

function failureOf(error: unknown, context: StepContext & { readonly step: DeployStep }): unknown {
  const { step, tenantId, operationId, signal } = context;
  if (signal.aborted) {
    const message = `Deploy of tenant ${tenantId} given up: aborted`;
    return new DeployError('SP_DEPLOY_ABORTED', message, { step, tenantId, operationId });
  }
  if (isDeployError(error)) {
    return withFacts(error, { step, tenantId, operationId: error.operationId ?? operationId });
  }
  if (!isCloudApiError(error)) return error;
  const message = `Deploy of tenant ${tenantId} failed at ${step}: ${error.message}`;
  return new DeployError('SP_DEPLOY_API_FAILED', message, { step, tenantId, operationId, cause: error });
}
