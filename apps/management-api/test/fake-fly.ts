import type { Digest, RegistryStorage } from '@sp/oci';
import { pino } from 'pino';
import type { ImageSource } from '../src/images/image-source.ts';
import { createProcessMachines } from '../src/machines/process.ts';
import type { LogLine } from '../src/ports/machines.ts';

// By a URL and not by name: the tools are no part of this package, and its TypeScript project ends at its folder.
const tools = new URL('../../../tools/src/fake-fly/fake-fly.ts', import.meta.url).href;

/** What the tests use of the fake in the tools, which says more about it. */
export interface FakeFly extends AsyncDisposable {
  readonly url: string;
  readonly registry: string;
  readonly storage: RegistryStorage;
  readonly apps: ReadonlyMap<string, FakeApp>;
  readonly counts: { readonly actions: ReadonlyMap<string, number>; readonly statuses: ReadonlyMap<number, number> };
  fail(fault: {
    readonly action: string;
    readonly fault: FaultKind;
    readonly times?: number;
    readonly app?: string;
  }): void;
  faultsLeft(app?: string): number;
  fillRegion(region: string): void;
  configureHostname(hostname: string): void;
  addressOf(machineId: string): string | undefined;
}

export interface FakeApp {
  readonly network: string;
  readonly volumes: ReadonlyMap<
    string,
    { readonly attachedMachine: string | undefined; readonly source: string | undefined; readonly sizeGb: number }
  >;
  readonly addresses: ReadonlyMap<string, { readonly type: string }>;
  readonly certificates: ReadonlyMap<string, unknown>;
  readonly secrets: ReadonlyMap<string, { readonly value: string }>;
  readonly machines: ReadonlyMap<string, FakeMachine>;
}

export interface FakeMachine {
  readonly name: string;
  readonly state: string;
  readonly config: { readonly image: string; readonly env?: unknown; readonly metadata?: Record<string, string> };
  lease:
    | { readonly nonce: string; expiresAt: number; readonly owner: string; readonly description: string }
    | undefined;
}

export type FaultKind =
  | { readonly status: number; readonly word?: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly statusAfterWork: number }
  | { readonly cut: 'before-work' | 'after-work' }
  | { readonly hang: 'before-work' | 'after-work' };

interface Runner {
  start(machine: {
    readonly id: string;
    readonly app: string;
    readonly image: string;
    readonly env: Readonly<Record<string, string>>;
    readonly memoryMb: number;
  }): Promise<{ readonly address?: string | undefined }>;
  look(id: string): Promise<{
    readonly running: boolean;
    readonly exitCode?: number | undefined;
    readonly address?: string | undefined;
  }>;
  readLog(id: string): Promise<readonly LogLine[]>;
  stop(id: string): Promise<void>;
}

/** Starts the fake in this process. */
export async function startFakeFly(options: {
  readonly tokens: Readonly<Record<string, string>>;
  readonly lagMs?: number;
  readonly startMs?: number;
  readonly retryAfter?: boolean;
  readonly rateFactor?: number;
  readonly runner?: Runner;
}): Promise<FakeFly> {
  const module = (await import(tools)) as { startFakeFly(settings: typeof options): Promise<FakeFly> };
  return await module.startFakeFly(options);
}

// The app's repository, and not one of the built-in registry: its name is passed as that of a tenant.
const appOf = (repository: string): string => repository.replace(/^.*tenant-/, '');

/** Runs the fake's machines as processes, out of the images that were copied to the fake's registry. */
export function createProcessRunner(options: {
  readonly directory: string;
  readonly storage: () => RegistryStorage;
}): Runner & { close(): Promise<void> } {
  const { directory, storage } = options;
  const images: ImageSource = {
    hasBlob: (repository, digest) => storage().hasBlob(appOf(repository), digest),
    readManifest: (repository, digest) => storage().readManifest(appOf(repository), digest),
    get blobs() {
      return storage().blobs;
    },
  };
  const machines = createProcessMachines({ directory, images, logger: pino({ enabled: false }) });
  const releaseId = 'current';
  return {
    start: ({ id, app, image, env, memoryMb }) => {
      const [repository = '', digest = ''] = image.slice(image.indexOf('/') + 1).split('@');
      const spec = { appName: id, tenantId: app, releaseId, image: { repository, digest: digest as Digest } };
      return machines.start({ ...spec, env, memoryMb, volumeGb: 1 });
    },
    async look(id) {
      const machine = await machines.find(id, releaseId);
      return { running: machine?.state === 'running', exitCode: machine?.exitCode, address: machine?.address };
    },
    async readLog(id) {
      const lines: LogLine[] = [];
      for await (const line of machines.readLogs(id, releaseId)) lines.push(line);
      return lines;
    },
    stop: (id) => machines.stop(id, releaseId),
    close: () => machines.close(),
  };
}
