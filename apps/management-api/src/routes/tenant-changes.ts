import type { OperationStatus } from '@sp/cloud-api/contract';
import { ApiFailure } from '../http/errors.ts';
import type { Handlers } from '../http/handlers.ts';
import type { Effect } from '../http/idempotency.ts';
import { ifMatchVersions, setVersion } from '../http/versions.ts';
import type { DatabaseLogin } from '../store/schema.ts';
import { retryProvisioning } from '../tenants/changes.ts';
import { applyExternalAccess, changeTenant, passwordName } from '../tenants/external-access.ts';
import {
  findOpenOperation,
  type OperationKind,
  type OperationRow,
  openOperation,
  TenantBusy,
} from '../tenants/operations.ts';
import { readSecrets } from '../tenants/secrets.ts';
import { readDatabaseUrls, readTenant } from '../workflows/provision-tenant.ts';
import { oldLoginOpen } from '../workflows/rotate-credentials.ts';
import type { RouteDeps } from './deps.ts';
import { resolveTenant } from './resolve-tenant.ts';
import { describeTenant, maskedDatabaseUrl } from './user.ts';

type Changes = Pick<
  Handlers['tenants'],
  'update' | 'delete' | 'restart' | 'retryProvision' | 'setExternalDbAccess' | 'rotateCredentials' | 'rotateSyncToken'
>;

