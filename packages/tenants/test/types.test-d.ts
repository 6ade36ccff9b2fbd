import type { TenantInfo, TenantSecrets } from '@sp/cloud-api';
import { expectTypeOf, test } from 'vitest';
import {
  type ActiveProfile,
  type CloudContext,
  createCloudContext,
  editProfile,
  findTenant,
  isTenantsError,
  loadProfile,
  loadSecrets,
  loadTenants,
  mergeTenantInfos,
  type Profile,
  type ProfileListing,
  type ProfileValue,
  type ResolvedTenant,
  resolveActiveProfile,
  resolveTenant,
  type StoredTenant,
  storedTenantFromInfo,
  type TenantStore,
  type TenantsErrorCode,
  type TenantsFinding,
  type TenantType,
  upsertTenant,
  withCredentials,
} from '../src/index.ts';

// Checked by `tsc --noEmit`; nothing of it runs.
test('types', () => {
  // A store that is not there is a value; a tenant that must be there is not.
  expectTypeOf(loadTenants).returns.resolves.toEqualTypeOf<TenantStore | undefined>();
  expectTypeOf(findTenant).returns.toEqualTypeOf<StoredTenant | undefined>();
  expectTypeOf(resolveTenant).returns.resolves.toEqualTypeOf<StoredTenant>();
  expectTypeOf(upsertTenant).returns.resolves.toEqualTypeOf<TenantStore>();
  expectTypeOf(mergeTenantInfos).parameter(1).toEqualTypeOf<readonly TenantInfo[]>();
  expectTypeOf(storedTenantFromInfo).toEqualTypeOf<(info: TenantInfo) => StoredTenant>();
  expectTypeOf(withCredentials).parameter(1).toEqualTypeOf<TenantSecrets>();
  expectTypeOf<TenantType>().toEqualTypeOf<'local' | 'cloud'>();
  expectTypeOf<StoredTenant['databaseUrl']>().toEqualTypeOf<string | undefined>();

  expectTypeOf(loadProfile).returns.resolves.toEqualTypeOf<Profile>();
  expectTypeOf(loadSecrets).returns.resolves.toEqualTypeOf<Readonly<Record<string, string>> | undefined>();
  expectTypeOf(editProfile).toBeCallableWith(
    '/profile.yaml',
    { 'server.port': 80, 'site.name': undefined },
    { env: {} },
  );
  expectTypeOf<ProfileValue>().toEqualTypeOf<string | number | boolean | null | readonly string[]>();
  expectTypeOf(resolveActiveProfile).returns.resolves.toEqualTypeOf<ActiveProfile>();
  expectTypeOf<Extract<ActiveProfile, { kind: 'several' }>['profiles']>().toEqualTypeOf<readonly ProfileListing[]>();

  // A context keeps the type of the credentials that it was made with.
  const context = createCloudContext({
    credentials: { apiUrl: 'https://api.example', apiToken: 't', userEmail: 'ada@example.com' },
    tenantsPath: '/tenants.json',
  });
  expectTypeOf(context).resolves.toExtend<CloudContext>();
  expectTypeOf<Awaited<typeof context>['credentials']['userEmail']>().toEqualTypeOf<string>();
  expectTypeOf<CloudContext['tenant']>().toEqualTypeOf<ResolvedTenant | undefined>();

  const error: unknown = undefined;
  if (isTenantsError(error)) {
    expectTypeOf(error.code).toEqualTypeOf<TenantsErrorCode>();
    expectTypeOf(error.findings).toEqualTypeOf<readonly TenantsFinding[] | undefined>();
  }
  // @ts-expect-error references are looked up in an environment that is given
  void loadProfile('/profile.yaml', {});
  // @ts-expect-error a stored tenant is a value, not a place
  (({}) as StoredTenant).name = 'other';
});
