import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import type { SubscriptionTerms } from '../src/billing/subscription-standing.ts';
import { signWebhook } from '../src/billing/webhook-signature.ts';
import type { Machine, Machines } from '../src/ports/machines.ts';
import { createRelease } from '../src/tenants/deploys.ts';
import { listEvents } from '../src/tenants/events.ts';
import type { TenantRow } from '../src/tenants/tenants.ts';
import { startWorkflows, type Workflows } from '../src/workflows/engine.ts';
import { runMaintenance } from '../src/workflows/maintenance.ts';
import { baseUrl, type Edge, loopback, startEdge, webhookSecret } from './edge.ts';
import { serveHandler } from './serve.ts';
import { readTenant } from './test-database.ts';

/** A tenant that was paid for, as its payment provider knows it. */
export interface Subscribed {
  readonly tenantId: string;
  readonly subscriptionId: string;
}

/** A checkout that is open. */
export interface OpenedCheckout {
  readonly checkoutSessionId: string;
  readonly transactionId: string;
  readonly subscriptionId: string;
  readonly userId: string;
}

/** An event as the provider sends it. */
export type ProviderEvent = Readonly<Record<'event_id' | 'event_type' | 'occurred_at', string>> & {
  readonly data: object;
};

export type SubscribedCloud = Awaited<ReturnType<typeof startSubscribedCloud>>;

