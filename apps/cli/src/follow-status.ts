import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from './context.ts';
import { exitCodes } from './exit-codes.ts';
import type { ProjectStatus, TenantState } from './project-status.ts';

/** Where a tenant is on its way to somewhere else. */
const onTheWay: ReadonlySet<string> = new Set([
  'pending',
  'pending_payment',
  'provisioning',
  'deploying',
  'rotating',
  'restarting',
  'deleting',
]);

/**
 * Looks again and again until no tenant is on its way any more, and tells each change.
 *
 * @returns how it is then, or how it was when Ctrl-C ended the watching
 */
export async function followStatus(
  context: Context,
  options: {
    readonly look: () => Promise<ProjectStatus>;
    readonly onChange: (tenant: TenantState) => void;
    readonly intervalMs: number;
  },
): Promise<ProjectStatus> {
  const { look, onChange, intervalMs } = options;
  const known = new Map<string, string>();
  let status: ProjectStatus | undefined;
  for (;;) {
    try {
      if (status !== undefined) await delay(intervalMs, undefined, { signal: context.signal });
      status = await look();
    } catch (error) {
      if (status === undefined || !context.signal.aborted) throw error;
      process.exitCode = exitCodes.interrupted;
      return status;
    }
    for (const tenant of status.tenants) {
      const { id: tenantId, name: tenantName, status: now, message } = tenant;
      if (known.get(tenantId) === `${now} ${message}`) continue;
      known.set(tenantId, `${now} ${message}`);
      context.emit({ type: 'tenant-status', tenantId, tenantName, status: now, message });
      onChange(tenant);
    }
    if (!status.tenants.some(({ status: now }) => onTheWay.has(now))) return status;
  }
}
