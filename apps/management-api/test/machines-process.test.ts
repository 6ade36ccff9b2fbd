import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProcessMachines } from '../src/machines/process.ts';
import { processStartTime } from '../src/machines/process-life.ts';
import type { MachineSpec } from '../src/ports/machines.ts';
import { lockMachines } from '../src/serve/lock-machines.ts';
import { pushMachineImage } from './machine-image.ts';
import { askFacts, machinesSuite, say, waitForExit } from './machines.suite.ts';
import { type RegistryFixture, startRegistry } from './machines-fixture.ts';

let registry: RegistryFixture;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry[Symbol.asyncDispose]());

const open = () =>
  createProcessMachines({
    directory: join(registry.directory, 'machines'),
    images: registry.images.storage,
    logger: pino({ enabled: false }),
  });

machinesSuite('process', {
  prepare: async () => ({
    ...registry,
    machines: open(),
    // Of its supervisor, which leads the group, and of the machine itself.
    visibleArguments: async (machine) => {
      const { pid } = await askFacts(machine);
      return (await readFile(`/proc/${machine.id}/cmdline`, 'utf8')) + (await readFile(`/proc/${pid}/cmdline`, 'utf8'));
    },
  }),
});

const specFor = (appName: string, changes: Partial<MachineSpec> = {}): MachineSpec => ({
  appName,
  tenantId: registry.tenantId,
  releaseId: randomUUID(),
  image: { repository: 'systemprompt-images', digest: registry.digest },
  env: {},
  memoryMb: 64,
  volumeGb: 1,
  ...changes,
});
const folderOf = ({ appName, releaseId }: MachineSpec) =>
  join(registry.directory, 'machines', appName, 'releases', releaseId);

test('process: paths below /app are the unpacked ones, nothing else of the environment gets in', async (context) => {
  const machines = open();
  const spec = specFor('sp-paths', {
    env: { WEB_DIR: '/app/web', NOTE: 'see /app/web', HOST: '0.0.0.0', PORT: '8080' },
  });
  context.onTestFinished(() => machines.stop(spec.appName, spec.releaseId));
  const app = join(folderOf(spec), 'rootfs', 'app');
  const machine = await machines.start(spec);
  const { env, cwd, argv } = await askFacts(machine);
  expect(cwd).toBe(app);
  expect(argv).toEqual(['--services', join(app, 'services')]);
  expect(env).toMatchObject({ WEB_DIR: join(app, 'web'), SERVICES: join(app, 'services'), NOTE: 'see /app/web' });
  expect(env).toMatchObject({ HOST: '127.0.0.1', PORT: machine.address?.split(':')[1] });
  expect(env['PATH']?.split(':').slice(0, 2)).toEqual([join(app, 'bin'), '/usr/local/bin']);
  expect(env['PATH']?.split(':')).toContain(dirname(process.execPath));
  const own = ['HOME', 'TMPDIR', 'PATH', 'HOST', 'PORT', 'SERVICES', 'WEB_DIR', 'NOTE', 'SP_MACHINE_FOLDER'];
  expect(Object.keys(env).toSorted()).toEqual(own.toSorted());
  expect(await readdir(join(folderOf(spec), 'rootfs'))).toEqual(['app']);
});

test('process: a machine and what it starts step back behind the control plane', async (context) => {
  const machines = open();
  const spec = specFor('sp-nice');
  context.onTestFinished(() => machines.stop(spec.appName, spec.releaseId));
  const { pid } = await askFacts(await machines.start(spec));
  expect(getPriority(pid)).toBe(Math.max(getPriority(), 10));
});

test('process: a control plane that starts again finds its machines', async (context) => {
  const spec = specFor('sp-again');
  const machine = await open().start(spec);
  const later = open();
  context.onTestFinished(() => later.stop(spec.appName, spec.releaseId));
  expect(await later.start(spec)).toEqual(machine);
  expect(await later.list(spec.appName)).toEqual([machine]);
});

