import { appUrl, type FlyContext, type FlyScope } from './fly-context.ts';
import { withLease } from './fly-lease.ts';
import { findMachine, waitForState } from './fly-machines.ts';
import { leaveVolume } from './fly-volumes.ts';
import { anything, type FlyMachine } from './fly-wire.ts';

/** Longer than the machine is given to end by itself. */
const stopLimitMs = 20_000;
const destroyLimitMs = 20_000;

/** Ends a machine under a lease, and its volume unless it is the app's last one. */
export async function removeMachine(
  context: FlyContext,
  scope: FlyScope & { readonly machine: FlyMachine },
): Promise<void> {
  const { appName, releaseId, machine, signal } = scope;
  const { id: machineId } = machine;
  const url = `${appUrl(context, appName)}/machines/${machineId}`;
  const facts = { appName, releaseId, identifier: machineId, answer: anything, missing: 'absent', signal } as const;
  await withLease(context, { appName, releaseId, machineId, signal }, async (nonce) => {
    if (!['stopped', 'failed'].includes(machine.state)) {
      const body = { signal: 'SIGTERM', timeout: '5s' };
      await context.api
        .call({ ...facts, action: 'machine-stop', method: 'POST', url: `${url}/stop`, body, nonce })
        // It ends with the machine.
        .catch(() => undefined);
      signal?.throwIfAborted();
      const instanceId = machine.instance_id ?? undefined;
      await waitForState(context, {
        appName,
        releaseId,
        machineId,
        signal,
        state: 'stopped',
        instanceId,
        limitMs: stopLimitMs,
      });
    }
    const query = { force: 'true' };
    await context.api.call({ ...facts, action: 'machine-delete', method: 'DELETE', url, query, nonce });
  });
  if ((await findMachine(context, { appName, releaseId, machineId, signal })) !== undefined) {
    await waitForState(context, { appName, releaseId, machineId, signal, state: 'destroyed', limitMs: destroyLimitMs });
  }
  const volumeId = machine.config?.mounts?.[0]?.volume;
  if (typeof volumeId === 'string') await leaveVolume(context, { appName, releaseId, id: volumeId, signal });
}
