import { setTimeout as delay } from 'node:timers/promises';
import { type FlyContext, newId } from './fly-context.ts';
import type { FakeApp, FakeEvent, FakeMachine } from './state.ts';

/** Starts a machine; it goes on in the background, as at Fly. */
export function launchMachine(context: FlyContext, app: FakeApp, machine: FakeMachine): void {
  const { runner, startMs } = context;
  const { config } = machine;
  machine.state = 'starting';
  addEvent(context, machine, { type: 'start', status: 'starting', source: 'user' });
  const secrets = Object.fromEntries(Array.from(app.secrets, ([name, { value }]) => [name, value]));
  const run = async (): Promise<void> => {
    await delay(startMs);
    const toRun = {
      id: machine.id,
      app: app.name,
      image: config.image,
      env: { ...secrets, ...config.env },
      memoryMb: config.guest?.memory_mb ?? 256,
    };
    const running = await runner?.start(toRun);
    machine.address = running?.address;
    if (machine.state !== 'starting') return;
    machine.state = 'started';
    addEvent(context, machine, { type: 'start', status: 'started', source: 'flyd' });
  };
  machine.launch = run().catch((error: unknown) => {
    machine.state = 'failed';
    const reason = error instanceof Error ? error.message : 'unknown failure';
    addEvent(context, machine, { type: 'launch', status: 'failed', source: 'flyd', request: { error: reason } });
  });
}

/** Looks whether a machine that was started has ended by itself. */
export async function refreshMachine(context: FlyContext, machine: FakeMachine): Promise<void> {
  if (machine.state !== 'started' || context.runner === undefined) return;
  const seen = await context.runner.look(machine.id);
  if (machine.state !== 'started') return;
  machine.address = seen.address;
  if (seen.running) return;
  machine.state = 'stopped';
  const exit = { exit_code: seen.exitCode ?? -1, oom_killed: seen.exitCode === 137, requested_stop: false };
  addEvent(context, machine, { type: 'exit', status: 'stopped', source: 'flyd', request: { exit_event: exit } });
}

export async function stopMachine(context: FlyContext, machine: FakeMachine): Promise<void> {
  if (machine.state === 'stopped' || machine.state === 'destroyed') return;
  machine.state = 'stopping';
  addEvent(context, machine, { type: 'stop', status: 'stopping', source: 'user' });
  await machine.launch;
  await context.runner?.stop(machine.id);
  machine.state = 'stopped';
  const exit = { exit_code: 0, oom_killed: false, requested_stop: true };
  addEvent(context, machine, { type: 'exit', status: 'stopped', source: 'flyd', request: { exit_event: exit } });
}

export async function destroyMachine(context: FlyContext, app: FakeApp, machine: FakeMachine): Promise<void> {
  await stopMachine(context, machine);
  machine.state = 'destroyed';
  for (const volume of app.volumes.values()) {
    if (volume.attachedMachine === machine.id) volume.attachedMachine = undefined;
  }
}

function addEvent(
  context: FlyContext,
  machine: FakeMachine,
  event: Pick<FakeEvent, 'type' | 'status' | 'source' | 'request'>,
): void {
  // Newest first.
  machine.events.unshift({ id: newId('', 8), timestamp: context.now(), ...event });
}

/** What the checks of a machine say now. */
export async function readChecks(
  machine: FakeMachine,
): Promise<readonly { readonly name: string; readonly status: string; readonly output: string }[]> {
  if (machine.state !== 'started') return [];
  const paths = (machine.config.services ?? []).flatMap(({ checks = [], internal_port }) =>
    checks.map((check, at) => ({
      name: `servicecheck-${String(at).padStart(2, '0')}-${check.type}-${internal_port}`,
      path: check.path,
    })),
  );
  return await Promise.all(
    paths.map(async ({ name, path = '/' }) => {
      if (machine.address === undefined) return { name, status: 'passing', output: '' };
      const answer = await fetch(`http://${machine.address}${path}`, { signal: AbortSignal.timeout(1000) }).catch(
        () => undefined,
      );
      return {
        name,
        status: answer?.ok === true ? 'passing' : 'critical',
        output: String(answer?.status ?? 'no answer'),
      };
    }),
  );
}