/** The API with a real workflow engine over machines that live in memory. */
export async function startSubscribedCloud() {
  const edge: Edge = await startEdge();
  const { store, vault } = edge;
  const health = await serveHandler(() => new Response('ok', { status: cloud.healthStatus }));
  const running = new Map<string, Machine & { readonly appName: string }>();
  const memory = new Map<string, number>();
  const apps: string[] = [];
  const machines: Machines = {
    ...({} as Machines),
    kind: 'process',
    databaseHost: '127.0.0.1',
    createApp: async ({ appName }) => void apps.push(appName),
    start: async ({ appName, releaseId, memoryMb }) => {
      if (cloud.startFailure !== undefined) throw new Error(cloud.startFailure);
      const machine = { id: releaseId, appName, releaseId, state: 'running', address: health.host } as const;
      running.set(releaseId, machine);
      memory.set(releaseId, memoryMb);
      return machine;
    },
    find: async (_app, releaseId) => running.get(releaseId),
    listApps: async () => [],
    list: async (appName) => [...running.values()].filter((machine) => machine.appName === appName),
    logs: async () => [],
    stop: async (_app, releaseId) => {
      if (cloud.stopFailure !== undefined) throw new Error(cloud.stopFailure);
      running.delete(releaseId);
    },
    removeApp: async () => {},
    close: async () => {},
  };
  const canceled: string[] = [];
  const boot = (): Promise<Workflows> =>
    startWorkflows({
      store,
      vault,
      databases: edge.ports.databases,
      machines,
      billing: { cancelSubscription: async (id) => void canceled.push(id) },
      images: { listTenants: async () => [], remove: async () => {} },
      logger: pino({ level: 'silent' }),
      appUrl: (hostname) => `http://${hostname}`,
      retryIntervalMs: 1,
      healthIntervalMs: 1,
      healthTimeoutMs: 5000,
    });
  let engine = await boot();
  const names = ['startProvisioning', 'startDeploy', 'waitForRelease', 'startOperation', 'waitForOperation'] as const;
  const connect = (): void => {
    for (const name of [...names, 'settleSubscription'] as const)
      Object.assign(edge.ports.workflows, { [name]: engine[name] });
  };
  connect();
  const { token, userId } = await edge.login('payer@example.com');

  async function open(): Promise<OpenedCheckout> {
    const response = await edge.call('/api/v1/checkout', {
      method: 'POST',
      token,
      json: { price_id: 'pri_sandbox_starter', region: 'iad', redirect_uri: loopback },
    });
    const body = (await response.json()) as { transaction_id: string; checkout_session_id: string };
    return {
      checkoutSessionId: body.checkout_session_id,
      transactionId: body.transaction_id,
      subscriptionId: `sub_${randomUUID()}`,
      userId,
    };
  }

  async function send(body: Buffer, header = signWebhook(body, { secret: webhookSecret })): Promise<Response> {
    const headers = { 'content-type': 'application/json', 'paddle-signature': header };
    return edge.app.fetch(new Request(`${baseUrl}/api/v1/webhooks/paddle`, { method: 'POST', headers, body }));
  }

  const cloud = {
    edge,
    store,
    running,
    /** Of each release's machine, as it started last, in MiB. */
    memory,
    apps,
    canceled,
    /** What maintenance could not do. */
    errors: [] as string[],
    /** Why no machine starts or stops now. */
    startFailure: undefined as string | undefined,
    stopFailure: undefined as string | undefined,
    /** What machines answer when they are asked for their health. */
    healthStatus: 200,
    open,
    send,
    tell: (event: ProviderEvent) => send(Buffer.from(JSON.stringify(event))),

    /** The engine ends and starts again, as after a crash. */
    async restart(between: () => Promise<void> = async () => {}): Promise<void> {
      await engine.close();
      await between();
      engine = await boot();
      connect();
    },

    async maintain(options: { readonly now?: number; readonly terms?: SubscriptionTerms } = {}): Promise<void> {
      const { now = Date.now(), terms } = options;
      await runMaintenance({
        store,
        hostname: (name, suffix) => `${name}-${suffix}`,
        workflows: edge.ports.workflows,
        billing: edge.ports.billing,
        tokens: { rotateIfDue: async () => undefined },
        dns: edge.ports.dns,
        logger: pino({ level: 'error' }, { write: (line: string) => cloud.errors.push(line) }),
        terms,
        now: () => now,
      });
    },

    /** Buys a tenant that runs a release. */
    async subscribe(): Promise<Subscribed & { readonly releaseId: string }> {
      const checkout = await open();
      await cloud.tell(createdEvent(checkout));
      const { rows } = await store.pool.query('select id from tenants where subscription_id = $1', [
        checkout.subscriptionId,
      ]);
      const tenantId = (rows[0] as { id: string }).id;
      await cloud.reach(tenantId, 'awaiting_deploy');
      const image = '127.0.0.1:1/systemprompt-images:x';
      const release = await createRelease({ store }, { tenantId, image, digest: `sha256:${'a'.repeat(64)}` });
      await engine.startDeploy(release.id);
      await cloud.reach(tenantId, 'running');
      return { tenantId, subscriptionId: checkout.subscriptionId, releaseId: release.id };
    },

    tenant: (tenantId: string): Promise<TenantRow> => readTenant(store, tenantId),

    /** Waits until a tenant is in a state and nothing is done to it. */
    async reach(tenantId: string, state: string): Promise<TenantRow> {
      for (const until = Date.now() + 90_000; ; await new Promise((done) => setTimeout(done, 10))) {
        const tenant = await readTenant(store, tenantId);
        const { rows } = await store.pool.query(
          "select 1 from tenant_operations where tenant_id = $1 and status = 'open'",
          [tenantId],
        );
        if (tenant.state === state && rows.length === 0) return tenant;
        if (Date.now() > until) throw new Error(`The tenant is ${tenant.state} and not ${state}`);
      }
    },

    async eventsOf(tenantId: string) {
      return await listEvents(store, { tenantId, after: 0, limit: 1000 });
    },

    async stop(): Promise<void> {
      await engine.close();
      await health[Symbol.asyncDispose]();
      await edge.stop();
    },
  };
  return cloud;
}

/** The event with which a subscription begins. */
export function createdEvent(checkout: OpenedCheckout, occurredAt = new Date()): ProviderEvent {
  const { checkoutSessionId, transactionId, subscriptionId, userId } = checkout;
  return subscriptionEvent('subscription.created', {
    subscriptionId,
    occurredAt,
    data: {
      status: 'active',
      transaction_id: transactionId,
      custom_data: { checkout_session_id: checkoutSessionId, user_id: userId },
      items: [{ price: { id: 'pri_sandbox_starter' } }],
    },
  });
}

/** An event about a subscription, or about a payment for it. */
export function subscriptionEvent(
  eventType: string,
  options: { readonly subscriptionId: string; readonly occurredAt?: Date; readonly data?: object },
): ProviderEvent {
  const { subscriptionId, occurredAt = new Date(), data = {} } = options;
  const ids = eventType.startsWith('transaction.')
    ? { id: `txn_${randomUUID()}`, subscription_id: subscriptionId }
    : { id: subscriptionId };
  return {
    event_id: `evt_${randomUUID()}`,
    event_type: eventType,
    occurred_at: occurredAt.toISOString(),
    data: { ...ids, ...data },
  };
}
