import type { Logger } from 'pino';
import type { Machine, MachineSpec, Machines, ReadLogsOptions } from '../../ports/machines.ts';
import { checkMachineNames } from '../machine-names.ts';
import { readMessages } from '../select-lines.ts';
import { createSerializer } from '../serialize.ts';
import { ensureAddresses } from './fly-addresses.ts';
import { ensureApp, listApps, removeApp } from './fly-apps.ts';
import { ensureCertificate } from './fly-certificates.ts';
import type { FlyContext } from './fly-context.ts';
import { provideImage } from './fly-image.ts';
import { releaseLease } from './fly-lease.ts';
import { readFlyLogs } from './fly-logs.ts';
import { createMachine, findMachine, listMachines, toMachine, waitForSettled } from './fly-machines.ts';
import { removeMachine } from './fly-remove-machine.ts';
import { setSecrets } from './fly-secrets.ts';
import { ensureVolume, growVolume, takeVolume } from './fly-volumes.ts';
import type { FlyMachine } from './fly-wire.ts';
import { machineConfig } from './machine-config.ts';

/** How long a machine may take until it runs or has ended. */
const settledLimitMs = 5 * 60_000;

/**
 * Machines of Fly.io: an app for each tenant, in a private network of its own, with a shared IPv4 and an own IPv6 address
 * and a volume; a machine for each release that runs. The environment is the app's secrets; a machine that starts again
 * by itself gets those of the newest release. While two releases run beside each other the newer one has a copy of the
 * volume, so that what the older one writes from then on is lost.
 */
export function flyMachines(
  context: FlyContext,
  deps: { readonly logger: Pick<Logger, 'info' | 'warn'>; readonly databaseHost: string },
): Machines {
  const { logger, databaseHost } = deps;
  const inTurn = createSerializer();
  // Looking at a machine may be done five times as often as looking for it.
  const known = new Map<string, string>();

  async function find(appName: string, releaseId: string, signal?: AbortSignal): Promise<FlyMachine | undefined> {
    checkMachineNames({ appName, releaseId });
    const key = `${appName} ${releaseId}`;
    const machineId = known.get(key);
    if (machineId !== undefined) {
      const machine = await findMachine(context, { appName, releaseId, machineId, signal });
      if (machine !== undefined) return machine;
      known.delete(key);
    }
    const [machine] = await listMachines(context, { appName, releaseId, signal });
    if (machine !== undefined) known.set(key, machine.id);
    return machine;
  }

  async function start(spec: MachineSpec, signal: AbortSignal | undefined): Promise<Machine> {
    const { appName, releaseId } = spec;
    const scope = { appName, releaseId, signal };
    signal?.throwIfAborted();
    const there = await find(appName, releaseId, signal);
    const settled = there === undefined ? undefined : await settle({ ...scope, machineId: there.id });
    if (settled !== undefined) {
      const machine = toMachine(context, appName, settled);
      if (machine.state === 'running') return machine;
      // One that has ended was made with the environment of then.
      await remove({ ...scope, machine: settled });
    }
    const image = await provideImage(context, spec, { signal });
    const secretsVersion = await setSecrets(context, { ...scope, env: spec.env });
    const volume = await takeVolume(context, scope);
    const { id: volumeId, region } = volume;
    const reason = await growVolume(context, { ...scope, volume, sizeGb: spec.volumeGb });
    if (reason !== undefined) {
      const facts = { app: appName, release: releaseId, volume: volumeId, sizeGb: spec.volumeGb, reason };
      logger.warn(facts, 'a volume could not be extended: the machine starts with it as it is');
    }
    const config = machineConfig(spec, { image, volumeId, volumePath: context.volumePath });
    const { id: machineId, nonce } = await createMachine(context, { ...scope, spec, region, config, secretsVersion });
    known.set(`${appName} ${releaseId}`, machineId);
    const machine = await settle({ ...scope, machineId });
    if (typeof nonce === 'string') await releaseLease(context, { ...scope, machineId, nonce });
    logger.info({ app: appName, release: releaseId, machine: machineId, region }, 'machine started');
    if (machine === undefined) return { id: machineId, releaseId, state: 'exited' };
    return toMachine(context, appName, machine);
  }

  const settle = (scope: Parameters<typeof findMachine>[1]): Promise<FlyMachine | undefined> =>
    waitForSettled(context, { ...scope, limitMs: settledLimitMs });

  async function remove(scope: Parameters<typeof removeMachine>[1]): Promise<void> {
    await removeMachine(context, scope);
    known.delete(`${scope.appName} ${scope.releaseId}`);
  }

  async function* readLogs(appName: string, releaseId: string, readOptions: ReadLogsOptions = {}) {
    const machine = await find(appName, releaseId);
    if (machine === undefined) return;
    const isOpen = async (): Promise<boolean> => {
      const now = await find(appName, releaseId);
      return now !== undefined && toMachine(context, appName, now).state === 'running';
    };
    yield* readFlyLogs(context, { appName, releaseId, machineId: machine.id, options: readOptions, isOpen });
  }

  return {
    kind: 'fly',
    databaseHost,
    createApp: (app, { signal } = {}) =>
      inTurn(app.appName, async () => {
        const { appName, region, volumeGb, hostname } = app;
        checkMachineNames({ appName });
        const scope = { appName, signal };
        await ensureApp(context, scope);
        await ensureAddresses(context, scope);
        await ensureVolume(context, { ...scope, region, sizeGb: volumeGb });
        // Names below fly.dev have one already.
        if (hostname !== undefined && !hostname.endsWith('.fly.dev'))
          await ensureCertificate(context, { ...scope, hostname });
      }),
    start: (spec, { signal } = {}) => inTurn(spec.appName, () => start(spec, signal)),
    keep: ({ appName, releaseId, env }, { signal } = {}) =>
      inTurn(appName, async () => {
        checkMachineNames({ appName, releaseId });
        await setSecrets(context, { appName, releaseId, env, signal });
      }),
    async find(appName, releaseId) {
      const machine = await find(appName, releaseId);
      return machine === undefined ? undefined : toMachine(context, appName, machine);
    },
    async list(appName) {
      checkMachineNames({ appName });
      return (await listMachines(context, { appName })).map((machine) => toMachine(context, appName, machine));
    },
    listApps: ({ signal } = {}) => listApps(context, { signal }),
    logs: (appName, releaseId, { lines }) => readMessages(readLogs(appName, releaseId, { tail: lines })),
    readLogs,
    stop: (appName, releaseId) =>
      inTurn(appName, async () => {
        const machine = await find(appName, releaseId);
        if (machine === undefined) return;
        await remove({ appName, releaseId, machine });
        logger.info({ app: appName, release: releaseId }, 'machine stopped');
      }),
    removeApp: (appName) =>
      inTurn(appName, async () => {
        checkMachineNames({ appName });
        await removeApp(context, { appName });
        for (const key of known.keys()) if (key.startsWith(`${appName} `)) known.delete(key);
      }),
    async close() {},
  };
}
