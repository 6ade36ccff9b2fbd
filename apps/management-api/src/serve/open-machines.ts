import type { Logger } from 'pino';
import type { Configuration } from '../configuration/configuration.ts';
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
  { images, registry, logger }: { readonly images: Images; readonly registry: string; readonly logger: Logger },
): ServiceMachines {
  const { machinesDirectory: directory, flyToken = '', flyOrganization = '', tenantDatabaseHost } = configuration;
  const tenantsUrl = new URL(configuration.tenantDatabaseUrl ?? configuration.databaseUrl);
  switch (configuration.machines) {
    case 'docker':
      return { machines: createDockerMachines({ images, registry, logger }) };
    case 'process':
      return { machines: createProcessMachines({ directory, images: images.storage, logger }) };
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
