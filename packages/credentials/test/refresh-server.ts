import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { tokenWith } from './tokens.ts';

/** A server whose refresh tokens work once and not a moment longer: a second use ends the login. */
export interface RefreshServer extends AsyncDisposable {
  readonly url: string;
  readonly firstRefreshToken: string;
  readonly refreshes: number;
  readonly reuses: number;
}

export async function startRefreshServer(): Promise<RefreshServer> {
  const state = { current: randomUUID() as string, good: new Set<string>(), refreshes: 0, reuses: 0 };
  const firstRefreshToken = state.current;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url === '/token') {
      const sent = await text(request);
      if (sent !== state.current) {
        state.reuses += 1;
        state.good.clear();
        state.current = 'over';
        response.writeHead(400).end('{}');
        return;
      }
      state.refreshes += 1;
      state.current = randomUUID();
      const accessToken = tokenWith({ exp: Math.floor(Date.now() / 1000) + 3600, jti: state.refreshes });
      state.good.add(accessToken);
      response.end(JSON.stringify({ accessToken, refreshToken: state.current, expiresIn: 3600 }));
      return;
    }
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    response.writeHead(state.good.has(token) ? 200 : 401).end();
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    firstRefreshToken,
    get refreshes() {
      return state.refreshes;
    },
    get reuses() {
      return state.reuses;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