/** The handlers of `contract.tenants` that change a tenant. */
export function tenantChangeHandlers(deps: RouteDeps): Changes {
  const { store, workflows, billing, deployPatienceMs } = deps;

  async function operate(
    tenantId: string,
    request: { readonly kind: OperationKind; readonly signal: AbortSignal; readonly effect: Effect },
  ): Promise<OperationRow> {
    const { kind, signal, effect } = request;
    // The same request of before may have opened it, and died.
    const id =
      typeof effect.made === 'string' ? effect.made : (await openOperation(store, { tenantId, kind, effect })).id;
    await workflows.startOperation(id);
    return await workflows.waitForOperation(id, { timeoutMs: deployPatienceMs, signal });
  }

  return {
    update: async ({ params, user, body, request, answer, effect }) => {
      const tenant = await resolveTenant(deps, { id: params.id, user });
      const plans = await billing.listPlans();
      // A tenant may have more than its plan has by now: it keeps it.
      const planMemory = plans.find(({ id }) => id === tenant.planId)?.memoryMbDefault ?? 0;
      const changed =
        effect.made === undefined
          ? await changeTenant(deps, {
              tenantId: tenant.id,
              changes: body,
              ifVersion: ifMatchVersions(request),
              maxMemoryMb: Math.max(planMemory, tenant.memoryMb),
              effect,
            })
          : tenant;
      if (body.externalDbAccess !== undefined) await applyExternalAccess(deps, tenant.id);
      setVersion(answer, changed.version);
      return describeTenant(deps, { tenant: changed, plans });
    },

    delete: async ({ params, user, signal, effect }) => {
      // Gone already, perhaps, where the same request of before has deleted it.
      const id = effect.made === undefined ? (await resolveTenant(deps, { id: params.id, user })).id : params.id;
      const remove = (): Promise<OperationRow> => operate(id, { kind: 'delete', signal, effect });
      const { status, failure } = await remove().catch(async (error: unknown) => {
        if (!(error instanceof TenantBusy)) throw error;
        if (error.what !== 'delete') {
          // What waits for a provider that is away may do so for an hour, and nobody wants it any more.
          if (await workflows.cancelWaiting(id)) return await remove();
          throw error;
        }
        // Somebody deletes it already: that one's end is this one's.
        const running = await findOpenOperation(store.db, id);
        if (running === undefined) return { status: 'done', failure: null };
        return await workflows.waitForOperation(running.id, { timeoutMs: deployPatienceMs, signal });
      });
      if (status === 'failed') throw operationFailed('The tenant could not be deleted', failure);
      return undefined;
    },

    restart: async ({ params, user, signal, effect }) => {
      const { id } = await resolveTenant(deps, { id: params.id, user });
      return restartStatus(await operate(id, { kind: 'restart', signal, effect }));
    },

    retryProvision: async ({ params, user, effect }) => {
      const { id } = await resolveTenant(deps, { id: params.id, user });
      if (effect.made === undefined) await retryProvisioning(store, id, { effect });
      await workflows.startProvisioning(id);
      return { status: 'provisioning' };
    },

    setExternalDbAccess: async ({ params, user, body: { enabled } }) => {
      const tenant = await resolveTenant(deps, { id: params.id, user });
      await changeTenant(deps, { tenantId: tenant.id, changes: { externalDbAccess: enabled }, maxMemoryMb: Infinity });
      await applyExternalAccess(deps, tenant.id);
      const secrets = await readSecrets(deps, { tenantId: tenant.id, kind: 'platform' });
      const made = secrets['EXTERNAL_DATABASE_URL'] !== undefined && secrets[passwordName(tenant.databaseLogin)];
      const databaseUrl =
        enabled && made ? (await readDatabaseUrls(deps, tenant)).externalUrl : await maskedDatabaseUrl(deps, tenant);
      return { tenantId: tenant.id, externalDbAccess: enabled, databaseUrl };
    },

    rotateCredentials: async ({ params, user, signal, effect }) => {
      const { id } = await resolveTenant(deps, { id: params.id, user });
      await requireDatabase(deps, id);
      const { status, failure } = await operate(id, { kind: 'rotate_credentials', signal, effect });
      const before = await readTenant(deps, id);
      // While it goes on, the new login works already.
      const secrets = await readSecrets(deps, { tenantId: id, kind: 'platform' });
      const next: DatabaseLogin = before.databaseLogin === 'app' ? 'alt' : 'app';
      const open = status === 'open' && secrets[passwordName(next)] !== undefined;
      const tenant = open ? { ...before, databaseLogin: next } : before;
      const { internalUrl, externalUrl } = await readDatabaseUrls(deps, tenant);
      return {
        ...rotationResult(status, failure),
        internalDatabaseUrl: internalUrl,
        externalDatabaseUrl: externalUrl,
      };
    },

    rotateSyncToken: async ({ params, user, signal, effect }) => {
      const { id } = await resolveTenant(deps, { id: params.id, user });
      await requireDatabase(deps, id);
      const { status, failure } = await operate(id, { kind: 'rotate_sync_token', signal, effect });
      if (status === 'failed') throw operationFailed('The old token stays', failure);
      const { SYNC_TOKEN: syncToken = '' } = await readSecrets(deps, { tenantId: id, kind: 'platform' });
      return { syncToken };
    },
  };
}

function restartStatus({ status, failure }: OperationRow): OperationStatus {
  if (status === 'done') return { status: 'running' };
  return status === 'open' ? { status: 'restarting' } : { status: 'failed', message: failure ?? undefined };
}

function rotationResult(
  status: OperationRow['status'],
  failure: string | null,
): { readonly status: string; readonly message: string } {
  if (status === 'done') return { status: 'success', message: 'The database has a new password.' };
  if (status === 'failed') {
    const reason = failure ?? 'unknown reason';
    const message = reason.startsWith(oldLoginOpen) ? reason : `The old password stays: ${reason}`;
    return { status: 'failed', message };
  }
  return { status: 'rotating', message: 'The machine with the new password is being started.' };
}

/** Only what has been made can be replaced. */
async function requireDatabase(deps: RouteDeps, tenantId: string): Promise<void> {
  const { DATABASE_PASSWORD: password } = await readSecrets(deps, { tenantId, kind: 'platform' });
  if (password !== undefined) return;
  throw new ApiFailure('The tenant has no database yet.', { status: 409, code: 'tenant_state_conflict' });
}

function operationFailed(what: string, failure: string | null): ApiFailure {
  return new ApiFailure(`${what}: ${failure ?? 'unknown reason'}.`, { status: 409, code: 'operation_failed' });
}
