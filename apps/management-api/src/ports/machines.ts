import type { Digest } from '@sp/oci';

/** The place at the provider where a tenant's machines live. */
export interface AppSpec {
  /** Unique and stable: everything of the tenant is found again by it. */
  readonly appName: string;
  readonly tenantId: string;
  readonly region: string;
  readonly volumeGb: number;
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
}

/** A machine as the provider sees it. */
export interface Machine {
  readonly id: string;
  readonly releaseId: string;
  readonly state: 'running' | 'exited';
  readonly exitCode?: number | undefined;
  /** `host:port` where the tenant's port 8080 is reached from the control plane; only while it runs. */
  readonly address?: string | undefined;
}

/** Runs machines. Every call may be repeated: each looks up what is there by its marker before it makes anything. */
export interface Machines {
  readonly kind: 'docker' | 'process' | 'fly';
  /** The host name by which a machine reaches the Postgres server of the control plane's computer. */
  readonly databaseHost: string;
  createApp(app: AppSpec, options?: { readonly signal?: AbortSignal }): Promise<void>;
  start(spec: MachineSpec, options?: { readonly signal?: AbortSignal }): Promise<Machine>;
  find(appName: string, releaseId: string): Promise<Machine | undefined>;
  list(appName: string): Promise<readonly Machine[]>;
  /** The last lines of the machine's output, oldest first. */
  logs(appName: string, releaseId: string, options: { readonly lines: number }): Promise<readonly string[]>;
  stop(appName: string, releaseId: string): Promise<void>;
  /** Stops every machine of an app and deletes what was kept for it. */
  removeApp(appName: string): Promise<void>;
  /** Stops what must not outlive the control plane; what the provider keeps running by itself may stay. */
  close(): Promise<void>;
}
