import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createManagementApi } from '../api.ts';
import { openDatabase, requireMigrations } from '../commands/open-database.ts';
import { openVault } from '../commands/open-vault.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { listenHostOf } from '../configuration/listen-host.ts';
import { createPostgresDatabases } from '../databases/postgres-databases.ts';
import { createCnameDns } from '../dns/cname-dns.ts';
import { createImages } from '../images/registry.ts';
import { findReleaseDigests } from '../images/release-digests.ts';
import { findTenantTarget, isCustomDomain } from '../local/tenant-addresses.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { createTenantProxy } from '../proxy/tenant-proxy.ts';
import { createTenantTunnel } from '../proxy/tenant-tunnel.ts';
import { findNotedAddresses } from '../releases/noted-addresses.ts';
import { createEventFeed } from '../tenants/event-feed.ts';
import { createAccessTokens } from '../tokens/access-tokens.ts';
import { startWorkflows } from '../workflows/engine.ts';
import { startMaintenance } from '../workflows/maintenance.ts';
import { configuredLimits } from './configured-limits.ts';
import { listen, type ServiceHandler } from './listen.ts';
import { lockMachines } from './lock-machines.ts';
import { openServiceMachines } from './open-machines.ts';
import { openBilling, openIdentity } from './open-providers.ts';
import { routeHosts } from './route-hosts.ts';
import { createTenantHosts } from './tenant-hosts.ts';

/** A control plane that serves. */
export interface Service {
  /** The port that it listens on. */
  readonly port: number;
  /**
   * Ends it without losing anything: it says that it is not ready and goes on until nobody sends it new requests, ends
   * the streams, lets answers under way finish, and leaves its work to other replicas. `now` fires to skip the first wait.
   */
  stop(options?: { readonly now?: AbortSignal | undefined }): Promise<void>;
}

/**
 * Runs the control plane with the providers of the configuration.
 * @throws {OperatorError} SP_DATABASE_UNREACHABLE, SP_DATABASE_OUTDATED, SP_MACHINES_IN_USE, SP_LISTEN_FAILED
 */
