import { randomBytes } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { mountAddresses } from './address-routes.ts';
import { mountApps } from './app-routes.ts';
import { mountCertificates } from './certificate-routes.ts';
import { FlyFailure } from './failure.ts';
import { Cut } from './faults.ts';
import type { FlyContext, FlyServer } from './fly-context.ts';
import { mountLeases } from './leases.ts';
import { mountLogs } from './log-route.ts';
import { mountMachines } from './machine-routes.ts';
import { mountSecrets } from './secret-routes.ts';
import { mountVolumes } from './volume-routes.ts';
import { mountWait } from './wait-route.ts';

/** All routes of the fake behind one handler. */
export function createFlyServer(context: FlyContext, registry: (request: Request) => Promise<Response>): FlyServer {
  const server: FlyServer = new Hono<{ Bindings: HttpBindings }>();
  server.use('/v1/*', async (call, next) => {
    await next();
    call.res.headers.set('fly-request-id', randomBytes(8).toString('hex'));
    count(context, call.res.status);
  });
  mountApps(server, context);
  mountAddresses(server, context);
  mountVolumes(server, context);
  mountCertificates(server, context);
  mountSecrets(server, context);
  mountWait(server, context);
  mountLeases(server, context);
  mountMachines(server, context);
  mountLogs(server, context);
  server.all('/v2/*', (call) => registry(call.req.raw));
  server.notFound(() => Response.json({ error: '404 page not found' }, { status: 404 }));
  server.onError((error, call) => {
    if (error instanceof Cut) {
      call.env.incoming.socket.destroy();
      return new Response(null, { status: 500 });
    }
    if (!(error instanceof FlyFailure)) {
      console.error('the fake itself failed', error);
      return Response.json({ error: 'internal server error', status: 'unknown' }, { status: 500 });
    }
    const { status, message, word, headers } = error;
    return Response.json({ error: message, ...(word === undefined ? {} : { status: word }) }, { status, headers });
  });
  return server;
}

function count({ counts }: FlyContext, status: number): void {
  counts.statuses.set(status, (counts.statuses.get(status) ?? 0) + 1);
}
