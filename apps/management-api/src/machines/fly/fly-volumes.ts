import * as z from 'zod/mini';
import type { FailureClass } from '../../ports/failure.ts';
import { MachineError } from '../machine-error.ts';
import { appUrl, type FlyContext, type FlyScope } from './fly-context.ts';
import { flyError } from './fly-failure.ts';
import { anything, extendedSchema, type FlyVolume, volumeSchema } from './fly-wire.ts';
import { makeOnce, waitUntil } from './make-once.ts';

/** All volumes of ours have this name: names are not unique at Fly.io, and mark them only. */
const volumeName = 'data';

const refused: readonly (FailureClass | undefined)[] = ['permanent', 'capacity'];

/** Makes the app's volume unless it is there. */
export async function ensureVolume(
  context: FlyContext,
  scope: FlyScope & { readonly region: string; readonly sizeGb: number },
): Promise<void> {
  const { region, sizeGb } = scope;
  const find = async (): Promise<FlyVolume | undefined> => (await listVolumes(context, scope))[0];
  if ((await find()) !== undefined) return;
  const make = (): Promise<FlyVolume> => createVolume(context, scope, { region, size_gb: Math.max(1, sizeGb) });
  const made = await makeOnce({ find, make, settleMs: context.api.settleMs, signal: scope.signal });
  // One that an interrupted attempt made may be seen only now.
  const [, ...spare] = await listWith(context, { ...scope, id: made.id });
  await deleteFree(context, { ...scope, volumes: spare });
}

/**
 * The volume for a new machine. A volume is one machine's at a time: while another release has it, the new one gets a
 * copy, and what the old one writes from then on is not in it.
 */
export async function takeVolume(context: FlyContext, scope: FlyScope): Promise<FlyVolume> {
  const { appName, signal } = scope;
  const volumes = await listVolumes(context, scope);
  const inUse = volumes.filter(isAttached);
  const free = volumes.filter((volume) => !isAttached(volume));
  const source = inUse.at(-1);
  // Beside one that is in use, free ones are left of deploys that were interrupted.
  await deleteFree(context, { ...scope, volumes: source === undefined ? free.slice(0, -1) : free });
  const last = free.at(-1);
  if (source === undefined && last !== undefined) return last;
  if (source === undefined) {
    const reason = 'the app has no volume';
    throw flyError('SP_MACHINE_FLY', { action: 'volume-list', appName, reason, failureClass: 'permanent' });
  }
  const known = new Set(volumes.map(({ id }) => id));
  const find = async (): Promise<FlyVolume | undefined> =>
    (await listVolumes(context, scope)).find((volume) => !isAttached(volume) && !known.has(volume.id));
  const { region, id: source_volume_id } = source;
  const make = (): Promise<FlyVolume> => createVolume(context, scope, { region, source_volume_id });
  return await makeOnce({ find, make, settleMs: context.api.settleMs, signal });
}

/**
 * Extends a volume that is smaller than it should be; one that is larger stays. No machine has it yet, so that the next
 * one finds its file system grown and `needs_restart` is nothing to do. Where Fly.io refuses, or its host has no room, the
 * reason is returned: a tenant with the volume of before is better than none, and the next start tries it again.
 */
export async function growVolume(
  context: FlyContext,
  scope: FlyScope & { readonly volume: FlyVolume; readonly sizeGb: number },
): Promise<string | undefined> {
  const { appName, releaseId, volume, sizeGb, signal } = scope;
  const { id } = volume;
  if (volume.size_gb >= sizeGb) return undefined;
  const url = `${volumesUrl(context, scope)}/${id}/extend`;
  const facts = { action: 'volume-extend', appName, releaseId, method: 'PUT', identifier: id } as const;
  // A size that it has already is refused: what may have been done is looked up before it is asked for again.
  const make = async (): Promise<true> => {
    await context.api.call({ ...facts, url, body: { size_gb: sizeGb }, answer: extendedSchema, signal });
    return true;
  };
  const find = async (): Promise<true | undefined> =>
    (await listVolumes(context, scope)).some((one) => one.id === id && one.size_gb >= sizeGb) ? true : undefined;
  try {
    await makeOnce({ find, make, settleMs: context.api.settleMs, signal });
  } catch (error) {
    if (error instanceof MachineError && refused.includes(error.failureClass)) return error.reason;
    throw error;
  }
  return undefined;
}

/** Deletes the volume that a machine left, unless it is the app's last. */
export async function leaveVolume(context: FlyContext, scope: FlyScope & { readonly id: string }): Promise<void> {
  const volumes = await listVolumes(context, scope);
  if (!volumes.some((volume) => isAttached(volume) && volume.id !== scope.id)) return;
  await deleteFree(context, { ...scope, volumes: volumes.filter((volume) => volume.id === scope.id) });
}

function isAttached({ attached_machine_id: machine }: FlyVolume): boolean {
  return machine !== null && machine !== undefined && machine !== '';
}

function volumesUrl(context: FlyContext, { appName }: FlyScope): string {
  return `${appUrl(context, appName)}/volumes`;
}

/** The app's volumes, the oldest first. */
async function listVolumes(context: FlyContext, scope: FlyScope): Promise<readonly FlyVolume[]> {
  const { appName, releaseId, signal } = scope;
  const url = volumesUrl(context, scope);
  const answer = z.array(volumeSchema);
  const facts = { action: 'volume-list', appName, releaseId, method: 'GET' } as const;
  const volumes = await context.api.call({ ...facts, url, answer, missing: 'soon', signal });
  return volumes
    .filter(({ name }) => name === volumeName)
    .sort((a, b) => (a.created_at ?? '').localeCompare(b.created_at ?? ''));
}

/** The list as soon as it has a volume that was just made. */
async function listWith(context: FlyContext, scope: FlyScope & { readonly id: string }): Promise<readonly FlyVolume[]> {
  const look = async (): Promise<readonly FlyVolume[] | undefined> => {
    const volumes = await listVolumes(context, scope);
    return volumes.some(({ id }) => id === scope.id) ? volumes : undefined;
  };
  return (await waitUntil(look, { settleMs: context.api.settleMs, signal: scope.signal })) ?? [];
}

async function createVolume(
  context: FlyContext,
  scope: FlyScope,
  wanted: Readonly<Record<string, unknown>>,
): Promise<FlyVolume> {
  const { appName, releaseId, signal } = scope;
  const facts = { action: 'volume-create', appName, releaseId, method: 'POST' } as const;
  const body = { name: volumeName, encrypted: true, ...wanted };
  return await context.api.call({ ...facts, url: volumesUrl(context, scope), body, answer: volumeSchema, signal });
}

async function deleteFree(
  context: FlyContext,
  scope: FlyScope & { readonly volumes: readonly FlyVolume[] },
): Promise<void> {
  const { appName, releaseId, signal, volumes } = scope;
  for (const volume of volumes) {
    if (isAttached(volume)) continue;
    const url = `${volumesUrl(context, scope)}/${volume.id}`;
    const facts = { action: 'volume-delete', appName, releaseId, method: 'DELETE', identifier: volume.id } as const;
    await context.api.call({ ...facts, url, answer: anything, missing: 'absent', signal });
  }
}
