import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Digest } from '@sp/oci';
import { expect, type TestContext, test } from 'vitest';
import type { LogLine, Machine, MachineSpec, Machines } from '../src/ports/machines.ts';
import type { MachineFacts } from './machine-image.ts';

/** What the suite needs to know of a driver. */
export interface MachinesFixture {
  readonly machines: Machines;
  readonly tenantId: string;
  readonly digest: Digest;
  /** An image whose command does not exist. */
  readonly brokenDigest: Digest;
  /** Everything that can be seen of the machine from outside without being its owner: arguments and the like. */
  visibleArguments(machine: Machine): Promise<string>;
  /** The size of the machine's volume, where machines have one. */
  volumeGb?(machine: Machine): number | undefined;
}

const secret = 'planted secret with "quotes", $dollars and = signs';
const key = '-----BEGIN KEY-----\nplanted-line-1\nplanted-line-2\n-----END KEY-----\n';

/** What every driver of {@link Machines} has to do. */
export function machinesSuite(
  name: string,
  options: {
    readonly prepare: (context: TestContext) => Promise<MachinesFixture>;
    /** Where apps are made. @defaultValue 'local' */
    readonly region?: string;
  },
): void {
  const { region = 'local' } = options;
  const begin = async (context: TestContext) => {
    const fixture = await options.prepare(context);
    const appName = `sp-test-${randomUUID().slice(0, 8)}`;
    const { machines, tenantId, digest } = fixture;
    await machines.createApp({ appName, tenantId, region, volumeGb: 1 });
    context.onTestFinished(() => machines.removeApp(appName));
    const spec = (changes: Partial<MachineSpec> = {}): MachineSpec => ({
      appName,
      tenantId,
      releaseId: randomUUID(),
      image: { repository: 'systemprompt-images', digest },
      env: { GREETING: 'hello', JWT_SECRET: secret, SIGNING_KEY: key },
      memoryMb: 256,
      volumeGb: 1,
      ...changes,
    });
    return { ...fixture, appName, spec };
  };

  test(`${name}: a machine runs, answers, is known by its release and stops`, async (context) => {
    const { machines, appName, spec, visibleArguments } = await begin(context);
    const wanted = spec();
    const machine = await machines.start(wanted);
    expect(machine).toMatchObject({ releaseId: wanted.releaseId, state: 'running' });
    const facts = await askFacts(machine);
    expect(facts.env).toMatchObject({ GREETING: 'hello', JWT_SECRET: secret, SIGNING_KEY: key });
    expect(facts.services).toBe(true);

    const again = await machines.start(wanted);
    expect(again).toEqual(await machines.find(appName, wanted.releaseId));
    expect((await askFacts(again)).pid).toBe(facts.pid);
    expect(await machines.list(appName)).toHaveLength(1);

    expect(await machines.logs(appName, wanted.releaseId, { lines: 20 })).toContain('listening');
    const visible = await visibleArguments(machine);
    expect(visible).toContain('server.mjs');
    expect(visible).not.toMatch(/planted/);

    await machines.stop(appName, wanted.releaseId);
    expect(await machines.list(appName)).toEqual([]);
    expect(await machines.find(appName, wanted.releaseId)).toBeUndefined();
    await expect(fetch(`http://${machine.address}/facts`)).rejects.toThrow();
    // Repeating it is fine.
    await machines.stop(appName, wanted.releaseId);
  });

  test(`${name}: two starts of a release at the same time are one machine`, async (context) => {
    const { machines, appName, spec } = await begin(context);
    const wanted = spec();
    const [first, second] = await Promise.all([machines.start(wanted), machines.start(wanted)]);
    expect(second?.id).toBe(first?.id);
    expect(await machines.list(appName)).toHaveLength(1);
  });

  test(`${name}: two releases run beside each other`, async (context) => {
    const { machines, appName, spec } = await begin(context);
    const [older, newer] = [spec(), spec({ env: { GREETING: 'new' } })];
    const first = await machines.start(older);
    const second = await machines.start(newer);
    expect((await askFacts(first)).env['GREETING']).toBe('hello');
    expect((await askFacts(second)).env['GREETING']).toBe('new');
    await machines.stop(appName, older.releaseId);
    expect(await machines.list(appName)).toMatchObject([{ releaseId: newer.releaseId, state: 'running' }]);
    expect((await askFacts(second)).env['GREETING']).toBe('new');
  });

  test(`${name}: a volume grows with the release that asks for more, and never shrinks`, async (context) => {
    const { machines, appName, spec, volumeGb } = await begin(context);
    const sizes = async (wanted: MachineSpec): Promise<number | undefined> => {
      const machine = await machines.start(wanted);
      expect((await askFacts(machine)).env['GREETING']).toBe('hello');
      return volumeGb === undefined ? wanted.volumeGb : volumeGb(machine);
    };
    const older = spec();
    expect(await sizes(older)).toBe(1);
    // Beside the older one, and then without another.
    const larger = spec({ volumeGb: 3 });
    expect(await sizes(larger)).toBe(3);
    await machines.stop(appName, older.releaseId);
    await machines.stop(appName, larger.releaseId);
    expect(await sizes({ ...larger, volumeGb: 5 })).toBe(5);
    await machines.stop(appName, larger.releaseId);
    const smaller = spec();
    expect(await sizes(smaller)).toBe(volumeGb === undefined ? 1 : 5);
  });

  test(`${name}: a machine that ends is reported with its code and its last words`, async (context) => {
    const { machines, appName, spec } = await begin(context);
    const wanted = spec({ env: { CRASH: '7' } });
    await machines.start(wanted);
    const followed = readAll(machines.readLogs(appName, wanted.releaseId, { follow: true }));
    const ended = await waitForExit(machines, wanted);
    expect(ended).toMatchObject({ state: 'exited', exitCode: 7 });
    // Over its restarts, until it has ended.
    expect((await followed).map(({ message }) => message).filter((line) => line === 'going down')).toHaveLength(4);
    expect(ended.address).toBeUndefined();
    const log = await machines.logs(appName, wanted.releaseId, { lines: 2 });
    // Two streams: which of their lines came first is not told for certain.
    expect(log.toSorted()).toEqual(['going down', 'with 7']);
    // It was given three more chances, and no fourth.
    const all = await machines.logs(appName, wanted.releaseId, { lines: 100 });
    expect(all.filter((line) => line === 'going down')).toHaveLength(4);
    // Started again it gets the environment of now.
    const restarted = await machines.start({ ...wanted, env: {} });
    expect((await askFacts(restarted)).env['CRASH']).toBeUndefined();
  });

  test(`${name}: output is read with its times and streams, from the end or from a time, and followed`, async (context) => {
    const { machines, appName, spec } = await begin(context);
    const wanted = spec();
    const machine = await machines.start(wanted);
    await askFacts(machine);
    await say(machine, 'out', 'first');
    await waitForLine(machines, wanted, 'first');
    await say(machine, 'err', 'second');
    await waitForLine(machines, wanted, 'second');
    const history = await readAll(machines.readLogs(appName, wanted.releaseId));
    expect(history.map(({ stream, message }) => `${stream} ${message}`)).toEqual([
      'stdout listening',
      'stdout first',
      'stderr second',
    ]);
    const times = history.map(({ time }) => Date.parse(time));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(Math.abs(Date.now() - (times[0] ?? 0))).toBeLessThan(120_000);
    const last = await readAll(machines.readLogs(appName, wanted.releaseId, { tail: 1 }));
    expect(last).toEqual(history.slice(-1));
    expect(await readAll(machines.readLogs(appName, wanted.releaseId, { tail: 0 }))).toEqual([]);
    const since = new Date(Math.max(...times) + 1);
    expect(await readAll(machines.readLogs(appName, wanted.releaseId, { since }))).toEqual([]);

    const leave = new AbortController();
    const followed = machines.readLogs(appName, wanted.releaseId, { tail: 1, follow: true, signal: leave.signal });
    const lines = followed[Symbol.asyncIterator]();
    expect(await lines.next()).toMatchObject({ value: { message: 'second' } });
    const next = lines.next();
    await say(machine, 'out', 'live');
    expect(await next).toMatchObject({ value: { stream: 'stdout', message: 'live' } });
    const cancelled = lines.next();
    leave.abort();
    expect(await cancelled).toEqual({ done: true, value: undefined });

    const untilEnd = machines.readLogs(appName, wanted.releaseId, { tail: 1, follow: true })[Symbol.asyncIterator]();
    expect(await untilEnd.next()).toMatchObject({ value: { message: 'live' } });
    await machines.stop(appName, wanted.releaseId);
    while ((await untilEnd.next()).done !== true);
    expect(await readAll(machines.readLogs('sp-nobody', randomUUID(), { follow: true }))).toEqual([]);
  });

  test(`${name}: a machine that crashes once answers again where it did before`, async (context) => {
    const { machines, appName, spec } = await begin(context);
    const wanted = spec();
    const machine = await machines.start(wanted);
    const { startedAt } = await askFacts(machine);
    await expect(fetch(`http://${machine.address}/exit?3`)).rejects.toThrow();
    const again = await askFacts(machine);
    expect(again.startedAt).toBeGreaterThan(startedAt);
    expect(again.env['GREETING']).toBe('hello');
    expect(await machines.find(appName, wanted.releaseId)).toMatchObject({
      state: 'running',
      address: machine.address,
    });
  });

  test(`${name}: a machine that takes more than its memory is killed, and starts again`, async (context) => {
    const { machines, appName, spec } = await begin(context);
    const wanted = spec({ memoryMb: 128 });
    const machine = await machines.start(wanted);
    const { startedAt } = await askFacts(machine);
    await expect(fetch(`http://${machine.address}/eat?256`)).rejects.toThrow();
    const again = await askAgain(machines, wanted);
    expect(again.startedAt).toBeGreaterThan(startedAt);
    expect(await machines.list(appName)).toMatchObject([{ releaseId: wanted.releaseId, state: 'running' }]);
  });

  test(`${name}: a command that does not exist is a machine that exited with 127`, async (context) => {
    const { machines, appName, spec, brokenDigest } = await begin(context);
    const wanted = spec({ image: { repository: 'systemprompt-images', digest: brokenDigest } });
    await machines.start(wanted);
    expect(await waitForExit(machines, wanted)).toMatchObject({ state: 'exited', exitCode: 127 });
    expect((await machines.logs(appName, wanted.releaseId, { lines: 20 })).join('\n')).toContain('/app/bin/missing');
  });

  test(`${name}: what does not exist is absent, and names that are not safe are refused`, async (context) => {
    const { machines, spec } = await begin(context);
    expect(await machines.list('sp-nobody')).toEqual([]);
    expect(await machines.find('sp-nobody', randomUUID())).toBeUndefined();
    expect(await machines.logs('sp-nobody', randomUUID(), { lines: 5 })).toEqual([]);
    await expect(machines.find('../elsewhere', randomUUID())).rejects.toMatchObject({ code: 'SP_MACHINE_SPEC' });
    await expect(machines.start(spec({ releaseId: '../../x' }))).rejects.toMatchObject({ code: 'SP_MACHINE_SPEC' });
  });

  test(`${name}: an app is removed with all its machines, and what is not there is no error`, async (context) => {
    const { machines, appName, tenantId, spec } = await begin(context);
    const [first, second] = [spec(), spec()];
    const started = [await machines.start(first), await machines.start(second)];
    await Promise.all(started.map((machine) => askFacts(machine)));
    await machines.removeApp(appName);
    expect(await machines.list(appName)).toEqual([]);
    for (const { address } of started) await expect(fetch(`http://${address}/facts`)).rejects.toThrow();
    expect(await machines.logs(appName, first.releaseId, { lines: 5 })).toEqual([]);
    await machines.removeApp(appName);
    await expect(machines.removeApp('../elsewhere')).rejects.toMatchObject({ code: 'SP_MACHINE_SPEC' });
    await machines.createApp({ appName, tenantId, region, volumeGb: 1 });
    expect((await askFacts(await machines.start(second))).services).toBe(true);
  });

  test(`${name}: all apps are listed, until they are removed`, async (context) => {
    const { machines, appName, tenantId, spec } = await begin(context);
    const other = `${appName}-2`;
    await machines.createApp({ appName: other, tenantId, region, volumeGb: 1 });
    context.onTestFinished(() => machines.removeApp(other));
    await machines.start(spec());
    await machines.start(spec({ appName: other }));
    await machines.start(spec());
    const listed = async () => (await machines.listApps()).filter((name) => name.startsWith(appName));
    expect(await listed()).toEqual([appName, other]);
    await machines.removeApp(other);
    expect(await listed()).toEqual([appName]);
  });

  test(`${name}: a start that is cancelled leaves no machine`, async (context) => {
    const { machines, appName, spec } = await begin(context);
    await expect(machines.start(spec(), { signal: AbortSignal.abort() })).rejects.toThrow();
    expect(await machines.list(appName)).toEqual([]);
  });
}

