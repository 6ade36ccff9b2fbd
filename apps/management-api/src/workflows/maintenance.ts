import { setTimeout as delay } from 'node:timers/promises';
import { createAuditLog } from '../audit/audit-log.ts';
import { processPendingWebhooks } from '../billing/process-webhook.ts';
import { type ReconcileDeps, reconcileBilling } from '../billing/reconcile-billing.ts';
import { loggableError } from '../http/loggable-error.ts';
import { type CheckDomainsDeps, checkDomains } from '../tenants/check-domains.ts';
import type { AccessTokens } from '../tokens/access-tokens.ts';
import { listDueTenants } from './settle-subscription.ts';

/** What {@link runMaintenance} needs. */
export interface MaintenanceDeps extends ReconcileDeps, Pick<CheckDomainsDeps, 'dns' | 'certificates'> {
  readonly tokens: Pick<AccessTokens, 'rotateIfDue'>;
  /** Milliseconds since 1970. @defaultValue `Date.now` */
  readonly now?: (() => number) | undefined;
  /** Ends a pass early. */
  readonly signal?: AbortSignal | undefined;
}

/** What runs until it is closed. */
export interface Maintenance {
  /** Waits for the pass under way. */
  close(): Promise<void>;
}

/**
 * Does what nobody asks for when its time has come: finishes webhooks that a process left behind, looks up what none has
 * told, suspends, starts and deletes tenants by what their subscriptions say, looks at custom domains again, closes the audit log's open notes, and changes the key that signs. It
 * goes by times in the database, and all of it may be done twice: after a crash, and by several processes at once.
 */
export async function runMaintenance(deps: MaintenanceDeps): Promise<void> {
  const { store, workflows, tokens, logger, now = Date.now, signal } = deps;
  const attempt = async (task: string, work: () => Promise<void>): Promise<void> => {
    if (signal?.aborted === true) return;
    await work().catch((error: unknown) => logger.error({ task, err: loggableError(error) }, 'maintenance failed'));
  };
  await attempt('webhooks', () => processPendingWebhooks(deps, { now: now() }));
  await attempt('billing', () => reconcileBilling(deps, { now: now() }));
  await attempt('subscriptions', async () => {
    for (const tenantId of await listDueTenants({ store }, { now: now() })) {
      await attempt('subscription', () => workflows.settleSubscription(tenantId));
    }
  });
  await attempt('domains', () => checkDomains(deps, { now: now(), signal }));
  await attempt('audit log', () => createAuditLog({ store, logger, now }).settle());
  await attempt('signing keys', async () => {
    const kid = await tokens.rotateIfDue();
    if (kid !== undefined) logger.info({ kid }, 'new signing key');
  });
}

/** Runs {@link runMaintenance} now and again and again. */
export function startMaintenance(
  deps: MaintenanceDeps & {
    /** Pause between two passes, in milliseconds. @defaultValue 30000 */
    readonly intervalMs?: number | undefined;
  },
): Maintenance {
  const { intervalMs = 30_000 } = deps;
  const closing = new AbortController();
  const running = (async () => {
    while (!closing.signal.aborted) {
      await runMaintenance({ ...deps, signal: closing.signal });
      await delay(intervalMs, undefined, { signal: closing.signal, ref: false }).catch(() => {});
    }
  })();
  return {
    close: async () => {
      closing.abort();
      await running;
    },
  };
}
