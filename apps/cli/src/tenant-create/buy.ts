import type { CloudApiClient } from '@sp/cloud-api';
import type { ProjectContext } from '@sp/paths';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { deleteCheckout, type OpenCheckout, saveCheckoutSync } from './checkout-file.ts';
import type { TenantChoice } from './choose.ts';
import { isGone } from './forget-gone.ts';

/** A tenant that was paid for and whose infrastructure is there. */
export interface BoughtTenant {
  readonly tenantId: string;
  readonly checkoutSessionId: string;
}

/** Opens the payment page and follows the new tenant until it can be deployed to. */
export async function buyTenant(
  choice: TenantChoice & Pick<OpenCheckout, 'externalDbAccess'>,
  { context, api, project }: { context: Context; api: CloudApiClient; project: ProjectContext },
): Promise<BoughtTenant> {
  const { progress, signal } = context;
  const { runCheckoutCallbackFlow } = await import('@sp/checkout');
  const step = progress.step(
    'checkout',
    `Waiting for the payment of ${choice.name} (${choice.plan.name}, ${choice.region})`,
  );
  try {
    const result = await runCheckoutCallbackFlow({
      createCheckout: ({ redirectUri }) =>
        api.checkout.create(
          { priceId: choice.plan.paddlePriceId, region: choice.region, tenantName: choice.name, redirectUri },
          { signal },
        ),
      api,
      openBrowser: (url) => context.openBrowser(url),
      onEvent: (event) => {
        // Before the browser opens: from here on a crash must not lose what is paid for.
        if (event.type === 'checkout-url') {
          saveCheckoutSync(project, {
            sessionId: event.checkoutSessionId,
            name: choice.name,
            profileName: choice.profileName,
            externalDbAccess: choice.externalDbAccess,
            api: new URL(api.baseUrl).origin,
            begunAt: new Date(),
          });
        }
        if (event.type === 'browser-failed') context.warn(`No browser could be opened: ${event.message}`);
        if (event.type === 'payment-confirmed') step.update('Paid; the tenant is being set up');
        if (event.type === 'provisioning')
          step.update(event.event.message ?? event.event.eventType.replaceAll('_', ' '));
      },
      signal,
    });
    step.done(`Tenant ${choice.name} is set up`);
    return { tenantId: result.tenantId, checkoutSessionId: result.checkoutSessionId };
  } catch (error) {
    step.fail();
    forgetDeclined(project, error);
    throw error;
  }
}

/** Of what was declined there is nothing to take up. */
function forgetDeclined(project: ProjectContext, error: unknown): void {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'SP_CHECKOUT_DECLINED') return;
  const sessionId = 'checkoutSessionId' in error ? error.checkoutSessionId : undefined;
  if (typeof sessionId === 'string') deleteCheckout(project, sessionId);
}

/**
 * Follows a checkout that was begun before until its tenant can be deployed to. One that is gone is forgotten.
 *
 * @throws {CliError} `SP_CLI_CHECKOUT_NOT_FOUND` when the API does not have it, or its tenant
 */
export async function resumePurchase(
  { sessionId, api: begunAtApi }: OpenCheckout,
  { context, api, project }: { context: Context; api: CloudApiClient; project: ProjectContext },
): Promise<BoughtTenant> {
  const { progress, signal } = context;
  const { resumeCheckout } = await import('@sp/checkout');
  const step = progress.step('checkout', `Taking up the checkout ${sessionId}`);
  try {
    const { tenantId, checkoutSessionId } = await resumeCheckout({ api, sessionId, signal });
    step.done();
    return { tenantId, checkoutSessionId };
  } catch (error) {
    step.fail();
    if (!isGone(error)) throw error;
    const { host } = new URL(api.baseUrl);
    const forgotten = begunAtApi === undefined ? '' : ', and this project has forgotten it';
    if (begunAtApi !== undefined) deleteCheckout(project, sessionId);
    const message = `${host} has no checkout ${sessionId}, or its tenant is deleted${forgotten}`;
    throw new CliError('SP_CLI_CHECKOUT_NOT_FOUND', message, { directory: project.root });
  }
}
