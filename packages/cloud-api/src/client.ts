import type { CloudApiClient } from './cloud-api-client.ts';
import type { LoginSession } from './contract/auth.ts';
import type { Endpoint } from './contract/endpoint.ts';
import { contract } from './contract/table.ts';
import { credentialsParams } from './credentials-link.ts';
import { eventsLater } from './events-later.ts';
import type { CallOptions, CloudApiClientOptions, MutationOptions, UpdateOptions } from './options.ts';
import { type Call, createTransport } from './transport.ts';

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
  /** A call without data. */
  const plain = <T>(endpoint: Endpoint) => {
    return (given?: CallOptions): Promise<T> => call(endpoint, { ...given });
  };
  /** A call about one thing. */
  const ofOne = <T>(endpoint: Endpoint, facts?: Call) => {
    return (id: string, given?: MutationOptions): Promise<T> => call(endpoint, { ...given, params: { id }, ...facts });
  };
  /** A call about one thing, with data. */
  const withBody = <T>(endpoint: Endpoint, facts?: Call) => {
    return (id: string, body: object, given?: UpdateOptions): Promise<T> =>
      call(endpoint, { ...given, params: { id }, body, ...facts });
  };
  const withQuery = <T>(endpoint: Endpoint) => {
    return (id: string, { signal, ...query }: CallOptions = {}): Promise<T> =>
      call(endpoint, { signal, params: { id }, query });
  };

  return {
    baseUrl: transport.baseUrl,
    auth: {
      getAuthorizeUrl: async (provider, { signal, ...query }) =>
        (await call<{ authorizeUrl: string }>(auth.getAuthorizeUrl, { params: { provider }, query, signal }))
          .authorizeUrl,
      createToken: (body, given) => call(auth.createToken, { ...given, body }),
      createDeviceLogin: (body = {}, given) => call(auth.createDeviceLogin, { ...given, body }),
      revokeToken: (body, given) => call(auth.revokeToken, { ...given, body }),
      listSessions: async (given) =>
        (await call<{ sessions: readonly LoginSession[] }>(auth.listSessions, { ...given })).sessions,
      deleteSession: ofOne(auth.deleteSession),
      listAuditEntries: async ({ signal, ...query } = {}) => call(auth.listAuditEntries, { query, signal }),
    },
    apiTokens: {
      list: plain(apiTokens.list),
      create: (body, given) => call(apiTokens.create, { ...given, body }),
      delete: ofOne(apiTokens.delete),
    },
    user: { get: plain(user.get) },
    plans: { list: plain(plans.list) },
    checkout: {
      create: (body, given) => call(checkout.create, { ...given, body }),
      get: ofOne(checkout.get),
      events: (id, stream = {}) =>
        eventsLater(transport, stream, async () => (await follow()).followCheckout(transport, id, stream)),
    },
    tenants: {
      list: plain(tenants.list),
      get: ofOne(tenants.get),
      getStatus: ofOne(tenants.getStatus),
      events: (id, stream = {}) =>
        eventsLater(transport, stream, async () => (await follow()).followTenant(transport, id, stream)),
      getLogs: withQuery(tenants.getLogs),
      followLogs: (id, stream = {}) =>
        eventsLater(transport, stream, async () => (await follow()).followLogs(transport, id, stream)),
      listAuditEntries: withQuery(tenants.listAuditEntries),
      getCredentials: async (secretsUrl, given) =>
        call(tenants.getCredentials, { ...given, params: credentialsParams(secretsUrl, transport.baseUrl) }),
      getRegistryToken: ofOne(tenants.getRegistryToken),
      // The server may wait for the new machine's health before it answers these.
      deploy: withBody(tenants.deploy, patient),
      update: withBody(tenants.update),
      delete: ofOne(tenants.delete, patient),
      restart: ofOne(tenants.restart, patient),
      retryProvision: ofOne(tenants.retryProvision),
      setExternalDbAccess: (id, enabled, given) =>
        call(tenants.setExternalDbAccess, { ...given, params: { id }, body: { enabled } }),
      rotateCredentials: ofOne(tenants.rotateCredentials, patient),
      rotateSyncToken: ofOne(tenants.rotateSyncToken, patient),
    },
    releases: {
      list: ofOne(releases.list),
      get: (id, release, given) => call(releases.get, { ...given, params: { id, release: `${release}` } }),
      rollback: (id, body = {}, given) => call(releases.rollback, { ...given, params: { id }, body, ...patient }),
      getSecretDigestKey: async (id, given) =>
        (await call<{ key: string }>(releases.getSecretDigestKey, { ...given, params: { id } })).key,
      diffSecrets: withBody(releases.diffSecrets),
    },
    domains: {
      set: (id, domain, given) => call(domains.set, { ...given, params: { id }, body: { domain } }),
      get: ofOne(domains.get),
      delete: ofOne(domains.delete),
    },
    subscription: {
      cancel: ofOne(subscription.cancel),
      createPortalLink: ofOne(subscription.createPortalLink),
    },
    activity: { report: (body, given) => call(activity.report, { ...given, body }) },
    secrets: {
      list: ofOne(secrets.list),
      set: (id, values, given) => call(secrets.set, { ...given, params: { id }, body: { secrets: values } }),
      delete: (id, key, given) => call(secrets.delete, { ...given, params: { id, key } }),
    },
  };
}

/** What reads event streams: a file of its own, for those who follow one. */
const follow = () => import('./follow.ts');

/** For calls that the server answers when a machine is healthy, or is not. */
const patient = { timeout: 90_000 };
