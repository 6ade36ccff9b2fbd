import * as z from 'zod';
import { FlyFailure } from './failure.ts';
import { type FlyContext, type FlyServer, findApp, findMachine } from './fly-context.ts';
import { checkLease } from './leases.ts';
import { createMachine } from './machine-create.ts';
import { destroyMachine, launchMachine, refreshMachine, stopMachine } from './machine-life.ts';
import { machineRequest } from './machine-schemas.ts';
import { machineToWire } from './machine-wire.ts';
import { forceQuery, stopRequest } from './resource-schemas.ts';
import { route } from './route.ts';

const path = '/v1/apps/:app/machines';
const listQuery = z.record(z.string().regex(/^(metadata\.[\w.-]+|include_deleted|region|state)$/), z.string());

export function mountMachines(server: FlyServer, context: FlyContext): void {
  route(server, context, {
    method: 'get',
    path,
    action: 'machine-list',
    query: listQuery,
    answer: async ({ org, app: name, query }) => {
      const app = findApp(context, { name, org });
      const wanted = Object.entries(query).filter(([key]) => key.startsWith('metadata.'));
      const machines = Array.from(app.machines.values()).filter(
        ({ state, visibleAt, config }) =>
          state !== 'destroyed' &&
          visibleAt <= context.now() &&
          wanted.every(([key, value]) => config.metadata?.[key.slice('metadata.'.length)] === value),
      );
      for (const machine of machines) await refreshMachine(context, machine);
      return { status: 200, body: await Promise.all(machines.map((machine) => machineToWire(machine))) };
    },
  });

  route(server, context, {
    method: 'post',
    path,
    action: 'machine-create',
    body: machineRequest,
    answer: async ({ org, app: name, body }) => {
      const machine = await createMachine(context, { app: findApp(context, { name, org }), org, body });
      return { status: 200, body: await machineToWire(machine, { nonce: machine.lease?.nonce }) };
    },
  });

  route(server, context, {
    method: 'get',
    path: `${path}/:machine`,
    action: 'machine-get',
    identifier: 'machine',
    answer: async ({ org, app, parameter }) => {
      const machine = findMachine(context, findApp(context, { name: app, org }), parameter('machine'));
      await refreshMachine(context, machine);
      return { status: 200, body: await machineToWire(machine) };
    },
  });

  // Replaces the whole configuration.
  route(server, context, {
    method: 'post',
    path: `${path}/:machine`,
    action: 'machine-update',
    identifier: 'machine',
    body: machineRequest,
    answer: async ({ org, app: name, parameter, body, nonce }) => {
      const app = findApp(context, { name, org });
      const machine = findMachine(context, app, parameter('machine'));
      checkLease(context, machine, nonce);
      if (body.current_version !== undefined && body.current_version !== machine.instanceId) {
        throw new FlyFailure(412, 'machine version mismatch');
      }
      await stopMachine(context, machine);
      machine.config = body.config;
      machine.instanceId = `${machine.instanceId.slice(0, -2)}${String(machine.events.length).padStart(2, '0')}`;
      if (body.skip_launch !== true) launchMachine(context, app, machine);
      return { status: 200, body: await machineToWire(machine) };
    },
  });

  route(server, context, {
    method: 'post',
    path: `${path}/:machine/stop`,
    action: 'machine-stop',
    identifier: 'machine',
    body: stopRequest,
    answer: ({ org, app, parameter, nonce }) => {
      const machine = findMachine(context, findApp(context, { name: app, org }), parameter('machine'));
      checkLease(context, machine, nonce);
      // It is told to; waiting for it is another call.
      stopMachine(context, machine).catch(() => {});
      return { status: 200, body: { ok: true } };
    },
  });

  route(server, context, {
    method: 'delete',
    path: `${path}/:machine`,
    action: 'machine-delete',
    identifier: 'machine',
    query: forceQuery,
    answer: async ({ org, app: name, parameter, query, nonce }) => {
      const app = findApp(context, { name, org });
      const machine = findMachine(context, app, parameter('machine'));
      if (machine.state === 'destroyed') throw new FlyFailure(404, 'machine not found');
      checkLease(context, machine, nonce);
      if (query.force !== 'true' && !['stopped', 'failed', 'created'].includes(machine.state)) {
        throw new FlyFailure(412, `failed_precondition: unable to destroy machine, it is ${machine.state}`);
      }
      await destroyMachine(context, app, machine);
      return { status: 200, body: { ok: true } };
    },
  });
}
