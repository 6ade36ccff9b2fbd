import { type FlyContext, type FlyServer, findApp } from './fly-context.ts';
import { logsQuery } from './resource-schemas.ts';
import { route } from './route.ts';

/** The platform's older API beside the Machines API: it is the one that has the output of machines. */
export function mountLogs(server: FlyServer, context: FlyContext): void {
  route(server, context, {
    method: 'get',
    path: '/api/v1/apps/:app/logs',
    action: 'log-get',
    query: logsQuery,
    answer: async ({ org, app: name, query: { instance, next_token = '' } }) => {
      const app = findApp(context, { name, org });
      const machines = Array.from(app.machines.values()).filter(({ id }) => instance === undefined || id === instance);
      const lines = await Promise.all(
        machines.map(async ({ id, region }) =>
          ((await context.runner?.readLog(id)) ?? []).map(({ time, stream, message }) => ({
            timestamp: time,
            message,
            level: stream === 'stderr' ? 'error' : 'info',
            instance: id,
            region,
            meta: { instance: id, region, event: { provider: 'app' } },
          })),
        ),
      );
      const all = lines.flat().sort((a, b) => (a.timestamp < b.timestamp ? -1 : Number(a.timestamp > b.timestamp)));
      const from = Number(next_token || '0');
      const data = all.slice(from).map((attributes, at) => ({ id: String(from + at), type: 'log', attributes }));
      return { status: 200, body: { data, meta: { next_token: String(all.length) } } };
    },
  });
}
