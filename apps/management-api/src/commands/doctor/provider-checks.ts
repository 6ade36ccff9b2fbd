import type { Logger } from 'pino';
import type { Configuration } from '../../configuration/configuration.ts';
import { detectDocker } from '../../machines/detect.ts';
import type { Vault } from '../../ports/vault.ts';
import { openServiceMachines } from '../../serve/open-machines.ts';
import { openBilling } from '../../serve/open-providers.ts';
import type { Store } from '../../store/database.ts';
import { type Check, failed, ok, type Verdict, warning } from './check.ts';
import { closedRegistry } from './closed-registry.ts';
import { identityChecks } from './identity-checks.ts';

/** Whether the providers take our credentials, found out by calls that change nothing. */
export function providerChecks(
  configuration: Configuration,
  deps: { readonly store: Store; readonly vault: Vault; readonly logger: Logger },
): Check[] {
  const { paddleWebhookSecrets = [], machines } = configuration;
  const checks: Check[] = [
    ...identityChecks(configuration),
    {
      name: 'billing',
      run: async (signal) => {
        const { billing } = openBilling(configuration, deps);
        const plans = await billing.listPlans({ signal });
        return plans.length > 0 ? ok(`${plans.length} plans are on sale`) : warning('no plan is on sale');
      },
    },
  ];
  if (configuration.billing === 'paddle') {
    checks.push({
      name: 'webhooks',
      run: async () => {
        const odd = paddleWebhookSecrets.filter((secret) => !secret.startsWith('pdl_ntfset_')).length;
        const message = `${paddleWebhookSecrets.length} secrets`;
        return odd === 0
          ? ok(message)
          : warning(`${message}, ${odd} of which do not look like Paddle's (pdl_ntfset_…)`);
      },
    });
  }
  if (machines === 'docker') {
    checks.push({
      name: 'machines',
      run: async (signal) => {
        const docker = await detectDocker({ signal });
        return docker.available ? ok('the Docker engine answers') : failed(docker.reason ?? 'no Docker engine answers');
      },
    });
  }
  if (machines === 'fly') checks.push({ name: 'machines', run: () => checkFly(configuration, deps) });
  return checks;
}

/** Looks for the machines of an app that there cannot be: who may not look is told so. */
async function checkFly(configuration: Configuration, { logger }: { readonly logger: Logger }): Promise<Verdict> {
  const { flyOrganization, flyApiUrl } = configuration;
  const { machines } = openServiceMachines(configuration, { ...closedRegistry(configuration), logger });
  await machines.list('sp-000000000000');
  return ok(`${flyApiUrl} takes the token of ${flyOrganization}`);
}
