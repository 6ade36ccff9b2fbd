import type { CloudApiClient } from './cloud-api-client.ts';
import type { LoginSession } from './contract/auth.ts';
import { contract } from './contract/table.ts';
import { credentialsParams } from './credentials-link.ts';
import { followCheckout, followTenant } from './follow.ts';
import { followLogs } from './follow-logs.ts';
import type { CloudApiClientOptions } from './options.ts';
import { createTransport } from './transport.ts';

/**
 * A client of the Management API.
 *
 * @example
 * ```ts
 * const api = createCloudApiClient({ environment: 'sandbox', token: process.env.SYSTEMPROMPT_API_TOKEN });
 * for (const tenant of await api.tenants.list()) console.log(tenant.name);
 * ```
 */
export function createCloudApiClient(options: CloudApiClientOptions): CloudApiClient {
  const transport = createTransport(options);
  const { auth, apiTokens, user, plans, checkout, tenants, releases, domains, subscription, activity, secrets } =
    contract;
  const call = transport.call as <T>(...args: Parameters<typeof transport.call>) => Promise<T>;

  return {
    baseUrl: transport.baseUrl,
    auth: {
      getAuthorizeUrl: async (provider, { signal, ...query }) =>
        (await call<{ authorizeUrl: string }>(auth.getAuthorizeUrl, { params: { provider }, query, signal }))
          .authorizeUrl,
      createToken: (body, { signal } = {}) => call(auth.createToken, { body, signal }),
      createDeviceLogin: (body = {}, { signal } = {}) => call(auth.createDeviceLogin, { body, signal }),
      revokeToken: (body, { signal } = {}) => call(auth.revokeToken, { body, signal }),
      listSessions: async ({ signal } = {}) =>
        (await call<{ sessions: readonly LoginSession[] }>(auth.listSessions, { signal })).sessions,
      deleteSession: (id, { signal } = {}) => call(auth.deleteSession, { params: { id }, signal }),
    },
    apiTokens: {
      list: ({ signal } = {}) => call(apiTokens.list, { signal }),
      create: (body, options = {}) => call(apiTokens.create, { body, ...options }),
      delete: (id, { signal } = {}) => call(apiTokens.delete, { params: { id }, signal }),
    },
    user: { get: ({ signal } = {}) => call(user.get, { signal }) },
    plans: { list: ({ signal } = {}) => call(plans.list, { signal }) },
    checkout: {
      create: (body, options = {}) => call(checkout.create, { body, ...options }),
      get: (id, { signal } = {}) => call(checkout.get, { params: { id }, signal }),
      events: (id, stream = {}) => followCheckout(transport, id, stream),
    },
    tenants: {
      list: ({ signal } = {}) => call(tenants.list, { signal }),
      get: (id, { signal } = {}) => call(tenants.get, { params: { id }, signal }),
      getStatus: (id, { signal } = {}) => call(tenants.getStatus, { params: { id }, signal }),
      events: (id, stream = {}) => followTenant(transport, id, stream),
      getLogs: (id, { signal, ...query } = {}) => call(tenants.getLogs, { params: { id }, query, signal }),
      followLogs: (id, options = {}) => followLogs(transport, id, options),
      listAuditEntries: (id, { signal, ...query } = {}) =>
        call(tenants.listAuditEntries, { params: { id }, query, signal }),
      getCredentials: async (secretsUrl, { signal } = {}) =>
        call(tenants.getCredentials, { params: credentialsParams(secretsUrl, transport.baseUrl), signal }),
      getRegistryToken: (id, { signal } = {}) => call(tenants.getRegistryToken, { params: { id }, signal }),
      // The server may wait for the new machine's health before it answers these.
      deploy: (id, body, options = {}) => call(tenants.deploy, { params: { id }, body, ...options, ...patient }),
      update: (id, body, { ifVersion, signal } = {}) =>
        call(tenants.update, { params: { id }, body, signal, ifVersion }),
      delete: (id, options = {}) => call(tenants.delete, { params: { id }, ...options, ...patient }),
      restart: (id, options = {}) => call(tenants.restart, { params: { id }, ...options, ...patient }),
      retryProvision: (id, options = {}) => call(tenants.retryProvision, { params: { id }, ...options }),
      setExternalDbAccess: (id, enabled, { signal } = {}) =>
        call(tenants.setExternalDbAccess, { params: { id }, body: { enabled }, signal }),
      rotateCredentials: (id, options = {}) =>
        call(tenants.rotateCredentials, { params: { id }, ...options, ...patient }),
      rotateSyncToken: (id, options = {}) => call(tenants.rotateSyncToken, { params: { id }, ...options, ...patient }),
    },
    releases: {
      list: (id, { signal } = {}) => call(releases.list, { params: { id }, signal }),
      get: (id, release, { signal } = {}) => call(releases.get, { params: { id, release: `${release}` }, signal }),
      rollback: (id, body = {}, options = {}) =>
        call(releases.rollback, { params: { id }, body, ...options, ...patient }),
      getSecretDigestKey: async (id, { signal } = {}) =>
        (await call<{ key: string }>(releases.getSecretDigestKey, { params: { id }, signal })).key,
      diffSecrets: (id, body, { signal } = {}) => call(releases.diffSecrets, { params: { id }, body, signal }),
    },
    domains: {
      set: (id, domain, { signal } = {}) => call(domains.set, { params: { id }, body: { domain }, signal }),
      get: (id, { signal } = {}) => call(domains.get, { params: { id }, signal }),
      delete: (id, { signal } = {}) => call(domains.delete, { params: { id }, signal }),
    },
    subscription: { cancel: (id, { signal } = {}) => call(subscription.cancel, { params: { id }, signal }) },
    activity: { report: (body, options = {}) => call(activity.report, { body, ...options }) },
    secrets: {
      list: (id, { signal } = {}) => call(secrets.list, { params: { id }, signal }),
      set: (id, values, { signal } = {}) => call(secrets.set, { params: { id }, body: { secrets: values }, signal }),
      delete: (id, key, { signal } = {}) => call(secrets.delete, { params: { id, key }, signal }),
    },
  };
}

/** For calls that the server answers when a machine is healthy, or is not. */
const patient = { timeout: 90_000 };