export async function startService(
  configuration: Configuration,
  { logger, signal }: { readonly logger: Logger; readonly signal?: AbortSignal | undefined },
): Promise<Service> {
  const { baseUrl, databaseUrl, drainSeconds, shutdownSeconds, trustedProxyHeader, metricsToken } = configuration;
  // What was started, newest last: stopping goes backwards, also after a start that failed half-way.
  const stops: (() => Promise<unknown>)[] = [];
  const stopAll = async (): Promise<void> => {
    for (const stop of stops.toReversed()) {
      // One part that cannot be stopped must not keep the others running.
      await stop().catch((err: unknown) => logger.error({ err }, 'a part did not stop'));
    }
  };

  try {
    const store = await openDatabase(databaseUrl);
    stops.push(() => store.close());
    await requireMigrations(store);
    signal?.throwIfAborted();

    const vault = openVault(configuration);
    const registry = new URL(baseUrl).host;
    const images = createImages({
      directory: configuration.registryDirectory,
      registry,
      secret: vault.derive('registry'),
      maxBlobBytes: configuration.maxLayerGb * 1024 ** 3,
      maxTenantBytes: configuration.maxRegistryGb * 1024 ** 3,
      releaseDigests: () => findReleaseDigests(store, { kept: configuration.keptReleases }),
      onCollectFailed: (err) => logger.warn({ err }, 'garbage of the registry was not collected'),
    });
    stops.push(() => images.close());
    // Before any machine: a key that opens nothing ends the start.
    const tokens = await createAccessTokens({ store, vault, issuer: baseUrl });
    if (configuration.machines === 'process') {
      const lock = await lockMachines(configuration.machinesDirectory);
      stops.push(() => lock.release());
    }
    const { machines, certificates } = openServiceMachines(configuration, {
      images,
      registry,
      logger,
      notedAddresses: () => findNotedAddresses(store),
    });
    stops.push(() => machines.close());
    const feed = await createEventFeed(store);
    stops.push(() => feed.close());
    const identity = openIdentity(configuration, { vault });
    const { billing, webhookSecrets } = openBilling(configuration, { store, vault, logger });
    const databases = createPostgresDatabases({
      adminUrl: configuration.tenantDatabaseUrl ?? databaseUrl,
      externalHost: configuration.tenantDatabasePublicHost,
      controlUrl: databaseUrl,
    });
    const dns = createCnameDns();
    const hosts = createTenantHosts(configuration);
    const { hostname, appUrl } = hosts;
    const workflows = await startWorkflows({ store, vault, databases, machines, billing, images, logger, appUrl });
    stops.push(() => workflows.close());
    // After the workflows have made their database. Where it fails, `doctor` says what to do.
    await databases.prepare().catch((err: unknown) => logger.warn({ err }, 'databases stay open to every role'));
    const day = 24 * 60 * 60 * 1000;
    const terms = { graceMs: configuration.graceDays * day, retentionMs: configuration.retentionDays * day };
    const maintained = { store, hostname, billing, workflows, tokens, dns, certificates, logger, terms };
    const maintenance = startMaintenance(maintained);
    stops.push(() => maintenance.close());

    const streams = new AbortController();
    let leaving = false;
    const api = createManagementApi(
      { store, vault, identity, billing, machines, databases, dns, certificates, images, workflows, feed, tokens },
      {
        baseUrl,
        hostname,
        appUrl,
        logger,
        webhookSecrets,
        subscriptionTerms: terms,
        keptReleases: configuration.keptReleases,
        trustedProxyHeader,
        rateLimits: configuredLimits(configuration),
        metricsToken,
        ...(metricsToken === undefined ? {} : { metrics: createMetrics({ store }) }),
        readinessChecks: {
          workflows: () => workflows.checkReadiness(),
          serving: () => {
            if (leaving) throw new Error('This replica is leaving');
          },
        },
        sandbox: {
          ...(identity.pages === undefined ? {} : { identity: { pages: identity.pages } }),
          ...(billing.pages === undefined ? {} : { billing: { pages: billing.pages } }),
        },
        signal: streams.signal,
      },
    );
    // Machines of this computer are reached through us; a provider has a way of its own to its machines.
    const routes = {
      resolve: async (host: string) => (hosts.isOwnHost(host) ? undefined : await findTenantTarget(store, host)),
      protocol: protocolOf(baseUrl),
      trustedProxyHeader,
    };
    const isOurs = machines.kind !== 'fly';
    const tunnel = isOurs ? createTenantTunnel(routes) : undefined;
    const answer: ServiceHandler = (request, env) => api.fetch(request, env);
    const handler = isOurs
      ? routeHosts({
          api: answer,
          proxy: createTenantProxy(routes),
          hosts,
          isCustomDomain: (host) => isCustomDomain(store, host),
          logger,
        })
      : answer;
    const listener = await listen({
      fetch: handler,
      tunnel,
      host: listenHostOf(configuration),
      port: configuration.port,
    });
    stops.push(() => listener.close({ graceMs: shutdownSeconds * 1000 }));
    signal?.throwIfAborted();
    logger.info({ url: baseUrl, port: listener.port, machines: machines.kind }, 'serving');

    return {
      port: listener.port,
      stop: async ({ now } = {}) => {
        logger.info({ drainSeconds, shutdownSeconds }, 'leaving');
        leaving = true;
        await delay(drainSeconds * 1000, undefined, now === undefined ? {} : { signal: now }).catch(() => {});
        streams.abort();
        await stopAll();
        logger.info('ended');
      },
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

function protocolOf(url: string): 'http' | 'https' {
  return new URL(url).protocol === 'https:' ? 'https' : 'http';
}
