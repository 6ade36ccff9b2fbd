import { FlyFailure, notFound } from './failure.ts';
import { type FlyContext, type FlyServer, findApp, isoDate, newId } from './fly-context.ts';
import { addressRequest } from './resource-schemas.ts';
import { route } from './route.ts';
import type { FakeAddress } from './state.ts';

const path = '/v1/apps/:app/ip_assignments';

export function mountAddresses(server: FlyServer, context: FlyContext): void {
  route(server, context, {
    method: 'get',
    path,
    action: 'address-list',
    answer: ({ org, app }) => {
      const addresses = Array.from(findApp(context, { name: app, org }).addresses.values());
      const ips = addresses.filter(({ visibleAt }) => visibleAt <= context.now()).map(toWire);
      return { status: 200, body: { ips } };
    },
  });

  route(server, context, {
    method: 'post',
    path,
    action: 'address-create',
    body: addressRequest,
    answer: ({ org, app: name, body: { type, region = 'global', org_slug } }) => {
      const app = findApp(context, { name, org });
      if (org_slug !== undefined && org_slug !== org) throw new FlyFailure(404, 'organization not found');
      if (type === 'v4') throw new FlyFailure(400, 'a dedicated IPv4 address needs a payment method');
      const shared = Array.from(app.addresses.values()).find((address) => address.type === 'shared_v4');
      // There is one shared address; a second request is answered with it.
      if (type === 'shared_v4' && shared !== undefined) return { status: 200, body: toWire(shared) };
      const serial = newId('', 2);
      const ip = type === 'shared_v4' ? '66.241.125.10' : `2a09:8280:1::${newId('', 2)}:${serial}`;
      const now = context.now();
      const address = { ip, type, region, createdAt: isoDate(now), visibleAt: now + context.lagMs };
      app.addresses.set(ip, address);
      return { status: 200, body: toWire(address) };
    },
  });

  route(server, context, {
    method: 'delete',
    path: `${path}/:ip`,
    action: 'address-delete',
    answer: ({ org, app: name, parameter }) => {
      if (!findApp(context, { name, org }).addresses.delete(parameter('ip'))) throw notFound('address');
      return { status: 204 };
    },
  });
}

function toWire({ ip, type, region, createdAt }: FakeAddress): unknown {
  return { ip, region, service_name: '', shared: type === 'shared_v4', created_at: createdAt };
}
