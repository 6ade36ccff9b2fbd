import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import pino from 'pino';
import { afterAll, beforeAll, expect, type TestContext, test, vi } from 'vitest';
import { detectDocker } from '../src/machines/detect.ts';
import { createDockerMachines } from '../src/machines/docker.ts';
import { createDockerRun, type RunDocker } from '../src/machines/docker-command.ts';
import { findKeptPorts } from '../src/machines/docker-containers.ts';
import { writeBaseImage } from './base-image-for-docker.ts';
import { pushMachineImage } from './machine-image.ts';
import { askFacts, machinesSuite } from './machines.suite.ts';
import { type RegistryFixture, startRegistry } from './machines-fixture.ts';

let scratch: string;
let registry: RegistryFixture | undefined;

beforeAll(async () => {
  if (!(await detectDocker()).available) return;
  scratch = await mkdtemp(join(tmpdir(), 'sp-base-'));
  registry = await startRegistry({ base: await writeBaseImage(join(scratch, 'base')) });
});

afterAll(async () => {
  if (registry === undefined) return;
  await registry[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
  for (const digest of [registry.digest, registry.brokenDigest]) {
    await execa('docker', ['image', 'rm', `${registry.registry}/systemprompt-images@${digest}`], { reject: false });
  }
});

function need(context: TestContext): RegistryFixture {
  if (registry !== undefined) return registry;
  if ((process.env['SP_REQUIRE'] ?? '').includes('docker')) throw new Error('no Docker engine answers');
  context.skip('needs docker');
  throw new Error('unreachable');
}

const open = (fixture: RegistryFixture) =>
  createDockerMachines({ images: fixture.images, registry: fixture.registry, logger: pino({ enabled: false }) });

machinesSuite('docker', {
  prepare: async (context) => {
    const fixture = need(context);
    const visible = async ({ id }: { readonly id: string }) =>
      (await execa('docker', ['inspect', '--format', '{{json .Path}} {{json .Args}} {{json .Config.Labels}}', id]))
        .stdout;
    return { ...fixture, machines: open(fixture), visibleArguments: visible };
  },
});

test('docker: a machine is confined, and reaches this computer', async (context) => {
  const fixture = need(context);
  const machines = open(fixture);
  const spec = {
    appName: 'sp-test-confined',
    tenantId: fixture.tenantId,
    releaseId: '00000000-aaaa-4aaa-8aaa-000000000001',
    image: { repository: 'systemprompt-images', digest: fixture.digest },
    env: {},
    memoryMb: 192,
    volumeGb: 1,
  };
  context.onTestFinished(() => machines.removeApp(spec.appName));
  const { id } = await machines.start(spec);
  const { stdout } = await execa('docker', ['inspect', '--format', '{{json .HostConfig}}', id]);
  expect(JSON.parse(stdout)).toMatchObject({
    Memory: 192 * 1024 ** 2,
    MemorySwap: 192 * 1024 ** 2,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    PidsLimit: 512,
    PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1' }] },
  });
  const lookUp =
    "require('node:dns').lookup('host.docker.internal', (error, address) => console.log(error ?? address))";
  const found = await execa('docker', ['exec', id, 'node', '-e', lookUp]);
  expect(found.stdout).toBe((await detectDocker()).gateway);
  const user = await execa('docker', ['exec', id, 'node', '-p', 'process.getuid()']);
  expect(user.stdout).toBe('1000');
});

test("docker: a machine does not reach another tenant's", async (context) => {
  const fixture = need(context);
  const machines = open(fixture);
  const start = async (appName: string) => {
    context.onTestFinished(() => machines.removeApp(appName));
    return await machines.start({
      appName,
      tenantId: fixture.tenantId,
      releaseId: '00000000-aaaa-4aaa-8aaa-000000000003',
      image: { repository: 'systemprompt-images', digest: fixture.digest },
      env: { PORT: '8080', HOST: '0.0.0.0' },
      memoryMb: 192,
      volumeGb: 1,
    });
  };
  const mine = await start('sp-test-mine');
  const theirs = await start('sp-test-theirs');
  await vi.waitFor(async () => expect((await fetch(`http://${theirs.address}/`)).status).toBe(200), {
    timeout: 90_000,
  });
  const addresses = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
  const { stdout: address } = await execa('docker', ['inspect', '--format', addresses, theirs.id]);
  const ask = (host: string) =>
    `fetch('http://${host}:8080/', { signal: AbortSignal.timeout(3000) }).then(({ status }) => console.log(status), ({ name, cause }) => console.log(cause?.code ?? name))`;
  const within = (id: string, host: string) => execa('docker', ['exec', id, 'node', '-e', ask(host)]);
  expect((await within(theirs.id, address)).stdout).toBe('200');
  expect((await within(mine.id, address)).stdout).toMatch(
    /TimeoutError|UND_ERR_CONNECT_TIMEOUT|EHOSTUNREACH|ECONNREFUSED/,
  );
});

test("docker: another tenant's image cannot be started, and no login stays on disk", async (context) => {
  const fixture = need(context);
  const { images, tenantId, directory } = fixture;
  const base = join(scratch, 'base');
  // One that the engine does not have yet under any name, so it has to be pulled with the tenant's own login.
  const command = ['/app/bin/server.mjs', 'never pulled'];
  const digest = await pushMachineImage({ images, tenantId, directory: join(directory, 'other'), base, command });
  const temporary = await mkdtemp(join(scratch, 'tmp-'));
  vi.stubEnv('TMPDIR', temporary);
  context.onTestFinished(() => void vi.unstubAllEnvs());
  const machines = open(fixture);
  const start = machines.start({
    appName: 'sp-test-thief',
    tenantId: '00000000-bbbb-4bbb-8bbb-000000000002',
    releaseId: '00000000-aaaa-4aaa-8aaa-000000000002',
    image: { repository: 'systemprompt-images', digest },
    env: {},
    memoryMb: 64,
    volumeGb: 1,
  });
  await expect(start).rejects.toMatchObject({ code: 'SP_MACHINE_DOCKER', step: 'pull' });
  expect(await machines.list('sp-test-thief')).toEqual([]);
  expect(await readdir(temporary)).toEqual([]);
});

test('docker: the images of the current and the previous release stay, older ones go', async (context) => {
  const fixture = need(context);
  const { images, tenantId, directory } = fixture;
  const base = join(scratch, 'base');
  const machines = open(fixture);
  const [appName, otherApp] = ['sp-test-images', 'sp-test-images-other'];
  context.onTestFinished(async () => {
    for (const name of [appName, otherApp]) await machines.removeApp(name);
  });
  const push = (word: string) =>
    pushMachineImage({
      images,
      tenantId,
      directory: join(directory, word),
      base,
      command: ['/app/bin/server.mjs', word],
    });
  const digests = [await push('one'), await push('two'), await push('three'), await push('four')];
  const [one, two] = digests;
  const present = () =>
    Promise.all(
      digests.map(async (digest) => {
        const name = `${fixture.registry}/systemprompt-images@${digest}`;
        return (await execa('docker', ['image', 'inspect', name], { reject: false })).exitCode === 0;
      }),
    );
  const start = async (name: string, digest: (typeof digests)[number] | undefined) => {
    if (digest === undefined) throw new Error('no digest');
    const image = { repository: 'systemprompt-images', digest };
    const spec = { appName: name, tenantId, releaseId: randomUUID(), image, env: {}, memoryMb: 128, volumeGb: 1 };
    await machines.start(spec);
    return async () => await machines.stop(name, spec.releaseId);
  };
  const stopOther = await start(otherApp, two);
  for (const digest of digests.slice(0, 3)) await (await start(appName, digest))();
  expect(await present()).toEqual([false, true, true, false]);
  // The oldest again, as a rollback does, and then a new one.
  const stopOne = await start(appName, one);
  expect(await present()).toEqual([true, true, true, false]);
  await (await start(appName, digests[3]))();
  expect(await present()).toEqual([true, true, false, true]);
  // A container of it is still there.
  await (await start(appName, digests[2]))();
  expect(await present()).toEqual([true, true, true, true]);
  await stopOne();
  expect(await present()).toEqual([false, true, true, true]);
  await stopOther();
  await machines.removeApp(appName);
  expect(await present()).toEqual([false, true, false, false]);
  await machines.removeApp(otherApp);
  expect(await present()).toEqual([false, false, false, false]);
});

test('docker: no client, no engine: not available, and why', async () => {
  expect(await detectDocker({ binary: '/nonexistent/docker' })).toMatchObject({ available: false });
});

test('docker: a port that somebody takes at the last moment is left to them', async (context) => {
  const fixture = need(context);
  const docker = createDockerRun();
  const servers: Server[] = [];
  context.onTestFinished(() => {
    for (const server of servers) server.close();
  });
  const tried: number[] = [];
  const run: RunDocker = async (args, options) => {
    const port = Number(/^127\.0\.0\.1:(\d+):/.exec(args[args.indexOf('--publish') + 1] ?? '')?.[1]);
    if (args[0] === 'run' && tried.push(port) === 1) {
      const server = createServer();
      servers.push(server);
      await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
    }
    return await docker(args, options);
  };
  const machines = createDockerMachines({
    images: fixture.images,
    registry: fixture.registry,
    logger: pino({ enabled: false }),
    run,
  });
  const spec = {
    appName: 'sp-test-port-taken',
    tenantId: fixture.tenantId,
    releaseId: '00000000-bbbb-4bbb-8bbb-000000000001',
    image: { repository: 'systemprompt-images', digest: fixture.digest },
    env: {},
    memoryMb: 192,
    volumeGb: 1,
  };
  context.onTestFinished(() => machines.removeApp(spec.appName));
  const machine = await machines.start(spec);
  expect(tried).toHaveLength(2);
  expect(machine).toMatchObject({ state: 'running', address: `127.0.0.1:${tried[1]}` });
  expect(await machines.list(spec.appName)).toEqual([machine]);
  await askFacts(machine);
  // It stays its own, also while it does not run.
  await docker(['kill', machine.id]);
  expect(await findKeptPorts(docker, spec)).toContain(tried[1]);
});
