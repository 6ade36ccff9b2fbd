import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProcessMachines } from '../src/machines/process.ts';
import { machinesSuite } from './machines.suite.ts';
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
    visibleArguments: async ({ id }) => readFile(`/proc/${id}/cmdline`, 'utf8'),
  }),
});
