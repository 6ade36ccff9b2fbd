import { type CloudApiClient, isCloudApiError } from '@sp/cloud-api';
import type { ProjectContext } from '@sp/paths';
import type { Context } from '../context.ts';
import { deleteCheckout, isOf, listCheckouts, type OpenCheckout } from './checkout-file.ts';

/** How long the API looks for a payment that nobody told it of, in milliseconds. */
const payableMs = 3 * 24 * 60 * 60 * 1000;

/**
 * The checkouts of this project that can be taken up at this API. Those that the API does not have any more, and those
 * that stayed unpaid for longer than it looks for payments, are forgotten, which is told.
 */
export async function forgetGone({
  context,
  api,
  project,
}: {
  context: Context;
  api: CloudApiClient;
  project: ProjectContext;
}): Promise<readonly OpenCheckout[]> {
  const { origin, host } = new URL(api.baseUrl);
  const ours = listCheckouts(project).filter((checkout) => isOf(checkout, origin));
  const asked = ours.map(async (checkout) => ({ checkout, ...(await standingOf(checkout, { context, api, host })) }));
  const stood = await Promise.all(asked);
  for (const { checkout, over } of stood) {
    if (over === undefined) continue;
    deleteCheckout(project, checkout.sessionId);
    context.warn(`Forgot the checkout ${checkout.sessionId} of ${checkout.name}: ${over}`);
  }
  return stood.flatMap(({ checkout, here }) => (here ? checkout : []));
}

/**
 * Whether the API says by name that a checkout, or the tenant that it was for, is not there any more. A 404 of whoever
 * else answers, such as a proxy, says nothing about what may be paid.
 */
export function isGone(error: unknown): boolean {
  if (!isCloudApiError(error)) return false;
  const { code, serverCode } = error;
  return code === 'SP_API_GONE' || serverCode === 'checkout_not_found' || serverCode === 'tenant_not_found';
}

interface Standing {
  /** Whether it can be taken up at this API. */
  readonly here: boolean;
  /** Why it can be taken up nowhere. */
  readonly over?: string | undefined;
}

async function standingOf(
  { sessionId, begunAt, api: begunAtApi }: OpenCheckout,
  { context, api, host }: { context: Context; api: CloudApiClient; host: string },
): Promise<Standing> {
  try {
    const { tenantId } = await api.checkout.get(sessionId, { signal: context.signal });
    const isOld = begunAt !== undefined && Date.now() - begunAt.getTime() > payableMs;
    if (tenantId !== undefined || !isOld) return { here: true };
    return { here: false, over: 'it was not paid within three days' };
  } catch (error) {
    if (!isCloudApiError(error) || error.code === 'SP_API_ABORTED') throw error;
    // Whoever cannot say it by name may have no endpoint for it; what may be paid is kept then.
    if (error.serverCode !== 'checkout_not_found' && error.code !== 'SP_API_GONE') return { here: true };
    // That of an earlier version may be another API's.
    return { here: false, over: begunAtApi === undefined ? undefined : `${host} does not have it any more` };
  }
}
