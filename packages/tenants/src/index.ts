/** The tenants and profiles of a SystemPrompt project. */
export {
  type CloudContext,
  type CloudContextOptions,
  type ContextCredentials,
  createCloudContext,
  type ResolvedTenant,
} from './context/cloud-context.ts';
export {
  type ActiveProfile,
  type ActiveProfileOptions,
  type ProfileSessions,
  resolveActiveProfile,
} from './profile/active-profile.ts';
export type { ProfileValue } from './profile/change-yaml.ts';
export {
  type CreatedProfile,
  type CreateProfileOptions,
  createProfile,
  type ProfileSecrets,
} from './profile/create-profile.ts';
export { type EditProfileOptions, editProfile } from './profile/edit-profile.ts';
export { listProfiles, loadProfile } from './profile/load-profile.ts';
export type { LoadProfileOptions } from './profile/parse-profile.ts';
export { isLocalTrial, type Profile, type ProfileListing, type ProfileValidation } from './profile/profile.ts';
export { validateProfile } from './profile/profile-rules.ts';
export type {
  GatewaySettings,
  RateLimits,
  RuntimeSettings,
  SecuritySettings,
  ServerSettings,
} from './profile/profile-sections.ts';
export { editSecrets } from './secrets/edit-secrets.ts';
export { loadSecrets } from './secrets/load-secrets.ts';
export { type ResolvedSecrets, type ResolveSecretsOptions, resolveSecrets } from './secrets/resolve-secrets.ts';
export { effectiveDatabaseUrl, lookupSecret, maskSecret, type Secrets } from './secrets/secrets.ts';
export { secretsToEnvironment } from './secrets/secrets-to-environment.ts';
export { isMaskedDatabaseUrl, maskDatabaseUrl } from './store/database-url.ts';
export { findTenant, resolveTenant } from './store/find-tenant.ts';
export {
  type NewCloudTenant,
  type NewLocalTenant,
  type NewSharedLocalTenant,
  newCloudTenant,
  newLocalTenant,
  newSharedLocalTenant,
} from './store/new-tenant.ts';
export {
  isStale,
  mergeTenantInfo,
  type StoredTenant,
  storedTenantFromInfo,
  type TenantStore,
  type TenantType,
  withCredentials,
} from './store/stored-tenant.ts';
export {
  hasDatabaseUrl,
  hasMissingCredentials,
  isDatabaseUrlMasked,
  isSyncTokenMissing,
  localDatabaseUrl,
  usesSharedContainer,
} from './store/tenant-database.ts';
export {
  deleteTenant,
  loadTenants,
  mergeTenantInfos,
  saveTenants,
  type TenantStoreOptions,
  upsertTenant,
} from './store/tenant-store.ts';
export {
  isTenantsError,
  TenantsError,
  type TenantsErrorCode,
  type TenantsErrorFacts,
  type TenantsFinding,
} from './tenants-error.ts';
