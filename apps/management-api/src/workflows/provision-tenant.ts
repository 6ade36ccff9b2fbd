import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { eq, sql } from 'drizzle-orm';
import type { TenantDatabase, TenantDatabaseRequest } from '../ports/databases.ts';
import type { Machines } from '../ports/machines.ts';
import type { Transaction } from '../store/database.ts';
import { tenantEvents, tenants } from '../store/schema.ts';
import { appendEvent } from '../tenants/events.ts';
import { applyExternalAccess, passwordName } from '../tenants/external-access.ts';
import { readSecrets, setSecrets, writeSecrets } from '../tenants/secrets.ts';
import { nextState } from '../tenants/state.ts';
import type { TenantRow } from '../tenants/tenants.ts';
import { runStep } from './step.ts';
import { StepFailed } from './step-failed.ts';
import type { WorkflowContext } from './workflow-context.ts';

/**
 * Makes everything that a paid tenant needs, up to `awaiting_deploy`. Every step may run again: it looks up what it
 * makes by the tenant's own names, and its event is appended once.
 */
export async function provisionTenant(context: WorkflowContext, tenantId: string): Promise<void> {
  const step = <T>(name: string, work: () => Promise<T>): Promise<T> => runStep(context, { name }, work);
  try {
    // Decided before anything is made with them, so that a repetition uses the same.
    await step('decide secrets', () => decideSecrets(context, tenantId));
    await step('create database', () => createDatabase(context, tenantId));
    await step('store secrets', () => storeDatabaseUrls(context, tenantId));
    await step('start machine app', () => record(context, { tenantId, eventType: 'vm_provisioning_started' }));
    await step('create machine app', () => createApp(context, tenantId));
    await step('configure secrets', async () => {
      await providerCall(context);
      await record(context, { tenantId, eventType: 'secrets_configured' });
    });
    await step('finish', () => finish(context, tenantId));
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    await step('give up', () => giveUpProvisioning(context, { tenantId, reason: error.reason }));
  }
}

async function decideSecrets(context: WorkflowContext, tenantId: string): Promise<void> {
  await setSecrets(context, {
    tenantId,
    kind: 'platform',
    keepExisting: true,
    secrets: {
      DATABASE_PASSWORD: randomBytes(24).toString('base64url'),
      JWT_SECRET: randomAlphanumerics(64),
      SYNC_TOKEN: randomBytes(32).toString('base64url'),
    },
  });
}

async function createDatabase(context: WorkflowContext, tenantId: string): Promise<void> {
  await providerCall(context);
  const tenant = await readTenant(context, tenantId);
  await ensureDatabase(context, tenant);
  // Asked for before there was a database.
  if (tenant.externalDbAccess) await applyExternalAccess(context, tenantId);
  await record(context, { tenantId, eventType: 'database_created' });
}

type DatabaseContext = Pick<WorkflowContext, 'store' | 'vault' | 'databases'> & {
  readonly machines: Pick<Machines, 'databaseHost'>;
};
type DatabaseOwner = Pick<TenantRow, 'id' | 'databaseName' | 'databaseLogin'>;

/** Makes the tenant's database where it is missing; returns its addresses as they are now. For workflows only. */
export async function ensureDatabase(context: DatabaseContext, tenant: DatabaseOwner): Promise<TenantDatabase> {
  return await context.databases.create(await databaseRequest(context, tenant));
}

/** The addresses of the tenant's database as they are now. Makes nothing: the tenant may be deleted meanwhile. */
export async function readDatabaseUrls(context: DatabaseContext, tenant: DatabaseOwner): Promise<TenantDatabase> {
  return context.databases.urls(await databaseRequest(context, tenant));
}

async function databaseRequest(context: DatabaseContext, tenant: DatabaseOwner): Promise<TenantDatabaseRequest> {
  const secrets = await readSecrets(context, { tenantId: tenant.id, kind: 'platform' });
  const { databaseName, databaseLogin: login } = tenant;
  const password = secrets[passwordName(login)];
  if (password === undefined) throw new Error(`Tenant ${tenant.id} has no database password`);
  return { databaseName, login, password, machineHost: context.machines.databaseHost };
}

