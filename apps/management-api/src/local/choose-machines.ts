import type { Logger } from 'pino';
import type { Images } from '../images/registry.ts';
import { detectDocker } from '../machines/detect.ts';
import { createDockerMachines } from '../machines/docker.ts';
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

/** Opens the driver. */
export function openMachines(
  kind: MachinesChoice['kind'],
  deps: {
    readonly directory: string;
    readonly images: Images;
    readonly registry: string;
    readonly logger: Logger;
  },
): Machines {
  const { directory, images, registry, logger } = deps;
  if (kind === 'docker') return createDockerMachines({ images, registry, logger });
  return createProcessMachines({ directory, images: images.storage, logger });
}
