import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LoopbackRequest, LoopbackRoute, LoopbackRouteReply } from './loopback-reply.ts';
import { send } from './send-reply.ts';

/** Where requests go. */
export interface RequestTargets {
  readonly port: number;
  readonly callbackPath: string;
  readonly routes: Readonly<Record<string, LoopbackRoute>>;
  answerCallback(query: URLSearchParams, response: ServerResponse): Promise<void>;
}

/** Answers one request: the callback, an extra route, or a refusal. */
export async function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  targets: RequestTargets,
): Promise<void> {
  // A foreign name that resolves to 127.0.0.1 (DNS rebinding) would let a web page read our answers.
  if (!isOwnHost(request.headers.host, targets.port)) return refuse(response, 421, 'Misdirected request');
  // GET only: a preflight OPTIONS of a browser carries the same query and must not count as the callback.
  if (request.method !== 'GET') return refuse(response, 405, 'Method not allowed', 'GET');
  const { path, query } = splitTarget(request.url ?? '/');
  if (path === targets.callbackPath) return targets.answerCallback(query, response);
  const route = findRoute(targets.routes, path);
  if (!route) return refuse(response, 404, 'Not found');
  const reply = await callRoute(route, { path, query });
  await send(response, { status: reply.status ?? 200, type: reply.type, body: reply.body });
}

function isOwnHost(host: string | undefined, port: number): boolean {
  const own = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (port === 80) own.push('127.0.0.1', 'localhost');
  return host !== undefined && own.includes(host.toLowerCase());
}

function splitTarget(target: string): { path: string; query: URLSearchParams } {
  const mark = target.indexOf('?');
  if (mark === -1) return { path: target, query: new URLSearchParams() };
  return { path: target.slice(0, mark), query: new URLSearchParams(target.slice(mark + 1)) };
}

function findRoute(routes: Readonly<Record<string, LoopbackRoute>>, path: string): LoopbackRoute | undefined {
  if (Object.hasOwn(routes, path)) return routes[path];
  return Object.entries(routes).find(([key]) => key.endsWith('/') && path.startsWith(key))?.[1];
}

async function callRoute(route: LoopbackRoute, request: LoopbackRequest): Promise<LoopbackRouteReply> {
  try {
    return await route(request);
  } catch {
    // What failed is not for a page to know.
    return { status: 500, type: 'text/plain; charset=utf-8', body: 'Internal error\n' };
  }
}

function refuse(response: ServerResponse, status: number, text: string, allow?: string): Promise<void> {
  return send(response, { status, type: 'text/plain; charset=utf-8', body: `${text}\n`, allow });
}
