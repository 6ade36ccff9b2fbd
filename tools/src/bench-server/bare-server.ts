import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { Pool } from 'pg';

/**
 * A Hono app with nothing around its routes: what an answer costs at least, and what one costs that asks the database
 * once. Tells its port on stdout.
 */
export function serveBare(databaseUrl: string): void {
  const answer = { data: [{ id: '4f1c2a90', name: 'shop', fly_app_name: 'sp', hostname: 'shop.example.com' }] };
  const pool = new Pool({ connectionString: databaseUrl, max: 10 });
  const text = `select * from tenants where owner_id = $1 and state <> 'deleted' order by created_at, id`;
  const app = new Hono();
  app.get('/bare', (context) => context.json(answer));
  app.get('/query/:owner', async (context) => {
    const { rows } = await pool.query<Record<string, unknown>>(text, [context.req.param('owner')]);
    return context.json({ data: rows.map(({ id, name, app_name: app, hostname }) => ({ id, name, app, hostname })) });
  });
  serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => console.log(JSON.stringify({ port })));
}
