import { reportActivity } from './activity.ts';
import { createApiToken, deleteApiToken, listApiTokens } from './api-tokens.ts';
import { listAccountAuditEntries, listAuditEntries } from './audit.ts';
import { createDeviceLogin, createToken, deleteSession, getAuthorizeUrl, listSessions, revokeToken } from './auth.ts';
import { createCheckout, getCheckout } from './checkout.ts';
import { createDeploy, getRegistryToken } from './deploy.ts';
import { deleteCustomDomain, getCustomDomain, setCustomDomain } from './domains.ts';
import { checkoutEvents, tenantEvents } from './events.ts';
import { followLogs, getLogs } from './logs.ts';
import { listPlans } from './plan.ts';
import { diffSecrets, getRelease, getSecretDigestKey, listReleases, rollback } from './releases.ts';
import { deleteSecret, listSecrets, setSecrets } from './secrets.ts';
import { cancelSubscription, createPortalLink } from './subscription.ts';
import {
  deleteTenant,
  restartTenant,
  retryProvision,
  rotateCredentials,
  rotateSyncToken,
  setExternalDbAccess,
  updateTenant,
} from './tenant-changes.ts';
import { getCredentials, getTenant, getTenantStatus, listTenants } from './tenants.ts';
import { getUser } from './user.ts';

/** Every endpoint of the Management API, by resource and verb: `contract.tenants.list` is `api.tenants.list(…)`. */
export const contract = {
  auth: {
    getAuthorizeUrl,
    createToken,
    createDeviceLogin,
    revokeToken,
    listSessions,
    deleteSession,
    listAuditEntries: listAccountAuditEntries,
  },
  apiTokens: { list: listApiTokens, create: createApiToken, delete: deleteApiToken },
  user: { get: getUser },
  plans: { list: listPlans },
  checkout: { create: createCheckout, get: getCheckout, events: checkoutEvents },
  tenants: {
    list: listTenants,
    get: getTenant,
    getStatus: getTenantStatus,
    events: tenantEvents,
    getLogs,
    followLogs,
    listAuditEntries,
    getCredentials,
    getRegistryToken,
    deploy: createDeploy,
    update: updateTenant,
    delete: deleteTenant,
    restart: restartTenant,
    retryProvision,
    setExternalDbAccess,
    rotateCredentials,
    rotateSyncToken,
  },
  domains: { set: setCustomDomain, get: getCustomDomain, delete: deleteCustomDomain },
  subscription: { cancel: cancelSubscription, createPortalLink },
  activity: { report: reportActivity },
  releases: { list: listReleases, get: getRelease, rollback, getSecretDigestKey, diffSecrets },
  secrets: { list: listSecrets, set: setSecrets, delete: deleteSecret },
} as const;

/** The contract's resources. */
export type Contract = typeof contract;
