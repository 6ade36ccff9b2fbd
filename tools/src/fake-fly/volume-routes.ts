import { FlyFailure, notFound } from './failure.ts';
import { type FlyContext, type FlyServer, findApp, isoDate, newId } from './fly-context.ts';
import { extendRequest, volumeRequest } from './resource-schemas.ts';
import { route } from './route.ts';
import type { FakeVolume } from './state.ts';

const path = '/v1/apps/:app/volumes';

export function mountVolumes(server: FlyServer, context: FlyContext): void {
  route(server, context, {
    method: 'get',
    path,
    action: 'volume-list',
    answer: ({ org, app }) => {
      const volumes = Array.from(findApp(context, { name: app, org }).volumes.values());
      return { status: 200, body: volumes.filter(({ visibleAt }) => visibleAt <= context.now()).map(toWire) };
    },
  });

  // Nothing keeps a name from being used twice: a repeated request is a second volume.
  route(server, context, {
    method: 'post',
    path,
    action: 'volume-create',
    body: volumeRequest,
    answer: ({ org, app: name, body }) => {
      const app = findApp(context, { name, org });
      const source = body.source_volume_id === undefined ? undefined : app.volumes.get(body.source_volume_id);
      if (body.source_volume_id !== undefined && source === undefined) throw notFound('source volume');
      checkRegion(context, body.region);
      if (source !== undefined && source.region !== body.region) {
        throw new FlyFailure(400, 'a copy is in the region of its source');
      }
      const volume: FakeVolume = {
        id: newId('vol_', 9),
        name: body.name ?? source?.name ?? '',
        region: body.region,
        sizeGb: body.size_gb ?? source?.sizeGb ?? 3,
        source: source?.id,
        createdAt: isoDate(context.now()),
        visibleAt: context.now() + context.lagMs,
        attachedMachine: undefined,
      };
      app.volumes.set(volume.id, volume);
      return { status: 200, body: toWire(volume) };
    },
  });

  // A volume only grows, and the size that it has is refused like a smaller one: a repeated request fails.
  route(server, context, {
    method: 'put',
    path: `${path}/:volume/extend`,
    action: 'volume-extend',
    identifier: 'volume',
    body: extendRequest,
    answer: ({ org, app: name, parameter, body }) => {
      const volume = findApp(context, { name, org }).volumes.get(parameter('volume'));
      if (volume === undefined) throw notFound('volume');
      if (body.size_gb <= volume.sizeGb) {
        throw new FlyFailure(400, `volume ${volume.id} has ${volume.sizeGb} GB: it can only be extended`);
      }
      volume.sizeGb = body.size_gb;
      return { status: 200, body: { needs_restart: volume.attachedMachine !== undefined, volume: toWire(volume) } };
    },
  });

  route(server, context, {
    method: 'delete',
    path: `${path}/:volume`,
    action: 'volume-delete',
    identifier: 'volume',
    answer: ({ org, app: name, parameter }) => {
      const app = findApp(context, { name, org });
      const volume = app.volumes.get(parameter('volume'));
      if (volume === undefined) throw notFound('volume');
      if (volume.attachedMachine !== undefined) {
        throw new FlyFailure(412, `volume ${volume.id} is attached to machine ${volume.attachedMachine}`);
      }
      app.volumes.delete(volume.id);
      return { status: 200, body: toWire(volume) };
    },
  });
}

/** @throws {FlyFailure} 400 for a region that there is not, 422 for one without room */
export function checkRegion(context: FlyContext, region: string): void {
  if (!context.regions.includes(region)) throw new FlyFailure(400, `region ${JSON.stringify(region)} not found`);
  if (context.fullRegions.has(region)) {
    throw new FlyFailure(422, `insufficient resources available in ${region} to fulfill request`, {
      word: 'insufficient_capacity',
    });
  }
}

function toWire(volume: FakeVolume): unknown {
  return {
    id: volume.id,
    name: volume.name,
    state: 'created',
    size_gb: volume.sizeGb,
    region: volume.region,
    encrypted: true,
    attached_machine_id: volume.attachedMachine ?? null,
    created_at: volume.createdAt,
    host_status: 'ok',
  };
}
