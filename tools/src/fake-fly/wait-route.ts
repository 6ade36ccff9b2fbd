import { setTimeout as delay } from 'node:timers/promises';
import { FlyFailure } from './failure.ts';
import { type FlyContext, type FlyServer, findApp, findMachine } from './fly-context.ts';
import { refreshMachine } from './machine-life.ts';
import { waitQuery } from './resource-schemas.ts';
import { route } from './route.ts';

const settled: readonly string[] = ['started', 'stopped', 'failed', 'destroyed'];

export function mountWait(server: FlyServer, context: FlyContext): void {
  route(server, context, {
    method: 'get',
    path: '/v1/apps/:app/machines/:machine/wait',
    action: 'machine-wait',
    identifier: 'machine',
    query: waitQuery,
    answer: async ({ org, app: name, parameter, query }) => {
      const { state = 'started', timeout = 60, instance_id } = query;
      const machine = findMachine(context, findApp(context, { name, org }), parameter('machine'));
      if (state === 'stopped' && instance_id === undefined) throw new FlyFailure(400, 'instance_id is required');
      if (instance_id !== undefined && instance_id !== machine.instanceId)
        throw new FlyFailure(404, 'instance not found');
      const until = performance.now() + timeout * 1000;
      while (performance.now() < until && !context.closed.aborted) {
        await refreshMachine(context, machine);
        if (state === 'settled' ? settled.includes(machine.state) : machine.state === state) {
          return { status: 200, body: { ok: true } };
        }
        await delay(20);
      }
      throw new FlyFailure(408, 'deadline_exceeded: machine did not get there in time');
    },
  });
}
