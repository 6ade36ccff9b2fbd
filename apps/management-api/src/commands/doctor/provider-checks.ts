import type { Logger } from 'pino';
import type { Configuration } from '../../configuration/configuration.ts';
import { createImages } from '../../images/registry.ts';
import { detectDocker } from '../../machines/detect.ts';
import type { Vault } from '../../ports/vault.ts';
import { openServiceMachines } from '../../serve/open-machines.ts';
import { openBilling } from '../../serve/open-providers.ts';
import type { Store } from '../../store/database.ts';
import { type Check, failed, ok, type Verdict, warning } from './check.ts';
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
  const { flyOrganization, flyApiUrl, registryDirectory } = configuration;
  const images = createImages({ directory: registryDirectory, registry: '127.0.0.1', secret: new Uint8Array(32) });
  try {
    const { machines } = openServiceMachines(configuration, { images, registry: '127.0.0.1', logger });
    await machines.list('sp-000000000000');
    await machines.close();
    return ok(`${flyApiUrl} takes the token of ${flyOrganization}`);
  } finally {
    await images.close();
  }
}
