import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFly } from '../src/machines/fly.ts';
import { createProcessRunner, type FakeFly, startFakeFly } from './fake-fly.ts';
import { machinesSuite } from './machines.suite.ts';
import { type RegistryFixture, startRegistry } from './machines-fixture.ts';

const token = 'planted-fly-token';
let registry: RegistryFixture;
let fake: FakeFly;
let runner: ReturnType<typeof createProcessRunner>;

beforeAll(async () => {
  registry = await startRegistry();
  runner = createProcessRunner({ directory: join(registry.directory, 'fly'), storage: () => fake.storage });
  // As at Fly.io: what is new is seen later, machines take a moment, and there are rate limits; ten times the usual.
  fake = await startFakeFly({ tokens: { [token]: 'acme' }, lagMs: 80, startMs: 20, rateFactor: 10, runner });
});
afterAll(async () => {
  await runner.close();
  await fake[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

machinesSuite('fly', {
  prepare: async () => ({
    ...registry,
    machines: createFly({
      token,
      organization: 'acme',
      images: registry.images.storage,
      logger: pino({ enabled: false }),
      databaseHost: 'db.internal',
      machinesUrl: fake.url,
      logsUrl: fake.url,
      registry: fake.registry,
      settleMs: 3000,
      rateFactor: 10,
      addressOf: ({ id }) => fake.addressOf(id),
    }).machines,
    // Whoever may read the app's machines sees their configuration.
    visibleArguments: async ({ id }) => {
      const machine = Array.from(fake.apps.values(), ({ machines }) => machines.get(id)).find(Boolean);
      return `server.mjs ${JSON.stringify(machine?.config)}`;
    },
    volumeGb: ({ id }) => {
      const volumes = Array.from(fake.apps.values()).flatMap((app) => [...app.volumes.values()]);
      return volumes.find(({ attachedMachine }) => attachedMachine === id)?.sizeGb;
    },
  }),
  region: 'fra',
});

test('fly: all that was within the rate limits, and nothing is left', () => {
  expect(fake.counts.statuses.get(429)).toBeUndefined();
  expect(fake.counts.statuses.get(400)).toBeUndefined();
  expect(Array.from(fake.apps.keys())).toEqual([]);
});
