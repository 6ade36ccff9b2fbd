import type { ApiScope } from './scopes.ts';
import type { Contract } from './table.ts';

/** The scope of each endpoint that asks who calls: one that is missing does not compile. */
export type EndpointScopes = {
  readonly [Resource in keyof Contract]: {
    readonly [Verb in keyof Contract[Resource] as Contract[Resource][Verb] extends { auth: 'bearer' }
      ? Verb
      : never]: ApiScope;
  };
};

/**
 * The scope that an API token needs for an endpoint. Beside the table and not in it: only servers and the reference read
 * it, and clients carry none of it.
 */
export const endpointScopes: EndpointScopes = {
  auth: { listSessions: 'account', deleteSession: 'account', listAuditEntries: 'account' },
  apiTokens: { list: 'account', create: 'account', delete: 'account' },
  user: { get: 'tenants:read' },
  plans: { list: 'tenants:read' },
  checkout: { create: 'account', get: 'account', events: 'account' },
  tenants: {
    list: 'tenants:read',
    get: 'tenants:read',
    getStatus: 'tenants:read',
    events: 'tenants:read',
    getLogs: 'tenants:read',
    followLogs: 'tenants:read',
    listAuditEntries: 'tenants:read',
    getCredentials: 'tenants:write',
    getRegistryToken: 'deploy',
    deploy: 'deploy',
    update: 'tenants:write',
    delete: 'tenants:write',
    restart: 'tenants:write',
    retryProvision: 'tenants:write',
    setExternalDbAccess: 'tenants:write',
    rotateCredentials: 'tenants:write',
    rotateSyncToken: 'tenants:write',
  },
  domains: { set: 'tenants:write', get: 'tenants:read', delete: 'tenants:write' },
  subscription: { cancel: 'tenants:write', createPortalLink: 'account' },
  activity: { report: 'account' },
  releases: {
    list: 'tenants:read',
    get: 'tenants:read',
    rollback: 'deploy',
    getSecretDigestKey: 'deploy',
    diffSecrets: 'deploy',
  },
  secrets: { list: 'tenants:read', set: 'secrets:write', delete: 'secrets:write' },
};
