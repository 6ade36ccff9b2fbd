/** What a runner is asked to run. */
export interface MachineToRun {
  readonly id: string;
  readonly app: string;
  /** `registry/repository@digest` or `…:tag`. */
  readonly image: string;
  readonly env: Readonly<Record<string, string>>;
  readonly memoryMb: number;
}

/** Really runs the machines of the fake, so that they answer, write and crash. */
export interface MachineRunner {
  start(machine: MachineToRun): Promise<{ readonly address?: string | undefined }>;
  look(id: string): Promise<{
    readonly running: boolean;
    readonly exitCode?: number | undefined;
    /** `host:port` where its port 8080 is. */
    readonly address?: string | undefined;
  }>;
  readLog(
    id: string,
  ): Promise<readonly { readonly time: string; readonly stream: 'stdout' | 'stderr'; readonly message: string }[]>;
  stop(id: string): Promise<void>;
}
