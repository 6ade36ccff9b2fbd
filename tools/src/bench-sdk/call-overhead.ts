import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { entryUrl, medians } from './measure.ts';

/** A server in a thread of its own, so that it does not share the processor time of those who ask. */
const server = `
const { createServer } = require('node:http');
const { parentPort } = require('node:worker_threads');
const tenants = Array.from({ length: 3 }, (_, index) => ({
  id: 't_' + index, name: 'site ' + index, subscription_id: 'sub_' + index, subscription_status: 'active',
  app_id: 'sp-t-' + index, hostname: 'site-' + index + '.example.test', region: 'iad', status: 'active',
  plan: { id: 'p', name: 'Small', memory_mb: 512, volume_gb: 1 }, external_db_access: false,
  database_url: 'postgres://u:***@db/site_' + index,
}));
const body = JSON.stringify({ data: tenants });
createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}).listen(0, '127.0.0.1', function () { parentPort.postMessage(this.address().port); });
`;

/** Few, in many rounds: what else the computer does then hits single rounds and not the median. */
const callsPerRound = 10;

interface Client {
  readonly tenants: { list(): Promise<readonly unknown[]> };
}

/** Microseconds per call of the client and of bare `fetch`, in the same run against the same server. */
export async function callOverhead(root: string): Promise<{ readonly client: number; readonly fetch: number }> {
  const { createCloudApiClient } = (await import(entryUrl(root, 'cloud-api/dist/index'))) as {
    createCloudApiClient(options: { readonly environment: string; readonly token: string }): Client;
  };
  const worker = new Worker(server, { eval: true });
  try {
    const [port] = (await once(worker, 'message')) as [number];
    const api = createCloudApiClient({ environment: `http://127.0.0.1:${port}`, token: 'token' });
    const url = `http://127.0.0.1:${port}/api/v1/tenants`;
    const headers = { authorization: 'Bearer token', accept: 'application/json' };
    const repeated = (call: () => Promise<unknown>) => async (): Promise<void> => {
      for (let index = 0; index < callsPerRound; index += 1) await call();
    };
    const { client, bare } = await medians(
      {
        bare: repeated(async () => (await fetch(url, { headers })).json()),
        client: repeated(() => api.tenants.list()),
      },
      { rounds: 1_001, warmUps: 300 },
    );
    const perCall = 1000 / callsPerRound;
    return { client: client * perCall, fetch: bare * perCall };
  } finally {
    await worker.terminate();
  }
}
