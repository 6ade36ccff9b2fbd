import { element } from './element.ts';
import { isAborted } from './problem.ts';
import type { ViewContext } from './view.ts';

/** Waits until a payment has made its tenant, and goes there. */
export async function showCheckout(context: ViewContext, sessionId: string): Promise<void> {
  const { api, place, signal, title, navigate, complain } = context;
  title('Waiting for the payment');
  place.append(
    element('p', { class: 'card quiet', role: 'status' }, 'The tenant is made as soon as the payment arrives.'),
  );
  try {
    for await (const { tenantId } of api.checkout.events(sessionId, { signal })) {
      navigate({ view: 'tenant', id: tenantId });
      return;
    }
  } catch (error) {
    if (!isAborted(error)) complain(error);
  }
}
