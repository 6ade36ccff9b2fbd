import { appUrl, type FlyContext, type FlyScope } from './fly-context.ts';
import { addressesSchema, addressSchema, anything, type FlyAddress } from './fly-wire.ts';
import { makeOnce, waitUntil } from './make-once.ts';

type Kind = 'shared_v4' | 'v6';

/** Gives the app its public addresses, which Fly.io does not by itself: the shared IPv4 one, and an IPv6 one of its own. */
export async function ensureAddresses(context: FlyContext, scope: FlyScope): Promise<void> {
  const { api } = context;
  const { appName, signal } = scope;
  const before = await listAddresses(context, scope);
  if (!before.some(isOfKind('shared_v4'))) await createAddress(context, { ...scope, kind: 'shared_v4' });
  if (before.some(isOfKind('v6'))) return;
  const made = await createAddress(context, { ...scope, kind: 'v6' });
  // One that an interrupted attempt made may be seen only now.
  const look = async (): Promise<readonly FlyAddress[] | undefined> => {
    const addresses = await listAddresses(context, scope);
    return addresses.some(({ ip }) => ip === made.ip) ? addresses.filter(isOfKind('v6')) : undefined;
  };
  const [, ...spare] = (await waitUntil(look, { settleMs: api.settleMs, signal })) ?? [];
  for (const { ip } of spare) {
    const url = `${appUrl(context, appName)}/ip_assignments/${encodeURIComponent(ip)}`;
    const facts = { action: 'address-delete', appName, method: 'DELETE', url, answer: anything } as const;
    await api.call({ ...facts, missing: 'absent', signal });
  }
}

async function createAddress(context: FlyContext, scope: FlyScope & { readonly kind: Kind }): Promise<FlyAddress> {
  const { api } = context;
  const { appName, kind, signal } = scope;
  const url = `${appUrl(context, appName)}/ip_assignments`;
  const facts = { action: 'address-create', appName, method: 'POST', url, answer: addressSchema } as const;
  const make = (): Promise<FlyAddress> => api.call({ ...facts, body: { type: kind }, signal });
  const find = async (): Promise<FlyAddress | undefined> => (await listAddresses(context, scope)).find(isOfKind(kind));
  return await makeOnce({ find, make, settleMs: api.settleMs, signal });
}

/** Private addresses begin with `fd`; those and the ones for outgoing connections are not ours. */
function isOfKind(kind: Kind): (address: FlyAddress) => boolean {
  return ({ ip, shared, egress }) =>
    egress !== true && (kind === 'v6' ? ip.includes(':') && !ip.startsWith('fd') : shared === true);
}

/** The app's addresses, the oldest first. */
async function listAddresses(context: FlyContext, { appName, signal }: FlyScope): Promise<readonly FlyAddress[]> {
  const url = `${appUrl(context, appName)}/ip_assignments`;
  const facts = { action: 'address-list', appName, method: 'GET', url, answer: addressesSchema } as const;
  const { ips } = await context.api.call({ ...facts, missing: 'soon', signal });
  return (ips ?? []).toSorted((a, b) => (a.created_at ?? '').localeCompare(b.created_at ?? ''));
}
