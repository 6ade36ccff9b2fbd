/** The steps of a deploy in their order. */
export type DeployStep = 'preflight' | 'plan' | 'build' | 'push' | 'secrets' | 'deploy' | 'health';

/** Why a deploy, or a part of it, failed. Codes are stable; messages are not. */
export type DeployErrorCode =
  | 'SP_DEPLOY_PROJECT_INCOMPLETE'
  | 'SP_DEPLOY_BASE_UNSUPPORTED'
  | 'SP_DEPLOY_BUILD_FAILED'
  | 'SP_DEPLOY_PUSH_FAILED'
  | 'SP_DEPLOY_DOCKER_FAILED'
  | 'SP_DEPLOY_DOCKER_UNAVAILABLE'
  | 'SP_DEPLOY_API_FAILED'
  | 'SP_DEPLOY_TENANT_NOT_READY'
  | 'SP_DEPLOY_IN_PROGRESS'
  | 'SP_DEPLOY_REMOTE_MOVED'
  | 'SP_DEPLOY_PROJECT_CHANGED'
  | 'SP_DEPLOY_RELEASE_NOT_FOUND'
  | 'SP_DEPLOY_SECRET_REFUSED'
  | 'SP_DEPLOY_DOTENV_INVALID'
  | 'SP_DEPLOY_UNHEALTHY'
  | 'SP_DEPLOY_TIMEOUT'
  | 'SP_DEPLOY_ABORTED';

/** One thing that keeps a project from becoming an image. */
export interface ProjectFinding {
  /** Relative to the project, `/` between segments. */
  readonly path: string;
  /** What is wrong with it, for example `missing`. */
  readonly problem: string;
  /** The line that is wrong, from 1. */
  readonly line?: number | undefined;
  /** The line that would mend it. */
  readonly add?: string | undefined;
}

/** The facts a {@link DeployError} may carry besides its code. */
export interface DeployErrorFacts {
  /** The step of the deploy that failed; absent when a part was used alone. */
  readonly step?: DeployStep | undefined;
  /** All that is wrong with the project (`SP_DEPLOY_PROJECT_INCOMPLETE`) or the file (`SP_DEPLOY_DOTENV_INVALID`). */
  readonly findings?: readonly ProjectFinding[] | undefined;
  /** What docker was doing: `build`, `login`, `tag` or `push` (`SP_DEPLOY_DOCKER_FAILED`). */
  readonly command?: string | undefined;
  /** Exit code of docker; absent when a signal ended it. */
  readonly exitCode?: number | undefined;
  /** The last lines that docker printed, secrets removed, or the new machine (`SP_DEPLOY_UNHEALTHY`). */
  readonly lastLines?: readonly string[] | undefined;
  /** The tenant that was deployed. */
  readonly tenantId?: string | undefined;
  /** The deploy on the server, once it has one: `resumeDeploy` takes it up. Of `SP_DEPLOY_IN_PROGRESS` the other's. */
  readonly operationId?: string | undefined;
  /** Number of the release that is spoken of; of `SP_DEPLOY_REMOTE_MOVED` the one that runs, 0 for none. */
  readonly release?: number | undefined;
  /** Who started the other deploy (`SP_DEPLOY_IN_PROGRESS`). */
  readonly startedBy?: string | undefined;
  /** When the other deploy was started (`SP_DEPLOY_IN_PROGRESS`). */
  readonly startedAt?: Date | undefined;
  /** Names of variables that were refused (`SP_DEPLOY_SECRET_REFUSED`). */
  readonly names?: readonly string[] | undefined;
  /** The tenant's status after it failed or time ran out; `running` after a failure is the release before. */
  readonly status?: string | undefined;
  /** An error of `@sp/cloud-api`, `@sp/oci` or the operating system; none of them holds a secret. */
  readonly cause?: unknown;
}

const brand = Symbol.for('@sp/deploy.error');

/** The only error class of this package: branch on `code`, read the facts from the fields. */
export class DeployError extends Error {
  /** Always `DeployError`. */
  override readonly name = 'DeployError';
  /** Why it failed; switch on it. */
  readonly code: DeployErrorCode;
  /** {@inheritDoc DeployErrorFacts.step} */
  readonly step: DeployStep | undefined;
  /** {@inheritDoc DeployErrorFacts.findings} */
  readonly findings: readonly ProjectFinding[] | undefined;
  /** {@inheritDoc DeployErrorFacts.command} */
  readonly command: string | undefined;
  /** {@inheritDoc DeployErrorFacts.exitCode} */
  readonly exitCode: number | undefined;
  /** {@inheritDoc DeployErrorFacts.lastLines} */
  readonly lastLines: readonly string[] | undefined;
  /** {@inheritDoc DeployErrorFacts.tenantId} */
  readonly tenantId: string | undefined;
  /** {@inheritDoc DeployErrorFacts.operationId} */
  readonly operationId: string | undefined;
  /** {@inheritDoc DeployErrorFacts.release} */
  readonly release: number | undefined;
  /** {@inheritDoc DeployErrorFacts.startedBy} */
  readonly startedBy: string | undefined;
  /** {@inheritDoc DeployErrorFacts.startedAt} */
  readonly startedAt: Date | undefined;
  /** {@inheritDoc DeployErrorFacts.names} */
  readonly names: readonly string[] | undefined;
  /** {@inheritDoc DeployErrorFacts.status} */
  readonly status: string | undefined;

  constructor(code: DeployErrorCode, message: string, facts: DeployErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.step = facts.step;
    this.findings = facts.findings;
    this.command = facts.command;
    this.exitCode = facts.exitCode;
    this.lastLines = facts.lastLines;
    this.tenantId = facts.tenantId;
    this.operationId = facts.operationId;
    this.release = facts.release;
    this.startedBy = facts.startedBy;
    this.startedAt = facts.startedAt;
    this.names = facts.names;
    this.status = facts.status;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Whether `value` is a {@link DeployError}, also one from another copy of this package. */
export function isDeployError(value: unknown): value is DeployError {
  return typeof value === 'object' && value !== null && brand in value;
}

/** The same error with more facts. */
export function withFacts(error: DeployError, facts: DeployErrorFacts): DeployError {
  const { code, message, step, findings, command, exitCode, lastLines, cause } = error;
  const { tenantId, operationId, release, startedBy, startedAt, names, status } = error;
  const known = { step, findings, command, exitCode, lastLines, cause };
  const ids = { tenantId, operationId, release, startedBy, startedAt, names, status };
  return new DeployError(code, message, { ...known, ...ids, ...facts });
}

/** Throws `SP_DEPLOY_ABORTED` once the caller has given up. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new DeployError('SP_DEPLOY_ABORTED', 'Deploy given up: aborted by the caller');
}
