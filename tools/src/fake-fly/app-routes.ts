import { FlyFailure, notFound } from './failure.ts';
import { type FlyContext, type FlyServer, findApp, newId } from './fly-context.ts';
import { destroyMachine } from './machine-life.ts';
import { appRequest, createAppQuery, forceQuery, listAppsQuery } from './resource-schemas.ts';
import { route } from './route.ts';
import type { FakeApp } from './state.ts';

export function mountApps(server: FlyServer, context: FlyContext): void {
  route(server, context, {
    method: 'post',
    path: '/v1/apps',
    action: 'app-create',
    body: appRequest,
    query: createAppQuery,
    answer: ({ org, body }) => {
      const name = body.app_name ?? body.name ?? '';
      if (body.org_slug !== org) throw new FlyFailure(404, 'organization not found');
      if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) throw new FlyFailure(422, 'Name is invalid');
      // One namespace for the whole world.
      if (context.apps.has(name)) throw new FlyFailure(422, 'Name has already been taken', { word: 'name_taken' });
      const app: FakeApp = {
        id: newId(),
        name,
        org,
        network: body.network ?? 'default',
        visibleAt: context.now() + context.lagMs,
        volumes: new Map(),
        addresses: new Map(),
        certificates: new Map(),
        secrets: new Map(),
        secretsVersion: 0,
        machines: new Map(),
        log: [],
      };
      context.apps.set(name, app);
      return { status: 201, body: { id: app.id, created_at: context.now() } };
    },
  });

  // Of one organization; what is new is missing for a while.
  route(server, context, {
    method: 'get',
    path: '/v1/apps',
    action: 'app-list',
    identifier: '',
    query: listAppsQuery,
    answer: ({ org, query }) => {
      if (query.org_slug !== org) throw new FlyFailure(404, 'organization not found');
      const apps = Array.from(context.apps.values()).filter((app) => app.org === org && app.visibleAt <= context.now());
      const body = apps.map(({ id, name, machines, volumes, network }) => {
        return { id, name, machine_count: machines.size, volume_count: volumes.size, network };
      });
      return { status: 200, body: { total_apps: body.length, apps: body } };
    },
  });

  route(server, context, {
    method: 'get',
    path: '/v1/apps/:app',
    action: 'app-get',
    answer: ({ org, app: name }) => {
      const taken = context.apps.get(name);
      if (taken !== undefined && taken.org !== org) throw new FlyFailure(403, 'unauthorized');
      const app = findApp(context, { name, org });
      return {
        status: 200,
        body: {
          id: app.id,
          name,
          status: app.machines.size === 0 ? 'pending' : 'deployed',
          organization: { name: org, slug: org },
          network: app.network,
        },
      };
    },
  });

  route(server, context, {
    method: 'delete',
    path: '/v1/apps/:app',
    action: 'app-delete',
    identifier: '',
    query: forceQuery,
    answer: async ({ org, app: name, query }) => {
      const app = context.apps.get(name);
      if (app === undefined || app.org !== org) throw notFound('App');
      if (app.machines.size > 0 && query.force !== 'true') throw new FlyFailure(412, 'the app has machines');
      for (const machine of app.machines.values()) await destroyMachine(context, app, machine);
      context.apps.delete(name);
      return { status: 202 };
    },
  });
}