async function storeDatabaseUrls(context: WorkflowContext, tenantId: string): Promise<void> {
  const { internalUrl, externalUrl } = await ensureDatabase(context, await readTenant(context, tenantId));
  await context.store.db.transaction(async (tx) => {
    await writeSecrets(tx, context.vault, {
      tenantId,
      kind: 'platform',
      secrets: { DATABASE_URL: internalUrl, EXTERNAL_DATABASE_URL: externalUrl },
    });
    await appendEvent(tx, { tenantId, eventType: 'secrets_stored', once: true });
  });
}

async function createApp(context: WorkflowContext, tenantId: string): Promise<void> {
  const tenant = await readTenant(context, tenantId);
  const message = `Preparing ${tenant.appName} in ${tenant.region}`;
  await record(context, { tenantId, eventType: 'vm_provisioning_progress', message });
  await providerCall(context);
  await context.machines.createApp(
    {
      appName: tenant.appName,
      tenantId,
      region: tenant.region,
      volumeGb: tenant.volumeGb,
      hostname: tenant.hostname,
    },
    { signal: context.signal },
  );
  await record(context, { tenantId, eventType: 'vm_provisioned' });
}

async function finish(context: WorkflowContext, tenantId: string): Promise<void> {
  await context.store.db.transaction(async (tx) => {
    const tenant = await lockTenant(tx, tenantId);
    if (await hasEvent(tx, { tenantId, eventType: 'infrastructure_ready' })) return;
    const state = nextState(tenant.state, 'provisioned');
    const appUrl = context.appUrl(tenant.hostname);
    await appendEvent(tx, { tenantId, eventType: 'infrastructure_ready', state, appUrl });
  });
}

/** Ends an attempt to make a tenant, with its reason; one that has ended stays as it is. */
export async function giveUpProvisioning(
  context: Pick<WorkflowContext, 'store'>,
  request: { readonly tenantId: string; readonly reason: string },
): Promise<void> {
  const { tenantId, reason } = request;
  await context.store.db.transaction(async (tx) => {
    const tenant = await lockTenant(tx, tenantId);
    if (tenant.state !== 'provisioning') return;
    const state = nextState(tenant.state, 'provisioning_failed');
    await tx.update(tenants).set({ failure: reason }).where(eq(tenants.id, tenantId));
    await appendEvent(tx, { tenantId, eventType: 'provisioning_failed', state, message: reason });
  });
}

async function record(
  context: WorkflowContext,
  event: { readonly tenantId: string; readonly eventType: string; readonly message?: string },
): Promise<void> {
  await context.store.db.transaction((tx) => appendEvent(tx, { ...event, once: true }));
}

/** The tenant as it is now. */
export async function readTenant(context: Pick<WorkflowContext, 'store'>, tenantId: string): Promise<TenantRow> {
  const [tenant] = await context.store.db.select().from(tenants).where(eq(tenants.id, tenantId));
  if (tenant === undefined) throw new Error(`No tenant ${tenantId}`);
  return tenant;
}

async function lockTenant(tx: Transaction, tenantId: string): Promise<TenantRow> {
  const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId)).for('update');
  if (tenant === undefined) throw new Error(`No tenant ${tenantId}`);
  return tenant;
}

async function hasEvent(
  tx: Transaction,
  event: { readonly tenantId: string; readonly eventType: string },
): Promise<boolean> {
  const rows = await tx
    .select({ sequence: tenantEvents.sequence })
    .from(tenantEvents)
    .where(sql`${tenantEvents.tenantId} = ${event.tenantId} and ${tenantEvents.eventType} = ${event.eventType}`)
    .limit(1);
  return rows.length > 0;
}

async function providerCall(context: WorkflowContext): Promise<void> {
  if (context.providerDelayMs > 0) await delay(context.providerDelayMs, undefined, { signal: context.signal });
}

const alphanumerics = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

function randomAlphanumerics(length: number): string {
  return Array.from({ length }, () => alphanumerics[randomInt(alphanumerics.length)]).join('');
}
