import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { createImages, type Images } from '../images/registry.ts';
import { detectDocker } from '../machines/detect.ts';
import { createDockerMachines } from '../machines/docker.ts';
import { claimMachines, ownerFileOf } from '../machines/owner-file.ts';
import { createProcessMachines } from '../machines/process.ts';
import type { Machines } from '../ports/machines.ts';
import { LocalCloudError } from './local-cloud-error.ts';

/** The driver that fits this computer. */
export interface MachinesChoice {
  readonly kind: 'docker' | 'process';
  /** The address of this computer as containers see it. */
  readonly gateway?: string | undefined;
}

/** Takes what was asked for. @throws {LocalCloudError} SP_LOCAL_DOCKER_UNAVAILABLE */
export async function chooseMachines(
  wanted: 'auto' | 'docker' | 'process',
  options: { readonly signal: AbortSignal | undefined },
): Promise<MachinesChoice> {
  if (wanted === 'process') return { kind: 'process' };
  // Elsewhere containers live in a virtual machine, from which our Postgres on 127.0.0.1 is not reached.
  if (wanted === 'auto' && process.platform !== 'linux') return { kind: 'process' };
  const docker = await detectDocker({ signal: options.signal });
  if (docker.available) return { kind: 'docker', gateway: docker.gateway };
  if (wanted === 'auto') return { kind: 'process' };
  throw new LocalCloudError('SP_LOCAL_DOCKER_UNAVAILABLE', {
    reason: docker.reason,
    message: `Docker machines are not available: ${docker.reason ?? 'no engine answers'}`,
  });
}

/** Opens the driver of a folder that this process has locked. */
export async function openMachines(
  kind: MachinesChoice['kind'],
  deps: {
    readonly directory: string;
    readonly images: Images;
    readonly registry: string;
    readonly logger: Logger;
    /** At which addresses the proxy looks for tenants. */
    readonly notedAddresses: () => Promise<readonly string[]>;
  },
): Promise<Machines> {
  const { directory, images, registry, logger, notedAddresses } = deps;
  if (kind === 'docker') {
    return rememberApps(createDockerMachines({ images, registry, logger, notedAddresses }), directory);
  }
  // Those that run on from a process that was killed end soon when nobody says that they are theirs.
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await claimMachines(ownerFileOf(directory));
  return createProcessMachines({ directory, images: images.storage, logger, notedAddresses });
}

/** Ends all machines of a data folder's tenants, also those that outlived a killed process. */
export async function removeMachines(directory: string): Promise<void> {
  const images = createImages({ directory, registry: '127.0.0.1', secret: new Uint8Array(32) });
  const logger = pino({ enabled: false });
  if (existsSync(directory)) await claimMachines(ownerFileOf(directory));
  await createProcessMachines({ directory, images: images.storage, logger }).close();
  if ((await rememberedApps(directory)).length === 0 || !(await detectDocker()).available) return;
  const docker = createDockerMachines({ images, registry: '127.0.0.1', logger });
  for (const appName of await rememberedApps(directory)) await docker.removeApp(appName);
}

// Containers outlive the process that started them. A folder for each app says whose they are, so that they stop with
// their cloud, and are found when it was killed.
function rememberApps(machines: Machines, directory: string): Machines {
  return {
    ...machines,
    createApp: async (app, options) => {
      await mkdir(join(directory, app.appName), { recursive: true, mode: 0o700 });
      await machines.createApp(app, options);
    },
    close: async () => {
      await stopAll(machines, directory);
      await machines.close();
    },
  };
}

async function rememberedApps(directory: string): Promise<readonly string[]> {
  return (await readdir(directory).catch(() => [])).filter((name) => !name.startsWith('.'));
}

async function stopAll(machines: Machines, directory: string): Promise<void> {
  for (const appName of await rememberedApps(directory)) {
    for (const { releaseId } of await machines.list(appName)) await machines.stop(appName, releaseId);
  }
}
