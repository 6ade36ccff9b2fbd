import { type CloudApiClient, createCloudApiClient } from '@sp/cloud-api';
import { serve, type TestRegistry, testRegistry } from './registry-server.ts';

export interface FakeCloud extends TestRegistry {
  readonly api: CloudApiClient;
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
}

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
    if (path === '/deploy') return json({ data: cloud.deployAnswer });
    return path === '/secrets' ? new Response(undefined, { status: 204 }) : json({}, 404);
  });
  const cloud: FakeCloud = {
    ...registry,
    api: createCloudApiClient({ environment: `http://${host}`, token: 'api-token-value', retry: 0 }),
    requests,
    bodies,
    refused,
    deployAnswer: { status: 'running', app_url: 'https://site.test' },
    statuses: [{ status: 'awaiting_deploy' }],
  };
  return cloud;
}
