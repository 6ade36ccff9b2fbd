import type { Context } from 'hono';
import type { HttpEnvironment } from './app.ts';

/**
 * Answers 200 with JSON text and every header that was collected for the answer. They are given as a plain record: a
 * server of Node.js writes that as it is, and a `Headers` object costs more than all the rest of a small answer.
 */
export function sendJson(context: Context<HttpEnvironment>, body: string): Response {
  const headers = context.get('headers');
  headers['content-type'] = 'application/json';
  const response = new Response(body, { headers });
  context.set('complete', response);
  return response;
}
