import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFly, type FlyOptions } from '../src/machines/fly.ts';
import type { MachineSpec } from '../src/ports/machines.ts';
import { type FakeApp, type FakeFly, type FaultKind, startFakeFly } from './fake-fly.ts';
import { freePort } from './free-port.ts';
import { type RegistryFixture, startRegistry } from './machines-fixture.ts';

const token = 'planted-fly-token';
let registry: RegistryFixture;
let fake: FakeFly;

beforeAll(async () => {
  registry = await startRegistry();
  const tokens = { [token]: 'acme', 'planted-other-token': 'other' };
  fake = await startFakeFly({ tokens, lagMs: 100, startMs: 20, rateFactor: 20 });
});
afterAll(async () => {
  await fake[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

const open = (changes: Partial<FlyOptions> = {}) =>
  createFly({
    token,
    organization: 'acme',
    images: registry.images.storage,
    logger: pino({ enabled: false }),
    databaseHost: 'db.internal',
    machinesUrl: fake.url,
    logsUrl: fake.url,
    registry: fake.registry,
    settleMs: 2000,
    requestTimeoutMs: 1000,
    deadlineMs: 30_000,
    rateFactor: 20,
    ...changes,
  }).machines;

const newApp = () => ({
  appName: `sp-${randomUUID().slice(0, 8)}`,
  tenantId: registry.tenantId,
  region: 'fra',
  volumeGb: 1,
});

const specOf = (appName: string, changes: Partial<MachineSpec> = {}): MachineSpec => ({
  appName,
  tenantId: registry.tenantId,
  releaseId: randomUUID(),
  image: { repository: 'systemprompt-images', digest: registry.digest },
  env: { GREETING: 'planted greeting', FLY_APP_NAME: 'x' },
  memoryMb: 256,
  volumeGb: 1,
  ...changes,
});

/** What the fake has of an app. */
function inventory(appName: string) {
  const app = fake.apps.get(appName) as FakeApp;
  const machines = Array.from(app.machines.values()).filter(({ state }) => state !== 'destroyed');
  const addresses = Array.from(app.addresses.values(), ({ type }) => type).toSorted();
  return { machines: machines.length, volumes: app.volumes.size, addresses };
}
const complete = { volumes: 1, addresses: ['shared_v4', 'v6'] };

test('an app is made once, in a network of its own, however often it is asked for', async () => {
  const app = newApp();
  const machines = open();
  await machines.createApp(app);
  await Promise.all([machines.createApp(app), open().createApp(app)]);
  expect(inventory(app.appName)).toEqual({ ...complete, machines: 0 });
  expect(fake.apps.get(app.appName)?.network).toBe(app.appName);
});

const lost: readonly FaultKind[] = [
  { statusAfterWork: 408 },
  { statusAfterWork: 500 },
  { cut: 'after-work' },
  { hang: 'after-work' },
];
const refused: readonly FaultKind[] = [
  { status: 500 },
  { cut: 'before-work' },
  { status: 429, headers: { 'retry-after': '0' } },
  { status: 429 },
];

test.for(
  ['app-create', 'address-create', 'volume-create'].flatMap((action) =>
    [...lost, ...refused].map((fault) => ({ action, fault })),
  ),
)('$action, $fault: one of everything', { concurrent: true }, async ({ action, fault }) => {
  const app = newApp();
  fake.fail({ action, fault, app: app.appName });
  await open().createApp(app);
  expect(fake.faultsLeft(app.appName)).toBe(0);
  expect(inventory(app.appName)).toEqual({ ...complete, machines: 0 });
});

test.for(
  ['machine-create', 'secret-set', 'machine-wait', 'machine-list', 'volume-extend'].flatMap((action) =>
    [...lost, ...refused].map((fault) => ({ action, fault })),
  ),
)(
  'start with $action, $fault: exactly one machine, with a volume as large as it should be',
  { concurrent: true },
  async ({ action, fault }) => {
    const app = newApp();
    const machines = open();
    await machines.createApp(app);
    fake.fail({ action, fault, app: app.appName });
    const spec = specOf(app.appName, { volumeGb: 2 });
    expect(await machines.start(spec)).toMatchObject({ releaseId: spec.releaseId, state: 'running' });
    expect(inventory(app.appName)).toEqual({ ...complete, machines: 1 });
    expect(Array.from(fake.apps.get(app.appName)?.volumes.values() ?? [], ({ sizeGb }) => sizeGb)).toEqual([2]);
  },
);

test('a volume for which there is no room stays as it is, and is extended at the next start', async () => {
  const app = newApp();
  const machines = open();
  await machines.createApp(app);
  fake.fail({ action: 'volume-extend', fault: { status: 422, word: 'insufficient_capacity' }, app: app.appName });
  const spec = specOf(app.appName, { volumeGb: 2 });
  const sizes = () => Array.from(fake.apps.get(app.appName)?.volumes.values() ?? [], ({ sizeGb }) => sizeGb);
  expect(await machines.start(spec)).toMatchObject({ state: 'running' });
  expect(sizes()).toEqual([1]);
  await machines.stop(app.appName, spec.releaseId);
  expect(await machines.start(spec)).toMatchObject({ state: 'running' });
  expect(sizes()).toEqual([2]);
});

test('a volume that an interrupted attempt made, and that is seen late, is removed again', async () => {
  const app = newApp();
  await open().createApp(app);
  const volumes = fake.apps.get(app.appName)?.volumes as Map<string, unknown>;
  volumes.clear();
  // Two control planes at the same time, of which neither sees what the other one makes.
  await Promise.all([open().createApp(app), open().createApp(app)]);
  await open().createApp(app);
  expect(volumes.size).toBe(1);
});

test('the release is found by its markers, and nothing secret is in the configuration', async () => {
  const app = newApp();
  await open().createApp(app);
  const spec = specOf(app.appName);
  const machine = await open().start(spec);
  expect(await open().find(app.appName, spec.releaseId)).toEqual(machine);
  expect(machine).toMatchObject({ healthy: true, address: `${app.appName}.fly.dev:443` });
  const { machines, secrets } = fake.apps.get(app.appName) as FakeApp;
  const stored = machines.get(machine.id);
  expect(stored?.config.image).toBe(`${fake.registry}/${app.appName}@${registry.digest}`);
  expect(stored?.config.metadata).toEqual({ sp_tenant: registry.tenantId, sp_release: spec.releaseId });
  expect(JSON.stringify(stored?.config)).not.toContain('planted');
  expect(Array.from(secrets, ([name, { value }]) => [name, value])).toEqual([['GREETING', 'planted greeting']]);
  // It was given back.
  expect(stored?.lease).toBeUndefined();
  // The next release has no GREETING any more.
  await open().start(specOf(app.appName, { env: { NAME: 'x' } }));
  expect(Array.from(secrets.keys())).toEqual(['NAME']);
});

test('a second release gets a copy of the volume, and the last machine leaves its volume behind', async () => {
  const app = newApp();
  const machines = open();
  await machines.createApp(app);
  const { volumes } = fake.apps.get(app.appName) as FakeApp;
  const [first] = volumes.keys();
  const [older, newer] = [specOf(app.appName), specOf(app.appName)];
  await machines.start(older);
  await machines.start(newer);
  expect(Array.from(volumes.values(), ({ source }) => source)).toEqual([undefined, first]);
  await machines.stop(app.appName, older.releaseId);
  const [last] = volumes.keys();
  expect(volumes.size).toBe(1);
  expect(last).not.toBe(first);
  await machines.stop(app.appName, newer.releaseId);
  expect(Array.from(volumes.keys())).toEqual([last]);
  await machines.start(older);
  expect(volumes.get(last ?? '')?.attachedMachine).toBeDefined();
});

test('a machine that somebody else holds is waited for; a lost lease runs out', async () => {
  const app = newApp();
  const machines = open();
  await machines.createApp(app);
  const spec = specOf(app.appName);
  const { id } = await machines.start(spec);
  const machine = fake.apps.get(app.appName)?.machines.get(id);
  if (machine === undefined) throw new Error('no machine');
  const expiresAt = Date.now() + 1500;
  machine.lease = { nonce: 'theirs', owner: 'other', description: '', expiresAt };
  await machines.stop(app.appName, spec.releaseId);
  expect(Date.now()).toBeGreaterThanOrEqual(expiresAt);
  expect(inventory(app.appName).machines).toBe(0);
});

test.for([{ status: 409 }, { status: 412 }])('$status at a machine is a conflict', async (fault) => {
  const app = newApp();
  const machines = open();
  await machines.createApp(app);
  const spec = specOf(app.appName);
  await machines.start(spec);
  fake.fail({ action: 'machine-delete', fault, app: app.appName });
  const stop = machines.stop(app.appName, spec.releaseId);
  await expect(stop).rejects.toMatchObject({
    code: 'SP_MACHINE_FLY',
    step: 'machine-delete',
    failureClass: 'conflict',
  });
  await machines.stop(app.appName, spec.releaseId);
  expect(inventory(app.appName).machines).toBe(0);
});

test('no room in a region is said as such', async () => {
  fake.fillRegion('gru');
  const app = { ...newApp(), region: 'gru' };
  const failure = { code: 'SP_MACHINE_FLY', step: 'volume-create', failureClass: 'capacity', status: 422 };
  await expect(open().createApp(app)).rejects.toMatchObject({ ...failure, message: expect.stringContaining('gru') });
});

test('a region that there is not, and a name that somebody else has, are for good', async () => {
  const permanent = { code: 'SP_MACHINE_FLY', failureClass: 'permanent' };
  await expect(open().createApp({ ...newApp(), region: 'xyz' })).rejects.toMatchObject({ ...permanent, status: 400 });
  const app = newApp();
  await open({ token: 'planted-other-token', organization: 'other' }).createApp(app);
  const taken = { ...permanent, status: 403, reason: 'the name belongs to another organization' };
  await expect(open().createApp(app)).rejects.toMatchObject(taken);
});

test.for([
  { fault: { hang: 'before-work' }, failureClass: 'ambiguous', reason: 'no answer in time' },
  { fault: { status: 503 }, failureClass: 'ambiguous', reason: 'injected failure 503' },
  { fault: { status: 429 }, failureClass: 'transient', reason: 'injected failure 429' },
] as const)(
  '$fault without end is given up in time, and says what it means',
  async ({ fault, failureClass, reason }) => {
    const app = newApp();
    fake.fail({ action: 'app-get', fault, app: app.appName, times: 1000 });
    const failure = { code: 'SP_MACHINE_FLY', step: 'app-get', failureClass, reason };
    // An answer that comes is waited for, however late.
    const requestTimeoutMs = 'hang' in fault ? 300 : 60_000;
    await expect(open({ requestTimeoutMs, deadlineMs: 1000 }).createApp(app)).rejects.toMatchObject(failure);
  },
);

test('nobody there at all: nothing was done', async () => {
  const machines = open({ machinesUrl: `http://127.0.0.1:${await freePort()}`, deadlineMs: 500 });
  const failure = {
    code: 'SP_MACHINE_FLY',
    failureClass: 'transient',
    reason: expect.stringContaining('ECONNREFUSED'),
  };
  await expect(machines.createApp(newApp())).rejects.toMatchObject(failure);
});

test('an answer that is none is not believed', async () => {
  const send: typeof fetch = async () => new Response('<html>proxy</html>', { status: 200 });
  const failure = { code: 'SP_MACHINE_FLY', failureClass: 'ambiguous', status: 200 };
  await expect(open({ fetch: send, deadlineMs: 300 }).createApp(newApp())).rejects.toMatchObject(failure);
});

test('a wait is ended by its signal', async () => {
  const app = newApp();
  fake.fail({ action: 'app-get', fault: { hang: 'before-work' }, app: app.appName });
  const signal = AbortSignal.timeout(100);
  await expect(open({ requestTimeoutMs: 60_000 }).createApp(app, { signal })).rejects.toMatchObject({
    name: 'TimeoutError',
  });
});

test('a wrong token is named, and is found nowhere', async () => {
  const wrong = 'planted-wrong-token';
  const error: unknown = await open({ token: wrong })
    .createApp(newApp())
    .catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: 'SP_MACHINE_FLY_TOKEN', status: 401, failureClass: 'permanent' });
  const { inspect } = await import('node:util');
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('planted');
  for (const bad of ['', 'planted token', 'planted\ntoken']) {
    expect(() => open({ token: bad })).toThrow(expect.objectContaining({ code: 'SP_MACHINE_FLY_TOKEN' }));
    expect(() => open({ token: bad })).toThrow(/^((?!planted).)*$/s);
  }
  // A provider that repeats what it was sent.
  const echo: typeof fetch = async (_, init) =>
    Response.json({ error: `bad ${new Headers(init?.headers).get('authorization')}` }, { status: 400 });
  const echoed: unknown = await open({ fetch: echo })
    .createApp(newApp())
    .catch((failure: unknown) => failure);
  expect(echoed).toMatchObject({ code: 'SP_MACHINE_FLY', status: 400, reason: expect.stringContaining('bad Bearer') });
  expect(inspect(echoed, { depth: 10 })).not.toContain('planted');
});

test('the output of a machine that writes without end is read up to the call, and a reader that leaves ends it', async () => {
  let parts = 0;
  const endless: typeof fetch = (input, init) => {
    if (!new URL(input instanceof Request ? input.url : input).pathname.endsWith('/logs')) return fetch(input, init);
    parts++;
    const attributes = { timestamp: '2026-01-01T00:00:00.000Z', message: `line ${parts}`, level: 'info' };
    return Promise.resolve(Response.json({ data: [{ attributes }], meta: { next_token: String(parts) } }));
  };
  const machines = open({ fetch: endless });
  const { appName, ...app } = newApp();
  const spec = specOf(appName);
  await machines.createApp({ appName, ...app });
  await machines.start(spec);
  expect(await machines.logs(appName, spec.releaseId, { lines: 2 })).toEqual(['line 29', 'line 30']);
  expect(parts).toBe(30);

  const reader = new AbortController();
  const read = machines.readLogs(appName, spec.releaseId, { follow: true, signal: reader.signal });
  const seen: string[] = [];
  for await (const { message } of read) {
    seen.push(message);
    if (seen.length === 32) reader.abort();
  }
  expect(seen.length).toBe(32);
  await machines.removeApp(appName);
});

test('after a release that failed, the one that goes on starts again with its own environment', async () => {
  const machines = open();
  const { appName, ...app } = newApp();
  await machines.createApp({ appName, ...app });
  const before = specOf(appName, { env: { PASSWORD: 'first', OLD: 'x' } });
  await machines.start(before);
  const failed = specOf(appName, { env: { PASSWORD: 'second', NEW: 'y' } });
  await machines.start(failed);
  await machines.stop(appName, failed.releaseId);
  await machines.keep(before);
  const secrets = fake.apps.get(appName)?.secrets ?? new Map<string, { readonly value: string }>();
  expect(Object.fromEntries([...secrets].map(([name, { value }]) => [name, value]))).toEqual({
    PASSWORD: 'first',
    OLD: 'x',
  });
  await machines.removeApp(appName);
});
