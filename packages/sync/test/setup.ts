import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';
import type { SyncOptions } from '../src/index.ts';
import { createSyncHandler, type SyncHandlerOptions } from '../src/server.ts';

export const token = 'planted-sync-token';

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'sp sync ')));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Files by their paths; `null` deletes one. */
export async function writeFiles(root: string, files: Readonly<Record<string, string | null>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    if (text === null) {
      await rm(join(root, path));
      // A folder without files is none.
      for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) {
        await rmdir(join(root, parent)).catch(() => {});
      }
      continue;
    }
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
    if (path.endsWith('.sh')) await chmod(join(root, path), 0o755);
  }
}

/** Everything in a folder but `.systemprompt`, with `*` behind what can be executed. */
export async function readFiles(root: string, prefix = ''): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(join(root, prefix), { withFileTypes: true }).catch(() => [])) {
    if (entry.name === '.systemprompt') continue;
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) Object.assign(found, await readFiles(root, path));
    else if (entry.isFile()) {
      const isProgram = ((await stat(join(root, path))).mode & 0o100) !== 0;
      found[isProgram ? `${path}*` : path] = await readFile(join(root, path), 'utf8');
    }
  }
  return found;
}

type Handler = (request: Request) => Promise<Response>;

/** Serves a web-standard handler on a real socket; `http://127.0.0.1:<port>`. */
export async function serve(handler: Handler): Promise<string> {
  const answer = async (request: Request, outgoing: ServerResponse): Promise<void> => {
    const response = await handler(request);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    if (response.body === null) outgoing.end();
    else {
      const body = Readable.fromWeb(response.body);
      body.once('error', () => outgoing.destroy());
      body.pipe(outgoing);
    }
  };
  const server = createServer((incoming, outgoing) => {
    const body = incoming.method === 'GET' ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>);
    const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]);
    const url = `http://${incoming.headers.host}${incoming.url}`;
    answer(new Request(url, { method: incoming.method ?? 'GET', headers, body, duplex: 'half' }), outgoing).catch(() =>
      outgoing.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A project and a tenant that serves it. */
export interface Pair {
  readonly local: string;
  readonly remote: string;
  readonly state: string;
  readonly options: SyncOptions;
  /** `METHOD path` of what was asked, in order. */
  readonly requests: string[];
}

export async function pair(
  change: { readonly handler?: Partial<SyncHandlerOptions>; readonly wrap?: (handler: Handler) => Handler } = {},
): Promise<Pair> {
  const folder = await temporaryFolder();
  const [local, remote, state] = [join(folder, 'local'), join(folder, 'remote'), join(folder, 'state')];
  await mkdir(local);
  await mkdir(remote);
  const handler = createSyncHandler({
    root: remote,
    token,
    onError: (error) => console.error(error),
    ...change.handler,
  });
  const wrapped = change.wrap?.(handler) ?? handler;
  const requests: string[] = [];
  const url = await serve((request) => {
    requests.push(`${request.method} ${new URL(request.url).pathname.replace('/api/v1/sync/', '')}`);
    return wrapped(request);
  });
  const options = { root: local, stateDirectory: state, remote: { url, token, retryDelayMs: 1 } };
  return { local, remote, state, options, requests };
}

/** A handler that knows the predecessor's protocol only. */
export function tarballsOnly(handler: Handler): Handler {
  return async (request) => {
    const isFiles = new URL(request.url).pathname.includes('/files');
    return isFiles ? await handler(request) : new Response('<html>', { status: 404 });
  };
}
