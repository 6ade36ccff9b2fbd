import type { TenantRow } from './tenants.ts';

const ended: readonly string[] = ['paused', 'canceled'];

/** Whether nobody pays for a tenant any more, after all the time that people are given. */
export function isUnpaid(tenant: Pick<TenantRow, 'suspendAt' | 'subscriptionStatus'>, now: number): boolean {
  const { suspendAt, subscriptionStatus } = tenant;
  if (suspendAt !== null) return suspendAt.getTime() <= now;
  return ended.includes(subscriptionStatus ?? '');
}