test('process: a machine that was started but not written down is found by its environment', async (context) => {
  const spec = specFor('sp-unwritten');
  const machines = open();
  context.onTestFinished(() => machines.stop(spec.appName, spec.releaseId));
  const machine = await machines.start(spec);
  // What a control plane leaves behind that is killed between the start and the writing.
  const path = join(folderOf(spec), 'machine.json');
  const { release_id, port } = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ release_id, port }));
  expect(await open().start(spec)).toEqual(machine);
});

test('process: another process with the same number is not taken for the machine', async () => {
  const spec = specFor('sp-reused');
  const machines = open();
  await machines.start(spec);
  const path = join(folderOf(spec), 'machine.json');
  const record = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...record, pid: process.pid }));
  expect(await machines.find(spec.appName, spec.releaseId)).toMatchObject({ state: 'exited' });
  // Must not end this very process.
  await machines.stop(spec.appName, spec.releaseId);
});

test('process: a machine that does not listen to SIGTERM is killed with all its children', async () => {
  const script = `const { spawn } = require('node:child_process');
    process.on('SIGTERM', () => {});
    const child = spawn('sleep', ['600']);
    require('node:http').createServer((q, s) => s.end(JSON.stringify({ pid: child.pid }))).listen(process.env.PORT, '127.0.0.1');`;
  const { images, tenantId, directory } = registry;
  const command = ['node', '-e', script];
  const digest = await pushMachineImage({ images, tenantId, directory: join(directory, 'stubborn'), command });
  const machines = createProcessMachines({
    directory: join(directory, 'machines'),
    images: images.storage,
    logger: pino({ enabled: false }),
    stopGraceMs: 100,
  });
  const spec = specFor('sp-stubborn', { image: { repository: 'systemprompt-images', digest } });
  const { pid } = await askFacts(await machines.start(spec));
  await machines.stop(spec.appName, spec.releaseId);
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone');
  // Without an init process nobody reaps it, so dead is enough.
  expect(state === 'gone' || /\) Z /.test(state)).toBe(true);
});

test('process: machines of a control plane that was killed end when no other comes', async (context) => {
  const directory = join(registry.directory, 'orphans');
  const { images } = registry;
  const logger = pino({ enabled: false });
  const machines = createProcessMachines({ directory, images: images.storage, logger, orphanGraceMs: 100 });
  const spec = specFor('sp-orphan');
  context.onTestFinished(() => machines.close());
  const machine = await machines.start(spec);
  // In the place of the control plane, which is the process of this test and is needed.
  const owner = spawn('sleep', ['600']);
  context.onTestFinished(() => void owner.kill('SIGKILL'));
  const stat = await readFile(`/proc/${owner.pid}/stat`, 'utf8');
  const claim = { pid: owner.pid, start_time: stat.split(' ')[21] };
  await writeFile(join(directory, '.owner'), JSON.stringify(claim));
  // Longer than the machine may live without an owner.
  await delay(2500);
  expect(await askFacts(machine)).toMatchObject({ services: true });
  owner.kill('SIGKILL');
  expect(await waitForExit(machines, spec)).toMatchObject({ state: 'exited' });
  await expect(fetch(`http://${machine.address}/facts`)).rejects.toThrow();
});

test('process: a machine whose supervisor was killed leaves nothing behind when it starts again', async (context) => {
  const machines = open();
  const spec = specFor('sp-headless');
  context.onTestFinished(() => machines.stop(spec.appName, spec.releaseId));
  const { pid } = await askFacts(await machines.start(spec));
  process.kill(Number((await machines.find(spec.appName, spec.releaseId))?.id), 'SIGKILL');
  await waitForExit(machines, spec);
  const again = await machines.start(spec);
  expect((await askFacts(again)).pid).not.toBe(pid);
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone');
  expect(state === 'gone' || /\) Z /.test(state)).toBe(true);
});

