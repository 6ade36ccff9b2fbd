import { hasProxy } from './proxy-for.ts';

/** Whether this network needs more than Node does by itself: a proxy, or authorities of one's own. */
export function needsNetworkSetup(env: Readonly<Record<string, string | undefined>>): boolean {
  return Boolean(env['SYSTEMPROMPT_CA_FILE']) || hasProxy(env);
}
