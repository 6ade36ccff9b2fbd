import { get } from 'node:http';

/** A person with a browser and a client of the Management API, over real connections. */
export interface CloudUser {
  /** The access token. */
  readonly token: string;
  /** The member `data` of an answer where it has one. */
  call<T>(path: string, request?: { method?: string; json?: unknown }): Promise<T>;
  /** A request with the person's token. */
  fetch(path: string, init?: { method?: string; headers?: Record<string, string>; body?: string }): Promise<Response>;
  /** Buys a tenant and waits until its infrastructure is there; the types of the events in between. */
  buyTenant(name: string): Promise<{ tenantId: string; eventTypes: string[] }>;
}

/** What a deploy is answered with. */
interface Deploying {
  readonly status: string;
  readonly release_id: string;
}

/** Logs in through the sandbox pages. */
export async function loginTo(url: string, email: string): Promise<CloudUser> {
  const redirectUri = 'http://127.0.0.1:45678/callback';
  const begun = await fetch(`${url}/api/v1/auth/oauth/github?${new URLSearchParams({ redirect_uri: redirectUri })}`);
  const { authorize_url: authorizeUrl } = (await begun.json()) as { authorize_url: string };
  const form = Object.fromEntries(new URL(authorizeUrl).searchParams);
  const callback = await submit(`${url}/sandbox/identity`, { ...form, action: 'continue', name: 'Ada', email });
  const back = await fetch(callback, { redirect: 'manual' });
  const token = new URL(back.headers.get('location') ?? '').searchParams.get('access_token') ?? '';
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };

  async function call<T>(path: string, request: { method?: string; json?: unknown } = {}): Promise<T> {
    const { method = 'GET', json } = request;
    const body = json === undefined ? {} : { body: JSON.stringify(json) };
    const response = await fetch(new URL(path, url), { method, headers, ...body });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    const parsed = (text === '' ? {} : JSON.parse(text)) as { data?: T } | null;
    const answer = parsed?.data ?? (parsed as T);
    const [, tenant = ''] = /^(.*)\/(?:deploy|rollback)$/.exec(method === 'POST' ? path : '') ?? [];
    return tenant === '' ? answer : await ended(tenant, answer as Deploying);
  }

  // On a busy computer a deploy takes longer than its answer waits.
  async function ended<T>(tenant: string, answer: Deploying): Promise<T> {
    const { release_id: id, status } = answer;
    if (status !== 'deploying') return answer as T;
    const release = await call<{ status: string; failure?: string }>(`${tenant}/releases/${id}`);
    if (release.status === 'deploying') {
      await new Promise((done) => setTimeout(done, 100));
      return await ended(tenant, answer);
    }
    if (release.status !== 'running') return { ...answer, status: 'failed', message: release.failure } as T;
    const { app_url } = await call<{ app_url: string }>(`${tenant}/status`);
    return { ...answer, status: 'running', app_url } as T;
  }

  return {
    token,
    call,
    fetch: (path, init = {}) => fetch(new URL(path, url), { ...init, headers: { ...headers, ...init.headers } }),
    buyTenant: async (name) => {
      const json = { price_id: 'pri_sandbox_starter', region: 'iad', tenant_name: name };
      const checkout = await call<Record<'checkout_url' | 'checkout_session_id', string>>('/api/v1/checkout', {
        method: 'POST',
        json,
      });
      const events = await fetch(`${url}/api/v1/checkout/${checkout.checkout_session_id}/events`, { headers });
      await submit(checkout.checkout_url, { action: 'pay' });
      // The stream ends after its last event.
      const seen = (await events.text())
        .split('\n')
        .filter((line) => line.startsWith('data: {'))
        .map((line) => JSON.parse(line.slice(6)) as { event_type?: string; tenant_id: string })
        .filter((event) => event.event_type !== undefined);
      return { tenantId: seen[0]?.tenant_id ?? '', eventTypes: seen.map((event) => event.event_type ?? '') };
    },
  };
}

/** Gets a page of a host that no name server knows. */
export async function getPage(url: string, host: string): Promise<{ status: number | undefined; body: string }> {
  return await new Promise((done, fail) => {
    get(url, { headers: { host }, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => done({ status: response.statusCode, body }));
    }).on('error', fail);
  });
}

async function submit(address: string, form: Record<string, string>): Promise<string> {
  const response = await fetch(address, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' });
  return response.headers.get('location') ?? '';
}
