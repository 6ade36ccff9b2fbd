import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createSyncHandler } from '@sp/sync/server';
import { editSecrets } from '@sp/tenants';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';
import { hello, makeProfile, makeWorld } from './world.ts';

/** A project that is logged in, and its tenant `hello`, which runs with this tenant's files. */
export async function makeRunningTenant(): Promise<{
  readonly cwd: string;
  readonly env: Record<string, string>;
  /** The project's files and the tenant's. */
  readonly services: string;
  readonly tenant: string;
  /** What no command may print. */
  readonly token: string;
}> {
  const token = 'planted-sync-token-6e1d';
  const tenant = await temporaryFolder();
  const url = await serve(createSyncHandler({ root: tenant, token }));
  const status = { data: { status: 'running', app_url: url } };
  const { cwd, env } = await makeWorld({ [`GET /api/v1/tenants/${hello.id}/status`]: status });
  await makeProfile(cwd, 'hello');
  await editSecrets(join(cwd, '.systemprompt/profiles/hello/secrets.json'), { sync_token: token });
  return { cwd, env, services: join(cwd, 'services'), tenant, token };
}

/** Serves a web-standard handler until the end of the test. */
async function serve(handler: (request: Request) => Promise<Response>): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '/', headers } = incoming;
    const body = method === 'GET' ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>);
    const given = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
    const request = new Request(`http://tenant${url}`, {
      method,
      headers: given,
      body,
      ...(body === null ? {} : { duplex: 'half' }),
    });
    const answer = async (): Promise<void> => {
      const response = await handler(request);
      outgoing.writeHead(response.status, Object.fromEntries(response.headers));
      if (response.body === null) outgoing.end();
      else await pipeline(Readable.fromWeb(response.body), outgoing);
    };
    answer().catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
