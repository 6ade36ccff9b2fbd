import { debianPackages } from './debian.ts';
import type { PlanHealthCheck } from './image-plan.ts';

/** Healthy when the tenant's own health endpoint answers. */
export function tenantHealthCheck(base: string, port: number): PlanHealthCheck {
  const path = '/api/v1/health';
  const command = checkCommand(base, `http://localhost:${port}${path}`);
  const times = { intervalSeconds: 30, timeoutSeconds: 10, startPeriodSeconds: 10, retries: 3 };
  return { path, ...(command === undefined ? {} : { command }), ...times };
}

function checkCommand(base: string, url: string): string | undefined {
  // Nothing there could run it, and an engine would call a tenant that serves unhealthy.
  if (base === 'scratch') return undefined;
  if (debianPackages(base).includes('curl')) return `curl -f ${url} || exit 1`;
  // Small bases have only busybox's.
  return `curl -f ${url} || wget -q -O /dev/null ${url} || exit 1`;
}
