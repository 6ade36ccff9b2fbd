import * as z from 'zod/mini';
import type { Machine, MachineSpec } from '../../ports/machines.ts';
import { MachineError } from '../machine-error.ts';
import type { FlyCall } from './fly-api.ts';
import { appUrl, type FlyContext, type FlyScope, releaseKey, releaseOf } from './fly-context.ts';
import { leaseSeconds } from './fly-lease.ts';
import { anything, exitCodeOf, type FlyMachine, machineSchema } from './fly-wire.ts';
import { makeOnce } from './make-once.ts';

const ended = ['stopped', 'failed', 'suspended'];
const gone = ['destroyed', 'destroying', 'replaced', 'migrated'];
const waitSeconds = 30;

/** The app's machines, or those of one release; an app that is not there has none. */
export async function listMachines(context: FlyContext, scope: FlyScope): Promise<readonly FlyMachine[]> {
  const { appName, releaseId, signal } = scope;
  const url = `${appUrl(context, appName)}/machines`;
  const query = { [`metadata.${releaseKey}`]: releaseId };
  const facts = { action: 'machine-list', appName, releaseId, method: 'GET' } as const;
  const answer = z.array(machineSchema);
  const machines = await context.api.call({ ...facts, url, query, answer, missing: 'absent', signal });
  return (machines ?? []).filter((machine) => !isGone(machine) && releaseOf(machine) !== undefined);
}

/** A machine by its id. */
export async function findMachine(
  context: FlyContext,
  scope: FlyScope & { readonly machineId: string },
): Promise<FlyMachine | undefined> {
  const { appName, releaseId, machineId, signal } = scope;
  const url = `${appUrl(context, appName)}/machines/${machineId}`;
  const facts = { action: 'machine-get', appName, releaseId, method: 'GET', identifier: machineId } as const;
  const machine = await context.api.call({ ...facts, url, answer: machineSchema, missing: 'absent', signal });
  return machine === undefined || isGone(machine) ? undefined : machine;
}

/** Makes the release's machine, with a lease on it. Its name keeps it from being made twice. */
export async function createMachine(
  context: FlyContext,
  scope: FlyScope & {
    readonly spec: MachineSpec;
    readonly region: string;
    readonly config: Readonly<Record<string, unknown>>;
    readonly secretsVersion: number | undefined;
  },
): Promise<FlyMachine> {
  const { appName, spec, region, config, secretsVersion, signal } = scope;
  const { releaseId } = spec;
  const url = `${appUrl(context, appName)}/machines`;
  const body = {
    name: `release-${releaseId.toLowerCase()}`.slice(0, 63).replace(/-+$/, ''),
    region,
    config,
    lease_ttl: leaseSeconds,
    ...(secretsVersion === undefined ? {} : { min_secrets_version: secretsVersion }),
  };
  const facts = { action: 'machine-create', appName, releaseId, method: 'POST' } as const;
  const make = (): Promise<FlyMachine> => context.api.call({ ...facts, url, body, answer: machineSchema, signal });
  const find = async (): Promise<FlyMachine | undefined> =>
    (await listMachines(context, { appName, releaseId, signal }))[0];
  return await makeOnce({ find, make, settleMs: context.api.settleMs, signal });
}

/** Waits until the machine runs or has ended; what is new is waited for as well. */
export async function waitForSettled(
  context: FlyContext,
  scope: FlyScope & { readonly machineId: string; readonly limitMs: number },
): Promise<FlyMachine | undefined> {
  await waitForState(context, { ...scope, state: 'settled' });
  return await findMachine(context, scope);
}

/** Waits for a state, or until the time is up. */
export async function waitForState(
  context: FlyContext,
  scope: FlyScope & {
    readonly machineId: string;
    readonly state: 'settled' | 'stopped' | 'destroyed';
    readonly instanceId?: string | undefined;
    readonly limitMs: number;
  },
): Promise<void> {
  const { appName, releaseId, machineId, state, instanceId: instance_id, limitMs, signal } = scope;
  const url = `${appUrl(context, appName)}/machines/${machineId}/wait`;
  const facts = { action: 'machine-wait', appName, releaseId, method: 'GET', identifier: machineId } as const;
  // One that was just made may not be seen yet; one that was just removed may not be seen any more.
  const missing = state === 'settled' ? 'soon' : 'absent';
  const call = { ...facts, url, answer: anything, missing, signal } as FlyCall<unknown> & {
    readonly missing: 'absent';
  };
  const until = performance.now() + limitMs;
  for (let left = limitMs; left > 0; left = until - performance.now()) {
    const seconds = Math.min(waitSeconds, Math.ceil(left / 1000));
    const query = { state, instance_id, timeout: String(seconds) };
    try {
      const patienceMs = seconds * 1000;
      await context.api.call({ ...call, query, patienceMs });
      return;
    } catch (error) {
      signal?.throwIfAborted();
      // It is not there yet.
      if (!(error instanceof MachineError) || error.status !== 408) throw error;
    }
  }
}

export function toMachine(context: FlyContext, appName: string, machine: FlyMachine): Machine {
  const { id, state, checks } = machine;
  const releaseId = releaseOf(machine) ?? '';
  if (ended.includes(state)) return { id, releaseId, state: 'exited', exitCode: exitCodeOf(machine) };
  // No result yet is no success.
  const healthy = state === 'started' && (checks ?? []).length > 0 && (checks ?? []).every(isPassing);
  return { id, releaseId, state: 'running', address: context.addressOf({ appName, id }), healthy };
}

function isPassing({ status }: { readonly status?: string | null | undefined }): boolean {
  return status === 'passing';
}

function isGone({ state }: FlyMachine): boolean {
  return gone.includes(state);
}
