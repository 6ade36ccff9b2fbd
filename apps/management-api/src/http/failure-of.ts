import { isBillingError } from '../billing/billing-error.ts';
import { DeployInProgress, ReleaseMoved } from '../tenants/deploys.ts';
import { TenantBusy } from '../tenants/operations.ts';
import { TenantStateConflict } from '../tenants/state.ts';
import { ApiFailure, isApiFailure } from './errors.ts';

/** What a client is told about an error. Of those that nobody foresaw it learns nothing but the request's id. */
export function failureOf(error: unknown): ApiFailure {
  if (isApiFailure(error)) return error;
  if (error instanceof TenantStateConflict) {
    return new ApiFailure(`The tenant is ${error.state}: this is not possible now.`, {
      status: 409,
      code: 'tenant_state_conflict',
    });
  }
  if (error instanceof TenantBusy) {
    const { what, since } = error;
    return new ApiFailure(`The tenant is busy with ${what} since ${since.toISOString()}.`, {
      status: 409,
      code: 'tenant_busy',
    });
  }
  if (error instanceof DeployInProgress) {
    return new ApiFailure(`${error.message}.`, { status: 409, code: 'deploy_in_progress' });
  }
  if (error instanceof ReleaseMoved) return new ApiFailure(`${error.message}.`, { status: 409, code: 'release_moved' });
  if (isBillingError(error)) {
    const { retryAfterSeconds } = error;
    return new ApiFailure('The payment provider does not answer as it should; try again later.', {
      status: 503,
      code: 'billing_unavailable',
      headers: { 'retry-after': String(retryAfterSeconds ?? 10) },
    });
  }
  return new ApiFailure('Something went wrong on our side.', { status: 500, code: 'internal' });
}
