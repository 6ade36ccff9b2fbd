import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { entryUrl } from './measure.ts';

/** What came of a storm. */
export interface RefreshStorm {
  /** Milliseconds from the start signal until the last process has a token that the server takes. */
  readonly time: number;
  /** The same with a token that nobody needs to renew. */
  readonly calm: number;
  /** Requests to the server's token endpoint. */
  readonly refreshes: number;
  /** Processes that ended with a good token. */
  readonly loggedIn: number;
}

interface Credentials {
  saveCredentials(path: string, credentials: object): Promise<void>;
}

/** Processes that find an expired token at the same moment, with a server whose refresh tokens work once. */
export async function refreshStorm(root: string, processes: number): Promise<RefreshStorm> {
  const { saveCredentials } = (await import(entryUrl(root, 'credentials/dist/index'))) as Credentials;
  await using server = await startTokenServer();
  const folder = await mkdtemp(join(tmpdir(), 'sp bench '));
  try {
    const path = join(folder, 'credentials.json');
    const login = { apiUrl: server.url, authenticatedAt: new Date(), userEmail: 'ada@example.com' };
    await saveCredentials(path, { ...login, apiToken: tokenThatEndsIn(3600, 0), refreshToken: 'first' });
    const calm = await allAtOnce(root, { path, url: server.url, processes });
    await saveCredentials(path, { ...login, apiToken: tokenThatEndsIn(1, 0), refreshToken: 'first' });
    const storm = await allAtOnce(root, { path, url: server.url, processes });
    return { time: storm.time, calm: calm.time, refreshes: server.refreshes(), loggedIn: storm.answers['200'] ?? 0 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Loads everything, says that it is ready, and begins at the first byte of its input. */
function program(root: string, { path, url }: { readonly path: string; readonly url: string }): string {
  return `
    const { createTokenSource } = await import(${JSON.stringify(entryUrl(root, 'credentials/dist/index'))});
    const exchange = async ({ refreshToken }) => {
      const response = await fetch(${JSON.stringify(`${url}/token`)}, { method: 'POST', body: refreshToken });
      return response.ok ? response.json() : undefined;
    };
    const token = createTokenSource({ path: ${JSON.stringify(path)}, exchange });
    process.stdout.write('ready\\n');
    await new Promise((resolve) => process.stdin.once('data', resolve));
    const headers = { authorization: 'Bearer ' + (await token()) };
    process.stdout.write((await fetch(${JSON.stringify(url)}, { headers })).status + '\\n');
    process.exit();
  `;
}

async function allAtOnce(
  root: string,
  options: { readonly path: string; readonly url: string; readonly processes: number },
): Promise<{ readonly time: number; readonly answers: Readonly<Record<string, number>> }> {
  const text = program(root, options);
  const children = Array.from({ length: options.processes }, () =>
    spawn(process.execPath, ['--input-type=module', '--eval', text], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  await Promise.all(children.map(async ({ stdout }) => once(stdout, 'data')));
  const start = performance.now();
  const answers: Record<string, number> = {};
  const ends = children.map(async ({ stdin, stdout }) => {
    const answer = once(stdout, 'data');
    stdin.write('go\n');
    const status = String((await answer)[0]).trim();
    answers[status] = (answers[status] ?? 0) + 1;
  });
  await Promise.all(ends);
  const time = performance.now() - start;
  await Promise.all(children.map(async (child) => child.exitCode ?? once(child, 'exit')));
  return { time, answers };
}

/** A second use of a refresh token ends the login, as with a strict server. */
async function startTokenServer(): Promise<
  AsyncDisposable & { readonly url: string; readonly refreshes: () => number }
> {
  let refreshes = 0;
  let current = 'first';
  const good = new Set<string>([tokenThatEndsIn(3600, 0)]);
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url !== '/token') {
      response.writeHead(good.has(request.headers.authorization?.slice(7) ?? '') ? 200 : 401).end();
      return;
    }
    refreshes += 1;
    const sent = await text(request);
    if (sent !== current) {
      good.clear();
      response.writeHead(400).end();
      return;
    }
    current = `after-${refreshes}`;
    const accessToken = tokenThatEndsIn(3600, refreshes);
    good.add(accessToken);
    response.end(JSON.stringify({ accessToken, refreshToken: current, expiresIn: 3600 }));
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refreshes: () => refreshes,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const begun = Math.floor(Date.now() / 1000);

/** A token as credentials are read: only its expiry counts here. */
function tokenThatEndsIn(seconds: number, id: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ exp: begun + seconds, jti: `${id}` })}.x`;
}
