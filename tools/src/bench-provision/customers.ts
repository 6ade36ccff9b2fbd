import { addressHeader, type ControlPlane } from './control-plane.ts';

/** What one person may buy within the API's limits. */
const tenantsEach = 20;
/** People who buy at the same time. */
const atOnce = 8;

/**
 * Buys tenants, each person some of them, from an address of their own, and waits until all are ready. Returns how long
 * each took from its payment on, in milliseconds, the shortest first.
 */
export async function buyTenants(
  { url }: ControlPlane,
  { tenants }: { readonly tenants: number },
): Promise<readonly number[]> {
  const people = Array.from({ length: Math.ceil(tenants / tenantsEach) }, (_, index) => ({
    index,
    tenants: Math.min(tenantsEach, tenants - index * tenantsEach),
  }));
  const times: number[] = [];
  const waits: Promise<void>[] = [];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = people.shift(); next !== undefined; next = people.shift()) {
        const person = await logIn(url, next.index);
        for (let at = 0; at < next.tenants; at += 1) {
          const { paidAt, ready } = await person.buy(`tenant-${next.index}-${at}`);
          waits.push(ready.then(() => void times.push(performance.now() - paidAt)));
        }
      }
    }),
  );
  await Promise.all(waits);
  return times.sort((a, b) => a - b);
}

interface Person {
  /** Pays, and says when; `ready` is kept when the tenant is. */
  buy(name: string): Promise<{ readonly paidAt: number; readonly ready: Promise<void> }>;
}

async function logIn(url: string, index: number): Promise<Person> {
  const from = { [addressHeader]: `10.0.${Math.floor(index / 250)}.${(index % 250) + 1}` };
  const submit = async (address: string, form: Record<string, string>): Promise<string> => {
    const request = { method: 'POST', headers: from, body: new URLSearchParams(form), redirect: 'manual' } as const;
    return (await fetch(address, request)).headers.get('location') ?? '';
  };
  const redirectUri = 'http://127.0.0.1:45678/callback';
  const begun = await fetch(`${url}/api/v1/auth/oauth/github?${new URLSearchParams({ redirect_uri: redirectUri })}`, {
    headers: from,
  });
  const { authorize_url: page } = (await begun.json()) as { readonly authorize_url: string };
  const form = Object.fromEntries(new URL(page).searchParams);
  const email = `person-${index}@example.com`;
  const callback = await submit(`${url}/sandbox/identity`, { ...form, action: 'continue', name: 'Ada', email });
  const back = await fetch(callback, { redirect: 'manual', headers: from });
  const token = new URL(back.headers.get('location') ?? '').searchParams.get('access_token') ?? '';
  const headers = { ...from, authorization: `Bearer ${token}`, 'content-type': 'application/json' };

  const call = async (path: string, body?: unknown): Promise<unknown> => {
    const send = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${url}${path}`, { headers, ...send });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    const answer = (await response.json()) as { readonly data?: unknown };
    return answer.data ?? answer;
  };
  return {
    async buy(name) {
      const checkout = { price_id: 'pri_sandbox_starter', region: 'iad', tenant_name: name };
      const opened = (await call('/api/v1/checkout', checkout)) as Record<
        'checkout_url' | 'checkout_session_id',
        string
      >;
      const events = await fetch(`${url}/api/v1/checkout/${opened.checkout_session_id}/events`, { headers });
      const paidAt = performance.now();
      await submit(opened.checkout_url, { action: 'pay' });
      return { paidAt, ready: waitForInfrastructure(name, events) };
    },
  };
}

/** The stream ends after its last event. */
async function waitForInfrastructure(name: string, events: Response): Promise<void> {
  const text = await events.text();
  if (!text.includes('"infrastructure_ready"'))
    throw new Error(`${name} did not become ready: ${events.status} ${text}`);
}
