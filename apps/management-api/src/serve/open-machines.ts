import type { Logger } from 'pino';
import type { Configuration } from '../configuration/configuration.ts';
import { isLoopback } from '../configuration/values.ts';
import type { Images } from '../images/registry.ts';
import { createDockerMachines } from '../machines/docker.ts';
import { createFly } from '../machines/fly.ts';
import { createProcessMachines } from '../machines/process.ts';
import type { Certificates } from '../ports/certificates.ts';
import type { Machines } from '../ports/machines.ts';

/** What tenants run in, with what keeps certificates for their own domains where that is not our proxy. */
export interface ServiceMachines {
  readonly machines: Machines;
  readonly certificates?: Certificates | undefined;
}

/** What tenants run in, as configured. Containers go on when this process ends: another replica may look after them. */
export function openServiceMachines(
  configuration: Configuration,
  deps: {
    readonly images: Images;
    readonly registry: string;
    readonly logger: Logger;
    /** At which addresses the proxy looks for tenants; only for what starts machines. @defaultValue none */
    readonly notedAddresses?: (() => Promise<readonly string[]>) | undefined;
  },
): ServiceMachines {
  const { images, registry, logger, notedAddresses } = deps;
  const { machinesDirectory: directory, flyToken = '', flyOrganization = '', tenantDatabaseHost } = configuration;
  const tenantsUrl = new URL(configuration.tenantDatabaseUrl ?? configuration.databaseUrl);
  // A server on this computer is where the driver knows it to be, as seen from its machines; any other is where it is.
  const placed = (machines: Machines): Machines => {
    const own = isLoopback(`http://${tenantsUrl.hostname}`) ? machines.databaseHost : tenantsUrl.hostname;
    return { ...machines, databaseHost: tenantDatabaseHost ?? own };
  };
  switch (configuration.machines) {
    case 'docker':
      return { machines: placed(createDockerMachines({ images, registry, logger, notedAddresses })) };
    case 'process':
      return { machines: placed(createProcessMachines({ directory, images: images.storage, logger, notedAddresses })) };
    case 'fly':
      return createFly({
        token: flyToken,
        organization: flyOrganization,
        images: images.storage,
        logger,
        databaseHost: tenantDatabaseHost ?? tenantsUrl.hostname,
        machinesUrl: configuration.flyApiUrl,
        logsUrl: configuration.flyLogsUrl,
        registry: configuration.flyRegistry,
        rateFactor: configuration.flyRateFactor,
      });
  }
}
