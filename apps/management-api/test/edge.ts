import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createManagementApi, type ManagementApiOptions, type Ports } from '../src/api.ts';
import { createSandboxBilling } from '../src/billing/sandbox.ts';
import { createPostgresDatabases } from '../src/databases/postgres-databases.ts';
import { createCnameDns } from '../src/dns/cname-dns.ts';
import { createSandboxIdentity } from '../src/identity/sandbox.ts';
import { removeEmbeddedPostgres, startEmbeddedPostgres } from '../src/postgres/embedded.ts';
import { openStore } from '../src/store/database.ts';
import { migrateStore } from '../src/store/migrate.ts';
import { createEventFeed } from '../src/tenants/event-feed.ts';
import { createAccessTokens } from '../src/tokens/access-tokens.ts';
import { createVault } from '../src/vault/file-vault.ts';
import { readOperation } from '../src/workflows/run-operation.ts';

export const baseUrl = 'http://127.0.0.1:7300';
export const webhookSecret = 'pdl_ntfset_test_secret';
export const loopback = 'http://127.0.0.1:45678/callback';
export const digest = `sha256:${'ab'.repeat(32)}` as const;

export type Edge = Awaited<ReturnType<typeof startEdge>>;

/** The API over a real database; machines, images and workflows are literal objects that the test may change. */
export async function startEdge(options: Partial<ManagementApiOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'sp-edge-'));
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
  const store = await openStore(postgres.url);
  await migrateStore(store);
  const vault = createVault(randomBytes(32));
  const feed = await createEventFeed(store);
  const tokens = await createAccessTokens({ store, vault, issuer: baseUrl });
  const logged: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => logged.push(line) });
  const delivered: Request[] = [];
  const identity = createSandboxIdentity({ baseUrl });
  const billing = createSandboxBilling({
    store,
    baseUrl,
    webhookSecret,
    logger,
    retryMs: 1,
    fetch: async (url, init) => {
      const request = new Request(url, init);
      delivered.push(request.clone());
      return app.fetch(request);
    },
  });
  const provisioned: string[] = [];
  const operations: string[] = [];
  const dnsRecords = new Map<string, readonly string[]>();
  const ports: { -readonly [Name in keyof Ports]: Ports[Name] } = {
    store,
    vault,
    identity,
    billing,
    tokens,
    feed,
    machines: { databaseHost: '127.0.0.1' } as Ports['machines'],
    databases: createPostgresDatabases({ adminUrl: postgres.url }),
    dns: createCnameDns({
      resolveCname: async (domain) => {
        const records = dnsRecords.get(domain);
        if (records === undefined) throw Object.assign(new Error('queryCname ESERVFAIL'), { code: 'ESERVFAIL' });
        return records;
      },
    }),
    images: {
      fetch: async () => new Response('registry'),
      expectedImage: (tenantId) => `127.0.0.1:7300/systemprompt-images:tenant-${tenantId}`,
      issueToken: async (tenantId) => ({
        registry: '127.0.0.1:7300',
        repository: 'systemprompt-images',
        tag: `tenant-${tenantId}`,
        username: 'tenant',
        token: 'registry-token',
      }),
      resolve: async () => ({ digest }),
    },
    workflows: {
      startProvisioning: async (tenantId) => void provisioned.push(tenantId),
      startDeploy: async () => {},
      waitForRelease: () => Promise.reject(new Error('no machines here')),
      startOperation: async (id) => void operations.push(id),
      waitForOperation: (id) => readOperation({ store }, id),
      cancelWaiting: async () => false,
      settleSubscription: async () => {},
    },
  };
  const apiOptions: ManagementApiOptions = {
    baseUrl,
    hostname: (name, suffix) => `${name}-${suffix}.localhost:7300`,
    appUrl: (hostname) => `http://${hostname}`,
    logger,
    webhookSecrets: [webhookSecret],
    sandbox: { identity, billing },
    rateLimits: false,
    ...options,
  };
  const app = createManagementApi(ports, apiOptions);

  async function call(path: string, request: CallOptions = {}): Promise<Response> {
    const { method = 'GET', token, json, form, headers = {}, signal } = request;
    return app.fetch(
      new Request(new URL(path, baseUrl), {
        method,
        ...(signal === undefined ? {} : { signal }),
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        body: json === undefined ? form && new URLSearchParams(form) : JSON.stringify(json),
      } as RequestInit),
    );
  }

  /** Logs somebody in through every page, and gives the address where the browser ends. */
  async function browse(query: Record<string, string>, person: Record<string, string> = {}): Promise<URL> {
    const begun = await call(`/api/v1/auth/oauth/github?${new URLSearchParams({ redirect_uri: loopback, ...query })}`);
    const { authorize_url: authorizeUrl } = (await begun.json()) as { authorize_url: string };
    const login = new URL(authorizeUrl).searchParams;
    const posted = await call('/sandbox/identity', {
      method: 'POST',
      form: { ...Object.fromEntries(login), action: 'continue', name: 'Ada', email: 'ada@example.com', ...person },
    });
    const back = await call(location(posted));
    return new URL(location(back));
  }

  async function login(email: string): Promise<{ token: string; userId: string }> {
    const token = (await browse({}, { email })).searchParams.get('access_token') ?? '';
    const me = (await (await call('/api/v1/auth/me', { token })).json()) as { user: { id: string } };
    return { token, userId: me.user.id };
  }

  /** Buys a tenant and pays for it. */
  async function buy(token: string, tenantName?: string) {
    const checkout = (await (
      await call('/api/v1/checkout', {
        method: 'POST',
        token,
        json: { price_id: 'pri_sandbox_starter', region: 'iad', redirect_uri: loopback, tenant_name: tenantName },
      })
    ).json()) as { checkout_url: string; checkout_session_id: string; transaction_id: string };
    const paid = await call(checkout.checkout_url, { method: 'POST', form: { action: 'pay' } });
    return { ...checkout, paid, tenantId: provisioned.at(-1) ?? '' };
  }

  return {
    app,
    ports,
    /** What the API was made with: another replica is made with the same. */
    options: apiOptions,
    store,
    vault,
    tokens,
    provisioned,
    operations,
    dnsRecords,
    delivered,
    logged,
    call,
    browse,
    login,
    buy,
    async stop() {
      await feed.close();
      await store.close();
      await postgres.stop();
      await removeEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface CallOptions {
  readonly method?: string;
  readonly token?: string;
  readonly json?: unknown;
  readonly form?: Record<string, string>;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

export function location(response: Response): string {
  return response.headers.get('location') ?? `no redirect but ${response.status}`;
}

/** The code of an error answer, with its status. */
export async function failure(response: Response): Promise<{ status: number; code: string; message: string }> {
  const body = (await response.json()) as { error: { code: string; message: string; request_id: string } };
  if (body.error.request_id !== response.headers.get('x-request-id')) throw new Error('the request id is missing');
  return { status: response.status, code: body.error.code, message: body.error.message };
}

/** A PKCE pair. */
export function pkce(): { verifier: string; challenge: string } {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

export interface StreamedEvent {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: Record<string, unknown>;
}

/** Reads a `text/event-stream`; stopping the iteration closes the connection. */
export async function* readEvents(response: Response): AsyncGenerator<StreamedEvent> {
  let text = '';
  for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const fields = new Map(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      text = text.slice(end + 2);
      yield {
        id: fields.get('id'),
        event: fields.get('event'),
        data: JSON.parse(fields.get('data') ?? '{}') as Record<string, unknown>,
      };
    }
  }
}
