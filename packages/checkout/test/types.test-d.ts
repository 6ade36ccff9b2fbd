import type { CheckoutEvent, CloudApiClient, ProvisioningEvent } from '@sp/cloud-api';
import { expectTypeOf, test } from 'vitest';
import {
  type CheckoutCallbackResult,
  type CheckoutErrorCode,
  type CheckoutFlowEvent,
  type CheckoutFlowOptions,
  isCheckoutError,
  type ProvisioningOutcome,
  type ResumeCheckoutOptions,
  resumeCheckout,
  runCheckoutCallbackFlow,
  waitForProvisioning,
} from '../src/index.ts';

// Checked by `tsc --noEmit`; nothing of it runs.
test('types', () => {
  expectTypeOf(runCheckoutCallbackFlow).returns.resolves.toEqualTypeOf<CheckoutCallbackResult>();
  expectTypeOf(resumeCheckout).returns.resolves.toEqualTypeOf<CheckoutCallbackResult>();
  expectTypeOf(waitForProvisioning).returns.resolves.toEqualTypeOf<ProvisioningOutcome>();
  expectTypeOf<CheckoutCallbackResult['needsDeploy']>().toEqualTypeOf<boolean>();
  expectTypeOf<ProvisioningOutcome['event']>().toEqualTypeOf<ProvisioningEvent>();

  // Each asks for the smallest part of a client that it needs, and a whole client is one.
  expectTypeOf<CheckoutFlowOptions['api']>().toEqualTypeOf<Pick<CloudApiClient, 'checkout'>>();
  expectTypeOf<CloudApiClient>().toExtend<ResumeCheckoutOptions['api']>();

  expectTypeOf<CheckoutFlowEvent['type']>().toEqualTypeOf<
    'listening' | 'checkout-url' | 'browser-failed' | 'payment-confirmed' | 'callback-invalid' | 'provisioning'
  >();
  expectTypeOf<Extract<CheckoutFlowEvent, { type: 'provisioning' }>['event']>().toEqualTypeOf<CheckoutEvent>();
  expectTypeOf<CheckoutErrorCode>().toExtend<`SP_CHECKOUT_${string}`>();

  const error: unknown = undefined;
  if (isCheckoutError(error)) {
    expectTypeOf(error.code).toEqualTypeOf<CheckoutErrorCode>();
    expectTypeOf(error.checkoutSessionId).toEqualTypeOf<string | undefined>();
  }
  // @ts-expect-error what is resumed must be named
  void resumeCheckout({ api: {} as CloudApiClient });
});
