import { type CloudApiClient, createCloudApiClient } from '@sp/cloud-api';
import { serve, type TestRegistry, testRegistry } from './registry-server.ts';

export interface FakeCloud extends TestRegistry {
  readonly api: CloudApiClient;
  /** `http://127.0.0.1:<port>`. */
  readonly origin: string;
  /** `METHOD path` of all requests in their order. */
  readonly requests: string[];
  /** What was sent to `/deploy` and `/secrets`. */
  readonly bodies: Record<string, unknown>;
  /** What `/deploy` answers. */
  deployAnswer: object;
  /** What `/status` answers, one after the other; the last one again and again. */
  statuses: object[];
  /** Paths that answer this status. */
  readonly refused: Map<string, number>;
  /** What `/releases` answers; a server that knows no releases without it. */
  releases?: FakeRelease[];
  /** What `/secrets/diff` answers. */
  diff: object;
  /** Runs before a request to `/deploy` or `/rollback` is answered; what it returns is the answer. */
  onDeploy?: (body: Record<string, unknown>) => Response | undefined;
}

export interface FakeRelease {
  readonly id: string;
  readonly number: number;
  status: string;
  readonly digest: string;
  readonly secrets_version: number;
  readonly [fact: string]: unknown;
}

/** A release with everything that a server says of one. */
export function fakeRelease(number: number, facts: Partial<FakeRelease> = {}): FakeRelease {
  return {
    id: `r-${number}`,
    number,
    status: 'superseded',
    image: 'registry.test/systemprompt-images:tenant-1',
    digest: `sha256:${String(number).repeat(64)}`,
    secrets_version: 1,
    created_at: '2026-01-02T03:04:05.000Z',
    created_by: 'ada@example.com',
    ...facts,
  };
}

/** The key that `/secrets/digest-key` gives. */
export const digestKey = Buffer.from('digest-key-of-the-tenant').toString('base64');

/** The endpoints that a deploy needs, with a real registry, behind the real client. */
export async function fakeCloud(): Promise<FakeCloud> {
  const registry = await testRegistry();
  const requests: string[] = [];
  const bodies: Record<string, unknown> = {};
  const refused = new Map<string, number>();
  const json = (body: object, status = 200): Response => Response.json(body, { status });
  const host = await serve(async (request) => {
    const path = new URL(request.url).pathname.replace('/api/v1/tenants/t_1', '');
    requests.push(`${request.method} ${path}`);
    const status = refused.get(path);
    if (status !== undefined) return json({ error: { code: 'refused', message: 'refused by the test' } }, status);
    if (path === '/status')
      return json({ data: cloud.statuses.length > 1 ? cloud.statuses.shift() : cloud.statuses[0] });
    if (path === '/registry-token') return json({ data: registry.target });
    if (request.method === 'POST') bodies[path] = await request.json();
    if (path === '/deploy' || path === '/rollback') {
      const answer = cloud.onDeploy?.(bodies[path] as Record<string, unknown>);
      return answer ?? json({ data: cloud.deployAnswer });
    }
    if (path === '/secrets/digest-key') return json({ data: { key: digestKey } });
    if (path === '/secrets/diff') return json({ data: cloud.diff });
    if (path === '/releases' && cloud.releases !== undefined) return json({ data: cloud.releases });
    if (path.startsWith('/releases/')) {
      const found = cloud.releases?.find(({ id, number }) => [id, `${number}`].includes(path.slice(10)));
      if (found !== undefined) return json({ data: found });
      return json({ error: { code: 'release_not_found', message: 'no such release' } }, 404);
    }
    if (request.method === 'GET' && path === '/secrets') return json({ keys: ['OLD', 'LOG_LEVEL'] });
    if (request.method === 'DELETE' && path.startsWith('/secrets/')) return new Response(undefined, { status: 204 });
    return path === '/secrets' ? new Response(undefined, { status: 204 }) : json({}, 404);
  });
  const cloud: FakeCloud = {
    ...registry,
    origin: `http://${host}`,
    api: createCloudApiClient({ environment: `http://${host}`, token: 'api-token-value', retry: 0 }),
    requests,
    bodies,
    refused,
    deployAnswer: { status: 'running', app_url: 'https://site.test' },
    statuses: [{ status: 'awaiting_deploy' }],
    diff: { added: [], changed: [], removed: [], remote_only: [], version: 1 },
  };
  return cloud;
}
