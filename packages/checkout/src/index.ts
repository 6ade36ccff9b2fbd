/** Pay in the browser, then wait until the tenant's infrastructure exists. */
export { CheckoutError, type CheckoutErrorCode, type CheckoutErrorFacts, isCheckoutError } from './checkout-error.ts';
export type { CheckoutTemplates } from './checkout-pages.ts';
export type { CheckoutCallbackResult, CheckoutFlowEvent } from './checkout-result.ts';
export type { ProvisioningOutcome } from './provisioning-outcome.ts';
export { type ResumeCheckoutOptions, resumeCheckout } from './resume-checkout.ts';
export { type CheckoutFlowOptions, runCheckoutCallbackFlow } from './run-checkout-callback-flow.ts';
export { type WaitForProvisioningOptions, waitForProvisioning } from './wait-for-provisioning.ts';
