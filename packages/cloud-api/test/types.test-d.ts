import { expectTypeOf, test } from 'vitest';
import type { Contract, QueryOf, RequestOf, ResponseOf } from '../src/contract.ts';
import {
  type CheckoutEvent,
  type CloudApiClient,
  type CloudApiErrorCode,
  type CustomDomain,
  createCloudApiClient,
  isCloudApiError,
  type MutationOptions,
  type ProvisioningEvent,
  type RotatedCredentials,
  type TenantInfo,
  type TenantStatus,
} from '../src/index.ts';

/** The calls that the contract has for a resource are the calls that the client has for it. */
type Verbs<Resource extends keyof Contract> = keyof CloudApiClient[Resource];

// Checked by `tsc --noEmit`; nothing of it runs.
test('types', () => {
  expectTypeOf<keyof Contract>().toEqualTypeOf<Exclude<keyof CloudApiClient, 'baseUrl'>>();
  expectTypeOf<Verbs<'tenants'>>().toEqualTypeOf<keyof Contract['tenants']>();
  expectTypeOf<Verbs<'domains'>>().toEqualTypeOf<keyof Contract['domains']>();
  expectTypeOf<Verbs<'checkout'>>().toEqualTypeOf<keyof Contract['checkout']>();

  expectTypeOf<ResponseOf<Contract['tenants']['get']>>().toEqualTypeOf<TenantInfo>();
  expectTypeOf<ResponseOf<Contract['tenants']['delete']>>().toEqualTypeOf<undefined>();
  expectTypeOf<RequestOf<Contract['tenants']['restart']>>().toEqualTypeOf<undefined>();
  expectTypeOf<QueryOf<Contract['tenants']['list']>>().toEqualTypeOf<undefined>();

  const api = createCloudApiClient({});
  expectTypeOf(api.tenants.rotateCredentials).toBeCallableWith('t', { idempotencyKey: 'k' } satisfies MutationOptions);
  expectTypeOf(api.tenants.rotateCredentials).returns.resolves.toEqualTypeOf<RotatedCredentials>();
  expectTypeOf(api.domains.set).returns.resolves.toEqualTypeOf<CustomDomain>();
  expectTypeOf(api.subscription.cancel).returns.resolves.toEqualTypeOf<void>();
  expectTypeOf(api.tenants.events('t')).toEqualTypeOf<AsyncIterable<ProvisioningEvent>>();
  expectTypeOf(api.checkout.events('s')).toEqualTypeOf<AsyncIterable<CheckoutEvent>>();
  // An unknown value of a newer server is a string like any other, and known ones are still offered.
  expectTypeOf<'running'>().toExtend<TenantStatus['status']>();
  expectTypeOf<string>().toExtend<TenantStatus['status']>();
  const error: unknown = undefined;
  if (isCloudApiError(error)) expectTypeOf(error.code).toEqualTypeOf<CloudApiErrorCode>();
  // @ts-expect-error a misspelt option is an error
  createCloudApiClient({ enviroment: 'sandbox' });
});