test('process: what is kept of the output is bounded, and following it misses nothing', async (context) => {
  const { images, directory } = registry;
  const logger = pino({ enabled: false });
  const folder = join(directory, 'chatty');
  const machines = createProcessMachines({ directory: folder, images: images.storage, logger, maxLogBytes: 8192 });
  const spec = specFor('sp-chatty');
  context.onTestFinished(() => machines.close());
  const machine = await machines.start(spec);
  await askFacts(machine);
  const leave = new AbortController();
  const lines = machines.readLogs(spec.appName, spec.releaseId, { follow: true, signal: leave.signal });
  const heard: string[] = [];
  for await (const { message } of lines) {
    heard.push(message);
    if (heard.length > 100) leave.abort();
    // Ten at a time, which is less than what is kept.
    else if (heard.length % 10 === 1) {
      for (let at = 0; at < 10; at += 1) await say(machine, 'out', `${heard.length + at} ${'x'.repeat(300)}`);
    }
  }
  expect(heard.map((line) => line.split(' ')[0])).toEqual([
    'listening',
    ...Array.from({ length: 100 }, (_, at) => `${at + 1}`),
  ]);
  const kept = await machines.logs(spec.appName, spec.releaseId, { lines: 1000 });
  expect(kept.length).toBeGreaterThan(10);
  expect(kept.length).toBeLessThan(30);
  expect(kept.at(-1)).toMatch(/^100 x/);
});

test('process: the current and the previous release stay on disk, older ones go', async () => {
  const machines = open();
  const specs = [specFor('sp-old'), specFor('sp-old'), specFor('sp-old')];
  for (const spec of specs) {
    await machines.start(spec);
    await machines.stop(spec.appName, spec.releaseId);
  }
  const kept = await readdir(join(registry.directory, 'machines', 'sp-old', 'releases'));
  expect(new Set(kept)).toEqual(new Set(specs.slice(1).map(({ releaseId }) => releaseId)));
});

test('process: close ends every machine; a closed machine starts again from its folder', async () => {
  const directory = join(registry.directory, 'closing');
  const machines = createProcessMachines({
    directory,
    images: registry.images.storage,
    logger: pino({ enabled: false }),
  });
  const specs = [specFor('sp-one'), specFor('sp-two')];
  const started = await Promise.all(specs.map((spec) => machines.start(spec)));
  await machines.close();
  for (const machine of started) await expect(fetch(`http://${machine.address}/facts`)).rejects.toThrow();
  for (const spec of specs) expect(await machines.list(spec.appName)).toEqual([]);
  const [spec] = specs as [MachineSpec];
  const again = await machines.start(spec);
  expect((await askFacts(again)).services).toBe(true);
  await machines.close();
});

test('process: close leaves machines alone that this process has not started, or that another has taken over', async (context) => {
  const directory = join(registry.directory, 'taken-over');
  const logger = pino({ enabled: false });
  const openIt = () => createProcessMachines({ directory, images: registry.images.storage, logger });
  const spec = specFor('sp-taken-over');
  const machine = await openIt().start(spec);
  const other = spawn('sleep', ['600']);
  context.onTestFinished(async () => {
    await openIt().stop(spec.appName, spec.releaseId);
    other.kill('SIGKILL');
  });
  const startTime = await processStartTime(other.pid ?? 0);
  await writeFile(join(directory, '.owner'), `${JSON.stringify({ pid: other.pid, start_time: startTime })}\n`);
  // As a second control plane does whose start fails.
  await openIt().close();
  expect((await askFacts(machine)).services).toBe(true);
});

test('process: a folder of machines is looked after by one process', async () => {
  const directory = join(registry.directory, 'locked', 'machines');
  const lock = await lockMachines(directory);
  await expect(lockMachines(directory)).rejects.toMatchObject({ code: 'SP_MACHINES_IN_USE' });
  // Machines of one that was killed do not end, although they are only found and not started.
  expect(JSON.parse(await readFile(join(directory, '.owner'), 'utf8'))).toMatchObject({ pid: process.pid });
  await lock.release();
  await (await lockMachines(directory)).release();
});

test('process: an image that is not there is a clear error', async () => {
  const image = { repository: 'systemprompt-images', digest: `sha256:${'0'.repeat(64)}` as const };
  await expect(open().start(specFor('sp-none', { image }))).rejects.toMatchObject({
    code: 'SP_MACHINE_IMAGE',
    appName: 'sp-none',
    reason: expect.stringContaining('no image'),
  });
  // Another tenant's is not there either.
  const foreign = specFor('sp-none', { tenantId: randomUUID() });
  await expect(open().start(foreign)).rejects.toMatchObject({ code: 'SP_MACHINE_IMAGE' });
});
