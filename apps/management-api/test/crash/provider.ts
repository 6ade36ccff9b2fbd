import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';

export interface ProviderMachine {
  readonly id: string;
  readonly release: string;
  readonly env: Readonly<Record<string, string>>;
  state: 'running' | 'exited';
}

export interface ProviderApp {
  readonly machines: ProviderMachine[];
  volumes: number;
  /** The size of a volume; it only grows. */
  volumeGb?: number;
  addresses: number;
}

/**
 * A provider of machines that lives outside the process that is killed. It makes something new at each POST, as the real
 * ones do: whoever does not look first makes it twice.
 */
export interface Provider {
  readonly url: string;
  readonly apps: Map<string, ProviderApp>;
  readonly canceled: string[];
  readonly removedImages: string[];
  /** Requests that made what was there already. */
  readonly repeated: string[];
  /** Answers each POST of an app with 507. */
  full: boolean;
  /** Machines that are started exit at once. */
  broken: boolean;
  /** Answers everything with 503. */
  away: boolean;
  stop(): Promise<void>;
}

export async function startProvider(): Promise<Provider> {
  const apps = new Map<string, ProviderApp>();
  const state = { apps, canceled: [] as string[], removedImages: [] as string[], repeated: [] as string[] };
  const modes = { full: false, broken: false, away: false };

  function answer(method: string, path: string, body: Record<string, unknown>): [number, unknown] {
    const [, kind, name = '', part, id = ''] = path.split('/');
    if (kind === 'api') return [200, {}];
    if (modes.away) return [503, 'away'];
    if (kind === 'subscriptions') return [200, state.canceled.push(name)];
    if (kind === 'images') return [200, state.removedImages.push(name)];
    if (method === 'GET' && name === '') return [200, [...apps.keys()]];
    const app = apps.get(name);
    if (method === 'POST' && part === undefined) {
      if (modes.full) return [507, 'no machines left here'];
      if (app !== undefined) return [409, state.repeated.push(path)];
      return [201, apps.set(name, { machines: [], volumes: 0, addresses: 0 }).size];
    }
    if (app === undefined) return [404, {}];
    if (method === 'GET' && part === undefined) return [200, app];
    if (method === 'DELETE' && part === undefined) return [200, apps.delete(name)];
    if (method === 'PUT') {
      const { size_gb: size } = body as { size_gb: number };
      if (size <= (app.volumeGb ?? 1)) state.repeated.push(path);
      return [200, (app.volumeGb = size)];
    }
    if (part === 'volumes') return [201, (app.volumes += 1)];
    if (part === 'addresses') return [201, (app.addresses += 1)];
    if (method === 'DELETE') {
      const index = app.machines.findIndex((machine) => machine.id === id);
      return [index === -1 ? 404 : 200, index === -1 ? {} : app.machines.splice(index, 1).length];
    }
    const { release, env } = body as { release: string; env: Record<string, string> };
    if (app.machines.some((machine) => machine.release === release)) state.repeated.push(path);
    const machine: ProviderMachine = { id: randomUUID(), release, env, state: modes.broken ? 'exited' : 'running' };
    app.machines.push(machine);
    return [201, machine];
  }

  const server = createServer((request, response) => {
    void (async () => {
      const [status, value] = answer(request.method ?? '', request.url ?? '', await readBody(request));
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    })();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  return Object.assign(modes, state, {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  });
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request as AsyncIterable<Buffer>) text += chunk.toString();
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}
