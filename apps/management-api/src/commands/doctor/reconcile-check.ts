import type { Logger } from 'pino';
import type { Configuration } from '../../configuration/configuration.ts';
import { createPostgresDatabases } from '../../databases/postgres-databases.ts';
import type { Vault } from '../../ports/vault.ts';
import { reconcile } from '../../reconcile/reconcile.ts';
import { openServiceMachines } from '../../serve/open-machines.ts';
import type { Store } from '../../store/database.ts';
import { type Check, failed, ok, warning } from './check.ts';
import { closedRegistry } from './closed-registry.ts';

const shown = 5;

/** Whether the providers have what the database says, and nothing else. The service repairs what it safely can. */
export function reconcileCheck(
  configuration: Configuration,
  { store, vault, logger }: { readonly store: Store; readonly vault: Vault; readonly logger: Logger },
): Check {
  return {
    name: 'providers and database',
    run: async (signal) => {
      // Processes belong to the process that serves: a second one must not touch them.
      if (configuration.machines === 'process') return ok('compared by the process that serves');
      const { databaseUrl, tenantDatabaseUrl = databaseUrl } = configuration;
      const registry = closedRegistry(configuration);
      const { machines } = openServiceMachines(configuration, { ...registry, logger });
      const databases = createPostgresDatabases({ adminUrl: tenantDatabaseUrl });
      const deps = { store, vault, databases, machines, images: registry.images, logger };
      const { findings, unavailable } = await reconcile(deps, { repair: false, signal });
      const [unreachable] = unavailable;
      if (unreachable !== undefined) return failed(`${unreachable.what} cannot be compared: ${unreachable.reason}`);
      if (findings.length === 0) return ok('are the same');
      const some = findings.slice(0, shown).map(({ kind, subject }) => `${kind} ${subject}`);
      const more = findings.length > shown ? ` and ${findings.length - shown} more` : '';
      return warning(`differ: ${some.join(', ')}${more}`);
    },
  };
}
