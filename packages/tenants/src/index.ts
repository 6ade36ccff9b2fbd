/** The tenants and profiles of a SystemPrompt project. */
export {
  type CreatedProfile,
  type CreateProfileOptions,
  createProfile,
  type ProfileSecrets,
} from './create-profile.ts';
export { isMaskedDatabaseUrl, maskDatabaseUrl } from './database-url.ts';
export { findTenant, resolveTenant } from './find-tenant.ts';
export { type LoadProfileOptions, listProfiles, loadProfile } from './load-profile.ts';
export type { Profile, ProfileListing } from './profile.ts';
export { loadSecrets, secretsToEnvironment } from './secrets.ts';
export {
  type StoredTenant,
  storedTenantFromInfo,
  type TenantStore,
  type TenantType,
  withCredentials,
} from './stored-tenant.ts';
export { loadTenants, mergeTenantInfos, saveTenants, type TenantStoreOptions, upsertTenant } from './tenant-store.ts';
export {
  isTenantsError,
  TenantsError,
  type TenantsErrorCode,
  type TenantsErrorFacts,
  type TenantsFinding,
} from './tenants-error.ts';
