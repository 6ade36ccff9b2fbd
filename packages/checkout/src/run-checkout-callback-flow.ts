import type { CheckoutResponse, CloudApiClient } from '@sp/cloud-api';
import { createLoopback, isLoopbackError, type LoopbackListener, type LoopbackReply } from '@sp/loopback';
import { CheckoutError, isCheckoutError } from './checkout-error.ts';
import { type CheckoutPages, type CheckoutTemplates, createCheckoutPages } from './checkout-pages.ts';
import type { CheckoutCallbackResult, CheckoutFlowEvent } from './checkout-result.ts';
import { withDeadline } from './deadline.ts';
import { followSession } from './follow-session.ts';
import { readCallback } from './read-callback.ts';
import { assertWebAddress } from './web-address.ts';

/** What a checkout needs. */
export interface CheckoutFlowOptions {
  /** Opens the session, with the address that the payment page is to return to. */
  createCheckout(
    request: { readonly redirectUri: string },
    options: { readonly signal: AbortSignal },
  ): Promise<CheckoutResponse>;
  /** A client, or the part of one that is needed. */
  readonly api: Pick<CloudApiClient, 'checkout'>;
  /** Shows the payment page. A failure is an event, not an error: the person can open the page by hand. */
  openBrowser(url: string): Promise<void> | void;
  /** Told of each step. */
  readonly onEvent?: ((event: CheckoutFlowEvent) => void) | undefined;
  /** Port of the callback listener; the predecessor's was 8766. @defaultValue 0, any free one */
  readonly port?: number | undefined;
  /** For everything together, in milliseconds. @defaultValue 300_000 */
  readonly timeoutMs?: number | undefined;
  /** Own pages for the browser tab, in place of the built-in ones. */
  readonly templates?: Partial<CheckoutTemplates> | undefined;
  /** Ends the wait with `SP_CHECKOUT_ABORTED`; the checkout itself goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** How long the listener stays for a page that has not shown the result yet, in milliseconds. */
const lingerMs = 3000;

/** Pause before a broken event stream is asked for again, in milliseconds. */
const retryMs = 2000;

/**
 * Sends a person to the payment page and waits until what they paid for exists. The session's events decide, so it also
 * ends when they pay on another device and the browser never comes back.
 *
 * @throws {@link CheckoutError} `SP_CHECKOUT_DECLINED`, `SP_CHECKOUT_PROVISIONING_FAILED`, `SP_CHECKOUT_BAD_URL`,
 * `SP_CHECKOUT_TIMEOUT`, `SP_CHECKOUT_ABORTED`, `SP_CHECKOUT_PORT_BUSY`, `SP_CHECKOUT_LISTEN_FAILED`
 * @throws {CloudApiError} what `createCheckout` throws, and when the login is not valid
 * @example
 * const { tenantId } = await runCheckoutCallbackFlow({
 *   createCheckout: ({ redirectUri }) => api.checkout.create({ priceId, region: 'iad', redirectUri }),
 *   api,
 *   openBrowser: (url) => open(url),
 * });
 */
export async function runCheckoutCallbackFlow(options: CheckoutFlowOptions): Promise<CheckoutCallbackResult> {
  const { port = 0, timeoutMs = 300_000, templates, signal } = options;
  const pages = createCheckoutPages(templates);
  let checkout: CheckoutResponse | undefined;
  const facts = (): { checkoutSessionId: string | undefined } => ({ checkoutSessionId: checkout?.checkoutSessionId });
  const listener = await listen(port, pages);
  try {
    const deadline = { what: 'the checkout', timeoutMs, signal, facts };
    const result = await withDeadline(deadline, async (signal) => {
      checkout = await options.createCheckout({ redirectUri: listener.url }, { signal });
      return waitForResult(checkout, { ...options, listener, pages, signal });
    });
    pages.finish({ tenantId: result.tenantId });
    await pages.shown(lingerMs);
    return result;
  } catch (error) {
    pages.finish({ failure: error instanceof Error ? error.message : 'The checkout failed.' });
    const abandoned = isCheckoutError(error) && error.code === 'SP_CHECKOUT_ABORTED';
    if (!abandoned) await pages.shown(lingerMs);
    throw error;
  } finally {
    await listener.close();
  }
}

interface RunningFlow extends CheckoutFlowOptions {
  readonly listener: LoopbackListener;
  readonly pages: CheckoutPages;
  readonly signal: AbortSignal;
}

async function waitForResult(checkout: CheckoutResponse, flow: RunningFlow): Promise<CheckoutCallbackResult> {
  const { listener, pages, signal, api, onEvent } = flow;
  const { checkoutUrl: url, transactionId, checkoutSessionId } = checkout;
  let confirmed = false;
  const confirm = (): void => {
    if (!confirmed) onEvent?.({ type: 'payment-confirmed' });
    confirmed = true;
  };

  const answer = (query: URLSearchParams): LoopbackReply<CheckoutCallbackResult> => {
    const callback = readCallback(query, checkout);
    switch (callback.kind) {
      case 'pending':
        confirm();
        return { page: pages.current(), done: false };
      case 'completed': {
        confirm();
        const { tenantId } = callback;
        pages.finish({ tenantId });
        const value = { transactionId, tenantId, needsDeploy: false, checkoutSessionId };
        return { page: pages.current(), done: true, value };
      }
      case 'declined': {
        const { reason } = callback;
        const message = `Checkout ${checkoutSessionId} was not completed: ${reason}`;
        const error = new CheckoutError('SP_CHECKOUT_DECLINED', message, { reason, checkoutSessionId });
        pages.finish({ failure: `The payment was not completed: ${reason}` });
        return { page: pages.current(), done: true, error };
      }
      case 'invalid':
        onEvent?.({ type: 'callback-invalid', message: `Ignored a callback: ${callback.problem}` });
        return { page: pages.ignored(`This callback was ignored: ${callback.problem}.`), status: 400, done: false };
    }
  };

  assertWebAddress(url, checkoutSessionId);
  onEvent?.({ type: 'listening', redirectUri: listener.url });
  onEvent?.({ type: 'checkout-url', url, checkoutSessionId });
  const onProvisioning = followSession({
    api,
    checkoutSessionId,
    transactionId,
    signal,
    retryMs,
    onEvent(event) {
      confirm();
      onEvent?.({ type: 'provisioning', event });
    },
  });
  const byCallback = listener.wait(answer, { timeoutMs: Number.MAX_SAFE_INTEGER }).catch((error: unknown) => {
    // A listener that broke, or was closed by the deadline, is no result: the events can still bring one.
    if (isLoopbackError(error)) return new Promise<never>(() => undefined);
    throw error;
  });
  void showPage(flow, url);
  return Promise.race([onProvisioning, byCallback]);
}

async function showPage({ openBrowser, onEvent }: CheckoutFlowOptions, url: string): Promise<void> {
  try {
    await openBrowser(url);
  } catch (error) {
    onEvent?.({ type: 'browser-failed', message: error instanceof Error ? error.message : 'unknown reason' });
  }
}

async function listen(port: number, pages: CheckoutPages): Promise<LoopbackListener> {
  try {
    return await createLoopback({ port, routes: { '/status': pages.status } });
  } catch (error) {
    if (!isLoopbackError(error)) throw error;
    const code = error.code === 'SP_LOOPBACK_PORT_BUSY' ? 'SP_CHECKOUT_PORT_BUSY' : 'SP_CHECKOUT_LISTEN_FAILED';
    throw new CheckoutError(code, `Cannot wait for the payment on port ${port}: ${error.message}`, {
      port,
      cause: error,
    });
  }
}
