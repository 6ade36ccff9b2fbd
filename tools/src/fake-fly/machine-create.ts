import { FlyFailure } from './failure.ts';
import { type FlyContext, isoDate, newId } from './fly-context.ts';
import { newLease } from './leases.ts';
import { launchMachine } from './machine-life.ts';
import type { MachineConfig, MachineRequest } from './machine-schemas.ts';
import type { FakeApp, FakeMachine } from './state.ts';
import { checkRegion } from './volume-routes.ts';

/** Makes a machine, and starts it unless it shall not. */
export async function createMachine(
  context: FlyContext,
  request: { readonly app: FakeApp; readonly org: string; readonly body: MachineRequest },
): Promise<FakeMachine> {
  const { app, org, body } = request;
  const { region = context.regions[0] ?? '', config, skip_launch = false, lease_ttl } = body;
  const id = newId();
  const name = body.name ?? `machine-${id}`;
  const existing = Array.from(app.machines.values()).find((machine) => machine.name === name);
  // Also while it is not seen yet, and when it ended: the name guards against a second one.
  if (existing !== undefined && existing.state !== 'destroyed') {
    throw new FlyFailure(
      409,
      `already_exists: unique machine name violation, machine ID ${existing.id} already exists with name "${name}"`,
    );
  }
  checkRegion(context, region);
  await checkImage(context, config.image);
  if ((body.min_secrets_version ?? 0) > app.secretsVersion)
    throw new FlyFailure(412, 'secrets version is not there yet');
  const volume = findMountedVolume(app, { config, region });
  const now = context.now();
  const machine: FakeMachine = {
    id,
    name,
    region,
    createdAt: isoDate(now),
    visibleAt: now + context.lagMs,
    privateIp: `fdaa:0:1::${newId('', 2)}`,
    instanceId: newId('01', 12).toUpperCase(),
    config,
    state: 'created',
    launch: Promise.resolve(),
    address: undefined,
    lease: lease_ttl === undefined ? undefined : newLease(context, { ttl: lease_ttl, description: '', org }),
    events: [],
  };
  app.machines.set(id, machine);
  if (volume !== undefined) volume.attachedMachine = id;
  if (!skip_launch) launchMachine(context, app, machine);
  return machine;
}

function findMountedVolume(app: FakeApp, request: { readonly config: MachineConfig; readonly region: string }) {
  const id = request.config.mounts?.[0]?.volume;
  if (id === undefined) return undefined;
  const volume = app.volumes.get(id);
  if (volume === undefined) throw new FlyFailure(400, `volume ${id} not found`);
  if (volume.region !== request.region) throw new FlyFailure(400, `volume ${id} is in ${volume.region}`);
  if (volume.attachedMachine !== undefined) {
    throw new FlyFailure(409, `volume ${id} is attached to machine ${volume.attachedMachine}`);
  }
  return volume;
}

/** @throws {FlyFailure} 400 for an image that is not in Fly's registry */
async function checkImage(context: FlyContext, image: string): Promise<void> {
  const registry = context.registry();
  const [, repository = '', reference = ''] =
    /^\/([^@]+?)[@:](sha256:.+|[^:/]+)$/.exec(image.slice(registry.length)) ?? [];
  const known = image.startsWith(`${registry}/`) && (await context.hasImage(repository, reference));
  if (!known) throw new FlyFailure(400, `failed to get manifest ${image}: not found`);
}
