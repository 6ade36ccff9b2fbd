import { mkdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { createManagementApi } from '../api.ts';
import { createSandboxBilling } from '../billing/sandbox.ts';
import { openDashboard } from '../dashboard/dashboard.ts';
import { createPostgresDatabases } from '../databases/postgres-databases.ts';
import { createCnameDns, type ResolveCname } from '../dns/cname-dns.ts';
import { createSandboxIdentity } from '../identity/sandbox.ts';
import { createImages } from '../images/registry.ts';
import { findReleaseDigests } from '../images/release-digests.ts';
import { removeEmbeddedPostgres } from '../postgres/embedded.ts';
import { createTenantProxy } from '../proxy/tenant-proxy.ts';
import { createTenantTunnel, type TenantTunnel } from '../proxy/tenant-tunnel.ts';
import { findNotedAddresses } from '../releases/noted-addresses.ts';
import { openStore } from '../store/database.ts';
import { migrateStore } from '../store/migrate.ts';
import { createEventFeed } from '../tenants/event-feed.ts';
import { createAccessTokens } from '../tokens/access-tokens.ts';
import { openFileVault } from '../vault/file-vault.ts';
import { startWorkflows } from '../workflows/engine.ts';
import { startMaintenance } from '../workflows/maintenance.ts';
import { chooseMachines, openMachines, removeMachines } from './choose-machines.ts';
import { lockDataFolder } from './data-lock.ts';
import { createFileLogger } from './file-logger.ts';
import { type FetchHandler, startServer } from './http-server.ts';
import { deleteLocalCloudFile, saveLocalCloudFile } from './local-cloud-file.ts';
import { openLocalDatabase } from './local-database.ts';
import { findTenantTarget, isCustomDomain, tenantAddresses } from './tenant-addresses.ts';

/** How to run a cloud on this computer. */
export interface LocalCloudOptions {
  /** Everything is kept in it; made when missing, and used by one process at a time. */
  readonly dataDir: string;
  /** 0: the port of the last time when it is free, else any. @defaultValue 7300 */
  readonly port?: number | undefined;
  /** `auto`: docker when an engine answers on Linux, else process. @defaultValue 'auto' */
  readonly machines?: 'auto' | 'docker' | 'process' | undefined;
  /** A Postgres to use; the role must be allowed to make roles and databases. @defaultValue an embedded one */
  readonly databaseUrl?: string | undefined;
  /** What each pretended provider call of provisioning takes, in milliseconds. @defaultValue 0 */
  readonly providerDelayMs?: number | undefined;
  /** Looks up what a custom domain is an alias of; throws when it is of nothing. @defaultValue the system's name servers */
  readonly resolveCname?: ResolveCname | undefined;
  /** @defaultValue one that writes to `logs/api.log` in the data folder */
  readonly logger?: Logger | undefined;
  /** Interrupts the start; a cloud that is started is stopped by {@link LocalCloud.stop}. */
  readonly signal?: AbortSignal | undefined;
}

/** A cloud that runs on this computer. */
export interface LocalCloud {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly machines: 'docker' | 'process';
  /** Answers a request as the server does, without a connection. */
  fetch(request: Request): Promise<Response>;
  /** Ends everything that the cloud started; its data stays. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Runs SystemPrompt Cloud whole on this computer: the Management API, Postgres, the registry, machines, a proxy for
 * `*.localhost`, and sandbox pages for login and payment. What a killed process left undone goes on.
 * @throws {LocalCloudError}
 */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  const { port: wantedPort = 7300, machines: wanted = 'auto', providerDelayMs = 0, signal } = options;
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  const dataDir = await realpath(options.dataDir);

  // What was started, newest last: stopping goes backwards, also after a start that failed half-way.
  const stops: (() => Promise<unknown>)[] = [];
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= stopAll(stops));

  try {
    const lock = await lockDataFolder(dataDir);
    stops.push(() => lock.release());
    const logger = options.logger ?? openLog(dataDir, stops);

    // The port first: every address depends on it, and a busy one should be known before anything is started.
    let handler: FetchHandler = () => new Response('Starting.\n', { status: 503, headers: { 'retry-after': '1' } });
    let tunnel: TenantTunnel = async () => false;
    const server = await startServer({
      fetch: (request, env) => handler(request, env),
      tunnel: (request, socket, head) => tunnel(request, socket, head),
      port: wantedPort,
      dataDir,
    });
    stops.push(() => server.close());
    const baseUrl = `http://127.0.0.1:${server.port}`;
    const registry = `127.0.0.1:${server.port}`;

    const choice = await chooseMachines(wanted, { signal });
    const database = await openLocalDatabase({
      dataDir,
      databaseUrl: options.databaseUrl,
      gateway: choice.gateway,
      signal,
    });
    stops.push(() => database.close());
    const store = await openStore(database.storeUrl);
    stops.push(() => store.close());
    await migrateStore(store);

    const vault = await openFileVault({ path: join(dataDir, 'keys', 'vault.key') });
    const images = createImages({
      directory: join(dataDir, 'registry'),
      registry,
      secret: vault.derive('registry'),
      releaseDigests: () => findReleaseDigests(store),
      onCollectFailed: (err) => logger.warn({ err }, 'garbage of the registry was not collected'),
    });
    stops.push(() => images.close());
    const machines = await openMachines(choice.kind, {
      directory: join(dataDir, 'machines'),
      images,
      registry,
      logger,
      notedAddresses: () => findNotedAddresses(store),
    });
    stops.push(() => machines.close());
    const feed = await createEventFeed(store);
    stops.push(() => feed.close());
    const tokens = await createAccessTokens({ store, vault, issuer: baseUrl });
    const identity = createSandboxIdentity({ baseUrl });
    const webhookSecret = vault.derive('sandbox webhooks').toString('base64url');
    const billing = createSandboxBilling({ store, baseUrl, webhookSecret, logger });
    const databases = createPostgresDatabases({ adminUrl: database.adminUrl, controlUrl: database.storeUrl });
    const dns = createCnameDns({ resolveCname: options.resolveCname });
    const { hostname, appUrl, isTenantHost } = tenantAddresses(server.port);
    const workflows = await startWorkflows({
      store,
      vault,
      databases,
      machines,
      billing,
      images,
      logger,
      appUrl,
      providerDelayMs,
    });
    stops.push(() => workflows.close());
    await databases.prepare();
    const maintenance = startMaintenance({ store, hostname, billing, workflows, tokens, dns, logger });
    stops.push(() => maintenance.close());

    const streams = new AbortController();
    const api = createManagementApi(
      { store, vault, identity, billing, machines, databases, dns, images, workflows, feed, tokens },
      {
        baseUrl,
        hostname,
        appUrl,
        logger,
        webhookSecrets: [webhookSecret],
        sandbox: { identity, billing },
        // Whoever uses this computer's cloud is its one person and all their programs.
        rateLimits: false,
        signal: streams.signal,
      },
    );
    const dashboard = await openDashboard();
    const proxy = createTenantProxy({ resolve: (host) => findTenantTarget(store, host) });
    tunnel = createTenantTunnel({ resolve: (host) => findTenantTarget(store, host) });
    handler = async (request, env) => {
      const host = (request.headers.get('host') ?? new URL(request.url).host).toLowerCase();
      const isTenants = isTenantHost(host) || (await isCustomDomain(store, host));
      if (isTenants) return await proxy(request, env);
      return dashboard?.answer(request) ?? (await api.fetch(request));
    };

    // Stopping begins with the door: streams end, answers under way still find everything open.
    stops.push(async () => {
      handler = () => new Response('Stopping.\n', { status: 503 });
      tunnel = async () => false;
      streams.abort();
      await server.close();
    });

    signal?.throwIfAborted();
    const startedAt = new Date().toISOString();
    await saveLocalCloudFile(dataDir, { pid: process.pid, url: baseUrl, startedAt, machines: choice.kind });
    stops.push(() => deleteLocalCloudFile(dataDir));
    logger.info({ url: baseUrl, machines: choice.kind }, 'local cloud is ready');
    return {
      url: baseUrl,
      machines: choice.kind,
      fetch: async (request) => await handler(request),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Deletes a local cloud that does not run: its data, its tenants' containers, and what of its Postgres had to live
 * elsewhere.
 * @throws {LocalCloudError} SP_LOCAL_ALREADY_RUNNING
 */
export async function removeLocalCloud(options: { readonly dataDir: string }): Promise<void> {
  const lock = await mkdir(options.dataDir, { recursive: true, mode: 0o700 }).then(() =>
    lockDataFolder(options.dataDir),
  );
  try {
    await removeMachines(join(options.dataDir, 'machines'));
    await removeEmbeddedPostgres({ dataDir: join(options.dataDir, 'postgres') });
    await rm(options.dataDir, { recursive: true, force: true });
  } finally {
    await lock.release();
  }
}

function openLog(dataDir: string, stops: (() => Promise<unknown>)[]): Logger {
  const log = createFileLogger(join(dataDir, 'logs', 'api.log'));
  stops.push(() => log.close());
  return log.logger;
}

// One part that cannot be stopped must not keep the others running.
async function stopAll(stops: (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const stop of stops.toReversed()) {
    await stop().catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}