/** Asks a machine that is starting again; where it is reached may have changed. */
async function askAgain(machines: Machines, { appName, releaseId }: MachineSpec): Promise<MachineFacts> {
  for (;;) {
    const machine = await machines.find(appName, releaseId);
    if (machine?.state !== 'running') throw new Error(`The machine is not running: ${machine?.exitCode}`);
    const facts = machine.address === undefined ? undefined : await askFacts(machine, 1).catch(() => undefined);
    if (facts !== undefined) return facts;
    await delay(50);
  }
}

/** Makes the machine write a line. */
export async function say({ address }: Machine, stream: 'out' | 'err', text: string): Promise<void> {
  await fetch(`http://${address}/say-${stream}?${text}`);
}

async function waitForLine(machines: Machines, { appName, releaseId }: MachineSpec, line: string): Promise<void> {
  while (!(await machines.logs(appName, releaseId, { lines: 1 })).includes(line)) await delay(20);
}

async function readAll(lines: AsyncIterable<LogLine>): Promise<LogLine[]> {
  const all: LogLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

/** What the machine tells about itself, as soon as it answers. */
export async function askFacts({ address }: Machine, attempts = 600): Promise<MachineFacts> {
  let failure: unknown;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    try {
      const response = await fetch(`http://${address}/facts`, { signal: AbortSignal.timeout(5000) });
      return (await response.json()) as MachineFacts;
    } catch (error) {
      failure = error;
      if (address === undefined) break;
      await delay(attempt < 20 ? 50 : 200);
    }
  }
  throw failure;
}

/** Waits until a machine has ended; the test's own time limit ends this. */
export async function waitForExit(machines: Machines, spec: MachineSpec): Promise<Machine> {
  for (;;) {
    const machine = await machines.find(spec.appName, spec.releaseId);
    if (machine?.state === 'exited') return machine;
    await delay(50);
  }
}
