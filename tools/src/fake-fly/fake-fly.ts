import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { isDigest, type RegistryStorage } from '@sp/oci';
import { createFaults, type Fault } from './faults.ts';
import type { FlyContext } from './fly-context.ts';
import { createFlyServer } from './fly-server.ts';
import type { MachineRunner } from './machine-runner.ts';
import { createRateLimits } from './rate-limits.ts';
import { createFakeRegistry } from './registry.ts';
import type { FakeApp } from './state.ts';

/** How the fake behaves. */
export interface FakeFlyOptions {
  /** Token → organization. */
  readonly tokens: Readonly<Record<string, string>>;
  /** How long a new thing is not seen by reads, in ms; at first a new app is 401, as rights reach to it late. @defaultValue 0 */
  readonly lagMs?: number | undefined;
  /** How long a machine takes to start, in ms. @defaultValue 0 */
  readonly startMs?: number | undefined;
  /** Whether a 429 says when to come again. @defaultValue true */
  readonly retryAfter?: boolean | undefined;
  /** How many times the usual rate limits are allowed. @defaultValue 1 */
  readonly rateFactor?: number | undefined;
  /** Really runs the machines. @defaultValue they run in name only */
  readonly runner?: MachineRunner | undefined;
  /** @defaultValue the eight that are offered to tenants */
  readonly regions?: readonly string[] | undefined;
}

/** Fly.io in this process: the Machines API and the registry, on one address, as strict and as unreliable as the real ones. */
export interface FakeFly extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`: the Machines API, and the API that has the logs. */
  readonly url: string;
  /** `host:port` of the registry. */
  readonly registry: string;
  readonly storage: RegistryStorage;
  /** What there is, by the apps' names. */
  readonly apps: ReadonlyMap<string, FakeApp>;
  /** Requests by action (`machine-create`…), and answers by status. */
  readonly counts: { readonly actions: ReadonlyMap<string, number>; readonly statuses: ReadonlyMap<number, number> };
  /** Orders a failure. */
  fail(fault: Fault): void;
  /** Ordered failures that did not happen yet, of all apps or of one. */
  faultsLeft(app?: string): number;
  /** Machines and volumes are refused in it from now on. */
  fillRegion(region: string): void;
  /** The records of a hostname are right from now on. */
  configureHostname(hostname: string): void;
  /** Where a machine really runs. */
  addressOf(machineId: string): string | undefined;
}

const offered = ['iad', 'lhr', 'fra', 'ams', 'sin', 'nrt', 'syd', 'gru'];

/** Starts the fake on a free port of 127.0.0.1. */
export async function startFakeFly(options: FakeFlyOptions): Promise<FakeFly> {
  const { lagMs = 0, startMs = 0, retryAfter = true, rateFactor = 1, runner, regions = offered } = options;
  const directory = await mkdtemp(join(tmpdir(), 'sp-fake-fly-'));
  const closing = new AbortController();
  const apps = new Map<string, FakeApp>();
  const configured = new Set<string>();
  const tokens = new Map(Object.entries(options.tokens));
  const registry = createFakeRegistry({ directory, context: () => ({ apps, tokens }) });
  const hasImage = async (repository: string, reference: string): Promise<boolean> => {
    const found = isDigest(reference)
      ? await registry.storage.readManifest(repository, reference)
      : await registry.storage.resolve(repository, reference);
    return found !== undefined;
  };
  let port = 0;
  const context: FlyContext = {
    apps,
    tokens,
    regions,
    fullRegions: new Set(),
    registry: () => `127.0.0.1:${port}`,
    hasImage,
    lagMs,
    startMs,
    faults: createFaults(),
    limits: createRateLimits({ now: Date.now, retryAfter, factor: rateFactor }),
    runner,
    counts: { actions: new Map(), statuses: new Map() },
    isConfigured: (hostname) => configured.has(hostname),
    now: Date.now,
    closed: closing.signal,
  };
  const app = createFlyServer(context, registry.fetch);
  const server = createAdaptorServer({ fetch: app.fetch, createServer }) as Server;
  await new Promise<void>((done) => server.listen({ host: '127.0.0.1', port: 0 }, done));
  ({ port } = server.address() as AddressInfo);
  return {
    url: `http://127.0.0.1:${port}`,
    registry: `127.0.0.1:${port}`,
    storage: registry.storage,
    apps,
    counts: context.counts,
    fail: (fault) => context.faults.order(fault),
    faultsLeft: (name) => context.faults.left(name),
    fillRegion: (region) => void context.fullRegions.add(region),
    configureHostname: (hostname) => void configured.add(hostname),
    addressOf: (id) => Array.from(apps.values(), ({ machines }) => machines.get(id)).find(Boolean)?.address,
    async [Symbol.asyncDispose]() {
      closing.abort();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      await rm(directory, { recursive: true, force: true });
    },
  };
}
