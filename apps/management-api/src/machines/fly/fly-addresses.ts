import { appUrl, type FlyContext, type FlyScope } from './fly-context.ts';
import { addressesSchema, addressSchema, anything, type FlyAddress } from './fly-wire.ts';
import { makeOnce, waitUntil } from './make-once.ts';

type Kind = 'shared_v4' | 'v6';

/** Gives the app its public addresses, which Fly.io does not by itself: the shared IPv4 one, and an IPv6 one of its own. */
export async function ensureAddresses(context: FlyContext, scope: FlyScope): Promise<void> {
  await ensureAddress(context, { ...scope, kind: 'shared_v4' });
  await ensureAddress(context, { ...scope, kind: 'v6' });
}

async function ensureAddress(context: FlyContext, scope: FlyScope & { readonly kind: Kind }): Promise<void> {
  const { api } = context;
  const { appName, kind, signal } = scope;
  const url = `${appUrl(context, appName)}/ip_assignments`;
  const find = async (): Promise<FlyAddress | undefined> => (await listAddresses(context, scope))[0];
  const make = (): Promise<FlyAddress> =>
    api.call({
      action: 'address-create',
      appName,
      method: 'POST',
      url,
      body: { type: kind },
      answer: addressSchema,
      signal,
    });
  if ((await find()) !== undefined) return;
  const made = await makeOnce({ find, make, settleMs: api.settleMs, signal });
  // One that an interrupted attempt made may be seen only now.
  const all = await waitUntil(
    async () => {
      const addresses = await listAddresses(context, scope);
      return addresses.some(({ ip }) => ip === made.ip) ? addresses : undefined;
    },
    { settleMs: api.settleMs, signal },
  );
  for (const { ip } of all?.slice(1) ?? []) {
    const own = `${url}/${encodeURIComponent(ip)}`;
    await api.call({
      action: 'address-delete',
      appName,
      method: 'DELETE',
      url: own,
      answer: anything,
      missing: 'absent',
      signal,
    });
  }
}

/** Those of a kind, the oldest first. */
async function listAddresses(
  context: FlyContext,
  { appName, kind, signal }: FlyScope & { readonly kind: Kind },
): Promise<readonly FlyAddress[]> {
  const url = `${appUrl(context, appName)}/ip_assignments`;
  const call = {
    action: 'address-list',
    appName,
    method: 'GET',
    url,
    answer: addressesSchema,
    missing: 'soon',
    signal,
  } as const;
  const { ips } = await context.api.call(call);
  return (ips ?? [])
    .filter(({ ip, shared }) => (kind === 'v6' ? ip.includes(':') && !ip.startsWith('fd') : shared === true))
    .sort((a, b) => (a.created_at ?? '').localeCompare(b.created_at ?? ''));
}
