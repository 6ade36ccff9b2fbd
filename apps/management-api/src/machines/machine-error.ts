import type { FailureClass } from '../ports/failure.ts';

/** What can go wrong with a machine. */
export type MachineErrorCode =
  /** The image cannot be run: it is not in the registry, is for another platform or has no command; `reason`. */
  | 'SP_MACHINE_IMAGE'
  /** An app name, a release id or an environment variable that the driver cannot use; `reason`. */
  | 'SP_MACHINE_SPEC'
  /** A command of the docker client failed; `step`, `exitCode`, `lastLines`. */
  | 'SP_MACHINE_DOCKER'
  /** A process survived SIGKILL; `pid`. */
  | 'SP_MACHINE_UNSTOPPABLE'
  /** Fly.io refused or did not answer; `reason`, `step`, `status`, `requestId`, `failureClass`. */
  | 'SP_MACHINE_FLY'
  /** Fly.io does not accept the token, or it is no token at all; `status`, `requestId`. */
  | 'SP_MACHINE_FLY_TOKEN'
  /** A file of the machines folder is not what this driver wrote; `path`. */
  | 'SP_MACHINE_STATE';

/** The facts of a failure, where they are known. */
export interface MachineErrorFacts {
  readonly appName?: string | undefined;
  readonly releaseId?: string | undefined;
  readonly reason?: string | undefined;
  /** The docker command (`pull`, `run`, `inspect`…), or what was asked of Fly.io (`machine-create`…). Never its arguments. */
  readonly step?: string | undefined;
  readonly exitCode?: number | undefined;
  /** The end of what the command wrote. */
  readonly lastLines?: readonly string[] | undefined;
  readonly pid?: number | undefined;
  readonly path?: string | undefined;
  /** The HTTP status. */
  readonly status?: number | undefined;
  /** By which the provider finds the request in its own logs. */
  readonly requestId?: string | undefined;
  /** What the failure means for whoever made the call. */
  readonly failureClass?: FailureClass | undefined;
}

/** A machine could not be started, looked up or stopped. */
export class MachineError extends Error implements MachineErrorFacts {
  override readonly name = 'MachineError';
  readonly code: MachineErrorCode;
  readonly appName: string | undefined;
  readonly releaseId: string | undefined;
  readonly reason: string | undefined;
  readonly step: string | undefined;
  readonly exitCode: number | undefined;
  readonly lastLines: readonly string[] | undefined;
  readonly pid: number | undefined;
  readonly path: string | undefined;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly failureClass: FailureClass | undefined;

  constructor(code: MachineErrorCode, options: MachineErrorFacts & { readonly message: string }) {
    super(options.message);
    this.code = code;
    this.appName = options.appName;
    this.releaseId = options.releaseId;
    this.reason = options.reason;
    this.step = options.step;
    this.exitCode = options.exitCode;
    this.lastLines = options.lastLines;
    this.pid = options.pid;
    this.path = options.path;
    this.status = options.status;
    this.requestId = options.requestId;
    this.failureClass = options.failureClass;
  }
}
