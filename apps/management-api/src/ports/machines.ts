import type { Digest } from '@sp/oci';

/** The place at the provider where a tenant's machines live. */
export interface AppSpec {
  /** Unique and stable: everything of the tenant is found again by it. */
  readonly appName: string;
  readonly tenantId: string;
  readonly region: string;
  readonly volumeGb: number;
  /** The tenant's own host name, where the provider has to have a certificate for it. @defaultValue none */
  readonly hostname?: string | undefined;
}

/** One machine to run: a release of a tenant. */
export interface MachineSpec {
  readonly appName: string;
  readonly tenantId: string;
  /** The marker of this machine: starting the same release twice gives the same machine. */
  readonly releaseId: string;
  readonly image: { readonly repository: string; readonly digest: Digest };
  /** Added to the image's environment, over it. Holds secrets: never in argv, never logged. */
  readonly env: Readonly<Record<string, string>>;
  readonly memoryMb: number;
  /**
   * The least size of the volume that the machine gets; a smaller one is extended before the machine starts, and none is
   * ever made smaller. Without a meaning where machines have no volumes of a set size (docker, process).
   */
  readonly volumeGb: number;
}

/** A machine as the provider sees it. */
export interface Machine {
  readonly id: string;
  readonly releaseId: string;
  readonly state: 'running' | 'exited';
  readonly exitCode?: number | undefined;
  /** `host:port` where the tenant is reached from the control plane; only while it runs. */
  readonly address?: string | undefined;
  /**
   * What the provider's own checks of the machine say; missing where it has none, or they have not run yet. Where it is
   * there it counts more than asking at the address, which may lead to another machine of the app.
   */
  readonly healthy?: boolean | undefined;
}

/** One line that a machine wrote. */
export interface LogLine {
  /** When it was written: ISO 8601 in UTC, to the millisecond or finer. */
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** The line without its end. */
  readonly message: string;
}

/** Which lines of a machine's output to read. */
export interface ReadLogsOptions {
  /** Begin with the last so many lines of what is there. @defaultValue everything that is kept */
  readonly tail?: number | undefined;
  /** Only lines written at this time or later. @defaultValue no limit */
  readonly since?: Date | undefined;
  /** Go on with what is written from now on, until the machine has ended. @defaultValue false */
  readonly follow?: boolean | undefined;
  /** Ends the reading, without an error. @defaultValue never */
  readonly signal?: AbortSignal | undefined;
}

/** Runs machines. Every call may be repeated: each looks up what is there by its marker before it makes anything. */
export interface Machines {
  readonly kind: 'docker' | 'process' | 'fly';
  /** The host name by which a machine reaches the Postgres server of the control plane's computer. */
  readonly databaseHost: string;
  createApp(app: AppSpec, options?: { readonly signal?: AbortSignal }): Promise<void>;
  start(spec: MachineSpec, options?: { readonly signal?: AbortSignal }): Promise<Machine>;
  /**
   * Makes the environment of a release the one that its machine has when it starts again by itself: for the one that goes on
   * after a newer one has failed. Nothing to do where every machine has an environment of its own (docker, process).
   */
  keep(
    spec: Pick<MachineSpec, 'appName' | 'releaseId' | 'env'>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<void>;
  find(appName: string, releaseId: string): Promise<Machine | undefined>;
  list(appName: string): Promise<readonly Machine[]>;
  /** The names of all apps that were made by a control plane like this one and of which there is something. */
  listApps(options?: { readonly signal?: AbortSignal }): Promise<readonly string[]>;
  /** The last lines of the machine's output, oldest first. */
  logs(appName: string, releaseId: string, options: { readonly lines: number }): Promise<readonly string[]>;
  /**
   * The machine's output with times, oldest first: what is there, then with `follow` what comes, until the machine has
   * ended. A machine that does not exist has written nothing. How much is kept is bounded by the driver.
   */
  readLogs(appName: string, releaseId: string, options?: ReadLogsOptions): AsyncIterable<LogLine>;
  stop(appName: string, releaseId: string): Promise<void>;
  /** Stops every machine of an app and deletes what was kept for it. */
  removeApp(appName: string): Promise<void>;
  /** Stops what must not outlive the control plane; what the provider keeps running by itself may stay. */
  close(): Promise<void>;
}
