import type { Logger } from 'pino';
import { OperatorError } from '../commands/operator-error.ts';
import type { Configuration } from '../configuration/configuration.ts';
import type { Images } from '../images/registry.ts';
import { createDockerMachines } from '../machines/docker.ts';
import { createProcessMachines } from '../machines/process.ts';
import type { Machines } from '../ports/machines.ts';

/** What tenants run in, as configured. Containers go on when this process ends: another replica may look after them. */
export async function openServiceMachines(
  configuration: Configuration,
  { images, registry, logger }: { readonly images: Images; readonly registry: string; readonly logger: Logger },
): Promise<Machines> {
  const { machinesDirectory: directory } = configuration;
  switch (configuration.machines) {
    case 'docker':
      return createDockerMachines({ images, registry, logger });
    case 'process':
      return createProcessMachines({ directory, images: images.storage, logger });
    case 'fly':
      throw new OperatorError('SP_LISTEN_FAILED', 'not yet');
  }
}
