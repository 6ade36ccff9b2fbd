import * as z from 'zod/mini';
import type { Machine } from '../ports/machines.ts';
import { dockerFailure, type RunDocker } from './docker-command.ts';

/** Labels by which the containers of a tenant are found again. */
export const appLabel = 'io.systemprompt.app';
export const releaseLabel = 'io.systemprompt.release';
/** Whose they are, where several control planes share an engine: the address of the registry. */
export const ownerLabel = 'io.systemprompt.owner';

/** The port that every tenant image listens on. */
export const machinePort = 8080;

/** A machine and what only its container tells. */
export interface Container {
  readonly machine: Machine;
  readonly imageId: string;
  /** Why the engine could not start it. */
  readonly failure?: string | undefined;
}

// Only these parts: the rest of an inspection holds the environment.
const format =
  '{"id":{{json .Id}},"image":{{json .Image}},"labels":{{json .Config.Labels}},"state":{{json .State}},"bindings":{{json .HostConfig.PortBindings}},"ports":{{json .NetworkSettings.Ports}}}';

const portsSchema = z.nullish(
  z.record(z.string(), z.nullish(z.array(z.object({ HostIp: z.nullish(z.string()), HostPort: z.string() })))),
);

const containerSchema = z.object({
  id: z.string(),
  image: z.string(),
  labels: z.record(z.string(), z.string()),
  state: z.object({ Status: z.string(), ExitCode: z.number(), Error: z.nullish(z.string()) }),
  bindings: portsSchema,
  ports: portsSchema,
});

/** The containers of an app, or of one release of it, in any state. */
export async function findContainers(
  run: RunDocker,
  marker: { readonly appName: string; readonly releaseId?: string | undefined },
): Promise<readonly Container[]> {
  const { appName, releaseId } = marker;
  const filters = [`label=${appLabel}=${appName}`];
  if (releaseId !== undefined) filters.push(`label=${releaseLabel}=${releaseId}`);
  return (await inspectContainers(run, { ...marker, filters, format })).map(toContainer);
}

/**
 * The ports of 127.0.0.1 that containers of any control plane have for good, running or not: the engine gives them back to
 * a container that starts again.
 */
export async function findKeptPorts(run: RunDocker, marker: { readonly appName: string }): Promise<readonly number[]> {
  const asked = { ...marker, filters: [`label=${appLabel}`], format: '{{json .HostConfig.PortBindings}}' };
  const all = (await inspectContainers(run, asked)).map((line) => portsSchema.parse(JSON.parse(line)));
  return all.flatMap((ports) => Object.values(ports ?? {}).flatMap((bound) => (bound ?? []).map(toPort)));
}

/** What the engine says of the containers with some labels, a line for each. */
async function inspectContainers(
  run: RunDocker,
  asked: { readonly appName: string; readonly releaseId?: string | undefined } & {
    readonly filters: readonly string[];
    readonly format: string;
  },
): Promise<readonly string[]> {
  const { filters, format, appName, releaseId } = asked;
  const facts = { appName, releaseId };
  const listed = await run([
    'ps',
    '--all',
    '--quiet',
    '--no-trunc',
    ...filters.flatMap((filter) => ['--filter', filter]),
  ]);
  if (listed.exitCode !== 0) throw dockerFailure(listed, { step: 'ps', ...facts });
  const ids = listed.stdout.split('\n').filter((id) => id !== '');
  if (ids.length === 0) return [];
  const inspected = await run(['inspect', '--type', 'container', '--format', format, ...ids]);
  // One that was removed in between makes the command fail, but the others are there.
  const gone = /no such (container|object)/i.test(inspected.stderr);
  if (inspected.exitCode !== 0 && !gone) throw dockerFailure(inspected, { step: 'inspect', ...facts });
  return inspected.stdout.split('\n').filter((line) => line.startsWith('{'));
}

/** The apps of which one control plane has containers, in any state. */
export async function findApps(
  run: RunDocker,
  { owner, signal }: { readonly owner: string; readonly signal?: AbortSignal | undefined },
): Promise<readonly string[]> {
  const args = ['ps', '--all', '--filter', `label=${ownerLabel}=${owner}`, '--format', `{{.Label "${appLabel}"}}`];
  const listed = await run(args, { signal });
  if (listed.exitCode !== 0) throw dockerFailure(listed, { step: 'ps', appName: 'all apps' });
  return [...new Set(listed.stdout.split('\n').filter((name) => name !== ''))].sort();
}

function toContainer(line: string): Container {
  const { id, image: imageId, labels, state, bindings, ports } = containerSchema.parse(JSON.parse(line));
  const releaseId = labels[releaseLabel] ?? '';
  const failure = state.Error || undefined;
  if (['running', 'restarting', 'paused'].includes(state.Status)) {
    // Its own port, which it also has while it starts again; what was made without one has another each time.
    const port = [bindings, ports]
      .flatMap((all) => all?.[`${machinePort}/tcp`] ?? [])
      .filter(({ HostIp }) => HostIp === '127.0.0.1')
      .map(toPort)
      .find((number) => number > 0);
    const address = port === undefined ? undefined : `127.0.0.1:${port}`;
    return { machine: { id, releaseId, state: 'running', address }, imageId, failure };
  }
  return { machine: { id, releaseId, state: 'exited', exitCode: state.ExitCode }, imageId, failure };
}

function toPort({ HostPort }: { readonly HostPort: string }): number {
  return Number(HostPort);
}
